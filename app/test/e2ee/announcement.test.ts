//! Announcements against the vectors that the Rust crate made; who can open one, and what no device takes.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Bytes, fromBase64Url, toBase64Url } from "../../src/e2ee/bytes.ts";
import { type Announcement, AnnouncementError, countsUntil, decodeAnnouncement, DEVICES_MAX, encodeAnnouncement, Heard, HEARD_MAX, LENGTH_MS_MAX, openAnnouncement, signAnnouncement, SOUND_BYTES_MAX, TEXT_BYTES_MAX } from "../../src/e2ee/identity/announcement.ts";
import { type Content, openContent, sealAnnouncement } from "../../src/e2ee/identity/announcement_content.ts";
import { CLOCK_SKEW_MS, KIND, RIGHTS } from "../../src/e2ee/identity/certificate.ts";
import { MalformedError } from "../../src/e2ee/identity/encoding.ts";
import { type KeyPair, keyPairFromSeed } from "../../src/e2ee/identity/keys.ts";
import { Roster } from "../../src/e2ee/identity/roster.ts";
import { openSealingKey, SealingKey, signSealingKey } from "../../src/e2ee/identity/sealing.ts";
import { decodeSigned, encodeSigned, SignatureError, sign } from "../../src/e2ee/identity/signed.ts";
import { House, key, NOW } from "./home.ts";

const vectors = JSON.parse(readFileSync(join(process.env["HOMELINE_APP"] as string, "../e2ee/tests/data/identity-vectors.json"), "utf8")).announcement;
const id = (number: number): string => number.toString(16).padStart(32, "0");
const SOUND: Content = { kind: "sound", ogg: new Uint8Array([1, 2, 3]), lengthMs: 1_200 };

test("the fixed announcement of the vectors opens, is written as it was, and what they call refused is refused", async () => {
  const roster = Roster.load(vectors.entries.map(fromBase64Url));
  const kitchen = keyPairFromSeed(fromBase64Url(vectors.device_seed));
  assert.equal(toBase64Url((await SealingKey.of(kitchen)).public), vectors.sealing_key);
  assert.equal(toBase64Url(await signSealingKey(roster.genesis, kitchen)), vectors.sealing_statement);
  assert.equal(toBase64Url(openSealingKey(fromBase64Url(vectors.sealing_statement), roster).key), vectors.sealing_key);

  const blob = fromBase64Url(vectors.signed);
  const { said, from } = openAnnouncement(blob, roster, vectors.now_ms);
  assert.deepEqual([said.id, said.replyTo], [vectors.id, vectors.reply_to]);
  assert.deepEqual(encodeAnnouncement(said), decodeSigned(blob).body);
  const content = await openContent(said, from.deviceKey, kitchen, fromBase64Url(vectors.ciphertext));
  assert.deepEqual(content, { kind: "text", text: vectors.text });
  for (const { name, signed } of vectors.refused) {
    assert.throws(() => openAnnouncement(fromBase64Url(signed), roster, vectors.now_ms), (error) => error instanceof SignatureError || error instanceof MalformedError, name);
  }
});

class Scene {
  readonly house = new House(10);
  readonly kitchen = key(20);
  readonly bath = key(21);

  constructor() {
    for (const device of [this.kitchen, this.bath]) this.house.add(device, KIND.device, RIGHTS.none);
  }

  async seal(content: Content, to: readonly KeyPair[] = [this.bath, this.kitchen], replyTo?: string): Promise<{ statement: Bytes; ciphertext: Bytes }> {
    const devices = await Promise.all(to.map(async (device) => ({ device: device.publicKey, key: (await SealingKey.of(device)).public })));
    const { house } = this;
    const speaker = { device: house.app, chain: house.chain(), genesis: house.genesis.publicKey };
    return sealAnnouncement({ id: id(5), content, replyTo, atMs: NOW }, speaker, devices, new Uint8Array(16).fill(7));
  }

  hear(statement: Bytes, now = NOW): Announcement {
    return openAnnouncement(statement, this.house.roster, now).said;
  }
}

const fails = (reason: string) => (error: unknown): boolean => error instanceof AnnouncementError && error.reason === reason;

test("every device that it is for opens it, and nobody else does", async () => {
  const scene = new Scene();
  const { statement, ciphertext } = await scene.seal(SOUND, undefined, id(4));
  const said = scene.hear(statement);
  assert.deepEqual([said.replyTo, said.lengthMs, said.keys.length], [id(4), 1_200, 2]);
  const app = scene.house.app.publicKey;
  for (const device of [scene.kitchen, scene.bath]) assert.deepEqual(await openContent(said, app, device, ciphertext), SOUND);
  await assert.rejects(openContent(said, app, key(22), ciphertext), fails("not_for_us"));
  const other = Uint8Array.from(ciphertext);
  other[0]! ^= 1;
  await assert.rejects(openContent(said, app, scene.bath, other), fails("other_content"));
  // Sealed in another's name, or with another device's key, it does not open.
  await assert.rejects(openContent(said, scene.kitchen.publicKey, scene.bath, ciphertext), MalformedError);
  const swapped = { ...said, keys: [{ ...said.keys[0]!, device: said.keys[1]!.device }] };
  const second = [scene.kitchen, scene.bath].find(({ publicKey }) => toBase64Url(publicKey) === toBase64Url(said.keys[1]!.device))!;
  await assert.rejects(openContent(swapped, app, second, ciphertext), MalformedError);
});

test("what is too long, empty or for nobody is not announced; the own device and unusable keys are left out", async () => {
  const scene = new Scene();
  const sound = (change: Partial<Extract<Content, { kind: "sound" }>>): Content => ({ ...SOUND, ...change }) as Content;
  await assert.rejects(scene.seal(sound({ ogg: new Uint8Array(SOUND_BYTES_MAX + 1) })), fails("too_long"));
  await assert.rejects(scene.seal(sound({ lengthMs: LENGTH_MS_MAX + 1 })), fails("too_long"));
  await assert.rejects(scene.seal(sound({ lengthMs: 0 })), fails("empty"));
  await assert.rejects(scene.seal({ kind: "text", text: "" }), fails("empty"));
  await assert.rejects(scene.seal({ kind: "text", text: "ä".repeat(TEXT_BYTES_MAX / 2 + 1) }), fails("too_long"));
  await scene.seal({ kind: "text", text: "ä".repeat(TEXT_BYTES_MAX / 2) });
  await assert.rejects(scene.seal(SOUND, []), fails("no_devices"));
  await assert.rejects(scene.seal(SOUND, [scene.house.app]), fails("no_devices"));
  await assert.rejects(scene.seal(SOUND, Array.from({ length: DEVICES_MAX + 1 }, () => scene.bath)), fails("too_many"));
  const speaker = { device: scene.house.app, chain: scene.house.chain(), genesis: scene.house.genesis.publicKey };
  const draft = { id: id(5), content: SOUND, replyTo: undefined, atMs: NOW };
  const dead = { device: scene.bath.publicKey, key: new Uint8Array(32) };
  await assert.rejects(sealAnnouncement(draft, speaker, [dead], new Uint8Array(16)), fails("no_devices"));
});

test("a device takes what one of its own household has signed now, and nothing else", async () => {
  const scene = new Scene();
  const { statement } = await scene.seal(SOUND);
  const said = scene.hear(statement);
  const until = countsUntil(said);
  scene.hear(statement, until);
  scene.hear(statement, NOW - CLOCK_SKEW_MS);
  assert.throws(() => scene.hear(statement, until + 1), fails("stale"));
  assert.throws(() => scene.hear(statement, NOW - CLOCK_SKEW_MS - 1));
  const others = new House(60);
  const refused = (change: Partial<Announcement>, signer: KeyPair): void =>
    assert.throws(() => scene.hear(signAnnouncement({ ...said, ...change }, signer)), SignatureError);
  refused({ genesis: others.genesis.publicKey }, scene.house.app);
  refused({}, scene.kitchen);
  refused({ chain: others.chain() }, others.app);
  refused({ genesis: others.genesis.publicKey, chain: others.chain() }, others.app);
  const body = decodeSigned(statement).body;
  assert.throws(() => scene.hear(encodeSigned(sign("homeline ringing v1", body, scene.house.app))), SignatureError);
  // Whoever was taken out of the household announces nothing any more.
  const tablet = key(23);
  scene.house.add(tablet, KIND.app, RIGHTS.none);
  const theirs = signAnnouncement({ ...said, chain: scene.house.chain(tablet, KIND.app, RIGHTS.none) }, tablet);
  scene.hear(theirs);
  scene.house.remove(tablet);
  assert.throws(() => scene.hear(theirs), SignatureError);
});

test("a body has one form: no device twice, none out of order, nothing left over", async () => {
  const scene = new Scene();
  const said = scene.hear((await scene.seal(SOUND)).statement);
  const [first, second] = said.keys as [Announcement["keys"][0], Announcement["keys"][0]];
  for (const keys of [[], [first, first], [second, first]]) {
    assert.throws(() => scene.hear(signAnnouncement({ ...said, keys }, scene.house.app)), MalformedError);
  }
  // Whatever is damaged is read as another announcement, or refused as what it is.
  const body = encodeAnnouncement(said);
  for (let place = 0; place < body.length; place++) {
    const damaged = Uint8Array.from(body);
    damaged[place]! ^= 0xff;
    try {
      assert.deepEqual(encodeAnnouncement(decodeAnnouncement(damaged)), damaged);
    } catch (error) {
      assert.ok(error instanceof MalformedError, `${place}: ${error}`);
    }
  }
  const longer = Uint8Array.from([...encodeAnnouncement(said), 0]);
  assert.throws(() => scene.hear(encodeSigned(sign("homeline announcement v1", longer, scene.house.app))), MalformedError);
});

test("an announcement counts once, and a full memory takes none until what it holds could count no more", async () => {
  const scene = new Scene();
  const said = scene.hear((await scene.seal(SOUND)).statement);
  const heard = new Heard();
  const until = countsUntil(said);
  heard.take(said.id, until, NOW);
  assert.throws(() => heard.take(said.id, until, NOW), fails("heard_before"));
  for (let number = 1; number < HEARD_MAX; number++) heard.take(id(1_000 + number), until, NOW);
  assert.throws(() => heard.take(id(9), until, NOW), fails("too_many"));
  heard.take(id(9), until, until + 1);
});

test("a sealing key counts only as the own word of a device that is in the household", async () => {
  const scene = new Scene();
  const genesis = scene.house.genesis.publicKey;
  const roster = scene.house.roster;
  openSealingKey(await signSealingKey(genesis, scene.bath), roster);
  const body = decodeSigned(await signSealingKey(genesis, scene.bath)).body;
  assert.throws(() => openSealingKey(encodeSigned(sign("homeline sealing key v1", body, scene.kitchen)), roster), SignatureError);
  const strangers = await signSealingKey(key(60).publicKey, scene.bath);
  assert.throws(() => openSealingKey(strangers, roster), SignatureError);
  const outside = await signSealingKey(genesis, key(22));
  assert.throws(() => openSealingKey(outside, roster), SignatureError);
});
