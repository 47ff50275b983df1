//! How an announcement is sounded: at its moment by the sound's own clock, by a voice, or on the screen.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { announcedSound, type Output } from "../../src/device/announced_sound.ts";
import type { Incoming } from "../../src/device/announcement_queue.ts";

const one = (content: Incoming["content"], beginMs = performance.now()): Incoming => ({
  id: "a", device: "d", kind: "app", from: "Anna's phone", content, replyTo: undefined, play: true, beginMs, freshUntilMs: beginMs + 300_000,
});
const SOUND: Incoming["content"] = { kind: "sound", ogg: "AQID", lengthMs: 1_000 };
const TEXT: Incoming["content"] = { kind: "text", text: "Dinner's ready" };

const page = { hidden: false, card: true };
beforeEach(() => {
  Object.assign(page, { hidden: false, card: true });
  Object.assign(globalThis, {
    document: { get hidden() { return page.hidden; }, querySelector: () => (page.card ? { checkVisibility: () => true, isConnected: true } : null) },
    requestAnimationFrame: (run: () => void) => setTimeout(run, 1),
  });
});
afterEach(() => {
  for (const name of ["document", "requestAnimationFrame"]) Reflect.deleteProperty(globalThis, name);
});

/** A page's sound output, 0.1 s behind its own clock. */
class Speaker {
  allowed = true;
  decodes = true;
  started: number[] = [];
  stopped = 0;
  end: () => void = () => undefined;
  readonly output = {
    currentTime: 50,
    getOutputTimestamp: () => ({ contextTime: 49.9, performanceTime: performance.now() }),
    decodeAudioData: () => (this.decodes ? Promise.resolve({ length: 48_000, duration: 1 }) : Promise.reject(new Error("no sound"))),
    createBufferSource: () => {
      const source = {
        buffer: undefined, onended: undefined as (() => void) | undefined, connect: () => undefined, disconnect: () => undefined,
        start: (when: number) => void this.started.push(when),
        stop: () => {
          this.stopped += 1;
          source.onended?.();
        },
      };
      this.end = () => source.onended?.();
      return source;
    },
  } as unknown as AudioContext;
}

class FakeVoice {
  speaks = true;
  said: string[] = [];
  stops = 0;
  ends: (spoken: boolean) => void = () => undefined;
  read(text: string): Promise<boolean> {
    this.said.push(text);
    return new Promise((resolve) => (this.ends = resolve));
  }
  stopReading(): void {
    this.stops += 1;
  }
}

function parts(): { speaker: Speaker; voice: FakeVoice; output: Output } {
  const [speaker, voice] = [new Speaker(), new FakeVoice()];
  return { speaker, voice, output: announcedSound(speaker, voice) };
}

const begun = (): { count: number; call(): void } => {
  const times = { count: 0, call: () => void (times.count += 1) };
  return times;
};

async function turns(ms = 5): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

test("a sound is scheduled for its moment, with what the output holds back; who is late begins at once", async () => {
  const { speaker, output } = parts();
  const start = begun();
  const outcome = output.play(one(SOUND, performance.now() + 300), start.call, new AbortController().signal);
  await turns();
  assert.ok(Math.abs((speaker.started[0] ?? 0) - 50.2) < 0.02, `${speaker.started[0]}`);
  assert.equal(start.count, 0);
  await turns(320);
  assert.equal(start.count, 1);
  speaker.end();
  assert.equal(await outcome, "played");
  void output.play(one(SOUND, performance.now() - 10_000), start.call, new AbortController().signal);
  await turns();
  assert.equal(speaker.started[1], 50);
  speaker.end();
});

test("it is silent at once when it is stopped, and what is no sound is not played", async () => {
  const { speaker, output } = parts();
  const stop = new AbortController();
  const outcome = output.play(one(SOUND), () => undefined, stop.signal);
  await turns();
  stop.abort();
  await outcome;
  assert.equal(speaker.stopped, 1);
  speaker.decodes = false;
  assert.equal(await output.play(one(SOUND), () => undefined, new AbortController().signal), "failed");
  assert.equal(speaker.started.length, 1);
});

test("a text is spoken where there is a voice, else it is shown, and only what was painted was shown", async () => {
  const { voice, output } = parts();
  const spoken = output.play(one(TEXT), () => undefined, new AbortController().signal);
  await turns();
  voice.ends(true);
  assert.equal(await spoken, "played");
  assert.deepEqual(voice.said, ["Anna's phone says: Dinner's ready"]);
  const stop = new AbortController();
  const stopped = output.play(one(TEXT), () => undefined, stop.signal);
  await turns();
  stop.abort();
  voice.ends(false);
  assert.equal(await stopped, "failed");
  assert.equal(voice.stops, 1);
  voice.speaks = false;
  assert.equal(await output.play(one(TEXT), () => undefined, new AbortController().signal), "shown");
  page.hidden = true;
  assert.equal(await output.play(one(TEXT), () => undefined, new AbortController().signal), "failed");
});

test("a page that may not sound waits with sounds, and shows texts if somebody looks", () => {
  const { speaker, output } = parts();
  assert.ok(output.can(one(SOUND)) && output.can(one(TEXT)));
  speaker.allowed = false;
  assert.ok(!output.can(one(SOUND)) && output.can(one(TEXT)));
  page.hidden = true;
  assert.ok(!output.can(one(TEXT)));
});
