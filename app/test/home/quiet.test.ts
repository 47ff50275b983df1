//! Times as they are typed, and a schedule in words.

import assert from "node:assert/strict";
import { test } from "node:test";
import { minuteOf, readWindow, scheduleWords, timeOf, WEEKDAYS, windowWords } from "../../src/home/quiet.ts";

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
