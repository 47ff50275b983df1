//! The ledger of a target device against the vectors of the Rust implementation, and what the device keeps of its own.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";

import { type Bytes, fromBase64Url, toBase64Url } from "../../src/e2ee/bytes.ts";
import { deviceIdOf } from "../../src/e2ee/identity/ids.ts";
import { keyPairFromSeed } from "../../src/e2ee/identity/keys.ts";
import { type LedgerEnd, LedgerFaultError, LedgerFullError, LedgerReader, noEntries, OwnLedger, UNSENT_MAX } from "../../src/e2ee/identity/ledger.ts";
import { decodeEntry, type LedgerWhat, unverifiedWho } from "../../src/e2ee/identity/ledger_entry.ts";
import { decodeSigned } from "../../src/e2ee/identity/signed.ts";

const APP = process.env["HOMELINE_APP"] as string;
const { ledger: vector } = JSON.parse(readFileSync(join(APP, "../e2ee/tests/data/identity-vectors.json"), "utf8"));
const genesis = fromBase64Url(vector.genesis);
const pair = keyPairFromSeed(fromBase64Url(vector.seed));
const NOW = 1_790_000_000_000;

/** As the vectors show it: bytes as base64url, the names of the wire. */
function shown(what: LedgerWhat): unknown {
  const names: Record<string, string> = { lastedMs: "lasted_ms" };
  const texts = (value: unknown): unknown => {
    if (value instanceof Uint8Array) return toBase64Url(value);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [names[name] ?? name, texts(inner)]));
  };
  return texts(what);
}

function endAt(length: number): LedgerEnd {
  const head = vector.heads[length];
  return { length: head.length, hash: fromBase64Url(head.hash) };
}

function drained(ledger: OwnLedger): Bytes[] {
  const entries: Bytes[] = [];
  for (let next = ledger.next(); next !== undefined; next = ledger.next()) {
    entries.push(next.entry);
    ledger.stored(next.index);
  }
  return entries;
}

function faultOf(act: () => unknown) {
  try {
    act();
  } catch (error) {
    if (error instanceof LedgerFaultError) return error.fault;
    throw error;
  }
  return undefined;
}

test("the same entries are read, and written byte by byte", () => {
  const reader = new LedgerReader(genesis, vector.device, noEntries());
  const own = new OwnLedger(genesis, pair);
  assert.equal(deviceIdOf(pair.publicKey), vector.device);
  for (const one of vector.entries) {
    const { atMs, what } = reader.read(fromBase64Url(one.signed));
    assert.deepEqual([atMs, shown(what)], [one.at_ms, one.what]);
    own.write(atMs, what);
  }
  assert.deepEqual(reader.finish(), endAt(vector.entries.length));
  assert.deepEqual(own.end, reader.end);
  assert.deepEqual(drained(own).map(toBase64Url), vector.entries.map((one: { signed: string }) => one.signed));
});

test("what is wrong with a ledger has the same name, at the same place", () => {
  for (const { name, remembered, after, entries, fault, index } of vector.faults) {
    const end = endAt(remembered);
    const reader = after ? LedgerReader.after(genesis, vector.device, end) : new LedgerReader(genesis, vector.device, end);
    const found = faultOf(() => {
      for (const entry of entries) reader.read(fromBase64Url(entry));
      reader.finish();
    });
    assert.equal(found?.fault, fault, name);
    assert.equal(found !== undefined && "index" in found ? found.index : null, index, name);
  }
  for (const { name, signed } of vector.unreadable) {
    assert.throws(() => decodeEntry(decodeSigned(fromBase64Url(signed)).body), Error, name);
  }
});

test("a ledger may be read in parts, and goes on from what was seen", () => {
  const entries: Bytes[] = vector.entries.map((one: { signed: string }) => fromBase64Url(one.signed));
  const after = LedgerReader.after(genesis, vector.device, endAt(3));
  for (const entry of entries.slice(3, 5)) after.read(entry);
  const rest = new LedgerReader(genesis, vector.device, endAt(3), { began: 3, end: after.end });
  for (const entry of entries.slice(5)) rest.read(entry);
  assert.deepEqual(rest.finish(), endAt(entries.length));
});

test("who asks without right does not fill it, and a full one lets nothing open", () => {
  const own = new OwnLedger(genesis, pair);
  const refused = (fill: number): LedgerWhat => ({
    kind: "refused", call: "09".repeat(16), who: { ...unverifiedWho(), device: new Uint8Array(32).fill(fill) }, refusal: "no_grant",
  });
  for (let n = 0; n < 100; n++) own.write(NOW, refused(n % 50));
  assert.equal(own.end.length, 32);
  own.write(NOW + 60_000, refused(1));
  own.write(NOW + 60_001, refused(1));
  assert.equal(own.end.length, 33);

  const full = new OwnLedger(genesis, pair, { length: 5_000, hash: toBase64Url(new Uint8Array(32)), unsent: drainedTexts(UNSENT_MAX - 2) });
  assert.equal(full.storedLength, 5_000 - (UNSENT_MAX - 2));
  assert.ok(full.hasRoom);
  full.write(NOW, { kind: "switched", on: true });
  assert.ok(!full.hasRoom);
  assert.throws(() => full.write(NOW, { kind: "put_out" }), LedgerFullError);
  full.write(NOW, { kind: "ended", call: "09".repeat(16), lastedMs: 1, by: 1 });
  assert.throws(() => full.write(NOW, { kind: "ended", call: "09".repeat(16), lastedMs: 1, by: 1 }), LedgerFullError);
});

/** So many texts of entries; nobody looks into them. */
function drainedTexts(count: number): string[] {
  return Array.from({ length: count }, () => vector.entries[0].signed as string);
}

test("a device notices another end at the server, and goes on from it in writing", () => {
  const own = new OwnLedger(genesis, pair);
  for (const kind of ["put_out", "put_out", "put_out"] as const) own.write(NOW, { kind });
  const server = drained(own);
  own.write(NOW, { kind: "switched", on: true });
  const again = new OwnLedger(genesis, pair, own.toStored());
  assert.deepEqual(again.toStored(), own.toStored());
  again.meet(3, server[2]);
  // The server stored it, and its answer got lost.
  const next = again.next()?.entry as Bytes;
  again.meet(4, next);
  assert.equal(again.next(), undefined);

  assert.deepEqual(faultOf(() => own.meet(2, server[1])), { fault: "shorter", found: 2, remembered: 3 });
  assert.deepEqual(faultOf(() => own.meet(3, server[1])), { fault: "another_one" });
  assert.deepEqual(faultOf(() => own.meet(9, server[1])), { fault: "another_one" });
  const reader = new LedgerReader(genesis, vector.device, noEntries());
  server.slice(0, 2).forEach((entry) => reader.read(entry));
  const remembered = own.end;
  own.resume(NOW, reader.finish());
  const whole = [...server.slice(0, 2), ...drained(own)];
  const all = new LedgerReader(genesis, vector.device, noEntries());
  const what = whole.map((entry) => all.read(entry).what);
  assert.deepEqual(what.slice(2), [{ kind: "resumed", length: remembered.length, hash: remembered.hash }, { kind: "switched", on: true }]);
});

test("a long label is cut at a character", () => {
  const own = new OwnLedger(genesis, pair);
  own.write(NOW, { kind: "refused", call: "09".repeat(16), who: { ...unverifiedWho(), label: `a${"🏠".repeat(99)}` }, refusal: "busy" });
  const { what } = decodeEntry(decodeSigned(own.next()?.entry as Bytes).body);
  assert.equal(what.kind === "refused" && what.who.label, `a${"🏠".repeat(39)}`);
});
