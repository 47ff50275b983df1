//! The identity formats: exact bytes, and everything that must be refused.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, concat, fromBase64Url, fromHex, toBase64Url, toHex, utf8 } from "../../src/e2ee/bytes.ts";
import { callCode } from "../../src/e2ee/call/code.ts";
import {
  type Certificate, DAY_MS, decodeCertificate, encodeCertificate, FOREVER_MS, KIND, type Kind, LIFETIME_MS, RIGHTS, type Rights,
  signCertificate,
} from "../../src/e2ee/identity/certificate.ts";
import { type Chain, ChainError, decodeChain, encodeChain, verifyChain } from "../../src/e2ee/identity/chain.ts";
import { decode, MalformedError, Reader, Writer } from "../../src/e2ee/identity/encoding.ts";
import { deviceIdOf, fingerprintOf, householdIdOf } from "../../src/e2ee/identity/ids.ts";
import { checkInvitation, checkRinging, IntroductionError, signInvitation, signRinging } from "../../src/e2ee/identity/introduction.ts";
import { checkJoinProof, joinProof } from "../../src/e2ee/identity/invitation.ts";
import { keyPairFromSeed, type KeyPair, sha256, verifyStrict } from "../../src/e2ee/identity/keys.ts";
import { deriveRecovery, formatCode, parseCode, RecoveryCodeError, recoveryCertificate } from "../../src/e2ee/identity/recovery.ts";
import { encodeEntry, Roster, RosterError } from "../../src/e2ee/identity/roster.ts";
import { decodeSigned, encodeSigned, sign, SignatureError, verifySigned } from "../../src/e2ee/identity/signed.ts";
import { House, key, NOW } from "./home.ts";

const CALL = "000102030405060708090a0b0c0d0e0f";
const house = new House(10);
const other = new House(20);

test("base64url and hexadecimal come back, and have one text for each byte string", () => {
  for (let length = 0; length < 70; length++) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 73 + length) & 255);
    assert.equal(toBase64Url(bytes), Buffer.from(bytes).toString("base64url"));
    assert.deepEqual(fromBase64Url(toBase64Url(bytes)), bytes);
    assert.deepEqual(fromHex(toHex(bytes)), bytes);
  }
  for (const text of ["A", "AB==", "A+", "AB", "AAC", "é"]) assert.throws(() => fromBase64Url(text), RangeError);
  for (const text of ["0", "0G", "AB"]) assert.throws(() => fromHex(text), RangeError);
});

test("the encoding refuses what is cut short, left over, too large or not UTF-8", () => {
  const bytes = new Writer().u8(1).u16(2).u32(3).u64(FOREVER_MS).string("é").bytes();
  assert.equal(toHex(bytes), "01" + "0002" + "00000003" + "001fffffffffffff" + "0002c3a9");
  const read = (reader: Reader) => [reader.u8(), reader.u16(), reader.u32(), reader.u64(), reader.string()];
  assert.deepEqual(decode(bytes, read), [1, 2, 3, FOREVER_MS, "é"]);
  for (let cut = 0; cut < bytes.length; cut++) assert.throws(() => decode(bytes.subarray(0, cut), read), MalformedError);
  assert.throws(() => decode(concat(bytes, Uint8Array.of(0)), read), MalformedError);
  assert.throws(() => decode(fromHex("0020000000000000"), (reader) => reader.u64()), MalformedError);
  assert.throws(() => decode(fromHex("0001ff"), (reader) => reader.string()), MalformedError);
  assert.throws(() => new Writer().u8(256), MalformedError);
  assert.throws(() => new Writer().vec16(new Uint8Array(65_536)), MalformedError);
});

test("Ed25519 is that of RFC 8032, section 7.1, and strict", () => {
  const seed = fromHex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7");
  const pair = keyPairFromSeed(seed);
  assert.equal(toHex(pair.publicKey), "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
  const signature = fromHex(
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  );
  const message = fromHex("af82");
  assert.ok(verifyStrict(pair.publicKey, message, signature));
  assert.ok(!verifyStrict(pair.publicKey, fromHex("af83"), signature));
  // S + L: the same equation, another signature.
  const malleable = Uint8Array.from(signature);
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  let s = order + signature.subarray(32).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  for (let i = 32; i < 64; i++, s >>= 8n) malleable[i] = Number(s & 255n);
  assert.ok(!verifyStrict(pair.publicKey, message, malleable));
  // A key of small order "verifies" anything with R = A and S = 0.
  const one = concat(Uint8Array.of(1), new Uint8Array(31));
  assert.ok(!verifyStrict(one, message, concat(one, new Uint8Array(32))));
});

test("a signature holds for one context, one body and one signer", () => {
  const signed = sign("homeline roster v1", utf8("body"), key(1));
  verifySigned("homeline roster v1", signed);
  assert.throws(() => verifySigned("homeline contact v1", signed), SignatureError);
  assert.throws(() => verifySigned("homeline roster v1", { ...signed, body: utf8("other") }), SignatureError);
  assert.throws(() => verifySigned("homeline roster v1", { ...signed, signer: key(2).publicKey }), SignatureError);
  assert.deepEqual(decodeSigned(encodeSigned(signed)), signed);
  assert.throws(() => decodeSigned(concat(encodeSigned(signed), Uint8Array.of(0))), MalformedError);
});

test("ids are the beginning of hashes, fingerprints all of them", () => {
  const genesis = house.genesis.publicKey;
  assert.equal(householdIdOf(genesis), toHex(sha256(utf8("homeline household v1"), genesis)).slice(0, 32));
  assert.equal(deviceIdOf(genesis), toHex(sha256(utf8("homeline device v1"), genesis)).slice(0, 32));
  assert.equal(fingerprintOf(genesis).length, 32);
});

interface Link {
  subject: KeyPair;
  kind?: Kind;
  rights?: Rights;
  from?: number;
  until?: number;
  genesis?: Bytes;
}

/** Leaf first; each is signed by the next one's subject, the last by genesis unless told otherwise. */
function chainOf(links: Link[], root: KeyPair = house.genesis): Chain {
  return links.map((link, index) => {
    const body: Certificate = {
      genesis: link.genesis ?? house.genesis.publicKey, subject: link.subject.publicKey, kind: link.kind ?? KIND.app,
      rights: link.rights ?? RIGHTS.adult, person: "anna", label: "Phone", notBeforeMs: link.from ?? NOW,
      notAfterMs: link.until ?? NOW + LIFETIME_MS, rosterSeq: 1,
    };
    return signCertificate(body, links[index + 1]?.subject ?? root);
  });
}

test("a chain proves its leaf, up to six links", () => {
  const chain = chainOf([{ subject: key(2), kind: KIND.device, rights: RIGHTS.none, until: NOW + DAY_MS }, { subject: key(1) }]);
  const identity = verifyChain(decodeChain(encodeChain(chain)), NOW);
  assert.deepEqual([identity.household, identity.device, identity.kind, identity.notAfterMs, identity.subjects.length],
    [householdIdOf(house.genesis.publicKey), deviceIdOf(key(2).publicKey), KIND.device, NOW + DAY_MS, 2]);
  const links = Array.from({ length: 7 }, (_, index) => ({ subject: key(1 + index) }));
  verifyChain(chainOf(links.slice(0, 6)), NOW);
  assert.throws(() => verifyChain(chainOf(links), NOW), ChainError);
});

test("a recovery key certifies for ever, and is no device itself", () => {
  const recovery: Link = { subject: house.recovery, kind: KIND.recovery, until: FOREVER_MS };
  verifyChain(chainOf([{ subject: key(1) }, recovery]), NOW);
  assert.throws(() => verifyChain(chainOf([recovery]), NOW), ChainError);
  assert.throws(() => verifyChain(chainOf([{ subject: key(2) }, recovery, { subject: key(1) }]), NOW), ChainError);
  const made = recoveryCertificate(house.recovery.publicKey, "anna", NOW, house.genesis);
  verifyChain([chainOf([{ subject: key(1) }], house.recovery)[0], made] as Chain, NOW);
});

const BAD_CHAINS: [string, () => Chain, number?][] = [
  ["empty", () => []],
  ["signed by a stranger", () => chainOf([{ subject: key(1) }], key(9))],
  ["of two households", () => chainOf([{ subject: key(2) }, { subject: key(1), genesis: other.genesis.publicKey }])],
  ["certified by somebody who is not adult", () => chainOf([{ subject: key(2) }, { subject: key(1), rights: RIGHTS.none }])],
  ["certified by a home device", () => chainOf([{ subject: key(2) }, { subject: key(1), kind: KIND.device, rights: RIGHTS.none }])],
  ["of an adult home device", () => chainOf([{ subject: key(1), kind: KIND.device }])],
  ["longer than its lifetime", () => chainOf([{ subject: key(1), until: NOW + 40 * DAY_MS }])],
  ["not valid yet", () => chainOf([{ subject: key(1), from: NOW + DAY_MS }])],
  ["expired", () => chainOf([{ subject: key(1) }]), NOW + 31 * DAY_MS],
  ["below an expired link", () => chainOf([{ subject: key(2) }, { subject: key(1), until: NOW - DAY_MS, from: NOW - 9 * DAY_MS }])],
];

for (const [name, make, now] of BAD_CHAINS) {
  test(`a chain ${name} is refused`, () => assert.throws(() => verifyChain(make(), now ?? NOW), ChainError));
}

test("clocks may be five minutes apart", () => {
  const chain = chainOf([{ subject: key(1) }]);
  verifyChain(chain, NOW - 5 * 60_000);
  verifyChain(chain, NOW + LIFETIME_MS + 5 * 60_000);
  assert.throws(() => verifyChain(chain, NOW - 5 * 60_000 - 1), ChainError);
});

test("processors and bridges are refused for now, and so are unknown rights and versions", () => {
  const good = encodeCertificate(decodeCertificate(house.chain()[0]?.body as Bytes));
  for (const [at, value] of [[0, 2], [65, 5], [65, 6], [65, 0], [66, 2]] as const) {
    const bad = Uint8Array.from(good);
    bad[at] = value;
    assert.throws(() => decodeCertificate(bad), MalformedError);
  }
});

test("a roster folds its entries and refuses every break of its rules", () => {
  const growing = new House(40);
  const kitchen = key(50);
  growing.add(kitchen, KIND.device, RIGHTS.none);
  const roster = growing.roster;
  assert.deepEqual([roster.seq, roster.name, roster.devices.length, roster.isAdultApp(kitchen.publicKey)], [2, "House", 2, false]);
  const refused = (entry: Bytes, of = growing) => assert.throws(() => of.roster.append(entry), RosterError);
  const add = (pair: KeyPair, kind: 1 | 2 = KIND.app, rights: Rights = RIGHTS.none) =>
    ({ kind: "add_device" as const, device: pair.publicKey, deviceKind: kind, rights, person: "", label: "" });
  refused(roster.next(add(key(51)), NOW, kitchen));
  refused(roster.next(add(key(51)), NOW, key(99)));
  refused(roster.next(add(kitchen), NOW, growing.app));
  refused(roster.next(add(key(51), KIND.device, RIGHTS.adult), NOW, growing.app));
  refused(roster.next({ kind: "set_rights", device: kitchen.publicKey, rights: RIGHTS.adult }, NOW, growing.app));
  refused(roster.next({ kind: "remove_device", device: key(51).publicKey }, NOW, growing.app));
  refused(roster.next({ kind: "genesis", householdName: "x", recovery: key(1).publicKey }, NOW, growing.genesis));
  refused(growing.entries[2] as Bytes);
  refused(other.roster.next(add(key(51)), NOW, other.app));
  const forged = { genesis: roster.genesis, seq: 3, prev: new Uint8Array(32), atMs: NOW, change: add(key(51)) };
  refused(encodeSigned(sign("homeline roster v1", encodeEntry(forged), growing.app)));
  const tampered = Uint8Array.from(roster.next(add(key(51)), NOW, growing.app));
  tampered[80] = (tampered[80] as number) ^ 1;
  refused(tampered);
  growing.remove(kitchen);
  refused(growing.roster.next(add(kitchen, KIND.device), NOW, growing.app));
  assert.throws(() => Roster.load([]), RosterError);
  assert.throws(() => Roster.load(growing.entries.slice(1)), RosterError);
});

test("the recovery key signs until another takes its place, and an app until it is removed", () => {
  const growing = new House(60);
  const change = { kind: "recovery_key" as const, recovery: key(69).publicKey };
  growing.roster.append(growing.roster.next(change, NOW, growing.recovery));
  growing.entries.push(growing.roster.next(change, NOW, growing.app));
  assert.throws(() => growing.roster.append(growing.roster.next(change, NOW, growing.recovery)), RosterError);
  growing.roster.append(growing.roster.next(change, NOW, key(69)));
  growing.entries.push(growing.roster.next({ kind: "remove_device", device: growing.app.publicKey }, NOW, growing.app));
  assert.throws(() => growing.roster.append(growing.roster.next(change, NOW, growing.app)), RosterError);
  assert.ok(!growing.roster.admits(verifyChain(growing.chain(), NOW)));
});

test("a device certified by one that was removed is not admitted", () => {
  const growing = new House(70);
  const kitchen = key(79);
  growing.add(kitchen, KIND.device, RIGHTS.none);
  const identity = verifyChain(growing.chain(kitchen, KIND.device, RIGHTS.none), NOW);
  assert.ok(growing.roster.admits(identity));
  growing.remove(growing.app);
  assert.ok(!growing.roster.admits(identity));
});

test("a rollback is a shorter or another roster than the one seen", () => {
  const growing = new House(80);
  const seen = { seq: growing.roster.seq, head: growing.roster.head };
  growing.add(key(89), KIND.app, RIGHTS.none);
  Roster.load(growing.entries, seen);
  const isRollback = (error: unknown) => error instanceof RosterError && error.rollback;
  assert.throws(() => Roster.load(growing.entries.slice(0, 1), seen), isRollback);
  assert.throws(() => Roster.load(other.entries, seen), isRollback);
});

test("a recovery code survives being typed, and yields two secrets", () => {
  const code = Uint8Array.from({ length: 20 }, (_, index) => index * 13);
  const text = formatCode(code);
  assert.match(text, /^([0-9A-HJKMNP-TV-Z]{4}-){7}[0-9A-HJKMNP-TV-Z]{4}$/);
  assert.deepEqual(parseCode(text), code);
  assert.deepEqual(parseCode(text.toLowerCase().replaceAll("-", " ").replaceAll("0", "O").replaceAll("1", "l")), code);
  for (const bad of ["", text.slice(1), `${text}0`, text.replace(/^./, "U")]) assert.throws(() => parseCode(bad), RecoveryCodeError);
  const { pair, auth } = deriveRecovery(code);
  assert.notDeepEqual(pair.seed, auth);
});

test("a join proof is for one key, one person and one secret", () => {
  const secret = new Uint8Array(32).fill(7);
  const proof = joinProof(secret, key(1).publicKey, "ben");
  assert.ok(checkJoinProof(secret, key(1).publicKey, "ben", proof));
  assert.ok(!checkJoinProof(secret, key(2).publicKey, "ben", proof));
  assert.ok(!checkJoinProof(secret, key(1).publicKey, "bob", proof));
  assert.ok(!checkJoinProof(new Uint8Array(32), key(1).publicKey, "ben", proof));
});

test("an invitation rings once, here, for us, and now", () => {
  const invitation = { call: CALL, atMs: NOW, toHandle: "ben", displayName: "Anna", video: true, chain: house.chain() };
  const blob = signInvitation(invitation, house.app);
  const expected = { call: CALL, handle: "ben" };
  assert.equal(checkInvitation(blob, expected, NOW).caller.household, house.roster.household);
  const reason = (run: () => unknown) => {
    try {
      run();
    } catch (error) {
      return error instanceof IntroductionError ? error.reason : (error as Error).name;
    }
    return "accepted";
  };
  assert.equal(reason(() => checkInvitation(blob, { ...expected, call: "f".repeat(32) }, NOW)), "other_call");
  assert.equal(reason(() => checkInvitation(blob, { ...expected, handle: "carl" }, NOW)), "not_for_me");
  assert.equal(reason(() => checkInvitation(blob, expected, NOW + 6 * 60_000 + 1)), "stale");
  assert.equal(reason(() => checkInvitation(blob, expected, NOW - 5 * 60_000 - 1)), "stale");
  assert.equal(reason(() => checkInvitation(signInvitation(invitation, key(99)), expected, NOW)), "wrong_signer");

  const keyPackage = utf8("a key package");
  const ringing = { call: CALL, keyPackageHash: sha256(keyPackage), chain: other.chain() };
  const rings = signRinging(ringing, other.app);
  assert.equal(checkRinging(rings, { call: CALL, keyPackage }, NOW).household, other.roster.household);
  assert.equal(reason(() => checkRinging(rings, { call: CALL, keyPackage: utf8("another") }, NOW)), "other_key_package");
  assert.equal(reason(() => checkRinging(blob, { call: CALL, keyPackage }, NOW)), "SignatureError");
});

test("a call code is six groups of five digits, as in Rust", () => {
  assert.equal(callCode(new Uint8Array(32)), "00000 00000 00000 00000 00000 00000");
  assert.ok(callCode(Uint8Array.from({ length: 32 }, (_, index) => index)).startsWith("09060 60585 "));
});
