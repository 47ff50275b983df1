//! A dead connection is noticed within a second, a quiet one is left alone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LOOK_EVERY_MS, PathWatch } from "../../src/media/path_watch.ts";

/** Looks until `untilMs`, with so many packets a second each way, and says when there was an alarm. */
function run(watch: PathWatch, fromMs: number, untilMs: number, sentEach: number, receivedEach: number, counts = { sent: 0, received: 0 }): number[] {
  const alarms = [];
  for (let now = fromMs; now < untilMs; now += LOOK_EVERY_MS) {
    counts.sent += (sentEach * LOOK_EVERY_MS) / 1_000;
    counts.received += (receivedEach * LOOK_EVERY_MS) / 1_000;
    if (watch.look(now, counts.sent, counts.received)) alarms.push(now);
  }
  return alarms;
}

test("what is sent and brings nothing back is a dead connection within a second, told again only after a while", () => {
  const [watch, counts] = [new PathWatch(), { sent: 0, received: 0 }];
  assert.deepEqual(run(watch, 0, 10_000, 50, 60, counts), []);
  const alarms = run(watch, 10_000, 16_000, 50, 0, counts);
  assert.equal(alarms.length, 2);
  assert.ok(alarms[0]! <= 10_800, `noticed at ${alarms[0]}`);
  assert.ok(alarms[1]! - alarms[0]! >= 4_000);
});

test("a server that stays silent is tried ever more rarely, and as quickly as at first once it was heard", () => {
  const [watch, counts] = [new PathWatch(), { sent: 0, received: 0 }];
  run(watch, 0, 1_000, 50, 60, counts);
  const alarms = run(watch, 1_000, 100_000, 50, 0, counts);
  assert.deepEqual(alarms.slice(1).map((at, index) => Math.round((at - alarms[index]!) / 1_000)), [4, 8, 16, 30, 30]);
  run(watch, 100_000, 140_000, 50, 60, counts);
  assert.ok(run(watch, 140_000, 141_000, 50, 0, counts).length === 1);
});

test("who sends nothing need not hear anything, and a single packet that comes is a sign of life", () => {
  const watch = new PathWatch();
  assert.deepEqual(run(watch, 0, 10_000, 0, 0), []);
  assert.deepEqual(run(new PathWatch(), 0, 10_000, 50, 5), []);
});

test("another transport begins to count anew", () => {
  const watch = new PathWatch();
  assert.equal(watch.look(0, 1_000, 1_000), false);
  assert.equal(watch.look(700, 3, 1_000), false);
  assert.equal(watch.look(800, 8, 1_000), false);
});
