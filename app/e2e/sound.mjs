// Tones: made as a file that plays the part of a microphone, and found again in what another page hears.
import { writeFile } from "node:fs/promises";

const RATE = 48_000;

/** Ten seconds of one tone, mono, 16 bit, half loud; the browser plays it over and over. */
export async function toneFile(path, hertz) {
  const samples = RATE * 10;
  const wav = Buffer.alloc(44 + samples * 2);
  wav.write("RIFF", 0);
  wav.writeUInt32LE(36 + samples * 2, 4);
  wav.write("WAVEfmt ", 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(RATE, 24);
  wav.writeUInt32LE(RATE * 2, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write("data", 36);
  wav.writeUInt32LE(samples * 2, 40);
  for (let i = 0; i < samples; i++) wav.writeInt16LE(Math.round(16_000 * Math.sin((2 * Math.PI * hertz * i) / RATE)), 44 + i * 2);
  await writeFile(path, wav);
  return path;
}

/** Begins to listen to what the call's audio element plays; `heard` then reads it. */
async function listen(page) {
  await page.evaluate(() => {
    const element = document.querySelector('[data-testid="remote-audio"]');
    if (globalThis.ear?.stream === element.srcObject) return;
    const context = globalThis.ear?.context ?? new AudioContext();
    const analyser = context.createAnalyser();
    analyser.fftSize = 16_384;
    analyser.smoothingTimeConstant = 0;
    context.createMediaStreamSource(element.srcObject).connect(analyser);
    globalThis.ear = { context, analyser, stream: element.srcObject };
  });
}

/** Waits until the strongest frequency is `hertz`, within the width of what Opus and the FFT blur. */
export async function hears(page, hertz, timeout = 20_000) {
  await page.waitForFunction(() => document.querySelector('[data-testid="remote-audio"]')?.srcObject != null, undefined, { timeout });
  await listen(page);
  await page.waitForFunction((wanted) => {
    const { analyser, context } = globalThis.ear;
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(bins);
    const best = bins.indexOf(Math.max(...bins));
    globalThis.ear.last = { hertz: (best * context.sampleRate) / analyser.fftSize, decibels: bins[best] };
    return Math.abs(globalThis.ear.last.hertz - wanted) < 30 && bins[best] > -60;
  }, hertz, { timeout, polling: 200 });
}

/** Waits until nothing is louder than what a muted microphone sends. */
export async function hearsSilence(page, timeout = 15_000) {
  await page.waitForFunction(() => document.querySelector('[data-testid="remote-audio"]')?.srcObject != null, undefined, { timeout });
  await listen(page);
  await page.waitForFunction(() => {
    const bins = new Float32Array(globalThis.ear.analyser.frequencyBinCount);
    globalThis.ear.analyser.getFloatFrequencyData(bins);
    return Math.max(...bins) < -85;
  }, undefined, { timeout, polling: 200 });
}

/** Lets a test read the statistics of the page's connections; put in before the page loads. */
export function spyOnConnections(context) {
  return context.addInitScript(() => {
    globalThis.connections = [];
    const Native = RTCPeerConnection;
    globalThis.RTCPeerConnection = class extends Native {
      constructor(...args) {
        super(...args);
        globalThis.connections.push(this);
      }
    };
  });
}

/** Waits until so many more frames than now were decoded. */
export async function seesFrames(page, more = 10, timeout = 20_000) {
  const decoded = () => page.evaluate(async () => {
    let frames = 0;
    for (const connection of globalThis.connections) {
      (await connection.getStats()).forEach((entry) => {
        if (entry.type === "inbound-rtp" && entry.kind === "video") frames += entry.framesDecoded ?? 0;
      });
    }
    return frames;
  });
  const before = await decoded();
  for (const until = Date.now() + timeout; Date.now() < until;) {
    if (await decoded() >= before + more) return;
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => resolve())));
  }
  throw new Error(`no ${more} more frames within ${timeout} ms, ${await decoded()} in all`);
}

/** How the page's connections protect their packets, by the browser's own word. */
export function srtpCiphers(page) {
  return page.evaluate(async () => {
    const ciphers = new Set();
    for (const connection of globalThis.connections) {
      (await connection.getStats()).forEach((entry) => {
        if (entry.type === "transport" && entry.srtpCipher) ciphers.add(entry.srtpCipher);
      });
    }
    return [...ciphers];
  });
}

/** Asks until it says yes: `waitForFunction` takes a promise for a yes. */
export async function until(what, predicate, timeout = 20_000) {
  for (const end = Date.now() + timeout; Date.now() < end;) {
    if (await predicate()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`never: ${await (typeof what === "string" ? what : what())}`);
}
