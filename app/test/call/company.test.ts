//! The call machine with more than two, a call that moves, and a second call, as stories.

import assert from "node:assert/strict";
import { test } from "node:test";
import { step } from "../../src/call/machine.ts";
import { peopleIn, titleOf } from "../../src/call/people.ts";
import type { CallState, Effect, Input, Known, PeerView, Waiting } from "../../src/call/state.ts";
import type { ContactView } from "../../src/home/store.ts";
import type { Participant } from "../../src/protocol.ts";

const MUM: PeerView = { handle: "anna", name: "Mum", contact: "c1", genesis: "G", verdict: "verified" };
const CALL = "a".repeat(32);
const SECOND = "b".repeat(32);
const ON = { microphone: true, camera: false };
const DIALLED: Input[] = [
  { on: "dial", call: CALL, peer: MUM, video: false },
  { on: "answered", call: CALL, nowMs: 1_000, path: "connected", device: "d1", media: ON, verdict: "verified", genesis: "G", keyPackage: "k", statement: "s" },
  { on: "sending", call: CALL },
];
const ADD: Input = { on: "add", handle: "cleo", name: "Cleo", contact: "c2", genesis: undefined };
const WHO = { genesis: "C", verdict: "first" } as const;
const ANSWERED: Input = { on: "adding_answered", call: CALL, device: "d2", who: WHO, keyPackage: "k2", statement: "s2" };
const WAITING: Waiting = {
  call: SECOND, peer: { handle: "dora", name: "Dora", contact: undefined, genesis: "D", verdict: "stranger" }, video: false, to: "Ben", expiresAtMs: 9, answering: false, participants: [],
};

function participant(device: string, handle: string): Participant {
  return { device, account: `account-${handle}`, party: { handle, display_name: handle.toUpperCase() }, media: ON };
}

function known(genesis: string, change: Partial<Known> = {}): Known {
  return { genesis, own: false, person: "someone", kind: "app", label: "", ...change };
}

function play(inputs: Input[], from: CallState = { at: "idle" }): { state: CallState; effects: Effect[]; last: Effect[] } {
  let state = from;
  const effects: Effect[] = [];
  let last: Effect[] = [];
  for (const input of inputs) {
    const next = step(state, input);
    state = next.state;
    effects.push(...next.effects);
    last = next.effects;
  }
  return { state, effects, last };
}

function running(...inputs: Input[]) {
  const played = play([...DIALLED, ...inputs]);
  assert.ok(played.state.at === "running");
  return { ...played, state: played.state };
}

test("somebody is added: called, rings, is let in, and pinned at the first meeting once they are in the group", () => {
  assert.deepEqual(running(ADD).last, [{ do: "add", call: CALL, handle: "cleo", video: false }]);
  assert.ok(running(ADD, { on: "adding_rings", call: CALL }).state.adding?.ringing);
  const answered = running(ADD, ANSWERED);
  assert.deepEqual(answered.last, [{ do: "let_in", call: CALL, device: "d2", genesis: "C", keyPackage: "k2", statement: "s2" }]);
  assert.equal(answered.state.adding, undefined);
  const inside = running(ADD, ANSWERED, { on: "member", call: CALL, device: "d2", known: known("C") });
  assert.deepEqual(inside.last, [{ do: "pin", contact: "c2", genesis: "C", verdict: "first" }]);
});

test("one person at a time is added", () => {
  assert.deepEqual(running(ADD, { ...ADD, handle: "dora", name: "Dora" }).last, []);
});

for (const [what, answer] of [
  ["a statement that does not hold", { ...ANSWERED, who: undefined }],
  ["another key than the pinned one", { ...ANSWERED, who: { ...WHO, verdict: "changed" } }],
] as const) {
  test(`an answer with ${what} lets nobody in, is said, and leaves the call as it is`, () => {
    const { state, last } = running(ADD, answer);
    assert.deepEqual(last, [{ do: "stop_adding", call: CALL }]);
    assert.deepEqual(state.notAdded, { name: "Cleo", why: "encryption_refused" });
    assert.equal(state.adding, undefined);
  });
}

test("somebody of another household than the pinned one is not let in", () => {
  const { state } = running({ ...ADD, genesis: "P" }, ANSWERED);
  assert.equal(state.notAdded?.why, "encryption_refused");
});

test("who does not come is told, with the server's words where it has some, until it was read", () => {
  assert.deepEqual(running(ADD, { on: "not_added", call: CALL, why: "declined" }).state.notAdded, { name: "Cleo", why: "declined" });
  const words = { words: "They are in too many calls at once." };
  assert.deepEqual(running(ADD, { on: "not_added", call: CALL, why: words }).state.notAdded?.why, words);
  assert.equal(running(ADD, { on: "not_added", call: CALL, why: words }, { on: "notes_read" }).state.notAdded, undefined);
});

test("whoever is left stands for the call once the first one has gone", () => {
  const three: Input = { on: "participants", call: CALL, participants: [participant("me", "ben"), participant("d1", "anna"), participant("d2", "cleo")], self: "me" };
  const two: Input = { ...three, participants: [participant("me", "ben"), participant("d2", "cleo")] };
  const lost: Input = { on: "their_connection", call: CALL, device: "d2", connected: false };
  const { state } = running(three, lost, two);
  assert.equal(state.theirDevice, "d2");
  assert.deepEqual(state.others, []);
  assert.ok(!state.theirConnected, "lost while it was one of many, and still");
});

test("a reloaded page of whoever stands for the call is let in again by its household", () => {
  const three: Input = { on: "participants", call: CALL, participants: [participant("d2", "cleo"), participant("d3", "dora")], self: "me" };
  const inside: Input = { on: "member", call: CALL, device: "d2", known: known("C") };
  const again: Input = { on: "answered", call: CALL, nowMs: 5, path: "connected", device: "d2", media: ON, verdict: "stranger", genesis: "C", keyPackage: "k3", statement: "s3" };
  assert.deepEqual(running(three, inside, again).last.map(({ do: what }) => what), ["admit_again"]);
  const forged = running(three, inside, { ...again, genesis: "X" });
  assert.deepEqual(forged.last, []);
  assert.deepEqual(forged.state.warnings, ["refused_device"]);
});

test("a call moves: the device is asked, and where it went is said at the end", () => {
  const move: Input = { on: "move", device: "k", label: "Kitchen" };
  assert.deepEqual(running(move).last, [{ do: "move", call: CALL, device: "k", video: false }]);
  const { state } = play([...DIALLED, move, { on: "over", call: CALL, reason: "moved", nowMs: 2_000 }]);
  assert.ok(state.at === "ended" && state.reason === "moved" && state.movedTo === "Kitchen");
  const stays = running(move, { on: "not_moved", call: CALL, device: "k", why: "declined" });
  assert.deepEqual([stays.state.moving, stays.state.notMoved], [undefined, { name: "Kitchen", why: "declined" }]);
  assert.deepEqual(running(move, { on: "not_moved", call: CALL, device: "other", why: "declined" }).state.moving, { device: "k", label: "Kitchen" });
});

test("a call that was asked for goes on here at once, with the microphone alone", () => {
  const { state, effects } = play([{ on: "take_over", call: CALL, peer: MUM, video: true, outgoing: true, nowMs: 1 }]);
  assert.ok(state.at === "running" && !state.camera.on && state.microphone.on && state.outgoing);
  assert.deepEqual(effects.map(({ do: what }) => what), ["answer", "open_media", "tone", "remember"]);
  const busy = running({ on: "take_over", call: SECOND, peer: MUM, video: true, outgoing: true, nowMs: 1 });
  assert.equal(busy.state.call, CALL);
});

test("a second call waits quietly; answered, it takes the first one's place when the server has taken the answer", () => {
  const waits = running({ on: "waiting", waiting: WAITING });
  assert.deepEqual(waits.last, [{ do: "tone", tone: "waiting" }]);
  const answering = running({ on: "waiting", waiting: WAITING }, { on: "answer_waiting" });
  assert.equal(answering.state.call, CALL, "the first goes on until then");
  assert.deepEqual(answering.last.map(({ do: what }) => what), ["tone", "answer_waiting"]);
  const told: Input = { on: "participants", call: SECOND, participants: [participant("d9", "dora")], self: "me" };
  const { state, last } = running({ on: "waiting", waiting: WAITING }, { on: "answer_waiting" }, told, { on: "waiting_answered", call: SECOND, nowMs: 7 });
  assert.equal(state.call, SECOND);
  assert.equal(state.theirDevice, "d9");
  assert.deepEqual(last.map((effect) => ("call" in effect ? [effect.do, effect.call] : [effect.do])), [["close", CALL], ["tone"], ["open_media", SECOND], ["remember", SECOND]]);
});

test("a second call that is declined, given up or too late leaves the first one alone", () => {
  const declined = running({ on: "waiting", waiting: WAITING }, { on: "decline_waiting" });
  assert.equal(declined.state.waiting, undefined);
  assert.deepEqual(declined.last.map(({ do: what }) => what), ["decline", "tone", "close"]);
  for (const end of [{ on: "over", call: SECOND, reason: "cancelled", nowMs: 1 }, { on: "ring_expired", call: SECOND }, { on: "answer_failed", call: SECOND, reason: "cancelled" }] as const) {
    const { state } = running({ on: "waiting", waiting: WAITING }, { on: "answer_waiting" }, end);
    assert.equal(state.call, CALL);
    assert.equal(state.waiting, undefined);
  }
});

test("a third call changes nothing while a second one waits", () => {
  const third = { ...WAITING, call: "c".repeat(32) };
  assert.equal(running({ on: "waiting", waiting: WAITING }, { on: "waiting", waiting: third }).state.waiting?.call, SECOND);
});

test("when the first call ends, the one that waits rings; one that is being answered is the call", () => {
  const over: Input = { on: "over", call: CALL, reason: "hung_up", nowMs: 3 };
  const rings = play([...DIALLED, { on: "waiting", waiting: WAITING }, over]);
  assert.ok(rings.state.at === "incoming" && rings.state.call === SECOND);
  assert.deepEqual(rings.last.map(({ do: what }) => what), ["close", "forget", "tone", "announce", "connect_media"]);
  const begun = play([...DIALLED, { on: "waiting", waiting: WAITING }, { on: "answer_waiting" }, over]);
  assert.ok(begun.state.at === "running" && begun.state.call === SECOND);
});

test("keys that were refused are read before a second call rings", () => {
  const { state, last } = play([...DIALLED, { on: "waiting", waiting: WAITING }, { on: "warning", call: CALL, warning: "refused_member" }]);
  assert.ok(state.at === "ended" && state.reason === "encryption_refused");
  assert.ok(last.some((effect) => effect.do === "close" && effect.call === SECOND));
});

test("who began the call ends it for everyone", () => {
  const { state, last } = play([...DIALLED, { on: "end_for_everyone", nowMs: 9 }]);
  assert.ok(state.at === "ended" && state.reason === "hung_up");
  assert.deepEqual(last[0], { do: "end_for_everyone", call: CALL });
});

test("names are the own contacts' where the certificates fit, and a borrowed handle earns none", () => {
  const contact = (handle: string, name: string, theirGenesis: string | undefined, pin: 0 | 1 | 2): ContactView => ({ id: name, name, handle, pin, theirGenesis, revision: 1, trouble: undefined });
  const book = {
    members: [{ id: "account-carl", handle: "carl", display_name: "Carl", role: "adult" as const }],
    contactByHandle: (handle: string) => [contact("cleo", "Aunt Cleo", "C", 2), contact("dora", "Dora from work", "D", 1), contact("fay", "Fay", undefined, 0)].find((one) => one.handle === handle),
  };
  const people: Input = {
    on: "participants", call: CALL, self: "me",
    participants: [participant("d1", "anna"), participant("d2", "cleo"), participant("d3", "dora"), participant("d4", "carl"), participant("d5", "erik"), participant("d6", "fay")],
  };
  const member = (device: string, who: Known): Input => ({ on: "member", call: CALL, device, known: who });
  const { state } = running(people, member("d1", known("G")), member("d2", known("C")), member("d3", known("X")), member("d4", known("OWN", { own: true, person: "account-carl" })), member("d6", known("F")));
  const shown = peopleIn(state, book);
  assert.deepEqual(shown.map(({ name, standing }) => [name, standing]), [
    ["Mum", "verified"], ["Aunt Cleo", "verified"], ["DORA", "stranger"], ["Carl", "own"], ["ERIK", "joining"], ["Fay", "unverified"],
  ]);
  assert.equal(titleOf(shown, MUM), "Mum, Aunt Cleo and 4 more");
  assert.equal(titleOf(shown.slice(0, 2), MUM), "Mum and Aunt Cleo");
  assert.equal(titleOf([], MUM), "Mum");
});

test("who speaks is marked, the last one stays the one to look at, and each has a word for their connection", () => {
  const devices = { on: "participants", call: CALL, self: "me", participants: [participant("d1", "anna"), participant("d2", "cleo")] } as const;
  const speakers = (...spoken: string[]): Input => ({ on: "speakers", call: CALL, devices: spoken, self: "me" });
  const book = { members: [], contactByHandle: () => undefined };
  const look = (inputs: Input[]): string[] => {
    const { state } = play([...DIALLED, { ...devices, participants: [...devices.participants] }, ...inputs]);
    assert.equal(state.at, "running");
    return state.at === "running" ? peopleIn(state, book).map(({ device, speaking, lead, grade }) => `${device}${speaking ? " speaks" : ""}${lead ? " leads" : ""}${grade === undefined ? "" : ` ${grade}`}`) : [];
  };
  assert.deepEqual(look([speakers("me", "d2")]), ["d1", "d2 speaks leads"]);
  assert.deepEqual(look([speakers("d2"), speakers("me")]), ["d1", "d2 leads"]);
  assert.deepEqual(look([speakers("d2"), speakers()]), ["d1", "d2 leads"]);
  assert.deepEqual(look([{ on: "connections", call: CALL, others: [{ device: "d1", grade: "poor" }] }]), ["d1 poor", "d2"]);
  // Said of another call, it changes nothing.
  assert.deepEqual(look([{ on: "speakers", call: SECOND, devices: ["d1"], self: "me" }]), ["d1", "d2"]);
});
