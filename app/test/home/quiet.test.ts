//! Times as they are typed, a schedule in words, and when it begins and ends.

import assert from "node:assert/strict";
import { test } from "node:test";
import { minuteOf, QuietTimes, readWindow, scheduleWords, SLACK_MS, timeOf, WEEKDAYS, windowWords } from "../../src/home/quiet.ts";

test("times are read as a time field has them, and anything else is none", () => {
  assert.deepEqual(["00:00", "07:05", "23:59", "22:30:00"].map(minuteOf), [0, 425, 1_439, 1_350]);
  assert.deepEqual(["", "24:00", "7:00", "12:60", "noon"].map(minuteOf), Array(5).fill(undefined));
  assert.deepEqual([0, 425, 1_439].map(timeOf), ["00:00", "07:05", "23:59"]);
});

test("a time needs a day, a beginning and an end; its days come in the week's order", () => {
  assert.deepEqual(readWindow(["friday", "monday"], "22:00", "07:00"), { days: ["monday", "friday"], from_minute: 1_320, to_minute: 420 });
  assert.throws(() => readWindow([], "22:00", "07:00"), /at least one day/);
  assert.throws(() => readWindow(["monday"], "", "07:00"), /beginning and an end/);
});

test("a schedule is said in words, days that follow each other together", () => {
  const night = { from_minute: 1_320, to_minute: 420 };
  assert.equal(windowWords({ days: ["monday", "tuesday", "wednesday", "thursday", "friday"], ...night }), "Mon to Fri, 22:00 to 07:00 the next day");
  assert.equal(windowWords({ days: [...WEEKDAYS], from_minute: 780, to_minute: 840 }), "Every day, 13:00 to 14:00");
  assert.equal(windowWords({ days: ["monday", "saturday", "sunday"], from_minute: 0, to_minute: 0 }), "Mon, Sat, Sun, 00:00 to 00:00 the next day");
  assert.equal(scheduleWords(null), "No times.");
});

const MINUTE_MS = 60_000;

// req: ANN-4
test("the weekly times are on in their own zone, until the server's clock has come to the end too", () => {
  const times = new QuietTimes();
  const nights = { time_zone: "Europe/Berlin", windows: [{ days: ["sunday" as const], from_minute: 1_320, to_minute: 420 }] };
  // Sunday, 25 October 2026, eight in the evening in Berlin.
  const eight = Date.UTC(2026, 9, 25, 19);
  assert.equal(times.look(nights, eight), false);
  const ten = eight + 120 * MINUTE_MS;
  assert.equal(times.untilMs, ten);
  assert.equal(times.look(nights, ten - 1), false);
  assert.equal(times.look(nights, ten), true);
  const seven = ten + 9 * 60 * MINUTE_MS;
  assert.equal(times.untilMs, seven + SLACK_MS);
  assert.equal(times.look(nights, seven + SLACK_MS - 1), true);
  assert.equal(times.look(nights, seven + SLACK_MS), false);
  // Nothing in the next day: it is looked at again then.
  assert.equal(times.untilMs, seven + SLACK_MS + 24 * 60 * MINUTE_MS);
  assert.equal(times.look({ ...nights, windows: [{ days: ["monday"], from_minute: 0, to_minute: 0 }] }, seven + SLACK_MS), true);
  assert.equal(times.look(null, seven), false);
  assert.equal(times.untilMs, undefined);
  assert.equal(times.look({ ...nights, time_zone: "Nowhere/Atall" }, ten), false);
});

test("clocks that are changed in the night skip an hour of the times, or repeat it", () => {
  const times = new QuietTimes();
  const night = { time_zone: "Europe/Berlin", windows: [{ days: [...WEEKDAYS], from_minute: 60, to_minute: 150 }] };
  const two = Date.UTC(2026, 9, 25, 0);
  assert.equal(times.look(night, two), true);
  assert.equal(times.untilMs, two + 30 * MINUTE_MS + SLACK_MS);
  assert.equal(times.look(night, two + 31 * MINUTE_MS), false);
  assert.equal(times.untilMs, two + 60 * MINUTE_MS);
});
