//! The key worker's whole life as the page sees it: founding, pairing, joining, recovering, renewing, calling.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBase64Url, toBase64Url, toHex } from "../../src/e2ee/bytes.ts";
import { DAY_MS } from "../../src/e2ee/identity/certificate.ts";
import { decodeChain, encodeChain } from "../../src/e2ee/identity/chain.ts";
import { deriveRecovery, parseCode, recoveryCertificate } from "../../src/e2ee/identity/recovery.ts";
import { encodeRecoveryProof } from "../../src/e2ee/identity/recovery_proof.ts";
import { genesisEntry } from "../../src/e2ee/identity/roster.ts";
import { Expected, REMEMBERED_MAX, REMEMBERED_MS } from "../../src/e2ee/keys/expected.ts";
import type { EncodedFrame } from "../../src/e2ee/worker/transform.ts";
import { attach } from "../../src/e2ee/worker/transform.ts";
import { MemoryRecords, Page } from "./desks.ts";
import { type Founded, founded, paired, PERSON } from "./founded.ts";
import { key, NOW } from "./home.ts";

const CALL = "00112233445566778899aabbccddeeff";
const NONE = {};
const now = () => NOW;

test("a founded household comes back from storage, and no private byte stands in it", async () => {
  const { page, entries } = await founded();
  const status = await page.ask("open", { slot: "app" });
  assert.ok(status.state === "ready" && status.confirmed && status.certifies && status.who.adult && status.who.own);
  const view = await page.ask("roster.load", { entries });
  assert.deepEqual(view.devices.map((device) => [device.device, device.adult]), [[status.who.device, true]]);
  assert.equal(await page.fails("found", { householdName: "x", person: PERSON, label: "y" }), "exists");
  const wrapping = page.records.map.get("wrapping-key") as CryptoKey;
  assert.equal(wrapping.extractable, false);
  await assert.rejects(crypto.subtle.exportKey("raw", wrapping));
  const stored = page.records.map.get("app") as { pair: { box: Uint8Array }; authority: { seed: { box: Uint8Array } } };
  assert.equal(stored.pair.box.length, 48);
  assert.ok(!("pair" in stored.authority), "the genesis key pair itself is not stored");
  assert.ok(!("seed" in stored.pair), "the key pair itself is not stored");
});

test("a device pairs by six digits, and the digits have one try", async () => {
  const home = await founded();
  const device = await paired(home);
  const status = await device.ask("open", { slot: "device" });
  assert.ok(status.state === "ready" && status.who.kind === "home_device" && !status.who.adult);
  assert.equal(status.who.label, "Kitchen");
  await device.ask("roster.load", { entries: home.entries });
  assert.equal(await device.fails("roster.remove_device", { deviceKey: status.who.deviceKey }), "not_adult");

  const other = new Page(now);
  await other.ask("open", { slot: "device" });
  const accept = await home.page.ask("pair.accept", await other.ask("pair.offer", { kind: "home_device", label: "Hall" }));
  const reveal = await other.ask("pair.accepted", accept);
  const { digits } = await other.ask("pair.revealed", await home.page.ask("pair.reveal", reveal));
  const wrong = digits === "000000" ? "000001" : "000000";
  assert.equal(await home.page.fails("pair.certify", { digits: wrong, person: PERSON, adult: false }), "wrong_digits");
  assert.equal(await home.page.fails("pair.certify", { digits, person: PERSON, adult: false }), "no_pairing");
});

test("whoever goes removes all their devices in one go, the signing app last, and nothing can be signed after that", async () => {
  const home = await founded();
  await paired(home);
  await paired(home);
  const { devices } = await home.page.ask("roster.load", { entries: home.entries });
  const [own, ...others] = devices.map(({ deviceKey }) => deviceKey);
  assert.ok(own !== undefined && others.length === 2);
  const { entries } = await home.page.ask("roster.remove_devices", { deviceKeys: [...others, own] });
  assert.equal(entries.length, 3);
  const left = await home.page.ask("roster.load", { entries: [...home.entries, ...entries] });
  assert.deepEqual(left.devices, []);
  assert.equal(await home.page.fails("invite.make", NONE), "not_adult");
});

test("a server that puts its own keys into a pairing is found out by either side", async () => {
  const home = await founded();
  const evil = await founded("Evil");
  const device = new Page(now);
  await device.ask("open", { slot: "device" });
  const offer = await device.ask("pair.offer", { kind: "home_device", label: "Kitchen" });
  const accept = await home.page.ask("pair.accept", offer);
  const reveal = await device.ask("pair.accepted", accept);
  await evil.page.ask("pair.accept", offer);
  const forged = await evil.page.ask("pair.reveal", reveal);
  assert.equal(await device.fails("pair.revealed", forged), "pairing_mismatch");
  const other = await evil.page.ask("invite.make", NONE);
  assert.equal(await home.page.fails("pair.reveal", { ...reveal, device_key: other.secret }), "pairing_mismatch");
});

test("a paired device refuses a chain and a roster of another household", async () => {
  const home = await founded();
  const evil = await founded("Evil");
  const device = new Page(now);
  await device.ask("open", { slot: "device" });
  const accept = await home.page.ask("pair.accept", await device.ask("pair.offer", { kind: "home_device", label: "Kitchen" }));
  const reveal = await device.ask("pair.accepted", accept);
  await device.ask("pair.revealed", await home.page.ask("pair.reveal", reveal));
  const status = await evil.page.ask("open", { slot: "app" });
  assert.ok(status.state === "ready");
  assert.equal(await device.fails("adopt", { chain: status.chain, roster: evil.entries }), "wrong_household");
});

test("a member joins by invitation: the proof admits it, another does not, and another household is not adopted", async () => {
  const home = await founded();
  const { secret, fingerprint } = await home.page.ask("invite.make", NONE);
  await home.page.ask("invite.keep", { invitation: "inv", secret });
  const page = new Page(now);
  await page.ask("open", { slot: "app" });
  const person = "bb".repeat(16);
  const { appKey, proof } = await page.ask("join.begin", { secret, fingerprint, person });
  const again = await page.ask("open", { slot: "app" });
  assert.equal(again.state, "waiting");
  const request = { invitation: "inv", appKey, person, label: "Ben's phone", proof, adult: true };
  assert.equal(await home.page.fails("invite.admit", { ...request, person: PERSON }), "bad_proof");
  assert.equal(await home.page.fails("invite.admit", { ...request, invitation: "other" }), "unknown_invitation");
  const { entry, chain } = await home.page.ask("invite.admit", request);
  const evil = await founded("Evil");
  assert.equal(await page.fails("adopt", { chain, roster: evil.entries }), "wrong_household");
  const status = await page.ask("adopt", { chain, roster: [...home.entries, entry] });
  assert.ok(status.state === "ready" && status.who.adult && status.who.person === person && !status.certifies);
});

test("a recovery code restores the household in a new app, which can then certify", async () => {
  const home = await founded();
  const page = new Page(now);
  await page.ask("open", { slot: "app" });
  const typed = home.code.toLowerCase().replaceAll("-", " ").replaceAll("0", "o").replaceAll("1", "l");
  assert.equal((await page.ask("recovery.secret", { code: typed })).recoverySecret, home.secret);
  const args = { recoveryCertificate: home.certificate, roster: home.entries, person: PERSON, label: "New phone" };
  const other = await founded("Other");
  assert.equal(await page.fails("recovery.restore", { ...args, code: other.code }), "bad_code");
  assert.equal(await page.fails("recovery.restore", { ...args, code: "1234" }), "bad_code");
  const restored = await page.ask("recovery.restore", { ...args, code: typed });
  home.entries.push(restored.entry);
  await page.ask("confirm", NONE);
  const view = await page.ask("roster.load", { entries: home.entries });
  assert.equal(view.devices.length, 2);
  const device = await paired({ ...home, page });
  const status = await device.ask("open", { slot: "device" });
  assert.ok(status.state === "ready" && status.who.own);
});

test("a recovery code restores no household that the server puts in the place of its own", async () => {
  const home = await founded();
  const page = new Page(now);
  await page.ask("open", { slot: "app" });
  // The recovery key is public: the roster tells it. All else is of the server's own making.
  const recovery = deriveRecovery(parseCode(home.code)).pair;
  const evil = key(90);
  const roster = [genesisEntry("Home", recovery.publicKey, NOW, evil)].map(toBase64Url);
  const certificate = recoveryCertificate(recovery.publicKey, PERSON, NOW, evil);
  const [, binding] = decodeChain(fromBase64Url(home.certificate));
  assert.ok(binding !== undefined);
  const forged = [
    encodeRecoveryProof(certificate, evil.publicKey, evil),
    encodeChain([certificate, binding]),
    fromBase64Url(home.certificate),
  ];
  for (const recoveryCertificate of forged.map(toBase64Url)) {
    const asked = { code: home.code, recoveryCertificate, roster, person: PERSON, label: "New phone" };
    assert.equal(await page.fails("recovery.restore", asked), "wrong_household");
    assert.equal((await page.ask("open", { slot: "app" })).state, "none");
  }
  const alone = { code: home.code, recoveryCertificate: toBase64Url(encodeChain([certificate])), roster, person: PERSON, label: "x" };
  assert.equal(await page.fails("recovery.restore", alone), "malformed");
});

test("a renewed recovery code restores, and the one before does not", async () => {
  const home = await founded();
  await home.page.ask("roster.load", { entries: home.entries });
  const renewed = await home.page.ask("recovery.renew", NONE);
  home.entries.push(renewed.entry);
  const page = new Page(now);
  await page.ask("open", { slot: "app" });
  const args = { recoveryCertificate: renewed.recoveryCertificate, roster: home.entries, person: PERSON, label: "New phone" };
  assert.equal(await page.fails("recovery.restore", { ...args, code: home.code }), "bad_code");
  const stale = { ...args, code: renewed.recoveryCode, recoveryCertificate: home.certificate };
  assert.equal(await page.fails("recovery.restore", stale), "wrong_household");
  const restored = await page.ask("recovery.restore", { ...args, code: renewed.recoveryCode });
  assert.equal(restored.who.genesis, home.genesis);
});

test("a shorter or different roster is a rollback, also after a reload", async () => {
  const home = await founded();
  const short = [...home.entries];
  await paired(home);
  assert.equal(await home.page.fails("roster.load", { entries: short }), "rollback");
  const reloaded = new Page(now, home.page.records);
  await reloaded.ask("open", { slot: "app" });
  assert.equal(await reloaded.fails("roster.load", { entries: short }), "rollback");
  assert.equal(await reloaded.fails("roster.load", { entries: (await founded("Other")).entries }), "rollback");
  await reloaded.ask("roster.load", { entries: home.entries });
});

test("certificates are renewed silently when less than ten days are left, one's own too", async () => {
  let clock = NOW;
  const home = await founded("Home", new MemoryRecords(), () => clock);
  const device = await paired(home);
  const [own, other] = [await home.page.ask("open", { slot: "app" }), await device.ask("open", { slot: "device" })];
  assert.ok(own.state === "ready" && other.state === "ready");
  const chains = { devices: [own, other].map((one) => ({ device: one.who.device, chain: one.chain })) };
  await home.page.ask("roster.load", { entries: home.entries });
  assert.deepEqual((await home.page.ask("chain.renew_due", chains)).renewed, []);
  clock += 21 * DAY_MS;
  const { renewed } = await home.page.ask("chain.renew_due", chains);
  assert.deepEqual(renewed.map((one) => one.device), [own.who.device, other.who.device]);
  const status = await home.page.ask("chain.renewed", { chain: renewed[0]?.chain ?? "" });
  assert.ok(status.state === "ready" && !status.renewalDue && status.notAfterMs > own.notAfterMs);
  clock += 60 * DAY_MS;
  assert.equal((await home.page.ask("chain.renew_due", chains)).renewed.length, 2);
});

test("contact cards and answer policies keep their word and never go back", async () => {
  const home = await founded();
  const other = await founded("Other");
  const card = { contactId: "cc".repeat(16), revision: 1, name: "Ben", handle: "ben", pin: 2 as const, theirGenesis: other.genesis };
  const first = await home.page.ask("contact.sign", card);
  const second = await home.page.ask("contact.sign", { ...card, revision: 2, name: "Benny" });
  assert.deepEqual(await home.page.ask("contact.open", first), card);
  assert.equal((await home.page.ask("contact.open", second)).name, "Benny");
  assert.equal(await home.page.fails("contact.open", first), "rollback");
  assert.equal(await other.page.fails("contact.open", second), "bad_signature");
  assert.equal(await home.page.fails("contact.sign", { ...card, pin: 0 }), "bad_request");

  const rules = [{ theirGenesis: other.genesis, person: "", mode: "auto" as const }];
  const deviceKey = other.genesis;
  const policy = await home.page.ask("policy.sign", { deviceKey, revision: 3, rules });
  assert.deepEqual(await home.page.ask("policy.open", policy), { deviceKey, revision: 3, rules });
});

test("requests that make no sense are refused with a code", async () => {
  const page = new Page(now);
  await page.ask("open", { slot: "app" });
  assert.equal(await page.fails("roster.load", { entries: [] }), "no_identity");
  assert.equal(await page.fails("call.update", { call: CALL }), "unknown_call");
  assert.equal(await page.fails("call.update", { call: "x" }), "bad_request");
  assert.equal(await page.fails("chain.inspect", { chain: "!" }), "bad_request");
  assert.equal(await page.fails("chain.inspect", { chain: "AAAA" }), "malformed");
  assert.equal(await page.fails("toString" as "forget", NONE), "bad_request");
});

/** Relays what two pages send, as a server would for two members. */
async function relay(caller: Page, callee: Page): Promise<void> {
  for (let busy = true; busy; ) {
    busy = false;
    for (const [from, to] of [[caller, callee], [callee, caller]] as const) {
      for (const sent of from.take("send")) {
        busy = true;
        if (sent.type === "send_commit") {
          const commit = { type: "group_commit" as const, call: CALL, epoch: sent.epoch, commit: sent.commit };
          await from.ask("call.deliver", commit);
          if (sent.welcome === null) await to.ask("call.deliver", commit);
          else await to.ask("call.deliver", { type: "group_welcome", call: CALL, welcome: sent.welcome.welcome });
        } else if (sent.type === "epoch_ready") {
          await from.ask("call.deliver", { type: "epoch_execute", call: CALL, epoch: sent.epoch });
        } else {
          await to.ask("call.deliver", { type: "group_message", call: CALL, message: sent.message });
        }
      }
    }
  }
}

async function called(): Promise<{ anna: Founded; ben: Founded; keyPackage: string; ringing: string }> {
  const [anna, ben] = [await founded("Anna's"), await founded("Ben's")];
  const { invitation } = await anna.page.ask("call.invitation", { call: CALL, toHandle: "ben", displayName: "Anna", video: true });
  const seen = await ben.page.ask("call.check_invitation", { call: CALL, handle: "ben", invitation });
  assert.deepEqual([seen.displayName, seen.video, seen.who.own], ["Anna", true, false]);
  assert.equal(await ben.page.fails("call.check_invitation", { call: CALL, handle: "carl", invitation }), "not_for_me");
  await ben.page.ask("call.expect", { call: CALL, expect: { genesis: [seen.who.genesis] } });
  const { keyPackage, ringing } = await ben.page.ask("call.ringing", { call: CALL });
  await anna.page.ask("call.create", { call: CALL, expect: { genesis: [ben.genesis] } });
  return { anna, ben, keyPackage, ringing };
}

test("two households call each other: the same code, and frames of one track after another come through", async () => {
  const { anna, ben, keyPackage, ringing } = await called();
  await anna.page.ask("call.add", { call: CALL, keyPackage, ringing });
  await relay(anna.page, ben.page);
  const [ours] = anna.page.take("call_code");
  const [theirs] = ben.page.take("call_code");
  assert.ok(ours !== undefined && ours.code === theirs?.code);
  assert.equal(anna.page.take("member_joined")[0]?.who.genesis, ben.genesis);

  const owner = await anna.page.ask("open", { slot: "app" });
  assert.ok(owner.state === "ready");
  const wire = pipe(anna.page, { direction: "send", call: CALL, kind: "video", track: "camera" });
  const heard = pipe(ben.page, { direction: "receive", call: CALL, kind: "video", track: "camera", owner: owner.who.device });
  await wire.write("a frame");
  const sealed = await wire.read();
  assert.ok(!toHex(new Uint8Array(sealed)).includes(toHex(new TextEncoder().encode("a frame"))));
  await heard.writeBytes(sealed);
  assert.equal(new TextDecoder().decode(await heard.read()), "a frame");

  await anna.page.ask("call.leave", { call: CALL });
  await wire.write("after the end");
  await wire.close();
  assert.equal(await wire.read(), undefined, "without a key nothing goes out");
});

test("a key package that another introduced, or for another call, is not added", async () => {
  const { anna, ben, keyPackage, ringing } = await called();
  const elsewhere = await ben.page.ask("call.ringing", { call: "ff".repeat(16) });
  assert.equal(await anna.page.fails("call.add", { call: CALL, keyPackage, ringing: elsewhere.ringing }), "not_for_me");
  assert.equal(await anna.page.fails("call.add", { call: CALL, keyPackage: elsewhere.keyPackage, ringing }), "bad_signature");
  const mallory = await founded("Mallory's");
  const theirs = await mallory.page.ask("call.ringing", { call: CALL });
  await anna.page.ask("call.add", { call: CALL, ...theirs });
  const refused = anna.page.take("refused_member");
  assert.deepEqual(refused.map(({ reason, who }) => [reason, who?.genesis]), [["unknown_household", mallory.genesis]]);
  assert.deepEqual(anna.page.take("send"), []);
  await relay(anna.page, ben.page);
});

test("whom a call may hold outlives a reload of the page, its keys do not, and the end of the call forgets it", async () => {
  const { anna, ben, keyPackage, ringing } = await called();
  const cleo = await founded("Cleo's");
  await anna.page.ask("call.add", { call: CALL, keyPackage, ringing });
  await relay(anna.page, ben.page);
  // Anna vouches for Cleo's household: Ben expects it from then on.
  await anna.page.ask("call.expect", { call: CALL, expect: { genesis: [cleo.genesis] } });
  const { invitation } = await anna.page.ask("call.invitation", { call: CALL, toHandle: "cleo", displayName: "Anna", video: false, running: true });
  const seen = await cleo.page.ask("call.check_invitation", { call: CALL, handle: "cleo", invitation });
  assert.deepEqual(seen.households, [ben.genesis], "the others, and not the inviter's own");
  const theirs = await cleo.page.ask("call.ringing", { call: CALL });
  await anna.page.ask("call.add", { call: CALL, ...theirs });
  for (const sent of anna.page.take("send")) {
    if (sent.type === "send_group_message") await ben.page.ask("call.deliver", { type: "group_message", call: CALL, message: sent.message });
  }

  const reloaded = await reload(ben);
  await reloaded.ask("call.expect", { call: CALL, expect: { genesis: [] }, again: true });
  assert.deepEqual([...kept(reloaded)].sort(), [anna.genesis, cleo.genesis].sort());
  assert.equal(await reloaded.fails("call.update", { call: CALL }), "done", "a session without a group");
  assert.deepEqual(reloaded.take("send"), [], "no key came back");
  await reloaded.ask("call.leave", { call: CALL });
  assert.deepEqual(kept(reloaded), []);
});

test("a page that does not come back after a day finds nothing kept, and another call's households are not its own", async () => {
  const { ben } = await called();
  const later = new Expected(ben.page.records);
  assert.equal((await later.of("app", CALL, now())).length, 1);
  assert.deepEqual(await later.of("app", "ee".repeat(16), now()), []);
  assert.deepEqual(await later.of("device", CALL, now()), []);
  assert.deepEqual(await later.of("app", CALL, now() + REMEMBERED_MS + 1), []);
  for (let i = 0; i < REMEMBERED_MAX; i++) await later.keep("app", i.toString(16).padStart(32, "0"), [], now());
  assert.deepEqual(await later.of("app", CALL, now()), [], "the oldest makes room");
});

/** Another worker on what the browser kept. */
async function reload({ page, entries }: Founded): Promise<Page> {
  const again = new Page(now, page.records);
  await again.ask("open", { slot: "app" });
  await again.ask("roster.load", { entries });
  return again;
}

/** The households kept for the call, as they stand in the storage. */
function kept(page: Page): string[] {
  const calls = page.records.map.get("app calls") as ReadonlyMap<string, { households: Uint8Array[] }> | undefined;
  return (calls?.get(CALL)?.households ?? []).map(toBase64Url);
}

/** A track through a worker's transform, with the test at both ends. */
function pipe(page: Page, options: object) {
  const input = new TransformStream<EncodedFrame, EncodedFrame>();
  const output = new TransformStream<EncodedFrame, EncodedFrame>();
  attach({ options, readable: input.readable, writable: output.writable }, page.desk.calls, now);
  const writer = input.writable.getWriter();
  const reader = output.readable.getReader();
  const writeBytes = async (data: ArrayBuffer | undefined) => void writer.write({ data: data ?? new ArrayBuffer(0) });
  return {
    write: (text: string) => writeBytes(new TextEncoder().encode(text).buffer),
    writeBytes,
    read: async () => (await reader.read()).value?.data as ArrayBuffer,
    close: () => writer.close(),
  };
}

