//! One press and two.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DOUBLE_PRESS_MS, TopButton } from "../../src/device/top_button.ts";

test("two presses call, two far apart do not", () => {
  const button = new TopButton();
  assert.deepEqual([button.press(0, false), button.press(300, false)], ["first", "call"]);
  assert.deepEqual([button.press(1_000, false), button.press(1_001 + DOUBLE_PRESS_MS, false)], ["first", "first"]);
});

test("one press hangs up, and a second one right after it calls nobody", () => {
  const button = new TopButton();
  assert.deepEqual([button.press(0, true), button.press(200, false), button.press(400, false)], ["hang_up", "ignored", "ignored"]);
  assert.deepEqual([button.press(DOUBLE_PRESS_MS, false), button.press(DOUBLE_PRESS_MS + 100, false)], ["first", "call"]);
});

test("a press before a call and one in it are no double press", () => {
  const button = new TopButton();
  assert.deepEqual([button.press(0, false), button.press(100, true)], ["first", "hang_up"]);
});
