//! Who was near lately, where one may drop in, and how often a device says that somebody is.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Activity, SAY_EVERY_MS } from "../../src/device/activity.ts";
import { Doors } from "../../src/home/doors.ts";
import { Near } from "../../src/home/near.ts";
import type { NearDevice } from "../../src/protocol.ts";

const MINUTE_MS = 60_000;

test("somebody was near within five or ten minutes, at a device or with a person, until the server or the clock says otherwise", async () => {
  let now = 0;
  let told: NearDevice[] = [{ device: "d1", handle: null, minutes_ago: 5 }, { device: null, handle: "anna", minutes_ago: 0 }, { device: null, handle: "anna", minutes_ago: 5 }];
  const near = new Near({ request: () => Promise.resolve({ type: "recently_active", devices: told } as never) }, () => undefined, () => now);
  assert.equal(near.atDevice("d1"), undefined);
  await near.load();
  assert.deepEqual([near.atDevice("d1"), near.atDevice("d2"), near.at("anna"), near.at("ben")], [5, undefined, 0, undefined]);
  // It is not kept beyond ten minutes, should nothing more be told.
  now = 5 * MINUTE_MS;
  assert.deepEqual([near.atDevice("d1"), near.at("anna")], [undefined, 0]);
  now = 10 * MINUTE_MS;
  assert.equal(near.at("anna"), undefined);
  told = [];
  near.handle({ type: "recently_active", devices: [{ device: "d1", handle: null, minutes_ago: 0 }] });
  assert.equal(near.atDevice("d1"), 0);
  near.handle({ type: "recently_active", devices: told });
  assert.equal(near.atDevice("d1"), undefined);
});

test("a door is shown once the server has said so, asked anew after a while, and at once when something changed", async () => {
  let now = 0;
  let may = true;
  let asked = 0;
  const doors = new Doors({ done: () => (asked++, may ? Promise.resolve() : Promise.reject(new Error("no"))) }, () => undefined, () => now);
  const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
  assert.equal(doors.may({ handle: "anna" }), false);
  await settle();
  assert.equal(doors.may({ handle: "anna" }), true);
  assert.equal(asked, 1);
  may = false;
  now = 20_000;
  doors.may({ handle: "anna" });
  await settle();
  assert.equal(doors.may({ handle: "anna" }), false);
  doors.handle({ type: "ledger_grew", device: "d1", index: 0, entry: "" });
  assert.equal(doors.may({ handle: "anna" }), false);
  assert.equal(asked, 2);
  // A parent has switched it on.
  may = true;
  doors.handle({ type: "child_changed", account: "p2", limits: { calling: true, messaging: true, drop_in: true, contacts: [] }, consent: null });
  doors.may({ handle: "anna" });
  await settle();
  assert.equal(doors.may({ handle: "anna" }), true);
  assert.equal(asked, 3);
});

test("an answer of before a new session is not kept, and neither is one that comes after it", async () => {
  const answers: ((may: boolean) => void)[] = [];
  const done = (): Promise<void> => new Promise((resolve, reject) => answers.push((may) => may ? resolve() : reject(new Error("no"))));
  let changes = 0;
  // All of it within the same millisecond.
  const doors = new Doors({ done }, () => changes++, () => 0);
  const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
  doors.may({ handle: "anna" });
  doors.forget();
  assert.equal(changes, 1);
  doors.may({ handle: "anna" });
  answers[1]?.(true);
  await settle();
  answers[0]?.(false);
  await settle();
  assert.equal(doors.may({ handle: "anna" }), true);
  assert.deepEqual([changes, answers.length], [2, 2]);
});

test("a device says that it was touched once a minute at most", () => {
  const said: number[] = [];
  let now = 0;
  const activity = new Activity(() => now > 0 && said.push(now) > 0, SAY_EVERY_MS);
  // What nobody was told of counts as not said.
  for (now of [0, 1, SAY_EVERY_MS - 1, SAY_EVERY_MS + 1, SAY_EVERY_MS + 2]) activity.noticed(now);
  assert.deepEqual(said, [1, SAY_EVERY_MS + 1]);
});
