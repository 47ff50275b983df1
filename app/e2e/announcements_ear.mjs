// Hears what a page itself plays: which tone is loudest, since when, and how often a microphone was asked for meanwhile.

/** Put in before the page loads. Times are `Date.now()`: all pages are on one machine. */
export async function listenToAnnouncements(context) {
  await context.addInitScript(() => {
    const ear = { begun: [], tones: [], captures: 0 };
    globalThis.announced = ear;
    const start = AudioBufferSourceNode.prototype.start;
    AudioBufferSourceNode.prototype.start = function (when, ...rest) {
      const analyser = this.context.createAnalyser();
      analyser.fftSize = 16_384;
      analyser.smoothingTimeConstant = 0;
      this.connect(analyser);
      // When it sounds, rather than when this is called.
      const beginsInMs = Math.max(0, (when ?? 0) - this.context.currentTime) * 1_000;
      ear.begun.push(Date.now() + beginsInMs);
      const timer = setInterval(() => {
        const bins = new Float32Array(analyser.frequencyBinCount);
        analyser.getFloatFrequencyData(bins);
        const best = bins.indexOf(Math.max(...bins));
        if (bins[best] > -60) ear.tones.push((best * this.context.sampleRate) / analyser.fftSize);
      }, 50);
      this.addEventListener("ended", () => clearInterval(timer));
      return start.call(this, when, ...rest);
    };
    const ask = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
    if (ask === undefined) return;
    navigator.mediaDevices.getUserMedia = (what) => {
      ear.captures += 1;
      return ask(what);
    };
  });
}

export const played = (page) => page.evaluate(() => globalThis.announced);

/** Waits until this tone was the loudest for a while, within what Opus and the FFT blur. */
export function playsTone(page, hertz, timeout = 20_000) {
  return page.waitForFunction((wanted) => globalThis.announced.tones.filter((one) => Math.abs(one - wanted) < 30).length >= 3, hertz, { timeout, polling: 100 });
}
