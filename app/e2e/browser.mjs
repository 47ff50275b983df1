// A browser for the tests, with the flags that work on a machine without a screen, a camera or a microphone.
import { chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
  "--autoplay-policy=user-gesture-required",
];

/** `sound`: a WAV file that plays the part of the microphone. `devices: false`: a machine without camera and microphone. */
export function launch({ sound, devices = true, headless = true } = {}) {
  const fake = devices ? ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"] : [];
  const file = sound === undefined ? [] : [`--use-file-for-fake-audio-capture=${sound}`];
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless, args: [...FLAGS, ...fake, ...file] });
}

export const PHONE = { width: 390, height: 844 };
export const DESKTOP = { width: 1280, height: 800 };
