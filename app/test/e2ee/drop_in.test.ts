//! What a device makes of being asked for a drop-in: one story for each reason to refuse, as in e2ee/src/drop_in/tests.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bytes } from "../../src/e2ee/bytes.ts";
import { CLOCK_SKEW_MS, DAY_MS, KIND, RIGHTS } from "../../src/e2ee/identity/certificate.ts";
import { type Chain, encodeChain } from "../../src/e2ee/identity/chain.ts";
import { type DropInGrant, GRANT_LIFETIME_MS_MAX, GRANT_TO, OPENING, signGrant } from "../../src/e2ee/identity/drop_in.ts";
import { Asked, ASKED_FOR_MS, ASKED_MAX, ASKING_AGE_MAX_MS, AskingError, checkAsking, signAsking } from "../../src/e2ee/identity/drop_in_asking.ts";
import { HELD_MAX, HeldGrants, TakeError } from "../../src/e2ee/identity/drop_in_held.ts";
import { areOpen } from "../../src/e2ee/identity/drop_in_hours.ts";
import { judge } from "../../src/e2ee/identity/drop_in_judge.ts";
import { guestChain } from "../../src/e2ee/identity/guest.ts";
import { type KeyPair, sha256 } from "../../src/e2ee/identity/keys.ts";
import { decodeSigned, encodeSigned, sign } from "../../src/e2ee/identity/signed.ts";
import { House, key, NOW } from "./home.ts";

const CONTACT = "03".repeat(16);
const id = (number: number): string => number.toString(16).padStart(2, "0").repeat(16);

/** Two households that know each other; the device in question stands in the first. */
class Scene {
  readonly house = new House(10);
  readonly friends = new House(40);
  readonly kitchen = key(20);
  held = new HeldGrants();
  pinned = [{ contact: CONTACT, genesis: this.friends.genesis.publicKey }];

  constructor() {
    this.house.add(this.kitchen, KIND.device, RIGHTS.none);
  }

  grant(change: Partial<DropInGrant> = {}): DropInGrant {
    return {
      genesis: this.house.genesis.publicKey, id: id(1), revision: 7, to: GRANT_TO.household, contact: { id: CONTACT, genesis: this.friends.genesis.publicKey },
      person: "", people: ["anna"], devices: [], hours: undefined, picture: true, opening: OPENING.atOnce, signedAtMs: NOW, expiresAtMs: NOW + GRANT_LIFETIME_MS_MAX,
      revoked: false, ...change,
    };
  }

  toHome(): DropInGrant {
    return this.grant({ to: GRANT_TO.home, contact: undefined, people: [] });
  }

  take(grant: DropInGrant, by: KeyPair = this.house.app, now = NOW): DropInGrant {
    return this.held.take(now, signGrant(grant, by), this.house.roster);
  }

  with(change: Partial<DropInGrant>): this {
    this.take(this.grant(change));
    return this;
  }

  ask(initiator: Chain = this.friends.chain(), shown?: Bytes, now = NOW): string {
    const standing = { device: this.kitchen.publicKey, roster: this.house.roster, pinned: this.pinned };
    const verdict = judge(now, this.held, standing, { initiator, picture: true, shown });
    return "permit" in verdict ? verdict.permit.grant : verdict.refused;
  }
}

test("a grant lets those in whom it names and nobody else", () => {
  const scene = new Scene();
  const [friends, family, strangers] = [scene.friends.chain(), scene.house.chain(), new House(70).chain()];
  assert.deepEqual([scene.ask(friends), scene.ask(family)], ["no_grant", "no_grant"]);
  scene.take(scene.grant());
  assert.deepEqual([scene.ask(friends), scene.ask(family), scene.ask(strangers)], [id(1), "no_grant", "no_grant"]);
  scene.held = new HeldGrants();
  scene.take(scene.toHome());
  assert.deepEqual([scene.ask(family), scene.ask(friends)], [id(1), "no_grant"]);
  for (const [person, expected] of [["anna", id(1)], ["ben", "no_grant"]] as const) {
    scene.held = new HeldGrants();
    scene.take(scene.grant({ to: GRANT_TO.person, person, people: [] }));
    assert.equal(scene.ask(friends), expected, person);
  }
});

test("each thing that a grant does not cover is refused by its name", () => {
  const later = NOW + DAY_MS;
  const window = (fromMinute: number, toMinute: number) => ({ timeZone: "UTC", windows: [{ days: 127, fromMinute, toMinute }] });
  const minute = Math.floor((NOW / 60_000) % 1_440);
  const cases: [string, number, Partial<DropInGrant>, string][] = [
    ["as it is", NOW, {}, id(1)],
    ["at the last moment", later - 1, { expiresAtMs: later }, id(1)],
    ["too late", later, { expiresAtMs: later }, "expired"],
    ["to others of that household", NOW, { people: ["ben"] }, "new_member"],
    ["for another device", NOW, { devices: [key(21).publicKey] }, "other_device"],
    ["for this device", NOW, { devices: [key(20).publicKey] }, id(1)],
    ["within the hours", NOW, { hours: window(0, 0) }, id(1)],
    ["outside the hours", NOW, { hours: window((minute + 60) % 1_440, (minute + 120) % 1_440) }, "outside_hours"],
    ["sound only", NOW, { picture: false }, "sound_only"],
    ["revoked", NOW, { revoked: true }, "revoked"],
  ];
  for (const [name, now, change, expected] of cases) assert.equal(new Scene().with(change).ask(undefined, undefined, now), expected, name);
});

test("a server that shows what does not hold is refused by name", () => {
  const scene = new Scene();
  const grant = scene.grant();
  const shown = (signed: Bytes): string => scene.ask(undefined, signed);
  const genuine = signGrant(grant, scene.house.app);
  assert.equal(shown(genuine), id(1));
  const tampered = Uint8Array.from(genuine);
  tampered[30]! ^= 1;
  assert.equal(shown(tampered), "forged");
  assert.equal(shown(encodeSigned(sign("homeline answer policy v1", decodeSigned(genuine).body, scene.house.app))), "forged");
  assert.equal(shown(signGrant(grant, scene.kitchen)), "signer_may_not");
  assert.equal(shown(signGrant(grant, scene.friends.app)), "signer_may_not");
  const theirs = { ...scene.toHome(), genesis: scene.friends.genesis.publicKey };
  assert.equal(shown(signGrant(theirs, scene.friends.app)), "other_household");
  const revoked = { ...grant, revision: 8, revoked: true };
  scene.take(revoked);
  assert.equal(shown(genuine), "replayed");
  assert.equal(scene.ask(), "revoked");
  // An app that renews it and has not heard.
  assert.equal(shown(signGrant({ ...grant, revision: 9 }, scene.house.app)), "revoked");
});

test("who signed it must be an adult when somebody drops in, and whom it is to a contact with that key", () => {
  const scene = new Scene();
  const other = key(15);
  scene.house.add(other, KIND.app, RIGHTS.adult);
  scene.take(scene.grant(), other);
  assert.equal(scene.ask(), id(1));
  scene.pinned = [{ contact: CONTACT, genesis: key(99).publicKey }];
  assert.equal(scene.ask(), "not_a_contact");
  scene.pinned = [];
  assert.equal(scene.ask(), "not_a_contact");
  scene.house.remove(other);
  assert.equal(scene.ask(), "signer_may_not");
});

test("what is ended at the device needs no server, and no renewal revives it", () => {
  let scene = new Scene().with({});
  scene.held.endHere(id(1));
  assert.equal(scene.ask(), "ended_here");
  scene.take(scene.grant({ revision: 8, signedAtMs: NOW + 1 }));
  assert.equal(scene.ask(), "ended_here");

  scene = new Scene().with({});
  scene.held.everyoneOut(NOW + 1);
  assert.equal(scene.ask(), "ended_here");
  // What was signed before and arrives later counts no more either; what an adult gives anew does.
  scene.take(scene.grant({ id: id(2) }));
  assert.equal(scene.ask(), "ended_here");
  scene.take(scene.grant({ id: id(3), signedAtMs: NOW + 2 }));
  assert.equal(scene.ask(undefined, undefined, NOW + 2), id(3));
  // It outlives a reload as it is.
  scene.held = new HeldGrants(structuredClone(scene.held.kept));
  assert.equal(scene.ask(undefined, undefined, NOW + 2), id(3));
  scene.held.off = true;
  assert.equal(scene.ask(undefined, undefined, NOW + 2), "off");
});

test("guests, removed devices, the device itself and broken chains never drop in", () => {
  const scene = new Scene();
  scene.take(scene.toHome());
  assert.equal(scene.ask(guestChain(key(80), "Bob", NOW)), "no_grant");
  assert.equal(scene.ask(scene.house.chain(scene.kitchen, KIND.device, RIGHTS.none)), "no_grant");
  const bedroom = key(22);
  scene.house.add(bedroom, KIND.device, RIGHTS.none);
  const chain = scene.house.chain(bedroom, KIND.device, RIGHTS.none);
  assert.equal(scene.ask(chain), id(1));
  scene.house.remove(bedroom);
  assert.equal(scene.ask(chain), "not_in_household");
  assert.equal(scene.ask(scene.house.chain(), undefined, NOW + 31 * DAY_MS), "initiator");
});

test("of several grants one that permits is enough, and else the nearest says why", () => {
  const scene = new Scene().with({ devices: [key(21).publicKey] });
  scene.take(scene.grant({ id: id(2), picture: false }));
  assert.equal(scene.ask(), "sound_only");
  scene.take(scene.grant({ id: id(3) }));
  assert.equal(scene.ask(), id(3));
});

test("a revision is taken once and never an older one; a device holds so many, and forgets those that have ended", () => {
  const scene = new Scene().with({}).with({});
  const fails = (grant: DropInGrant, reason: string, now = NOW): void => assert.throws(() => scene.take(grant, undefined, now), (error) => error instanceof TakeError && error.reason === reason);
  fails(scene.grant({ picture: false }), "replayed");
  fails(scene.grant({ revision: 6 }), "replayed");
  fails(scene.grant({ id: id(2), signedAtMs: NOW + CLOCK_SKEW_MS + 1 }), "not_yet");
  scene.held.forget(id(1));
  fails(scene.grant({ revision: 6 }), "replayed");
  scene.take(scene.grant({ revision: 8, revoked: true }));
  fails(scene.grant({ revision: 9 }), "revoked");

  scene.held = new HeldGrants();
  const soon = NOW + 60_000;
  for (let number = 1; number <= HELD_MAX; number++) scene.take(scene.grant({ id: id(number), expiresAtMs: soon }));
  fails(scene.grant({ id: id(200), expiresAtMs: soon }), "full");
  scene.take(scene.grant({ id: id(200) }), undefined, soon);
  assert.equal(scene.held.statements.size, 1);
});

test("hours follow the wall clock of their zone over midnight and the week", () => {
  // Sunday, 25 October 2026, 00:30 UTC: half past two in Berlin, for the first time that night.
  const night = 1_792_888_200_000;
  const open = (timeZone: string, days: number, fromMinute: number, toMinute: number): boolean => areOpen({ timeZone, windows: [{ days, fromMinute, toMinute }] }, night);
  const [saturday, sunday] = [32, 64];
  assert.ok(open("Europe/Berlin", sunday, 150, 151));
  assert.ok(!open("Europe/Berlin", sunday, 30, 31));
  assert.ok(open("UTC", sunday, 30, 31));
  assert.ok(open("America/New_York", saturday, 20 * 60, 21 * 60));
  assert.ok(open("Europe/Berlin", saturday, 22 * 60, 3 * 60));
  assert.ok(!open("Europe/Berlin", sunday, 22 * 60, 3 * 60));
  assert.ok(open("Europe/Berlin", saturday, 151, 151));
  assert.ok(!open("Europe/Berlin", saturday, 150, 150));
  assert.ok(!open("Nowhere/Atall", 127, 0, 0));
});

test("an asking is for one call, one household, one key package and a few minutes, by the device of its chain", () => {
  const scene = new Scene();
  const keyPackage = new Uint8Array([1, 2, 3]);
  const expected = { call: id(9), genesis: scene.house.genesis.publicKey, keyPackage, picture: true };
  const asking = { call: id(9), atMs: NOW, targetGenesis: expected.genesis, picture: true, keyPackageHash: sha256(keyPackage), chain: scene.friends.chain() };
  const signed = signAsking(asking, scene.friends.app);
  assert.deepEqual(encodeChain(checkAsking(signed, expected, NOW).chain), encodeChain(asking.chain));
  const late = NOW + ASKING_AGE_MAX_MS + CLOCK_SKEW_MS;
  checkAsking(signed, expected, late);
  const fails = (reason: string, blob: Bytes, change: Partial<typeof expected> = {}, now = NOW): void =>
    assert.throws(() => checkAsking(blob, { ...expected, ...change }, now), (error) => error instanceof AskingError && error.reason === reason);
  fails("stale", signed, {}, late + 1);
  fails("stale", signed, {}, NOW - CLOCK_SKEW_MS - 1);
  fails("other_call", signed, { call: id(8) });
  fails("other_household", signed, { genesis: key(99).publicKey });
  fails("other_key_package", signed, { keyPackage: new Uint8Array([1, 2]) });
  fails("other_picture", signed, { picture: false });
  fails("wrong_signer", signAsking(asking, scene.house.app));
  fails("wrong_signer", signAsking({ ...asking, chain: [] }, scene.friends.app));
  fails("unreadable", Uint8Array.from([...signed, 0]));

  const asked = new Asked();
  assert.ok(asked.note(id(1), NOW) && !asked.note(id(1), NOW));
  assert.ok(!new Asked(structuredClone(asked.calls) as Map<string, number>).note(id(1), NOW));
  for (let number = 1; number < ASKED_MAX; number++) assert.ok(asked.note(`${number}`, NOW));
  assert.ok(!asked.note("one more", NOW));
  assert.ok(asked.note("one more", NOW + ASKED_FOR_MS + 1));
});
