//! Live announcements in the call machine, as a table of stories.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LIVE_MS_MAX } from "../../src/call/live.ts";
import { step } from "../../src/call/machine.ts";
import type { CallState, Effect, Input, Live, PeerView } from "../../src/call/state.ts";
import type { Participant } from "../../src/protocol.ts";

const HOME: PeerView = { handle: "", name: "Everywhere", contact: undefined, genesis: "G", verdict: "own" };
const MUM: PeerView = { handle: "anna", name: "Mum", contact: "c1", genesis: "M", verdict: "verified" };
const CALL = "a".repeat(32);
const OTHER = "b".repeat(32);
const SPEAKS: Input = { on: "live_speaks", call: CALL, peer: HOME, to: { type: "home" }, nowMs: 1_000 };
const HEARS: Input = { on: "live_hears", call: CALL, peer: { ...HOME, name: "Kitchen" }, device: "kitchen", nowMs: 1_000 };
const TOLD: Input = {
  on: "live_announced", call: CALL, nowMs: 2_000,
  receivers: [{ device: "hall", fate: "told" }, { device: "bath", fate: "quiet" }, { device: "attic", fate: "away" }, { device: "den", fate: "busy" }],
};
const CALLED: Input = { on: "waiting", waiting: { call: OTHER, peer: MUM, video: false, to: "Ben", expiresAtMs: 9_000, answering: false, participants: [] } };
const present = (...devices: string[]): Input => ({ on: "participants", call: CALL, participants: devices.map((device) => ({ device, media: { microphone: true, camera: false } }) as Participant), self: "me" });

function play(...inputs: Input[]): { state: CallState; effects: Effect[]; last: string[] } {
  let state: CallState = { at: "idle" };
  const effects: Effect[] = [];
  let last: string[] = [];
  for (const input of inputs) {
    const next = step(state, input);
    state = next.state;
    effects.push(...next.effects);
    last = next.effects.map((effect) => effect.do);
  }
  return { state, effects, last };
}

function rooms(state: CallState): Live extends infer L ? (L extends { rooms: infer R } ? R : never) : never {
  assert.ok(state.at === "running" && state.live?.side === "speaks");
  return state.live.rooms;
}

const over = (effects: Effect[]) => effects.filter((effect) => effect.do === "live_over");

// req: ANN-3
test("who speaks opens a microphone and no camera, and receives nothing", () => {
  const { effects } = play(SPEAKS);
  assert.deepEqual(effects.map((effect) => effect.do), ["tone", "announce_live", "open_media", "remember_drop_in"]);
  const [media] = effects.filter((effect) => effect.do === "open_media");
  assert.ok(media?.do === "open_media" && media.only === "speaks" && !media.camera);
});

// req: ANN-3
test("who hears captures nothing, whatever is pressed, and takes the sound of that one device", () => {
  const { effects, state } = play(HEARS);
  assert.deepEqual(effects.map((effect) => effect.do), ["tone", "hear_live", "connect_media", "remember_drop_in"]);
  const [media] = effects.filter((effect) => effect.do === "connect_media");
  assert.ok(media?.do === "connect_media" && !media.camera);
  assert.deepEqual(media.only, { hears: "kitchen" });
  for (const input of [{ on: "toggle", source: "microphone", to: true }, { on: "toggle", source: "camera", to: true }, { on: "captured", source: "microphone", problem: undefined }] as Input[]) {
    assert.deepEqual(step(state, input), { state, effects: [] });
  }
});

test("each room is shown as it is: told, hearing it, stopped there, away, quiet, busy", () => {
  assert.equal(rooms(play(SPEAKS).state), undefined);
  assert.deepEqual(rooms(play(SPEAKS, TOLD).state), { hall: "told", bath: "quiet", attic: "away", den: "busy" });
  assert.equal(rooms(play(SPEAKS, TOLD, present("me", "hall")).state)?.["hall"], "hears");
  const left = play(SPEAKS, TOLD, present("me", "hall"), present("me"));
  assert.deepEqual([left.state.at, rooms(left.state)?.["hall"]], ["running", "left"]);
  // One that will not hear it says so, and stays so when it is over.
  const declined: Input = { on: "live_declined", call: CALL, device: "hall" };
  assert.equal(rooms(play(SPEAKS, TOLD, declined).state)?.["hall"], "declined");
  assert.equal(rooms(play(SPEAKS, declined, TOLD, present("me")).state)?.["hall"], "declined");
  assert.deepEqual(play(HEARS, declined).last, []);
  assert.equal(rooms(play(SPEAKS, TOLD, { ...declined, call: OTHER }).state)?.["hall"], "told");
  // A quick room comes before the server's answer.
  assert.equal(rooms(play(SPEAKS, present("me", "hall"), TOLD).state)?.["hall"], "hears");
});

test("only while it speaks somebody is let in, and a late room's wish changes nothing", () => {
  const wish: Input = { on: "live_answered", call: CALL, device: "hall", keyPackage: "k", statement: "s" };
  assert.deepEqual(play(SPEAKS, TOLD, wish).effects.at(-1), { do: "admit_live", call: CALL, device: "hall", keyPackage: "k", statement: "s" });
  assert.deepEqual(play(HEARS, wish).last, []);
  assert.deepEqual(play(SPEAKS, { on: "hang_up", reason: "hung_up", nowMs: 3_000 }, wish).last, []);
});

test("when it is over both are as before, and what became of it is told once, with how long it was", () => {
  const ends: Input[] = [{ on: "hang_up", reason: "hung_up", nowMs: 9_000 }, { on: "over", call: CALL, reason: "device_lost", nowMs: 9_000 }];
  for (const end of ends) {
    for (const begins of [[SPEAKS, TOLD], [HEARS]]) {
      const { state, effects, last } = play(...begins, end);
      assert.equal(state.at, "idle");
      assert.ok(last.includes("close") && last.includes("forget"));
      assert.equal(over(effects).length, 1);
    }
  }
  const [one] = over(play(SPEAKS, TOLD, present("me", "hall"), ends[0]!).effects);
  assert.ok(one?.do === "live_over" && one.reason === "hung_up" && one.lengthMs === 7_000);
  assert.ok(one.live.side === "speaks" && one.live.rooms?.["hall"] === "hears");
  const [long] = over(play(SPEAKS, TOLD, { on: "over", call: CALL, reason: "hung_up", nowMs: 99_000 }).effects);
  assert.ok(long?.do === "live_over" && long.lengthMs === LIVE_MS_MAX);
});

test("refused by the server nothing goes on, and what was not told to any room says so", () => {
  const { state, effects } = play(SPEAKS, { on: "start_failed", call: CALL, reason: "failed_to_start" });
  assert.equal(state.at, "idle");
  const [one] = over(effects);
  assert.ok(one?.do === "live_over" && one.reason === "failed_to_start" && one.live.side === "speaks" && one.live.rooms === undefined);
  const unsafe = play(SPEAKS, TOLD, { on: "warning", call: CALL, warning: "refused_member" });
  assert.ok(unsafe.state.at === "idle" && unsafe.effects.some((effect) => effect.do === "hang_up" && effect.reason === "encryption_refused"));
});

test("it begins beside nothing else; a call that comes waits, rings afterwards, and answered it ends the announcement here", () => {
  const running = play(HEARS).state;
  for (const input of [SPEAKS, { ...HEARS, call: OTHER } as Input]) assert.deepEqual(step(running, input).effects, []);
  assert.equal(play({ on: "dial", call: OTHER, peer: MUM, video: false }, HEARS).last.length, 0);
  assert.equal(play({ on: "incoming", call: OTHER, peer: MUM, video: false, to: "Ben", expiresAtMs: 9 }, HEARS).state.at, "incoming");
  const rings = play(HEARS, CALLED, { on: "over", call: CALL, reason: "hung_up", nowMs: 5_000 });
  assert.ok(rings.state.at === "incoming" && rings.state.call === OTHER && over(rings.effects).length === 1);
  const answered = play(HEARS, CALLED, { on: "answer_waiting" }, { on: "waiting_answered", call: OTHER, nowMs: 5_000 });
  assert.ok(answered.state.at === "running" && answered.state.call === OTHER && answered.state.live === undefined && over(answered.effects).length === 1);
  // The call may capture: it is no announcement any more.
  const [media] = answered.effects.filter((effect) => effect.do === "open_media");
  assert.ok(media?.do === "open_media" && media.only === undefined);
});
