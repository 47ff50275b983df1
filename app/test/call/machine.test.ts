//! The call machine, as a table of stories.

import assert from "node:assert/strict";
import { test } from "node:test";
import { step } from "../../src/call/machine.ts";
import { reached, type CallState, type Effect, type Input, type PeerView } from "../../src/call/state.ts";

const MUM: PeerView = { handle: "anna", name: "Mum", contact: "c1", genesis: undefined, verdict: undefined };
const CALL = "a".repeat(32);
const OTHER = "b".repeat(32);
const DIAL: Input = { on: "dial", call: CALL, peer: MUM, video: true };
const RINGS: Input = { on: "device_rings", call: CALL, device: "d1", verdict: "first", genesis: "G" };
const ANSWERED: Input = {
  on: "answered", call: CALL, nowMs: 1_000, path: "connected", device: "d1", media: { microphone: true, camera: true }, verdict: "first", genesis: "G", keyPackage: "k", statement: "s",
};
const INCOMING: Input = { on: "incoming", call: CALL, peer: { ...MUM, genesis: "G", verdict: "unverified" }, video: true, to: "Ben", expiresAtMs: 9 };

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

test("a call goes out, rings, is answered, its keys come, the first meeting is pinned, and it ends", () => {
  assert.equal(play(DIAL).state.at, "outgoing");
  assert.deepEqual(play(DIAL).last, ["tone", "start", "open_media"]);
  const ringing = play(DIAL, RINGS);
  assert.ok(ringing.state.at === "outgoing" && ringing.state.ringing);
  const answered = play(DIAL, RINGS, ANSWERED);
  assert.ok(answered.state.at === "running" && answered.state.theirDevice === "d1");
  assert.ok(answered.last.includes("admit"));
  const sending = play(DIAL, RINGS, ANSWERED, { on: "sending", call: CALL });
  assert.deepEqual(sending.last, ["pin"]);
  const over = play(DIAL, RINGS, ANSWERED, { on: "over", call: CALL, reason: "hung_up", nowMs: 61_000 });
  assert.ok(over.state.at === "ended" && over.state.reason === "hung_up" && over.state.seconds === 60);
  assert.ok(over.last.includes("close"));
});

test("nobody is pinned before the keys are in force", () => {
  assert.ok(!play(DIAL, RINGS, ANSWERED).effects.some((effect) => effect.do === "pin"));
});

test("a call is not connected before its keys are in force, nor after they were given up, though the path is there", () => {
  const after = (...inputs: Input[]): string => {
    const { state } = play(DIAL, RINGS, ANSWERED, ...inputs);
    assert.ok(state.at === "running");
    return reached(state);
  };
  const sending: Input = { on: "sending", call: CALL };
  assert.equal(after(), "connecting");
  assert.equal(after(sending), "connected");
  assert.equal(after(sending, { on: "path", path: "reconnecting" }), "reconnecting");
  assert.equal(after(sending, { on: "stopped", call: CALL, reason: "removed" }), "connecting");
});

test("an answer with another key than the pinned one ends the call, loudly, and lets nobody in", () => {
  const { state, effects } = play(DIAL, { ...ANSWERED, verdict: "changed", genesis: "X" });
  assert.ok(state.at === "ended" && state.reason === "encryption_refused" && state.changedKey === "X");
  assert.ok(!effects.some((effect) => effect.do === "admit"));
  assert.deepEqual(effects.filter((effect) => effect.do === "hang_up").map((effect) => effect.do === "hang_up" && effect.reason), ["encryption_refused"]);
  assert.ok(effects.some((effect) => effect.do === "changed_key" && effect.genesis === "X"));
});

test("a ringing device with another key is refused, and the genuine one may still answer", () => {
  const { state } = play(DIAL, { ...RINGS, verdict: "changed", genesis: "X" }, RINGS, ANSWERED);
  assert.ok(state.at === "running" && state.peer.genesis === "G");
  assert.deepEqual(state.at === "running" && state.warnings, ["refused_device"]);
});

test("a member that nobody invited ends the call as refused", () => {
  const { state, last } = play(DIAL, RINGS, ANSWERED, { on: "warning", call: CALL, warning: "refused_member" });
  assert.ok(state.at === "ended" && state.reason === "encryption_refused");
  assert.ok(last.includes("hang_up"));
});

test("failures to decrypt and a fork are shown while the call goes on, once each", () => {
  const warned: Input = { on: "warning", call: CALL, warning: "decrypt_failures" };
  const { state } = play(DIAL, RINGS, ANSWERED, warned, warned, { on: "warning", call: CALL, warning: "fork" });
  assert.deepEqual(state.at === "running" && state.warnings, ["decrypt_failures", "fork"]);
});

test("an incoming call rings, is announced, and can be answered, declined or missed", () => {
  assert.deepEqual(play(INCOMING).last, ["tone", "announce", "connect_media"]);
  const answered = play(INCOMING, { on: "answer", video: false, nowMs: 5, path: "connected" });
  assert.ok(answered.state.at === "running" && !answered.state.camera.on && answered.state.microphone.on && answered.state.path === "connected");
  assert.ok(answered.last.includes("answer") && answered.last.includes("open_media") && answered.last.includes("unannounce"));
  assert.equal(play(INCOMING, { on: "decline" }).state.at, "idle");
  assert.deepEqual(play(INCOMING, { on: "decline" }).last, ["decline", "tone", "unannounce", "close"]);
  assert.equal(play(INCOMING, { on: "ring_expired", call: CALL }).state.at, "idle");
  assert.equal(play(INCOMING, { on: "over", call: CALL, reason: "answered_elsewhere", nowMs: 1 }).state.at, "idle");
});

test("a late event of another call changes nothing", () => {
  const before = play(INCOMING).state;
  assert.deepEqual(step(before, { on: "over", call: OTHER, reason: "hung_up", nowMs: 1 }), { state: before, effects: [] });
  assert.deepEqual(step(before, { on: "answer_failed", call: OTHER, reason: "cancelled" }), { state: before, effects: [] });
});

test("a second incoming call does not disturb the one that runs", () => {
  const before = play(DIAL, RINGS, ANSWERED).state;
  assert.deepEqual(step(before, { ...INCOMING, call: OTHER }).state, before);
});

test("a missing camera leaves the voice, a missing microphone is said, and both are told to the other side", () => {
  const { state, last } = play(INCOMING, { on: "answer", video: true, nowMs: 1, path: "connecting" }, { on: "captured", source: "camera", problem: "missing" });
  assert.ok(state.at === "running" && state.camera.problem === "missing" && !state.camera.on && state.microphone.on);
  assert.deepEqual(last, ["tell_media"]);
  const mute = play(INCOMING, { on: "answer", video: true, nowMs: 1, path: "connecting" }, { on: "captured", source: "microphone", problem: "refused" });
  assert.ok(mute.state.at === "running" && mute.state.microphone.problem === "refused" && mute.state.camera.on);
});

test("a caller who muted while it rang is muted when it is answered, and the other side knows", () => {
  const { state, effects } = play(DIAL, RINGS, { on: "toggle", source: "microphone", to: false }, ANSWERED);
  assert.ok(state.at === "running" && !state.microphone.on);
  const told = effects.find((effect) => effect.do === "tell_media");
  assert.deepEqual(told, { do: "tell_media", call: CALL, media: { microphone: false, camera: true } });
});

test("who switched off while the device was asked for stays off", () => {
  const { state } = play(DIAL, { on: "toggle", source: "microphone", to: false }, { on: "captured", source: "microphone", problem: undefined });
  assert.ok(state.at === "outgoing" && !state.microphone.on);
});

test("a device that is plugged in later is taken up, and the other side is told", () => {
  const { state, last } = play(
    INCOMING, { on: "answer", video: false, nowMs: 1, path: "connecting" }, { on: "captured", source: "microphone", problem: "missing" },
    { on: "captured", source: "microphone", problem: undefined },
  );
  assert.ok(state.at === "running" && state.microphone.on && state.microphone.problem === undefined);
  assert.deepEqual(last, ["tell_media"]);
});

test("cancelling while it rings tells the server and shows the end", () => {
  const { state, last } = play(DIAL, RINGS, { on: "cancel" });
  assert.ok(state.at === "ended" && state.reason === "cancelled");
  assert.equal(last[0], "cancel");
});

test("the other side comes back after a reload only with the same household key", () => {
  const again = play(DIAL, RINGS, ANSWERED, { ...ANSWERED, device: "d1", verdict: "unverified" });
  assert.deepEqual(again.last, ["admit"]);
  const stranger = play(DIAL, RINGS, ANSWERED, { ...ANSWERED, verdict: "unverified", genesis: "X" });
  assert.deepEqual(stranger.last, []);
  assert.deepEqual(stranger.state.at === "running" && stranger.state.warnings, ["refused_device"]);
});

test("in a call with more than two the first of the others is shown large, and the rest beside", () => {
  const participant = (device: string) => ({
    device, account: "e".repeat(32), party: { handle: device, display_name: device }, media: { microphone: true, camera: false },
  });
  const people: Input = { on: "participants", call: CALL, participants: ["me", "d1", "d2"].map(participant), self: "me" };
  const three = play(DIAL, RINGS, ANSWERED, people);
  assert.ok(three.state.at === "running" && three.state.theirDevice === "d1");
  assert.deepEqual(three.state.others.map(({ device }) => device), ["d2"]);
  // A reloaded page of another household comes back: the worker decides by the households that are in the call.
  const back = play(DIAL, RINGS, ANSWERED, people, { ...ANSWERED, device: "d2", verdict: "changed", genesis: "X" });
  assert.deepEqual(back.last, ["admit_again"]);
  const left = play(DIAL, RINGS, ANSWERED, people, { ...people, participants: ["me", "d2"].map(participant) });
  assert.ok(left.state.at === "running" && left.state.theirDevice === "d2" && left.state.others.length === 0);
});

test("what is switched off at the other side is known before the answer, and stands in the call", () => {
  const off: Input = { on: "their_switches", call: CALL, device: "d1", media: { microphone: false, camera: false } };
  const rung = play(INCOMING, off);
  assert.deepEqual(rung.state.at === "incoming" && rung.state.theirSwitches, { d1: { microphone: false, camera: false } });
  const { state } = play(INCOMING, off, { on: "answer", video: false, nowMs: 5, path: "connected" });
  assert.ok(state.at === "running" && !state.theirMedia.microphone);
  const called = play(DIAL, RINGS, off).state;
  assert.deepEqual(called.at === "outgoing" && called.theirSwitches, { d1: { microphone: false, camera: false } });
});

test("a switch of the device cuts the microphone in mid-call and gives it back; a muted one stays muted", () => {
  const answer: Input = { on: "answer", video: false, nowMs: 1, path: "connected" };
  const cut: Input = { on: "captured", source: "microphone", problem: "switched_off" };
  const back: Input = { on: "captured", source: "microphone", problem: undefined };
  const off = play(INCOMING, answer, back, cut);
  assert.ok(off.state.at === "running" && off.state.microphone.problem === "switched_off" && !off.state.microphone.on);
  assert.deepEqual(off.last, ["tell_media"]);
  const on = play(INCOMING, answer, back, cut, back).state;
  assert.ok(on.at === "running" && on.microphone.on);
  const muted = play(INCOMING, answer, back, { on: "toggle", source: "microphone", to: false }, cut, back).state;
  assert.ok(muted.at === "running" && !muted.microphone.on);
});
