// People who meet in the tests of group calls: a browser for each tone, pages that are closed after each story, and ears for more than one voice.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DESKTOP, fromDist, launch } from "./browser.mjs";
import { serve } from "./homeline.mjs";
import { addContact, at, contact, signUp, watch } from "./people.mjs";
import { spyOnConnections, toneFile } from "./sound.mjs";

/** All these people come from one address within a minute. */
export const GENEROUS = {
  HOMELINE_SIGNALING__LIMITS__SIGN_UP_PER_ADDRESS: "{burst=1000,refill_secs=1}",
  HOMELINE_SIGNALING__LIMITS__SIGN_IN_PER_ADDRESS: "{burst=1000,refill_secs=1}",
  HOMELINE_SIGNALING__LIMITS__PAIRING_PER_ADDRESS: "{burst=1000,refill_secs=1}",
  HOMELINE_SIGNALING__CALLS__ONE_STRANGER_AN_HOUR_MAX: "1000",
  // Short enough to wait for what looks like an unanswered call, long enough for every answer here.
  HOMELINE_SIGNALING__CALLS__RING_TIMEOUT_SECS: "20",
};

export class Company {
  #browsers = new Map();
  #contexts = [];
  #complaints = [];
  #people = 0;

  async start(settings = {}) {
    this.tones = await mkdtemp(join(tmpdir(), "homeline-tones-"));
    this.settings = { ...GENEROUS, ...settings };
    this.server = await serve(this.settings);
    this.url = this.server.url;
  }

  /** The server is killed and begins again with what it had stored; in between its pages complain. */
  async serverDies() {
    await this.server.kill();
    this.server = await serve(this.settings, this.server);
  }

  /** What pages complain of when their server is gone. */
  serverWasGone() {
    this.#complaints = this.#complaints.filter((complaint) => !/WebSocket connection|ERR_CONNECTION_REFUSED/.test(complaint));
  }

  async stop() {
    for (const browser of this.#browsers.values()) await browser.close();
    await this.server?.stop();
    await rm(this.tones, { recursive: true, force: true });
  }

  /** After each story: its pages are closed, and none has complained. */
  async part() {
    for (const context of this.#contexts) await context.close();
    this.#contexts = [];
    const said = this.#complaints;
    this.#complaints = [];
    assert.deepEqual(said, []);
  }

  /** A page of a browser whose microphone hears this tone. */
  async open(hertz, viewport = DESKTOP) {
    if (!this.#browsers.has(hertz)) this.#browsers.set(hertz, await launch({ sound: await toneFile(join(this.tones, `${hertz}.wav`), hertz) }));
    const context = await this.#browsers.get(hertz).newContext({ viewport });
    this.#contexts.push(context);
    await fromDist(context);
    await spyOnConnections(context);
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    watch(page, this.#complaints);
    return page;
  }

  handle(name) {
    return `${name.toLowerCase()}${++this.#people}`;
  }

  /** Somebody signed up, whose microphone is not made for speech. */
  async person(name, hertz, viewport, page = undefined) {
    page ??= await this.open(hertz, viewport);
    const handle = this.handle(name);
    await signUp(page, this.url, { name, handle, household: `${name}'s home` });
    await originalSound(page);
    return { name, handle, page };
  }
}

export async function originalSound(page) {
  await at(page, "nav-settings").click();
  await at(page, "setting-original").check();
  await at(page, "nav-contacts").click();
}

/** Each has the others in their contacts, by these names. */
export async function acquainted(...people) {
  for (const one of people) for (const other of people) if (one !== other) await addContact(one.page, `${other.name} of ${one.name}`, other.handle);
}

export async function connected(...pages) {
  for (const page of pages) await page.locator('[data-call-state="connected"]').waitFor();
}

/** A call of voices, answered. */
export async function talking(caller, callee) {
  await contact(caller.page, callee.handle).getByTestId("call-voice").click();
  await at(callee.page, "answer").click();
  await connected(caller.page, callee.page);
}

export async function addToCall(page, handle) {
  await at(page, "add-somebody").click();
  await page.locator(`[data-testid="add-person"][data-handle="${handle}"]`).click();
}

/** Waits until each of these tones is the strongest in what one of the participants sends. */
export async function hearsAll(page, ...wanted) {
  await page.waitForFunction((hertz) => {
    globalThis.ears ??= { context: new AudioContext(), of: new Map() };
    const { context, of } = globalThis.ears;
    const strongest = [];
    for (const element of document.querySelectorAll('[data-testid="remote-audio"], [data-testid="other-audio"]')) {
      const stream = element.srcObject;
      if (stream === null) continue;
      if (!of.has(stream)) {
        const analyser = context.createAnalyser();
        analyser.fftSize = 16_384;
        analyser.smoothingTimeConstant = 0;
        context.createMediaStreamSource(stream).connect(analyser);
        of.set(stream, analyser);
      }
      const analyser = of.get(stream);
      const bins = new Float32Array(analyser.frequencyBinCount);
      analyser.getFloatFrequencyData(bins);
      const best = bins.indexOf(Math.max(...bins));
      if (bins[best] > -60) strongest.push((best * context.sampleRate) / analyser.fftSize);
    }
    globalThis.ears.last = strongest;
    return hertz.every((one) => strongest.some((heard) => Math.abs(heard - one) < 30));
  }, wanted, { timeout: 30_000, polling: 200 });
}

export async function code(page) {
  await at(page, "encryption-state").click();
  const digits = await at(page, "call-code").getAttribute("data-code");
  await at(page, "code-close").click();
  return digits;
}

/** Waits until all show the same digits: a change of keys reaches one after the other. */
export async function sameCode(...pages) {
  for (const until = Date.now() + 20_000; Date.now() < until;) {
    const codes = await Promise.all(pages.map(code));
    if (new Set(codes).size === 1) return;
  }
  throw new Error("the codes stay different");
}

export async function endsWith(page, reason) {
  assert.equal(await at(page, "call-ended").getAttribute("data-reason"), reason);
}
