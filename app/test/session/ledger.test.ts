//! Nothing is lost and nothing is done twice, whatever the connection does.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServerFrame } from "../../src/protocol.ts";
import { backoffMs } from "../../src/session/backoff.ts";
import { type Answer, Ledger, UNANSWERED_MAX } from "../../src/session/ledger.ts";

type Welcome = Extract<ServerFrame, { type: "welcome" }>;
const welcome = (session: string, resumed: boolean): Welcome => ({
  type: "welcome", protocol: 1, session, resumed, heartbeat_secs: 20, server_time_ms: 0, account: "a", device: null, household: null,
});
const event = (seq: number): Extract<ServerFrame, { type: "event" }> => ({ type: "event", seq, body: { type: "join_refused" } });

test("requests made before the first welcome are sent after it", () => {
  const ledger = new Ledger();
  assert.equal(ledger.resume(), null);
  ledger.request({ type: "get_home" }, () => undefined);
  ledger.request({ type: "create_invitation" }, () => undefined);
  assert.deepEqual(ledger.welcomed(welcome("s1", false)), [
    { type: "request", id: 1, body: { type: "get_home" } }, { type: "request", id: 2, body: { type: "create_invitation" } },
  ]);
});

test("a resumed session sends the unanswered again under their numbers, and asks from the last event on", () => {
  const ledger = new Ledger();
  ledger.welcomed(welcome("s1", false));
  const answers: Answer[] = [];
  ledger.request({ type: "get_home" }, (answer) => answers.push(answer));
  ledger.request({ type: "create_invitation" }, (answer) => answers.push(answer));
  ledger.replied({ type: "reply", id: 1, result: { ok: { type: "done" } } });
  ledger.event(event(1));
  assert.deepEqual(ledger.resume(), { session: "s1", last_event: 1 });
  assert.deepEqual(ledger.welcomed(welcome("s1", true)), [{ type: "request", id: 2, body: { type: "create_invitation" } }]);
  assert.equal(answers.length, 1);
});

test("an event that comes twice is taken in once, and a gap is noticed", () => {
  const ledger = new Ledger();
  ledger.welcomed(welcome("s1", false));
  assert.deepEqual(ledger.event(event(1)), { type: "join_refused" });
  assert.equal(ledger.event(event(1)), "seen");
  assert.equal(ledger.event(event(3)), "gap");
});

test("a new session repeats only what has the same effect twice, and says of the rest that it was lost", () => {
  const ledger = new Ledger();
  ledger.welcomed(welcome("s1", false));
  const answers: Answer[] = [];
  ledger.request({ type: "create_invitation" }, (answer) => answers.push(answer));
  const questions = [{ type: "get_home" }, { type: "may_drop_in", to: { device: "d1" } }] as const;
  for (const body of questions) ledger.request(body, (answer) => answers.push(answer));
  assert.deepEqual(ledger.welcomed(welcome("s2", false)), questions.map((body, at) => ({ type: "request", id: at + 1, body })));
  assert.deepEqual(answers, [{ lost: true }]);
  assert.deepEqual(ledger.resume(), { session: "s2", last_event: 0 });
});

test("acknowledgements name the last event and the last reply before which none is missing", () => {
  const ledger = new Ledger();
  ledger.welcomed(welcome("s1", false));
  assert.equal(ledger.ack(), undefined);
  for (let i = 0; i < 3; i++) ledger.request({ type: "get_home" }, () => undefined);
  ledger.replied({ type: "reply", id: 1, result: { ok: { type: "done" } } });
  ledger.replied({ type: "reply", id: 3, result: { ok: { type: "done" } } });
  for (let seq = 1; seq <= 16; seq++) ledger.event(event(seq));
  assert.ok(ledger.ackDue);
  assert.deepEqual(ledger.ack(), { type: "ack", event: 16, reply: 1 });
  assert.equal(ledger.ack(), undefined);
});

test("what waits has a bound", () => {
  const ledger = new Ledger();
  for (let i = 0; i < UNANSWERED_MAX; i++) ledger.request({ type: "get_home" }, () => undefined);
  assert.ok(ledger.full);
});

test("waiting between tries grows and stays bounded", () => {
  assert.ok(backoffMs(0, () => 1) <= 250);
  assert.ok(backoffMs(3, () => 0) >= 1_000);
  assert.equal(backoffMs(99, () => 1), 15_000);
});
