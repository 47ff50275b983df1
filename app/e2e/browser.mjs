// A browser for the tests, with the flags that work on a machine without a screen, a camera or a microphone.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { chromium } from "playwright-core";

/**
 * Chromium's own headless build where it is installed: no windows, tabs and menus that nobody sees, which is nearly half of the processor time.
 * `CHROMIUM` names another.
 */
export const CHROMIUM = process.env.CHROMIUM ?? ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"].find(existsSync);

/** The one that people have, without a screen: only it shows notifications, and learns as late as theirs that the network has changed. */
export const WHOLE = process.env.CHROMIUM ?? "/usr/bin/chromium";

const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
  "--autoplay-policy=user-gesture-required",
];

/** `sound`: a WAV file that plays the part of the microphone, `picture`: a Motion JPEG that plays the camera. `devices: false`: a machine without camera and microphone. `home`: a home directory, whose certificate authorities are trusted. `program` and `flags`: another Chromium, or one with more. */
export function launch({ sound, picture, devices = true, headless = true, home, program = CHROMIUM, flags = [] } = {}) {
  const fake = devices ? ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"] : [];
  const file = sound === undefined ? [] : [`--use-file-for-fake-audio-capture=${sound}`];
  if (picture !== undefined) file.push(`--use-file-for-fake-video-capture=${picture}`);
  const env = home === undefined ? {} : { env: { ...process.env, HOME: home } };
  return chromium.launch({ executablePath: program, headless, args: [...FLAGS, ...fake, ...file, ...flags], ...env });
}

export const PHONE = { width: 390, height: 844 };
export const DESKTOP = { width: 1280, height: 800 };

/**
 * With `E2E_FROM_DIST=1`, pages get the app's files from `dist/` instead of those in the binary (their headers stay the server's):
 * for work on the app, without building the server for each change. The documents stay the server's: Chromium lets only
 * a page of this machine's own connect to this machine.
 */
export async function fromDist(context) {
  if (process.env.E2E_FROM_DIST !== "1") return;
  await context.route(/\/[\w-]+\.(js|css|svg)$/, async (route) => {
    const file = new URL(`../dist${new URL(route.request().url()).pathname}`, import.meta.url).pathname;
    if (route.request().method() !== "GET" || !existsSync(file)) return route.continue();
    const response = await route.fetch();
    return route.fulfill({ response, body: await readFile(file) });
  });
}
