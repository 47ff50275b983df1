//! What a device's switches cut.

import assert from "node:assert/strict";
import { test } from "node:test";
import { HardSwitches } from "../../src/device/hard_switches.ts";

function switches(shape: "speaker" | "display"): HardSwitches {
  const kept = new Map<string, string>();
  const memory = {
    setting: (name: string) => kept.get(name),
    keepSetting: (name: string, value: string | undefined) => void (value === undefined ? kept.delete(name) : kept.set(name, value)),
  };
  return new HardSwitches(memory, () => shape);
}

test("with a camera the microphone's button cuts both, and gives back what was on", () => {
  const display = switches("display");
  assert.deepEqual(display.now, { microphone: true, camera: "on" });
  display.flipMicrophone();
  assert.deepEqual(display.now, { microphone: false, camera: "off" });
  assert.ok(!display.maySend("microphone") && !display.maySend("camera"));
  display.flipMicrophone();
  assert.deepEqual(display.now, { microphone: true, camera: "on" });
});

test("the shutter leaves the microphone, and stays closed when that comes back", () => {
  const display = switches("display");
  display.flipCover();
  assert.deepEqual(display.now, { microphone: true, camera: "shutter" });
  assert.ok(display.maySend("microphone") && !display.maySend("camera"));
  display.flipMicrophone();
  display.flipMicrophone();
  assert.deepEqual(display.now, { microphone: true, camera: "shutter" });
});

test("a speaker has a microphone to switch off", () => {
  const speaker = switches("speaker");
  speaker.flipMicrophone();
  assert.deepEqual(speaker.now, { microphone: false, camera: "on" });
});
