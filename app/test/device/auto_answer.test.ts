//! A home device answers by itself only the call that rings, only while the policy says so, and never unheard.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { AutoAnswer, RING_FIRST_MS } from "../../src/device/auto_answer.ts";
import type { WhoIs } from "../../src/e2ee/port.ts";
import type { AnswerMode } from "../../src/home/policies.ts";

const who = { genesis: "k", person: "ben" } as WhoIs;

function device(mode: AnswerMode) {
  const now = { mode, ringing: "call" as string | undefined, audible: true, answers: 0 };
  const auto = new AutoAnswer({ mode: () => now.mode, ringing: () => now.ringing, audible: () => now.audible, answer: () => void now.answers++ });
  return { now, auto };
}

/** Timers on a clock of the test's own: node's differ between the versions that Debian has. */
const timers = {
  at: 0,
  waiting: new Map<number, { due: number; run: () => void }>(),
  last: 0,
  tick(milliseconds: number): void {
    this.at += milliseconds;
    for (const [id, { due, run }] of this.waiting) if (due <= this.at && this.waiting.delete(id)) run();
  },
};

beforeEach(() => {
  timers.waiting.clear();
  const set = (run: () => void, wait: number): number => {
    timers.waiting.set(++timers.last, { due: timers.at + wait, run });
    return timers.last;
  };
  const clear = (id: number): void => void timers.waiting.delete(id);
  Object.assign(globalThis, { setTimeout: set, clearTimeout: clear });
});

const real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };
afterEach(() => void Object.assign(globalThis, real));

test("it rings first, then answers, once", () => {
  const { now, auto } = device("auto");
  auto.rings("call", who);
  timers.tick(RING_FIRST_MS - 1);
  assert.equal(now.answers, 0);
  timers.tick(1);
  assert.equal(now.answers, 1);
  timers.tick(60_000);
  assert.equal(now.answers, 1);
});

for (const mode of ["ask", "echo"] as const) {
  test(`"${mode}" waits for a hand`, () => {
    const { now, auto } = device(mode);
    auto.rings("call", who);
    timers.tick(60_000);
    assert.equal(now.answers, 0);
  });
}

for (const [what, change] of [
  ["the call is over", { ringing: undefined }], ["another call rings", { ringing: "another" }],
  ["the policy was taken back meanwhile", { mode: "ask" }], ["the browser lets no ring be heard", { audible: false }],
] as const) {
  test(`nothing is answered when ${what}`, () => {
    const { now, auto } = device("auto");
    auto.rings("call", who);
    Object.assign(now, change);
    timers.tick(60_000);
    assert.equal(now.answers, 0);
  });
}
