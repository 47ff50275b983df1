//! Draws after changes, once a frame at most, and once a second while something on the screen counts time.

export function drawLoop(draw: () => void, ticking: () => boolean): () => void {
  let asked = false;
  const run = (): void => {
    if (!asked) return;
    asked = false;
    draw();
  };
  const ask = (): void => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(run);
    // A hidden tab gets no frames; a call that rings there still has to be on the page when it is opened.
    setTimeout(run, 100);
  };
  setInterval(() => ticking() && ask(), 1_000);
  return ask;
}
