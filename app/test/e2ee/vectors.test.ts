//! Every identity format against the vectors that the Rust crate made: the same bytes out, the same verdict on bytes in.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Bytes, fromBase64Url, toBase64Url } from "../../src/e2ee/bytes.ts";
import { callCode } from "../../src/e2ee/call/code.ts";
import { comparison } from "../../src/e2ee/call/comparison.ts";
import { Keyring } from "../../src/e2ee/frames/keyring.ts";
import { isAdult } from "../../src/e2ee/identity/certificate.ts";
import { ChainError, decodeChain, encodeChain, verifyChain } from "../../src/e2ee/identity/chain.ts";
import { encodeContactCard, openContactCard, signContactCard } from "../../src/e2ee/identity/contact.ts";
import { openGrant, signGrant } from "../../src/e2ee/identity/drop_in.ts";
import { AskingError, checkAsking, signAsking } from "../../src/e2ee/identity/drop_in_asking.ts";
import { checkGuestProof, guestChain, guestProof } from "../../src/e2ee/identity/guest.ts";
import { deviceIdOf, fingerprintOf, householdIdOf } from "../../src/e2ee/identity/ids.ts";
import { checkInvitation, checkRinging, signInvitation } from "../../src/e2ee/identity/introduction.ts";
import { joinProof } from "../../src/e2ee/identity/invitation.ts";
import { keyPairFromSeed, sha256 } from "../../src/e2ee/identity/keys.ts";
import { appCommitment, deviceCommitment, pairingDigits } from "../../src/e2ee/identity/pairing.ts";
import { encodePolicy, openPolicy } from "../../src/e2ee/identity/policy.ts";
import { deriveRecovery, formatCode, parseCode } from "../../src/e2ee/identity/recovery.ts";
import { encodeRecoveryProof, openRecoveryProof, OtherHouseholdError } from "../../src/e2ee/identity/recovery_proof.ts";
import { Roster, RosterError } from "../../src/e2ee/identity/roster.ts";
import { decodeSigned } from "../../src/e2ee/identity/signed.ts";
import { guestLink, parseLink } from "../../src/home/links.ts";

const APP = process.env["HOMELINE_APP"] as string;
const vectors = JSON.parse(readFileSync(join(APP, "../e2ee/tests/data/identity-vectors.json"), "utf8"));
const seeds = new Map<string, ReturnType<typeof keyPairFromSeed>>();
for (let fill = 0; fill < 256; fill++) {
  const pair = keyPairFromSeed(new Uint8Array(32).fill(fill));
  seeds.set(toBase64Url(pair.publicKey), pair);
}

/** The vectors' seeds are one byte repeated: whoever signed can sign again. */
function signerOf(signed: Bytes) {
  const pair = seeds.get(toBase64Url(decodeSigned(signed).signer));
  assert.ok(pair !== undefined);
  return pair;
}

test("keys and ids", () => {
  for (const vector of vectors.keys) {
    const { publicKey } = keyPairFromSeed(fromBase64Url(vector.seed));
    assert.equal(toBase64Url(publicKey), vector.public);
    assert.deepEqual([deviceIdOf(publicKey), householdIdOf(publicKey)], [vector.device, vector.household]);
    assert.equal(toBase64Url(fingerprintOf(publicKey)), vector.fingerprint);
  }
});

test("recovery codes", () => {
  for (const vector of vectors.recovery) {
    const bytes = fromBase64Url(vector.bytes);
    assert.equal(formatCode(bytes), vector.text);
    assert.deepEqual(parseCode(vector.text), bytes);
    const { pair, auth } = deriveRecovery(bytes);
    assert.deepEqual([pair.seed, pair.publicKey, auth].map(toBase64Url), [vector.seed, vector.public, vector.secret]);
  }
});

test("recovery proofs, and those of a server that substitutes the household", () => {
  const vector = vectors.recovery_proof;
  const recovery = keyPairFromSeed(fromBase64Url(vector.seed));
  const [genesis, other, proof] = [vector.genesis, vector.other_genesis, vector.proof].map(fromBase64Url) as [Bytes, Bytes, Bytes];
  const certificate = openRecoveryProof(proof, genesis, recovery.publicKey);
  assert.equal(toBase64Url(encodeRecoveryProof(certificate, genesis, recovery)), vector.proof);
  for (const { name, proof } of vector.refused_for_other_genesis) {
    assert.throws(() => openRecoveryProof(fromBase64Url(proof), other, recovery.publicKey), OtherHouseholdError, name);
  }
});

for (const vector of [...vectors.chains, ...vectors.guest.chains]) {
  test(`the chain "${vector.name}" is ${vector.error === null ? "accepted" : "refused"}`, () => {
    const chain = decodeChain(fromBase64Url(vector.chain));
    assert.equal(toBase64Url(encodeChain(chain)), vector.chain);
    if (vector.error !== null) {
      assert.throws(() => verifyChain(chain, vector.now_ms), ChainError);
      return;
    }
    const who = verifyChain(chain, vector.now_ms);
    const shown = {
      genesis: toBase64Url(who.genesis), household: who.household, device: who.device, device_key: toBase64Url(who.deviceKey),
      kind: who.kind, adult: isAdult(who.rights), person: who.person, label: who.label,
    };
    assert.deepEqual(shown, vector.identity);
  });
}

test("the roster, entry by entry, and entries that do not fit at its end", () => {
  const vector = vectors.roster;
  const entries = vector.entries.map(fromBase64Url) as Bytes[];
  const load = () => Roster.load(entries);
  const roster = load();
  assert.deepEqual([roster.name, roster.seq, toBase64Url(roster.head), toBase64Url(roster.recovery)],
    [vector.name, vector.seq, vector.head, vector.recovery]);
  const keys = roster.devices.map((device) => toBase64Url(device.key));
  assert.deepEqual(keys.sort(), [...vector.devices].sort());
  for (const { name, entry } of vector.refused_next) assert.throws(() => load().append(fromBase64Url(entry)), RosterError, name);
  load().append(fromBase64Url(vector.accepted_next));
  const { seq, head } = vector.shorter_is_rollback_for;
  assert.throws(() => Roster.load(entries.slice(0, -1), { seq, head: fromBase64Url(head) }), RosterError);
});

test("pairing commitments and digits", () => {
  const vector = vectors.pairing;
  const [deviceKey, genesis, appKey] = [vector.device_key, vector.genesis, vector.app_key].map(fromBase64Url) as [Bytes, Bytes, Bytes];
  const device = { deviceKey, nonce: fromBase64Url(vector.device_nonce), kind: vector.kind, label: vector.label };
  const app = { genesis, appKey, nonce: fromBase64Url(vector.app_nonce) };
  assert.equal(toBase64Url(deviceCommitment(device)), vector.commit_d);
  assert.equal(toBase64Url(appCommitment(app)), vector.commit_a);
  assert.equal(pairingDigits(device, app), vector.digits);
});

test("join proofs", () => {
  const vector = vectors.join;
  const proof = joinProof(fromBase64Url(vector.secret), fromBase64Url(vector.app_key), vector.account);
  assert.equal(toBase64Url(proof), vector.proof);
});

test("guests: the chain that a key makes for itself, the proof of a link's secret, the link", () => {
  const vector = vectors.guest;
  const pair = keyPairFromSeed(fromBase64Url(vector.seed));
  assert.equal(toBase64Url(pair.publicKey), vector.guest_key);
  assert.equal(toBase64Url(encodeChain(guestChain(pair, vector.label, vector.made_at_ms))), vector.chains[0].chain);
  const secret = fromBase64Url(vector.secret);
  assert.equal(toBase64Url(guestProof(secret, vector.link_id, pair.publicKey)), vector.proof);
  assert.ok(checkGuestProof(secret, vector.link_id, pair.publicKey, fromBase64Url(vector.proof)));
  assert.deepEqual(parseLink(vector.link), { kind: "guest", link: vector.link_id, secret: vector.secret, fingerprint: vector.fingerprint });
  assert.equal(guestLink("https://home", vector.link_id, vector.secret, vector.fingerprint), `https://home/${vector.link}`);
});

test("contact cards of every pin", () => {
  const vector = vectors.contacts;
  const roster = Roster.load(vector.entries.map(fromBase64Url));
  vector.by_pin_with_revision_as_pin.forEach((text: string, pin: number) => {
    const blob = fromBase64Url(text);
    const card = openContactCard(blob, roster);
    assert.deepEqual([card.contactId, card.revision, card.pin], [vector.contact_id, pin, pin]);
    assert.deepEqual([card.name, card.handle], [vector.name, vector.handle]);
    assert.equal(toBase64Url(card.theirGenesis), pin === 1 || pin === 2 ? vector.their_genesis : toBase64Url(new Uint8Array(32)));
    assert.deepEqual(encodeContactCard(card), decodeSigned(blob).body);
    assert.equal(toBase64Url(signContactCard(card, signerOf(blob))), text);
  });
});

test("an answer policy", () => {
  const vector = vectors.policy;
  const blob = fromBase64Url(vector.signed);
  const policy = openPolicy(blob, Roster.load(vector.entries.map(fromBase64Url)));
  assert.deepEqual([toBase64Url(policy.device), policy.revision], [vector.device, vector.revision]);
  const rules = policy.rules.map(({ mode, person, theirGenesis }) => ({ mode, person, their_genesis: toBase64Url(theirGenesis) }));
  assert.deepEqual(rules, vector.rules);
  assert.deepEqual(encodePolicy(policy), decodeSigned(blob).body);
});

test("drop-in grants: the same bytes, and the same are refused", () => {
  const vector = vectors.drop_in;
  const roster = Roster.load(vector.entries.map(fromBase64Url));
  for (const one of vector.grants) {
    const blob = fromBase64Url(one.signed);
    const grant = openGrant(blob, roster);
    const { contact, hours } = grant;
    assert.deepEqual({
      id: grant.id, revision: grant.revision, to: grant.to, contact: contact?.id ?? null, their_genesis: contact === undefined ? null : toBase64Url(contact.genesis),
      person: grant.person, people: grant.people, devices: grant.devices.map(toBase64Url), picture: grant.picture, opening: grant.opening,
      hours: hours === undefined ? null : {
        zone: hours.timeZone, windows: hours.windows.map(({ days, fromMinute, toMinute }) => ({ days, from_minute: fromMinute, to_minute: toMinute })),
      },
      signed_at_ms: grant.signedAtMs, expires_at_ms: grant.expiresAtMs, revoked: grant.revoked, name: one.name, signed: one.signed,
    }, one, one.name);
    // Whoever signs puts devices and people in order.
    const made = signGrant({ ...grant, devices: [...grant.devices].reverse(), people: [...grant.people, ...grant.people].reverse() }, signerOf(blob));
    assert.equal(toBase64Url(made), one.signed, one.name);
  }
  for (const { name, signed } of vector.refused) assert.throws(() => openGrant(fromBase64Url(signed), roster), Error, name);
});

test("the asking of a drop-in: the same bytes, and the same are refused", () => {
  const { asking: vector, refused_askings: refused } = vectors.drop_in;
  const expected = { call: vector.call, genesis: fromBase64Url(vector.target_genesis), keyPackage: fromBase64Url(vector.key_package), picture: vector.picture };
  const asking = checkAsking(fromBase64Url(vector.signed), expected, vector.at_ms);
  assert.equal(toBase64Url(encodeChain(asking.chain)), vector.chain);
  assert.equal(toBase64Url(signAsking(asking, keyPairFromSeed(fromBase64Url(vector.seed)))), vector.signed);
  for (const { name, signed } of refused) assert.throws(() => checkAsking(fromBase64Url(signed), expected, vector.at_ms), AskingError, name);
});

test("a call's invitation and a ringing statement", () => {
  const vector = vectors.call_invitation;
  const blob = fromBase64Url(vector.signed);
  const { invitation } = checkInvitation(blob, { call: vector.call, handle: vector.to_handle }, vector.at_ms);
  assert.deepEqual([invitation.atMs, invitation.displayName, invitation.video], [vector.at_ms, vector.display_name, vector.video]);
  assert.equal(toBase64Url(signInvitation(invitation, signerOf(blob))), vector.signed);
  const { ringing } = vectors;
  const expected = { call: ringing.call, keyPackage: fromBase64Url(ringing.key_package) };
  checkRinging(fromBase64Url(ringing.signed), expected, ringing.now_ms);
});

test("the call code and the comparison message", () => {
  const vector = vectors.call_code;
  const authenticator = fromBase64Url(vector.authenticator);
  assert.equal(callCode(authenticator), vector.code);
  assert.equal(toBase64Url(comparison(vector.epoch, sha256(authenticator))), vector.comparison);
});

test("frames under fixed keys, both ways", async () => {
  const owner = "0".repeat(32);
  for (const vector of vectors.sframe) {
    const [sender, receiver] = [new Keyring(), new Keyring()];
    const baseKey = fromBase64Url(vector.base_key);
    sender.switchSendKey(vector.epoch, vector.leaf, baseKey);
    receiver.installReceiveKey({ epoch: vector.epoch, baseKey, members: new Map([[vector.leaf, owner]]) });
    for (const expected of vector.encrypted_in_order) {
      const frame = await sender.encrypt(fromBase64Url(vector.frame));
      assert.equal(toBase64Url(frame ?? new Uint8Array(0)), expected);
      const opened = await receiver.decrypt(fromBase64Url(expected), owner);
      assert.ok(opened.type === "frame" && toBase64Url(new Uint8Array(opened.data)) === vector.frame);
    }
  }
});

