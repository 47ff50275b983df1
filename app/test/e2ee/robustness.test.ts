//! Bytes from the network, changed at random: a decoder refuses them with its own errors, and nothing else happens.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bytes } from "../../src/e2ee/bytes.ts";
import { Expect } from "../../src/e2ee/call/expect.ts";
import { Group, GroupError, makeKeyPackage } from "../../src/e2ee/call/group.ts";
import { Keyring } from "../../src/e2ee/frames/keyring.ts";
import { ANNOUNCED, openAnnouncement, signAnnouncement } from "../../src/e2ee/identity/announcement.ts";
import { ChainError, decodeChain, encodeChain, verifyChain } from "../../src/e2ee/identity/chain.ts";
import { openContactCard, signContactCard } from "../../src/e2ee/identity/contact.ts";
import { MalformedError } from "../../src/e2ee/identity/encoding.ts";
import { checkInvitation, IntroductionError, signInvitation } from "../../src/e2ee/identity/introduction.ts";
import { openPolicy, signPolicy } from "../../src/e2ee/identity/policy.ts";
import { Roster, RosterError } from "../../src/e2ee/identity/roster.ts";
import { SignatureError } from "../../src/e2ee/identity/signed.ts";
import { House, NOW } from "./home.ts";
import { CALL } from "./server.ts";

const ROUNDS = 150;
const EXPECTED = [MalformedError, ChainError, RosterError, SignatureError, IntroductionError, GroupError];
const house = new House(10);
const roster = house.roster;
const genesis = house.genesis.publicKey;

/** The same every time: xorshift32. */
let state = 0x9e3779b9;
function random(below: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % below;
}

/** Other bytes than these. */
function changed(bytes: Bytes): Bytes {
  const copy = Uint8Array.from(bytes);
  for (let i = 0; i <= random(4); i++) copy[random(copy.length)] = random(256);
  const other = random(3) === 0 ? copy.slice(0, random(copy.length)) : copy;
  return Buffer.from(other).equals(bytes) ? changed(bytes) : other;
}

function refuses(error: unknown): true {
  assert.ok(EXPECTED.some((kind) => error instanceof kind), String(error));
  return true;
}

const card = { genesis, contactId: CALL, revision: 1, name: "B", handle: "b", pin: 0 as const, theirGenesis: new Uint8Array(32) };
const policy = { genesis, device: genesis, revision: 1, rules: [{ theirGenesis: genesis, person: "", mode: 1 as const }] };
const invitation = { call: CALL, atMs: NOW, toHandle: "b", displayName: "A", video: true, chain: house.chain() };
const announcement = {
  genesis, id: CALL, kind: ANNOUNCED.text, atMs: NOW, lengthMs: 0, replyTo: undefined, contentHash: new Uint8Array(32),
  keys: [{ device: genesis, enc: genesis, sealed: genesis }], chain: house.chain(),
};
const SUBJECTS: [string, Bytes, (bytes: Bytes) => unknown][] = [
  ["chains", encodeChain(house.chain()), (bytes) => verifyChain(decodeChain(bytes), NOW)],
  ["roster entries", house.entries[0] as Bytes, (bytes) => Roster.load([bytes])],
  ["contact cards", signContactCard(card, house.app), (bytes) => openContactCard(bytes, roster)],
  ["answer policies", signPolicy(policy, house.app), (bytes) => openPolicy(bytes, roster)],
  ["announcements", signAnnouncement(announcement, house.app), (bytes) => openAnnouncement(bytes, roster, NOW)],
  ["invitations", signInvitation(invitation, house.app), (bytes) => checkInvitation(bytes, { call: CALL, handle: "b" }, NOW)],
];

for (const [name, good, read] of SUBJECTS) {
  test(`changed ${name} are refused`, () => {
    for (let round = 0; round < ROUNDS; round++) {
      assert.throws(() => read(changed(good)), refuses);
    }
  });
}

test("changed key packages, welcomes and commits are refused, and the group stays as it was", async () => {
  const expect = new Expect(() => roster, [new House(20).genesis.publicKey]);
  const other = new House(20);
  const own = await makeKeyPackage(other.me(), NOW);
  const group = await Group.create(CALL, house.me(), expect, NOW);
  const staged = await group.stage({ remove: [], add: own.encoded }, NOW);
  await group.apply(staged.commit, NOW);
  const theirs = new Expect(() => other.roster, [genesis]);
  const joined = await Group.join(CALL, staged.welcome as Bytes, own, theirs, NOW);
  const update = await group.stage({ remove: [] }, NOW);
  for (let round = 0; round < 60; round++) {
    await assert.rejects(Group.join(CALL, changed(staged.welcome as Bytes), own, theirs, NOW), refuses);
    await assert.rejects(joined.apply(changed(update.commit), NOW), refuses);
    await assert.rejects(joined.decrypt(changed(update.commit), NOW), refuses);
  }
  assert.equal((await joined.apply(update.commit, NOW)).type, "applied");
});

test("changed frames are dropped and counted, never thrown", async () => {
  const [sender, receiver] = [new Keyring(), new Keyring()];
  sender.switchSendKey(1, 0, new Uint8Array(16));
  receiver.installReceiveKey({ epoch: 1, baseKey: new Uint8Array(16), members: new Map([[0, "a"]]) });
  const good = (await sender.encrypt(new Uint8Array(40))) as Bytes;
  for (let round = 0; round < 500; round++) {
    assert.notEqual((await receiver.decrypt(changed(good), "a")).type, "frame");
  }
  assert.equal((await receiver.decrypt(good, "a")).type, "frame");
});
