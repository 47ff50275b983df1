//! Guests: what their certificates, proofs and invitations must be, and a call with one (docs/guests.md).

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, fromBase64Url, toBase64Url } from "../../src/e2ee/bytes.ts";
import { Expect } from "../../src/e2ee/call/expect.ts";
import { type Certificate, DAY_MS, KIND, type Kind, RIGHTS, type Rights, signCertificate } from "../../src/e2ee/identity/certificate.ts";
import { type Chain, ChainError, decodeChain, encodeChain, verifyChain } from "../../src/e2ee/identity/chain.ts";
import { guestChain, guestProof } from "../../src/e2ee/identity/guest.ts";
import { deviceIdOf, fingerprintOf } from "../../src/e2ee/identity/ids.ts";
import { signInvitation } from "../../src/e2ee/identity/introduction.ts";
import type { KeyPair } from "../../src/e2ee/identity/keys.ts";
import { MemoryRecords, Page } from "./desks.ts";
import { type Founded, founded } from "./founded.ts";
import { House, key, NOW } from "./home.ts";

const CALL = "00112233445566778899aabbccddeeff";
const LINK = "0f".repeat(16);
const now = () => NOW;
const NONE = {};

/** A guest's certificate with something about it changed. */
function altered(change: Partial<Certificate>, signer: KeyPair = key(70)): Chain {
  const pair = key(70);
  const body = {
    genesis: pair.publicKey, subject: pair.publicKey, kind: KIND.guest as Kind, rights: RIGHTS.none as Rights, person: "", label: "Gus",
    notBeforeMs: NOW, notAfterMs: NOW + DAY_MS, rosterSeq: 0, ...change,
  };
  return [signCertificate(body, signer)];
}

test("a guest is a household of one, by a certificate that its key signs itself", () => {
  const pair = key(70);
  const identity = verifyChain(guestChain(pair, "Gus", NOW), NOW);
  assert.deepEqual([identity.kind, identity.rights, identity.person, identity.label], [KIND.guest, RIGHTS.none, "", "Gus"]);
  assert.equal(identity.device, deviceIdOf(pair.publicKey));
  assert.deepEqual([identity.genesis, identity.deviceKey], [pair.publicKey, pair.publicKey]);
  verifyChain(altered({ label: "🙂".repeat(40) }), NOW);
});

test("whatever else is of kind 4 is refused", () => {
  const house = new House(10);
  const app = house.app.publicKey;
  const refused: Record<string, Chain> = {
    "signed by another": altered({}, key(71)),
    "for another key than the genesis key": altered({ subject: key(71).publicKey }),
    "certified by a household": [signCertificate({
      genesis: house.genesis.publicKey, subject: key(70).publicKey, kind: KIND.guest, rights: RIGHTS.none, person: "", label: "Gus",
      notBeforeMs: NOW, notAfterMs: NOW + DAY_MS, rosterSeq: 0,
    }, house.app), ...house.chain()],
    "two certificates long": [...altered({}), ...altered({})],
    "above somebody else's certificate": [house.certificate(key(72), KIND.app, RIGHTS.none, key(70)), ...altered({})],
    "an adult": altered({ rights: RIGHTS.adult }),
    "somebody's": altered({ person: "anna" }),
    "of a roster": altered({ rosterSeq: 1 }),
    "for longer than a day": altered({ notAfterMs: NOW + DAY_MS + 1 }),
    "without a name": altered({ label: "" }),
    "with a name of 41 characters": altered({ label: "x".repeat(41) }),
    "over": altered({ notBeforeMs: NOW - 2 * DAY_MS, notAfterMs: NOW - DAY_MS }),
    "not begun": altered({ notBeforeMs: NOW + DAY_MS / 2 }),
  };
  for (const [what, chain] of Object.entries(refused)) assert.throws(() => verifyChain(chain, NOW), ChainError, what);
  assert.ok(!house.roster.admits(verifyChain(guestChain(house.genesis, "Gus", NOW), NOW)), `not even ${toBase64Url(app)} makes a guest a member`);
});

/** Anna's app with a link, and the page of somebody who opened it. */
async function knocking({ secret: other }: { secret?: string } = {}) {
  const anna = await founded("Anna's");
  const { secret, fingerprint } = await anna.page.ask("guest.make", NONE);
  await anna.page.ask("guest.keep", { link: LINK, secret, endsAtMs: NOW + DAY_MS });
  const guest = new Page(now);
  const begun = await guest.ask("guest.begin", { link: LINK, secret: other ?? secret, fingerprint, name: "Gus" });
  return { anna, secret, fingerprint, guest, begun };
}

test("the maker's worker shows a knock only if chain and proof hold", async () => {
  const { anna, begun, secret } = await knocking();
  const { chain, proof } = begun;
  const who = await anna.page.ask("guest.check", { link: LINK, chain, proof });
  assert.deepEqual([who.kind, who.label, who.own, who.adult], ["guest", "Gus", false, false]);
  assert.equal(who.device, begun.who.device);

  const another = key(71);
  const theirs = toBase64Url(encodeChain(guestChain(another, "Gus", NOW)));
  const member = toBase64Url(encodeChain(new House(10).chain()));
  const fails: [string, string, string][] = [
    ["bad_proof", theirs, proof],
    ["bad_proof", chain, toBase64Url(guestProof(key(1).seed, LINK, fromBase64Url(who.deviceKey)))],
    ["bad_proof", chain, toBase64Url(guestProof(fromBase64Url(secret), "0e".repeat(16), fromBase64Url(who.deviceKey)))],
    ["bad_proof", chain, ""],
    ["bad_chain", toBase64Url(encodeChain(altered({}, another))), proof],
    ["bad_chain", member, toBase64Url(guestProof(fromBase64Url(secret), LINK, new House(10).app.publicKey))],
  ];
  for (const [code, wrong, withProof] of fails) assert.equal(await anna.page.fails("guest.check", { link: LINK, chain: wrong, proof: withProof }), code);
  assert.equal(await anna.page.fails("guest.check", { link: "0e".repeat(16), chain, proof }), "unknown_link");
});

test("the secret stays in the maker's storage, wrapped, until the link ends or is revoked", async () => {
  const records = new MemoryRecords();
  let time = NOW;
  const anna = await founded("Anna's", records, () => time);
  const { secret } = await anna.page.ask("guest.make", NONE);
  for (const link of [LINK, "0e".repeat(16)]) await anna.page.ask("guest.keep", { link, secret, endsAtMs: NOW + DAY_MS });
  assert.ok(!JSON.stringify([...records.map], bytesAsText).includes(secret), "the secret itself is not stored");
  const again = new Page(() => time, records);
  await again.ask("open", { slot: "app" });
  assert.deepEqual((await again.ask("guest.kept", NONE)).links, [LINK, "0e".repeat(16)].map((link) => ({ link, secret })));
  await again.ask("guest.forget", { link: LINK });
  assert.deepEqual((await again.ask("guest.kept", NONE)).links.map(({ link }) => link), ["0e".repeat(16)]);
  time += DAY_MS + 3_600_000;
  assert.deepEqual((await again.ask("guest.kept", NONE)).links, []);
  const stored = records.map.get("app") as { guestLinks: Map<string, unknown> };
  assert.equal(stored.guestLinks.size, 0);
});

test("an identity that was stored before there were call links opens", async () => {
  const { page } = await founded();
  delete (page.records.map.get("app") as { guestLinks?: unknown }).guestLinks;
  await page.ask("open", { slot: "app" });
  assert.deepEqual((await page.ask("guest.kept", NONE)).links, []);
});

test("a guest's worker stores nothing, and is no account's; an account's is no guest's", async () => {
  const { anna, guest, begun, fingerprint, secret } = await knocking();
  assert.equal(guest.records.map.size, 0);
  assert.equal(await guest.fails("open", { slot: "app" }), "exists");
  assert.equal(await guest.fails("guest.make", NONE), "no_identity");
  assert.equal(await guest.fails("found", { householdName: "x", person: "aa".repeat(16), label: "y" }), "exists");
  assert.equal(guest.records.map.size, 0);
  assert.equal(await anna.page.fails("guest.begin", { link: LINK, secret, fingerprint, name: "Gus" }), "exists");
  assert.equal(await new Page(now).fails("guest.begin", { link: LINK, secret, fingerprint, name: "" }), "bad_request");
  const next = await guest.ask("guest.begin", { link: LINK, secret, fingerprint, name: "Gus" });
  assert.notEqual(next.who.device, begun.who.device, "every knock has a key of its own");
});

test("a guest is called by the household of its link alone, to its own device, and calls nobody", async () => {
  const { anna, guest, begun } = await knocking();
  const mallory = await founded("Mallory's");
  const call = { call: CALL, toHandle: begun.who.device, displayName: "Anna", video: false };
  const genuine = await anna.page.ask("call.invitation", call);
  const seen = await guest.ask("call.check_invitation", { call: CALL, handle: begun.who.device, invitation: genuine.invitation });
  assert.equal(seen.who.genesis, anna.genesis);
  const other = await mallory.page.ask("call.invitation", call);
  assert.equal(await guest.fails("call.check_invitation", { call: CALL, handle: begun.who.device, invitation: other.invitation }), "wrong_household");
  const elsewhere = await anna.page.ask("call.invitation", { ...call, toHandle: "anna" });
  assert.equal(await guest.fails("call.check_invitation", { call: CALL, handle: begun.who.device, invitation: elsewhere.invitation }), "not_for_me");

  const chain = guestChain(key(70), "Gus", NOW);
  const signed = signInvitation({ call: CALL, atMs: NOW, toHandle: "anna", displayName: "Gus", video: false, chain }, key(70));
  assert.equal(await anna.page.fails("call.check_invitation", { call: CALL, handle: "anna", invitation: toBase64Url(signed) }), "refused_member");
});

/** Pages in one call, with a server between them that relays and orders. */
class Room {
  readonly inside: Page[] = [];

  async relay(joining?: Page): Promise<void> {
    const all = joining === undefined ? this.inside : [...this.inside, joining];
    for (let busy = true; busy; ) {
      busy = false;
      for (const from of all) {
        for (const sent of from.take("send")) {
          busy = true;
          const others = this.inside.filter((page) => page !== from);
          if (sent.type === "send_commit") {
            for (const page of this.inside) await page.ask("call.deliver", { type: "group_commit", call: CALL, epoch: sent.epoch, commit: sent.commit });
            if (sent.welcome === null || joining === undefined) continue;
            await joining.ask("call.deliver", { type: "group_welcome", call: CALL, welcome: sent.welcome.welcome });
            this.inside.push(joining);
          } else if (sent.type === "epoch_ready") {
            for (const page of this.inside) await page.ask("call.deliver", { type: "epoch_execute", call: CALL, epoch: sent.epoch });
          } else {
            for (const page of others) await page.ask("call.deliver", { type: "group_message", call: CALL, message: sent.message });
          }
        }
      }
    }
  }
}

/** Anna calls Ben, and both have keys. */
async function talking(anna: Founded, ben: Founded): Promise<Room> {
  const room = new Room();
  await anna.page.ask("call.create", { call: CALL, expect: { genesis: [ben.genesis] } });
  room.inside.push(anna.page);
  await ben.page.ask("call.expect", { call: CALL, expect: { genesis: [anna.genesis] } });
  await anna.page.ask("call.add", { call: CALL, ...await ben.page.ask("call.ringing", { call: CALL }) });
  await room.relay(ben.page);
  return room;
}

test("a guest joins a running call: the invitation names the households, the others take the maker's word, all have one code", async () => {
  const { anna, guest, begun } = await knocking();
  const ben = await founded("Ben's");
  const room = await talking(anna, ben);
  const { invitation } = await anna.page.ask("call.invitation", { call: CALL, toHandle: begun.who.device, displayName: "Anna", video: false, running: true });
  const seen = await guest.ask("call.check_invitation", { call: CALL, handle: begun.who.device, invitation });
  assert.deepEqual(seen.households, [ben.genesis]);
  await guest.ask("call.expect", { call: CALL, expect: { genesis: [seen.who.genesis], whoever: seen.households } });
  const rings = await guest.ask("call.ringing", { call: CALL });
  const checked = await anna.page.ask("call.check_ringing", { call: CALL, ...rings });
  assert.deepEqual([checked.kind, checked.genesis], ["guest", begun.who.genesis]);
  await anna.page.ask("call.expect", { call: CALL, expect: { genesis: [], guests: [begun.who.genesis] } });
  await anna.page.ask("call.add", { call: CALL, ...rings });
  await room.relay(guest);
  const codes = [anna.page, ben.page, guest].map((page) => page.take("call_code").at(-1)?.code);
  assert.equal(new Set(codes).size, 1);
  const joined = ben.page.take("member_joined").at(-1)?.who;
  assert.deepEqual([joined?.kind, joined?.label, joined?.genesis], ["guest", "Gus", begun.who.genesis]);
  for (const page of [anna.page, ben.page, guest]) assert.deepEqual(page.take("refused_member"), []);

  await anna.page.ask("call.remove", { call: CALL, device: begun.who.device });
  await room.relay();
  assert.deepEqual(guest.take("left").map(({ reason }) => reason), ["removed"]);
  assert.equal(ben.page.take("member_left").at(-1)?.who.kind, "guest");
});

test("a guest whom nobody let in is refused by every member", async () => {
  const { anna, guest } = await knocking();
  const ben = await founded("Ben's");
  await talking(anna, ben);
  const rings = await guest.ask("call.ringing", { call: CALL });
  for (const { page } of [anna, ben]) {
    await page.ask("call.add", { call: CALL, ...rings });
    assert.deepEqual(page.take("refused_member").map(({ reason, who }) => [reason, who?.kind]), [["unknown_household", "guest"]]);
  }
});

test("a guest in the place of a contact's household is refused, and so is a household in a guest's", async () => {
  const { anna, guest, begun } = await knocking();
  const ben = await founded("Ben's");
  const fake = { genesis: begun.who.genesis };
  await anna.page.ask("call.create", { call: CALL, expect: { genesis: [fake.genesis], guests: [ben.genesis] } });
  for (const page of [guest, ben.page]) {
    await anna.page.ask("call.add", { call: CALL, ...await page.ask("call.ringing", { call: CALL }) });
    assert.deepEqual(anna.page.take("refused_member").map(({ reason }) => reason), ["unknown_household"]);
  }
  assert.deepEqual(anna.page.take("send"), []);
});

test("who came as a guest is nothing else in this call", () => {
  const expect = new Expect(() => undefined);
  const house = new House(80);
  const [guest, app] = [verifyChain(guestChain(house.genesis, "Gus", NOW), NOW), verifyChain(house.chain(), NOW)];
  expect.allow(house.genesis.publicKey, "whoever");
  assert.deepEqual([expect.check(guest), expect.check(app)], [undefined, undefined]);
  expect.allow(house.genesis.publicKey, "guest");
  expect.allow(house.genesis.publicKey, "household");
  assert.deepEqual([expect.check(guest), expect.check(app)], [undefined, "unknown_household"]);
});

test("a guest's place in a call is taken by no other device", async () => {
  const { anna, guest, begun } = await knocking();
  await anna.page.ask("call.create", { call: CALL, expect: { genesis: [], guests: [begun.who.genesis] } });
  const room = new Room();
  room.inside.push(anna.page);
  await guest.ask("call.expect", { call: CALL, expect: { genesis: [anna.genesis] } });
  await anna.page.ask("call.add", { call: CALL, ...await guest.ask("call.ringing", { call: CALL }) });
  await room.relay(guest);
  const again = await guest.ask("call.ringing", { call: CALL });
  await anna.page.ask("call.replace", { call: CALL, device: begun.who.device, ...again });
  assert.deepEqual(anna.page.take("refused_member").map(({ reason }) => reason), ["bad_key_package"]);
});

test("the fingerprint of a link is the maker's household's", async () => {
  const { anna, fingerprint } = await knocking();
  assert.equal(fingerprint, toBase64Url(fingerprintOf(fromBase64Url(anna.genesis))));
  assert.equal((await anna.page.ask("guest.kept", NONE)).fingerprint, fingerprint);
  assert.equal(decodeChain(encodeChain(guestChain(key(70), "Gus", NOW))).length, 1);
});

function bytesAsText(_name: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return toBase64Url(value as Bytes);
  return value instanceof Map ? [...value] : value;
}
