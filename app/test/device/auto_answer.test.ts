//! A home device answers by itself only the call that rings, only while the policy says so, and never unheard.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { AutoAnswer, RING_FIRST_MS } from "../../src/device/auto_answer.ts";
import type { WhoIs } from "../../src/e2ee/port.ts";
import type { AnswerMode } from "../../src/home/policies.ts";

const who = { genesis: "k", person: "ben" } as WhoIs;

function device(mode: AnswerMode) {
  const now = { mode, ringing: "call" as string | undefined, audible: true, answers: 0 };
  const auto = new AutoAnswer({ mode: () => now.mode, ringing: () => now.ringing, audible: () => now.audible, answer: () => void now.answers++ });
  return { now, auto };
}

beforeEach(() => {
  mock.timers.reset();
  // Node 18, as Debian 12 has it, takes the list itself.
  const apis = ["setTimeout"] as const;
  const asked: unknown = process.version.startsWith("v18.") ? apis : { apis: [...apis] };
  mock.timers.enable(asked as Parameters<typeof mock.timers.enable>[0]);
});

test("it rings first, then answers, once", () => {
  const { now, auto } = device("auto");
  auto.rings("call", who);
  mock.timers.tick(RING_FIRST_MS - 1);
  assert.equal(now.answers, 0);
  // Two, since Node 18 fires what is due only afterwards.
  mock.timers.tick(2);
  assert.equal(now.answers, 1);
  mock.timers.tick(60_000);
  assert.equal(now.answers, 1);
});

for (const mode of ["ask", "echo"] as const) {
  test(`"${mode}" waits for a hand`, () => {
    const { now, auto } = device(mode);
    auto.rings("call", who);
    mock.timers.tick(60_000);
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
    mock.timers.tick(60_000);
    assert.equal(now.answers, 0);
  });
}
