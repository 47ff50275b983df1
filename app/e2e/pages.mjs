// The pages of a file's stories: each story opens its own, and when it ends they are closed and none of them complained.
import assert from "node:assert/strict";
import { afterEach } from "node:test";
import { DESKTOP, fromDist } from "./browser.mjs";
import { watch } from "./people.mjs";

/** Returns `open(browser, viewport, prepare)`. `prepare` gets the context before its page; `settings` are those of each context. */
export function pages({ timeout = 20_000, settings = {}, prepareEach = async () => undefined } = {}) {
  let contexts = [];
  let complaints = [];
  afterEach(async () => {
    for (const context of contexts) await context.close();
    contexts = [];
    const said = complaints;
    complaints = [];
    assert.deepEqual(said, []);
  });
  const newPage = async (context) => {
    const page = await context.newPage();
    page.setDefaultTimeout(timeout);
    watch(page, complaints);
    return page;
  };
  return {
    async open(browser, viewport = DESKTOP, prepare = async () => undefined) {
      const context = await browser.newContext({ viewport, ...settings });
      contexts.push(context);
      await fromDist(context);
      await prepareEach(context);
      await prepare(context);
      return newPage(context);
    },
    /** A further tab beside a page. */
    beside: (page) => newPage(page.context()),
    complaints: () => complaints,
  };
}

/** Keeps what a page says aloud, in `spoken`. */
export async function listen(context) {
  await context.addInitScript(() => {
    globalThis.spoken = [];
    SpeechSynthesis.prototype.speak = (utterance) => globalThis.spoken.push(utterance.text);
  });
}
