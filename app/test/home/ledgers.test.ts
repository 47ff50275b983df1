//! What happened at home devices, as an adult's app reads, checks and shows it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBase64Url, toBase64Url } from "../../src/e2ee/bytes.ts";
import { deviceIdOf } from "../../src/e2ee/identity/ids.ts";
import { type KeyPair } from "../../src/e2ee/identity/keys.ts";
import { OwnLedger } from "../../src/e2ee/identity/ledger.ts";
import { type LedgerWhat, unverifiedWho } from "../../src/e2ee/identity/ledger_entry.ts";
import type { E2ee } from "../../src/e2ee/page.ts";
import type { Grant } from "../../src/e2ee/port.ts";
import { merged, newcomers } from "../../src/home/ledger_lines.ts";
import { type KeptLedger, Ledgers } from "../../src/home/ledgers.ts";
import type { Request } from "../../src/protocol.ts";
import type { Session } from "../../src/session/client.ts";
import { founded } from "../e2ee/founded.ts";
import { key } from "../e2ee/home.ts";

const NOW = 1_790_000_000_000;
const CALL = "09".repeat(16);
const GRANT = "05".repeat(16);
const THEIRS = key(60).publicKey;
const WHO = { genesis: THEIRS, device: key(61).publicKey, person: "ee".repeat(16), label: "Kim's phone" };
const OPENED: LedgerWhat = { kind: "opened", call: CALL, who: WHO, grant: GRANT, revision: 7, picture: true, opening: 0 };
const ENDED: LedgerWhat = { kind: "ended", call: CALL, lastedMs: 61_000, by: 1 };

/** A device that writes, a server that keeps what it is given and may lie, and an app that remembers. */
async function scene(pair: KeyPair = key(20)) {
  const house = await founded();
  const device = deviceIdOf(pair.publicKey);
  const own = new OwnLedger(fromBase64Url(house.genesis), pair);
  const server = { entries: [] as string[], asked: [] as number[], silent: [] as string[] };
  let kept: Record<string, KeptLedger> | undefined;
  const clock = { now: NOW };
  const household = { genesis: house.genesis };
  const session = {
    request: (body: Request) => {
      if (body.type === "get_ledger_heads") {
        return Promise.resolve({ type: "ledger_heads", heads: [...server.silent.map((one) => ({ device: one, length: 1 })), ...(server.entries.length === 0 ? [] : [{ device, length: server.entries.length }])] });
      }
      assert.ok(body.type === "list_ledger");
      if (server.silent.includes(body.device)) return Promise.reject(new Error("internal"));
      assert.equal(body.device, device);
      server.asked.push(body.from);
      const entries = server.entries.slice(body.from, body.from + body.limit);
      return Promise.resolve({ type: "ledger", entries, more: body.from + body.limit < server.entries.length });
    },
  } as unknown as Pick<Session, "request">;
  const app = (): Ledgers => new Ledgers({ request: house.page.ask.bind(house.page) } as unknown as E2ee, session, {
    memory: { ledgers: () => structuredClone(kept), keepLedgers: (all) => void (kept = structuredClone(all)) },
    genesis: () => household.genesis, label: () => "Kitchen", changed: () => undefined, now: () => clock.now,
  });
  const write = (...what: LedgerWhat[]): void => {
    for (const one of what) own.write(clock.now++, one);
    for (let next = own.next(); next !== undefined; next = own.next()) {
      server.entries.push(toBase64Url(next.entry));
      own.stored(next.index);
    }
  };
  return { app, write, server, device, clock, household, memory: () => kept };
}

test("what a device wrote is checked from the first entry, then only what is new, and all of it once a day", async () => {
  const { app, write, server, device, clock, memory } = await scene();
  for (let n = 0; n < 250; n++) write({ kind: "switched", on: n % 2 === 0 });
  let ledgers = app();
  await ledgers.load();
  assert.deepEqual(server.asked, [0, 200]);
  assert.deepEqual([ledgers.troubles, ledgers.views.get(device)?.entries.length, memory()?.[device]?.length], [[], 250, 250]);
  // An entry that comes while the app is open.
  write(OPENED);
  ledgers.handle({ type: "ledger_grew", device, index: 250, entry: server.entries[250] as string });
  ledgers.handle({ type: "ledger_grew", device, index: 250, entry: server.entries[250] as string });
  write(ENDED);
  server.asked = [];
  ledgers = app();
  await ledgers.load();
  assert.deepEqual(server.asked, [50, 250]);
  assert.equal(memory()?.[device]?.length, 252);
  server.asked = [];
  clock.now += 24 * 60 * 60 * 1_000;
  await app().load();
  assert.deepEqual(server.asked, [0, 200]);
});

test("one ledger that is not answered for keeps no other from being looked at", async () => {
  const { app, write, server, device } = await scene();
  write(OPENED, ENDED);
  server.silent = ["0a".repeat(16)];
  const ledgers = app();
  await assert.rejects(ledgers.load(), /internal/);
  assert.equal(ledgers.views.get(device)?.entries.length, 2);
});

test("an entry that is told is taken in, and one that came before it is fetched", async () => {
  const { app, write, server, device } = await scene();
  write(OPENED);
  const ledgers = app();
  await ledgers.load();
  write(ENDED, { kind: "put_out" });
  ledgers.handle({ type: "ledger_grew", device, index: 2, entry: server.entries[2] as string });
  await ledgers.load();
  assert.deepEqual(ledgers.views.get(device)?.entries.map(({ line }) => line.kind), ["opened", "ended", "put_out"]);
});

test("a ledger that is broken, shorter or another one is noticed by its name, until an adult goes on", async () => {
  const { app, write, server, device, memory } = await scene();
  write(OPENED, ENDED, { kind: "put_out" }, { kind: "switched", on: true });
  await app().load();
  const genuine = [...server.entries];
  const remembered = memory();
  const told = async (entries: string[]): Promise<string | undefined> => {
    server.entries = entries;
    const ledgers = app();
    await ledgers.load();
    assert.deepEqual(memory(), remembered, "what is wrong is not remembered");
    return ledgers.troubles[0]?.trouble;
  };
  const other = await scene();
  assert.equal(await told(genuine), undefined);
  assert.equal(await told(genuine.slice(0, 3)), "shorter");
  assert.equal(await told([]), "shorter");
  assert.equal(await told([genuine[0], genuine[2], genuine[1], genuine[3]] as string[]), "broken");
  assert.equal(await told([genuine[0], genuine[1], genuine[3]] as string[]), "broken");
  const changed = fromBase64Url(genuine[1] as string);
  changed[90]! ^= 1;
  assert.equal(await told([genuine[0], toBase64Url(changed), genuine[2], genuine[3]] as string[]), "broken");
  other.write({ kind: "put_out" });
  assert.notEqual(await told([...genuine, other.server.entries[0] as string]), undefined);
  const elsewhere = await scene(key(21));
  elsewhere.write(OPENED);
  assert.equal(await told(elsewhere.server.entries), "wrong_signer");

  server.entries = genuine.slice(0, 3);
  const ledgers = app();
  await ledgers.load();
  await ledgers.accept(device);
  assert.deepEqual([ledgers.troubles, memory()?.[device]?.length], [[], 3]);
  server.entries = [genuine[0], genuine[2]] as string[];
  await assert.rejects(ledgers.accept(device));
});

test("who moves to another household is not told that the ledgers of the one before are gone", async () => {
  const { app, write, server, household } = await scene();
  write(OPENED, ENDED);
  await app().load();
  server.entries = [];
  household.genesis = toBase64Url(key(70).publicKey);
  const ledgers = app();
  await ledgers.load();
  assert.deepEqual([ledgers.troubles, ledgers.happened], [[], []]);
});

test("a drop-in is one line with its end, and a grant that many devices took is one", async () => {
  const { app, write, device } = await scene();
  const taken: LedgerWhat = { kind: "grant_taken", grant: GRANT, revision: 7, statement: new Uint8Array(32), change: 1 };
  write(taken, OPENED, ENDED, { kind: "refused", call: "08".repeat(16), who: unverifiedWho(), refusal: "initiator" });
  const ledgers = app();
  await ledgers.load(true);
  const entries = ledgers.views.get(device)?.entries ?? [];
  const list = merged([[device, entries], ["bb".repeat(16), entries.slice(0, 1).map((one) => ({ ...one, atMs: NOW + 50 }))]]);
  assert.deepEqual(list.map(({ what }) => what.kind), ["refused", "visit", "grant"]);
  const [refused, visit, grant] = list;
  assert.ok(refused?.what.kind === "refused" && refused.what.who.genesis === "");
  assert.ok(visit?.what.kind === "visit");
  assert.deepEqual([visit.what.ended, visit.what.picture, visit.what.who.label], [{ lastedMs: 61_000, by: "target" }, true, "Kim's phone"]);
  assert.deepEqual([grant?.devices.length, grant?.atMs], [2, NOW]);
});

test("a picture that was refused stands in the line of the drop-in, or for itself where nothing opened", async () => {
  const { app, write, device, clock } = await scene();
  const refused = (call: string): LedgerWhat => ({ kind: "refused", call, who: unverifiedWho(), refusal: "sound_only" });
  write(refused(CALL), { ...OPENED, picture: false });
  clock.now += 61_000;
  write(refused("08".repeat(16)));
  const ledgers = app();
  await ledgers.load(true);
  const list = merged([[device, ledgers.views.get(device)?.entries ?? []]]);
  assert.deepEqual(list.map(({ what }) => (what.kind === "visit" ? what.pictureRefused : what.kind)), ["refused", true]);
});

test("who is new in a contact's household is asked about once, until the grant names them or somebody has decided", async () => {
  const { app, write, device } = await scene();
  for (const call of ["07", "08"]) write({ kind: "refused", call: call.repeat(16), who: WHO, refusal: "new_member" });
  const ledgers = app();
  await ledgers.load();
  const list = merged([...ledgers.views].map(([id, { entries }]) => [id, entries] as const));
  const grant = (people: string[], theirs = toBase64Url(THEIRS)): Grant => ({
    id: GRANT, revision: 7, to: { type: "household", contact: "cc".repeat(16), theirGenesis: theirs, people }, devices: [], picture: false,
    opening: "at_once", signedAtMs: NOW, expiresAtMs: NOW + 1, revoked: false,
  });
  const never = (): boolean => false;
  assert.deepEqual(newcomers(list, [grant(["be".repeat(16)])], never).map(({ person, label }) => [person, label]), [[WHO.person, "Kim's phone"]]);
  assert.deepEqual(newcomers(list, [grant([WHO.person])], never), []);
  assert.deepEqual(newcomers(list, [grant(["be".repeat(16)], toBase64Url(key(70).publicKey))], never), []);
  assert.deepEqual(newcomers(list, [grant(["be".repeat(16)])], (id, person) => id === GRANT && person === WHO.person), []);
  assert.equal(device.length, 32);
});
