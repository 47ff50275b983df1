//! Drop-ins in the call machine, as a table of stories.

import assert from "node:assert/strict";
import { test } from "node:test";
import { whoDropsIn } from "../../src/call/drop_in_target.ts";
import { step } from "../../src/call/machine.ts";
import type { CallState, Effect, Input, PeerView } from "../../src/call/state.ts";
import type { WhoIs } from "../../src/e2ee/port.ts";
import type { ContactView, HomeStore } from "../../src/home/store.ts";

const KITCHEN: PeerView = { handle: "anna", name: "Kitchen", contact: undefined, genesis: "G", verdict: "own", target: { device: "d1" } };
const MUM: PeerView = { handle: "anna", name: "Mum", contact: "c1", genesis: "G", verdict: "verified" };
const CALL = "a".repeat(32);
const OTHER = "b".repeat(32);
const ASK: Input = { on: "drop_in", call: CALL, peer: KITCHEN, video: true };
const OPENED: Input = { on: "drop_in_opened", call: CALL, device: "d1", label: "Kitchen", nowMs: 1_000 };
const ARRIVES: Input = { on: "drop_in_arrives", call: CALL, peer: MUM, video: true, knocks: false };
const OPENS: Input = { on: "drop_in_opens", call: CALL, stage: "frosted", frosted: true, nowMs: 1_000, media: { microphone: true, camera: true }, room: "Kitchen" };
const CALLED: Input = { on: "incoming", call: OTHER, peer: MUM, video: false, to: "Ben", expiresAtMs: 9 };

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

test("whoever drops in opens their own microphone once the target has opened, hears how far it has come, and ends it", () => {
  assert.deepEqual(play(ASK).last, ["tone", "drop_in"]);
  const knocks = play(ASK, { on: "drop_in_stage", call: CALL, stage: "knocking", frosted: false }, OPENED);
  assert.deepEqual(knocks.last, ["open_media", "tone", "remember_drop_in"]);
  assert.ok(knocks.state.at === "running" && knocks.state.dropIn?.stage === "knocking" && knocks.state.dropIn.room === "Kitchen");
  const clear = play(ASK, OPENED, { on: "drop_in_stage", call: CALL, stage: "clear", frosted: false });
  assert.deepEqual(clear.last, []);
  assert.ok(clear.state.at === "running" && clear.state.dropIn?.stage === "clear");
  const over = play(ASK, OPENED, { on: "hang_up", reason: "hung_up", nowMs: 9_000 });
  assert.ok(over.state.at === "ended" && over.state.dropIn !== undefined && over.effects.some((effect) => effect.do === "hang_up"));
});

test("given up or refused, nothing is opened, and the reason is kept", () => {
  const given = play(ASK, { on: "cancel" });
  assert.ok(given.state.at === "ended" && given.state.reason === "cancelled");
  assert.deepEqual(given.effects.filter(({ do: what }) => what === "cancel" || what === "hang_up").map(({ do: what }) => what), ["hang_up"]);
  const refused = play(ASK, { on: "drop_in_refused", call: CALL, refusal: "quiet", nowMs: 1 });
  assert.ok(refused.state.at === "ended" && refused.state.reason === "drop_in_refused" && refused.state.dropIn?.refusal === "quiet");
  const away = play(ASK, OPENED, { on: "drop_in_refused", call: CALL, refusal: "turned_away", nowMs: 1 });
  assert.ok(away.state.at === "ended" && away.state.dropIn?.refusal === "turned_away");
  for (const { effects } of [given, refused]) assert.ok(!effects.some((effect) => effect.do === "open_media" || effect.do === "connect_media"));
});

test("at the target nothing is captured or connected while tone and light come, and nothing else begins meanwhile", () => {
  const arriving = play(ARRIVES);
  assert.deepEqual(arriving.last, ["tone"]);
  assert.equal(play(ARRIVES, CALLED).state.at, "arriving");
  assert.equal(play(ARRIVES, { on: "toggle", source: "camera", to: true }).last.length, 0);
  const open = play(ARRIVES, OPENS);
  assert.deepEqual(open.last, ["open_drop_in", "connect_media", "drop_in_media", "switch", "remember_drop_in"]);
  const [media] = open.effects.filter((effect) => effect.do === "drop_in_media");
  assert.ok(media?.do === "drop_in_media" && media.microphone && media.frosted);
  // Nothing opens that has not arrived.
  for (const before of [[], [CALLED], [ARRIVES, { on: "drop_in_over", call: CALL, nowMs: 5 }] as Input[]]) assert.deepEqual(play(...before, OPENS).last, []);
});

test("while it knocks, and while it is hushed, the microphone is shut; the picture stays as frosted as it is", () => {
  const media = (...inputs: Input[]) => play(...inputs).effects.filter((effect) => effect.do === "drop_in_media").map((effect) => effect.do === "drop_in_media" && [effect.microphone, effect.frosted]);
  const stage = (name: "frosted" | "clear" | "hushed", frosted: boolean): Input => ({ on: "drop_in_stage", call: CALL, stage: name, frosted });
  assert.deepEqual(media(ARRIVES, { ...OPENS, stage: "knocking" } as Input, stage("frosted", true), stage("hushed", true), stage("hushed", false), stage("clear", false)),
    [[false, true], [true, true], [false, true], [false, false], [true, false]]);
});

test("when it is over the device is as it was before, whoever ended it", () => {
  for (const end of [{ on: "drop_in_over", call: CALL, nowMs: 5 }, { on: "over", call: CALL, reason: "hung_up", nowMs: 5 }, { on: "over", call: CALL, reason: "device_lost", nowMs: 5 }] as Input[]) {
    for (const inputs of [[ARRIVES], [ARRIVES, OPENS]]) {
      const { state, last } = play(...inputs, end);
      assert.equal(state.at, "idle");
      assert.ok(last.includes("close"));
    }
  }
  // A call that waited meanwhile rings now.
  const waits: Input = { on: "waiting", waiting: { call: OTHER, peer: MUM, video: false, to: "Ben", expiresAtMs: 9_000, answering: false, participants: [] } };
  const next = play(ARRIVES, OPENS, waits, { on: "drop_in_over", call: CALL, nowMs: 5 });
  assert.ok(next.state.at === "incoming" && next.state.call === OTHER);
  assert.ok(next.last.includes("close"));
  const refused = play(ARRIVES, OPENS, { on: "warning", call: CALL, warning: "refused_member" });
  assert.ok(refused.state.at === "ended" && refused.state.reason === "encryption_refused");
});

test("who drops in is named by their certificates and the own contacts", () => {
  const contact: ContactView = { id: "c1", name: "Mum", handle: "anna", pin: 2, theirGenesis: "T", revision: 1, trouble: undefined };
  const store = {
    members: [{ id: "p1", handle: "ben", display_name: "Ben", role: "adult" }], contacts: new Map([["c1", contact]]), home: undefined,
    device: (id: string) => (id === "d2" ? { label: "Bedroom" } : undefined),
  } as unknown as HomeStore;
  const who = (change: Partial<WhoIs>): WhoIs => ({ genesis: "T", household: "", fingerprint: "", device: "d9", deviceKey: "", kind: "app", adult: true, person: "p9", label: "Phone", own: false, ...change });
  const named = (one: WhoIs, handle: string, display_name: string): string => whoDropsIn(store, one, { handle, display_name } as never).name;
  assert.equal(named(who({}), "anna", "Anna Miller"), "Mum");
  assert.equal(named(who({}), "tom", "Tom"), "Tom of Mum's household");
  assert.equal(named(who({ own: true, person: "p1" }), "anna", "Mum"), "Ben");
  assert.equal(named(who({ own: true, person: "p1", kind: "home_device", device: "d2" }), "ben", "Ben"), "Bedroom");
});
