//! A drop-in at its target: nothing opens before tone and light, and nothing after the end.

import assert from "node:assert/strict";
import { test } from "node:test";
import { OPENING } from "../../src/e2ee/identity/drop_in.ts";
import {
  FROSTED_MAX_MS, FROSTED_MIN_MS, FROSTED_MS, frostedFor, KNOCK_MS, type Live, REMIND_EVERY_MS, SIGNAL_MAX_MS, step, type TargetInput, type TargetOutput, type TargetState,
} from "../../src/e2ee/identity/drop_in_target.ts";

const live = (opening: Live["permit"]["opening"] = OPENING.atOnce, change: Partial<Live> = {}): Live => ({
  call: "c".repeat(32), permit: { grant: "g", revision: 1, picture: true, opening, untilMs: 1e12 }, own: false, picture: true, frostedMs: FROSTED_MS, ...change,
});

function play(begun: Live, ...inputs: [number, TargetInput][]): { state: TargetState; said: TargetOutput[] } {
  let state: TargetState = { at: "idle" };
  const said: TargetOutput[] = [];
  for (const [now, input] of [[0, { on: "permitted", live: begun }] as [number, TargetInput], ...inputs]) {
    const next = step(state, now, input);
    state = next.state;
    said.push(...next.outputs);
  }
  return { state, said: said.slice(1) };
}

const tick: TargetInput = { on: "tick" };
const signalled: TargetInput = { on: "signalled" };

test("tone and light, then it opens frosted, and clears by itself", () => {
  const { said } = play(live(), [900, tick], [1_000, signalled], [1_000 + FROSTED_MS - 1, tick], [1_000 + FROSTED_MS, tick]);
  assert.deepEqual(said, [{ do: "open", stage: "frosted", frosted: true }, { do: "stage", stage: "clear", frosted: false }]);
  assert.deepEqual(play(live(undefined, { picture: false }), [1_000, signalled]).said, [{ do: "open", stage: "clear", frosted: false }]);
});

test("without tone or light nothing opens, nor when nobody says what became of them", () => {
  const refused = [{ do: "refuse", refusal: "no_signal" }, { do: "close", by: "target" }];
  assert.deepEqual(play(live(), [500, { on: "not_signalled" }], [600, signalled]).said, refused);
  assert.deepEqual(play(live(), [SIGNAL_MAX_MS, tick], [SIGNAL_MAX_MS + 1, signalled]).said, refused);
});

test("it is frosted for as long as the device is set, never shorter than five seconds for another household", () => {
  assert.deepEqual([0, 1, 7_000, 90_000].map((ms) => frostedFor(ms, false)), [FROSTED_MIN_MS, FROSTED_MIN_MS, 7_000, FROSTED_MAX_MS]);
  assert.equal(frostedFor(0, true), 0);
  assert.deepEqual(play(live(undefined, { own: true, frostedMs: 0 }), [1, signalled]).said, [{ do: "open", stage: "clear", frosted: false }]);
});

test("a knock opens with a yes, is turned away by a no, and otherwise goes as the grant says", () => {
  const open = { do: "open", stage: "knocking", frosted: true };
  const away = [{ do: "refuse", refusal: "turned_away" }, { do: "close", by: "target" }];
  const until = live(OPENING.knockUntilYes);
  const unless = live(OPENING.knockUnlessNo);
  const frosted = { do: "stage", stage: "frosted", frosted: true };
  for (const begun of [until, unless]) {
    assert.deepEqual(play(begun, [1, signalled], [2, { on: "yes" }]).said, [open, frosted]);
    assert.deepEqual(play(begun, [1, signalled], [2, { on: "no" }], [3, { on: "yes" }]).said, [open, ...away]);
  }
  assert.deepEqual(play(until, [1, signalled], [KNOCK_MS, tick], [1 + KNOCK_MS, tick]).said, [open, ...away]);
  assert.deepEqual(play(unless, [1, signalled], [1 + KNOCK_MS, tick]).said, [open, frosted]);
});

test("one press hushes it and one ends it; the picture clears meanwhile, and every five minutes it is heard", () => {
  const { said } = play(live(), [0, signalled], [10, { on: "hush", to: true }], [FROSTED_MS, tick], [FROSTED_MS + 1, { on: "hush", to: false }], [REMIND_EVERY_MS, tick], [2 * REMIND_EVERY_MS, tick], [2 * REMIND_EVERY_MS + 1, { on: "end" }]);
  assert.deepEqual(said.slice(1), [
    { do: "stage", stage: "hushed", frosted: true }, { do: "stage", stage: "hushed", frosted: false }, { do: "stage", stage: "clear", frosted: false },
    { do: "remind" }, { do: "remind" }, { do: "close", by: "target" },
  ]);
});

test("after every history an open comes only after tone and light, and nothing after the end", () => {
  const inputs: TargetInput[] = [
    signalled, { on: "not_signalled" }, { on: "yes" }, { on: "no" }, { on: "hush", to: true }, { on: "hush", to: false }, { on: "end" }, tick,
    { on: "over", by: "initiator" }, { on: "ends", refusal: "revoked", by: "grant" }, { on: "permitted", live: live() },
  ];
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
  for (let history = 0; history < 2_000; history++) {
    let state: TargetState = { at: "idle" };
    let now = 0;
    let signals = false;
    let opened = false;
    for (let nth = 0; nth < 16; nth++) {
      now += random(8_000);
      const input = nth === 0 ? { on: "permitted" as const, live: live(([0, 1, 2] as const)[random(3)]) } : inputs[random(inputs.length)]!;
      const before: TargetState["at"] = state.at;
      const next = step(state, now, input);
      state = next.state;
      for (const output of next.outputs) {
        if (output.do === "signal") [signals, opened] = [true, false];
        if (output.do === "open") {
          assert.ok(signals && before === "signalling" && input.on === "signalled");
          opened = true;
        }
        if (output.do === "stage" || output.do === "remind") assert.ok(opened);
        if (output.do === "close") [signals, opened] = [false, false];
      }
      assert.equal(state.at === "idle", !signals);
    }
  }
});
