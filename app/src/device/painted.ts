//! Whether something is on the screen by now: drawn, visible, and a frame later still there.

/** A screen that has painted nothing by then is off, or shows something else. */
const LATE_MS = 2_000;

export async function painted(find: () => Element | null, now: () => number = () => performance.now()): Promise<boolean> {
  for (const late = now() + LATE_MS; now() < late;) {
    if (!(await frame(late - now()))) return false;
    const element = find();
    if (element === null || document.hidden || !element.checkVisibility()) continue;
    // The frame in which it was found is painted before the next one begins.
    return (await frame(late - now())) && element.isConnected && !document.hidden;
  }
  return false;
}

/** False: there is none, as in a tab that nobody looks at. */
function frame(withinMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve(false), Math.max(0, withinMs));
    requestAnimationFrame(() => {
      clearTimeout(late);
      resolve(true);
    });
  });
}
