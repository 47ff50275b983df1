//! The built key worker in Chromium: real tracks, real storage, a call between two households on one page.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import type { Outcome } from "./browser_page.ts";

const APP = process.env["HOMELINE_APP"] as string;
const CHROMIUM = process.env["CHROMIUM"] ?? ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"].find(existsSync);
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
  "--autoplay-policy=no-user-gesture-required",
];

async function bundle(file: string): Promise<string> {
  const { options } = (await import(join(APP, "build.mjs"))) as { options: (control: boolean) => object };
  const made = await build({ ...options(false), entryPoints: [join(APP, file)], write: false });
  return made.outputFiles[0]?.text ?? "";
}

async function serve(files: Record<string, [string, string]>): Promise<{ url: string; close: () => void }> {
  const server = createServer((request, response) => {
    const [type, text] = files[request.url ?? ""] ?? ["text/plain", ""];
    response.writeHead(200, { "content-type": type, "content-security-policy": "default-src 'self'; media-src 'self' blob:" });
    response.end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://localhost:${port}/`, close: () => server.close() };
}

test("sound and picture cross encrypted, and only after there are keys", { skip: CHROMIUM === undefined && "no Chromium here", timeout: 90_000 }, async () => {
  const server = await serve({
    "/": ["text/html", '<!doctype html><script type="module" src="/page.js"></script>'],
    "/page.js": ["text/javascript", await bundle("test/e2ee/browser_page.ts")],
    "/e2ee-worker.js": ["text/javascript", await bundle("src/e2ee/worker.ts")],
  });
  const browser = await chromium.launch({ executablePath: CHROMIUM as string, args: FLAGS });
  try {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("console", (message) => errors.push(message.text()));
    await page.goto(server.url);
    await page.waitForFunction(() => "outcome" in window);
    const outcome = await page.evaluate<Outcome>(() => window.outcome);
    assert.match(outcome.codes[0] ?? "", /^\d{5}( \d{5}){5}$/);
    assert.equal(outcome.codes[0], outcome.codes[1]);
    assert.ok(outcome.framesDecoded > 10 && outcome.audioEnergy > 0);
    assert.ok(outcome.sender.encrypted > 10 && outcome.sender.noSendKey > 5);
    assert.ok(outcome.receiver.decrypted > 10 && outcome.receiver.wrongSender > 5);
    assert.equal(outcome.receiver.authentication + outcome.receiver.malformed, 0);
    assert.equal(outcome.misledEnergy, 0);
    assert.equal(outcome.exported, "InvalidAccessError");
    assert.equal(outcome.reopened, outcome.device);
    assert.deepEqual(errors, []);
  } finally {
    await browser.close();
    server.close();
  }
});
