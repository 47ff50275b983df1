//! The page of a home device that is dropped in on, with its key worker: what it makes of the server's words, and what stands in the ledger then.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { CallController } from "../../src/call/controller.ts";
import { DropInTarget } from "../../src/call/drop_in_target.ts";
import { step } from "../../src/call/machine.ts";
import type { CallState } from "../../src/call/state.ts";
import { fromBase64Url } from "../../src/e2ee/bytes.ts";
import { LedgerReader, noEntries } from "../../src/e2ee/identity/ledger.ts";
import { ENDED_BY } from "../../src/e2ee/identity/ledger_entry.ts";
import { Roster } from "../../src/e2ee/identity/roster.ts";
import type { E2ee } from "../../src/e2ee/page.ts";
import type { Args, Events, Grant, Reply, RequestName } from "../../src/e2ee/port.ts";
import type { HomeStore } from "../../src/home/store.ts";
import type { EndReason, Event, Request } from "../../src/protocol.ts";
import type { Session } from "../../src/session/client.ts";
import { founded, paired } from "../e2ee/founded.ts";
import { NOW } from "../e2ee/home.ts";

const CALL = "0c".repeat(16);
const GRANT: Grant = {
  id: "ab".repeat(16), revision: 1, to: { type: "home" }, devices: [], hours: undefined, picture: false, opening: "at_once", signedAtMs: NOW, expiresAtMs: NOW + 1_000_000, revoked: false,
};

/** A kitchen that somebody of its household has dropped in on just now. */
async function droppedInOn() {
  const house = await founded();
  const worker = await paired(house);
  let listener: (event: Events["drop_in"]) => void = () => undefined;
  const e2ee = {
    // What the worker said before its reply arrives before it.
    request: async <K extends RequestName>(name: K, args: Args<K>): Promise<Reply<K>> => {
      const reply = await worker.ask(name, args);
      for (const event of worker.take("drop_in")) listener(event);
      return reply;
    },
    on: (_: string, heard: (event: Events["drop_in"]) => void) => {
      listener = heard;
      return () => undefined;
    },
  } as unknown as E2ee;
  const said: Request[] = [];
  const session = { done: (request: Request) => (said.push(request), Promise.resolve()) } as unknown as Session;
  const calls = {
    state: { at: "idle" } as CallState,
    input(input: Parameters<typeof step>[1]) {
      this.state = step(this.state, input).state;
    },
  };
  const household = { off: false };
  const store = { home: { drop_in_grants: [] }, contacts: new Map(), members: [], device: () => undefined } as unknown as HomeStore;
  const target = new DropInTarget({
    e2ee, session, store, calls: calls as unknown as CallController, quiet: () => false, off: () => household.off, maySend: () => true, hasCamera: () => false, frostedMs: () => 0,
    label: () => "Kitchen", tone: () => Promise.resolve(true), light: () => Promise.resolve(true), remind: () => undefined,
  });
  const { statement } = await house.page.ask("grant.sign", GRANT);
  const { asking, keyPackage } = await house.page.ask("drop_in.asking", { call: CALL, targetGenesis: house.genesis, picture: false });
  const from = { handle: "anna", display_name: "Anna" };
  const event = { type: "drop_in_asked", call: CALL, from, picture: false, asking, key_package: keyPackage, grant: { id: GRANT.id, statement }, expires_at_ms: NOW + 8_000 } as unknown as Extract<Event, { type: "drop_in_asked" }>;
  await target.asked(event);
  assert.ok(calls.state.at === "running" && calls.state.dropIn?.stage === "clear");
  const endedBy = async (): Promise<number | undefined> => {
    const { who } = (await worker.ask("open", { slot: "device" })) as { who: { device: string } };
    const reader = new LedgerReader(Roster.load(house.entries.map(fromBase64Url)).genesis, who.device, noEntries());
    for (let by: number | undefined; ;) {
      const { next } = await worker.ask("own_ledger.next", {});
      if (next === undefined) return by;
      const { what } = reader.read(fromBase64Url(next.entry));
      by = what.kind === "ended" ? what.by : undefined;
      await worker.ask("own_ledger.stored", { index: next.index });
    }
  };
  return { target, calls, said, household, endedBy };
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

test("who ended it is told by the reason: whoever dropped in by hanging up, the connection by anything else", async () => {
  const ends: [EndReason, number][] = [["hung_up", ENDED_BY.initiator], ["device_lost", ENDED_BY.connection], ["server_restarted", ENDED_BY.connection]];
  for (const [reason, by] of ends) {
    const { target, calls, said, endedBy } = await droppedInOn();
    target.handle({ type: "call_ended", call: "0d".repeat(16), reason: "hung_up" } as Event);
    await settle();
    assert.equal(calls.state.at, "running", "that was another call");
    target.handle({ type: "call_ended", call: CALL, reason } as Event);
    await settle();
    assert.equal(calls.state.at, "idle");
    assert.equal(await endedBy(), by, reason);
    // The server knows that it is over when the initiator has ended it.
    assert.equal(said.some(({ type }) => type === "hang_up"), by !== ENDED_BY.initiator);
  }
});

// req: DROP-11
test("one press at the device ends it, and the ledger says that it was ended there", async () => {
  const { target, calls, said, endedBy } = await droppedInOn();
  await target.say("end");
  assert.equal(calls.state.at, "idle");
  assert.deepEqual(said.at(-1), { type: "hang_up", call: CALL, reason: "hung_up" });
  assert.equal(await endedBy(), ENDED_BY.target);
});

// req: DROP-7
test("an adult's app switches drop-in off at the device while somebody is there: it ends", async () => {
  const { target, calls, household, endedBy } = await droppedInOn();
  target.look();
  await settle();
  assert.equal(calls.state.at, "running");
  household.off = true;
  target.look();
  await settle();
  assert.equal(calls.state.at, "idle");
  assert.equal(await endedBy(), ENDED_BY.everyonePutOut);
});
