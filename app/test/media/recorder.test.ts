//! Recording an announcement: when the microphone is open, and what becomes of what was said.

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { RECORDED_MS_MAX, Recorder, type RecorderParts } from "../../src/media/recorder.ts";
import { packet, webm } from "./webm.ts";

/** A browser whose recorder writes what it is told to. */
class Browser implements RecorderParts {
  open = 0;
  written = webm([Array.from({ length: 60 }, (_, nth) => packet(nth))]);
  refusal: DOMException | undefined;
  can = true;
  grant: (() => void) | undefined;

  supported(): boolean {
    return this.can;
  }
  async microphone(): Promise<MediaStream> {
    if (this.grant !== undefined) await new Promise<void>((resolve) => (this.grant = resolve));
    if (this.refusal !== undefined) throw this.refusal;
    this.open += 1;
    return { getTracks: () => [{ stop: () => (this.open -= 1) }] } as unknown as MediaStream;
  }
  recorder(): MediaRecorder {
    const recorder = {
      state: "inactive",
      ondataavailable: null as ((event: { data: Blob }) => void) | null,
      onstop: null as (() => void) | null,
      start: () => (recorder.state = "recording"),
      stop: () => {
        recorder.state = "inactive";
        queueMicrotask(() => {
          recorder.ondataavailable?.({ data: new Blob([Uint8Array.from(this.written)]) });
          recorder.onstop?.();
        });
      },
    };
    return recorder as unknown as MediaRecorder;
  }
  now(): number {
    return 0;
  }
}

/** Until it has come to rest. */
async function state(recorder: Recorder, wanted: string): Promise<Recorder["state"]> {
  for (let turn = 0; turn < 200 && recorder.state.at !== wanted; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(recorder.state.at, wanted);
  return recorder.state;
}

test("what is said between two presses is a sound, and the microphone is closed before it is one", async () => {
  const browser = new Browser();
  const recorder = new Recorder(() => undefined, () => false, browser);
  await recorder.begin();
  assert.deepEqual([recorder.state.at, recorder.open, browser.open], ["recording", true, 1]);
  recorder.end();
  const done = await state(recorder, "recorded");
  assert.ok(done.at === "recorded" && done.sound.lengthMs === 1_194);
  assert.equal(browser.open, 0);
  recorder.discard();
  assert.equal(recorder.state.at, "idle");
});

test("after a minute it ends by itself", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const browser = new Browser();
  const recorder = new Recorder(() => undefined, () => false, browser);
  await recorder.begin();
  mock.timers.tick(RECORDED_MS_MAX - 1);
  assert.equal(recorder.state.at, "recording");
  mock.timers.tick(1);
  mock.timers.reset();
  await state(recorder, "recorded");
  assert.equal(browser.open, 0);
});

test("what is put aside is nothing: the microphone closes at once, also while the browser still asks for it", async () => {
  const browser = new Browser();
  const recorder = new Recorder(() => undefined, () => false, browser);
  await recorder.begin();
  recorder.discard();
  assert.deepEqual([recorder.state.at, browser.open], ["idle", 0]);
  browser.grant = () => undefined;
  const asked = recorder.begin();
  assert.equal(recorder.state.at, "opening");
  recorder.discard();
  browser.grant();
  await asked;
  assert.deepEqual([recorder.state.at, browser.open], ["idle", 0]);
});

test("why it can't record is said in a word", async () => {
  const browser = new Browser();
  const recorder = new Recorder(() => undefined, () => false, browser);
  const problem = async (): Promise<unknown> => {
    await recorder.begin();
    return recorder.state.at === "idle" ? recorder.state.problem : recorder.state.at;
  };
  browser.refusal = new DOMException("", "NotAllowedError");
  assert.equal(await problem(), "refused");
  browser.can = false;
  assert.equal(await problem(), "unsupported");
  const broken = new Browser();
  broken.written = new Uint8Array([1, 2, 3]);
  const other = new Recorder(() => undefined, () => false, broken);
  await other.begin();
  other.end();
  const idle = await state(other, "idle");
  assert.ok(idle.at === "idle" && idle.problem === "busy");
});
