//! The statement of a live announcement against the vectors that the Rust crate made, and what no device takes.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fromBase64Url, toBase64Url } from "../../src/e2ee/bytes.ts";
import { CLOCK_SKEW_MS } from "../../src/e2ee/identity/certificate.ts";
import { MalformedError } from "../../src/e2ee/identity/encoding.ts";
import { AnnouncementError, Heard, HEARD_MAX } from "../../src/e2ee/identity/announcement.ts";
import { LIVE_AGE_MAX_MS, type LiveAnnouncement, liveCountsUntil, openLive, encodeLive, signLive } from "../../src/e2ee/identity/live.ts";
import { Roster } from "../../src/e2ee/identity/roster.ts";
import { decodeSigned, SignatureError } from "../../src/e2ee/identity/signed.ts";
import { House, key, NOW } from "./home.ts";

const vectors = JSON.parse(readFileSync(join(process.env["HOMELINE_APP"] as string, "../e2ee/tests/data/identity-vectors.json"), "utf8")).live_announcement;
const CALL = "0c".repeat(16);
const ascending = (...seeds: number[]) => seeds.map((seed) => key(seed).publicKey).sort((one, other) => Buffer.compare(one, other));

test("the fixed one of the vectors opens, is written as it was, and what they call refused is refused", () => {
  const roster = Roster.load(vectors.entries.map(fromBase64Url));
  const blob = fromBase64Url(vectors.signed);
  const { live, from } = openLive(blob, roster, vectors.now_ms);
  assert.deepEqual([live.call, live.devices.map(toBase64Url), toBase64Url(from.deviceKey)], [vectors.call, vectors.devices, vectors.signer]);
  assert.deepEqual(encodeLive(live), decodeSigned(blob).body);
  assert.ok(vectors.refused.length > 0);
  for (const { name, signed } of vectors.refused) {
    // One that does not name this device is genuine, and refused by whoever is asked to hear it.
    const own = fromBase64Url(vectors.devices[0]);
    assert.throws(() => {
      const { live: { devices } } = openLive(fromBase64Url(signed), roster, vectors.now_ms);
      if (!devices.some((device) => Buffer.compare(device, own) === 0)) throw new AnnouncementError("not_for_us");
    }, (error) => error instanceof SignatureError || error instanceof MalformedError || error instanceof AnnouncementError, name);
  }
});

test("it counts for a minute and what clocks differ by, in its own household, by a device of it", () => {
  const house = new House(10);
  const signed = (change: Partial<LiveAnnouncement> = {}, signer = house.app) =>
    signLive({ genesis: house.genesis.publicKey, call: CALL, atMs: NOW, devices: ascending(20, 21), chain: house.chain(), ...change }, signer);
  const open = (blob = signed(), now = NOW) => openLive(blob, house.roster, now).live;
  const late = NOW + LIVE_AGE_MAX_MS + CLOCK_SKEW_MS;
  assert.equal(open(signed(), late).call, CALL);
  assert.equal(open(signed({ atMs: NOW + CLOCK_SKEW_MS })).call, CALL);
  assert.throws(() => open(signed(), late + 1), /too old, or of the future/);
  assert.throws(() => open(signed({ atMs: NOW + CLOCK_SKEW_MS + 1 })), /too old, or of the future/);
  assert.throws(() => open(signed({}, key(33))), SignatureError);
  const other = new House(40);
  assert.throws(() => open(signed({ genesis: other.genesis.publicKey, chain: other.chain() }, other.app)), SignatureError);
  const own = house.app.publicKey;
  for (const devices of [[], ascending(20, 21).reverse(), [key(20).publicKey, key(20).publicKey], ascending(20, 21).concat(own).sort((one, two) => Buffer.compare(one, two)), ascending(...Array.from({ length: 32 }, (_, nth) => 50 + nth))]) {
    assert.throws(() => open(signed({ devices })), MalformedError);
  }
  assert.equal(open(signed({ devices: ascending(...Array.from({ length: 31 }, (_, nth) => 50 + nth)) })).devices.length, 31);
});

test("one begins once, and a full memory takes none until what it holds could count no more", () => {
  const heard = new Heard();
  const one = (nth: number) => ({ call: nth.toString(16).padStart(32, "0"), atMs: NOW }) as LiveAnnouncement;
  const take = (live: LiveAnnouncement, now: number) => heard.take(live.call, liveCountsUntil(live), now);
  for (let nth = 0; nth < HEARD_MAX; nth++) take(one(nth), NOW);
  assert.throws(() => take(one(0), NOW), /heard before/);
  assert.throws(() => take(one(999), NOW), /Too many/);
  const later = NOW + LIVE_AGE_MAX_MS + CLOCK_SKEW_MS + 1;
  take({ ...one(999), atMs: later }, later);
});
