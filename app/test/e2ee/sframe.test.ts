//! SFrame against the working group's vectors, and what a receiver does with frames that are not in order.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Bytes, fromHex, toHex, utf8 } from "../../src/e2ee/bytes.ts";
import { Keyring, kidOf } from "../../src/e2ee/frames/keyring.ts";
import { HELD_MAX, HELD_MAX_MS, ReceiveTrack } from "../../src/e2ee/frames/receive.ts";
import { REPLAY_WINDOW, ReplayWindow } from "../../src/e2ee/frames/replay.ts";
import {
  AES_128_GCM_SHA256_128, AES_256_GCM_SHA512_128, decodeHeader, deriveFrameKeys, encodeHeader, open, seal,
} from "../../src/e2ee/frames/sframe.ts";

const APP = process.env["HOMELINE_APP"] as string;
const text = readFileSync(join(APP, "test/data/sframe-rfc9605-vectors.json"), "utf8");
/** Numbers up to 2^64 - 1 stand in the file, which JSON.parse would round. */
const vectors = JSON.parse(text.replace(/:\s*(\d{16,})/g, ': "$1"'));

const KEY_A = fromHex("000102030405060708090a0b0c0d0e0f");
const KEY_B = fromHex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
const MEMBERS = new Map([[0, "alice"], [1, "ben"]]);

function pairOfKeyrings(): { sender: Keyring; receiver: Keyring } {
  const sender = new Keyring();
  sender.switchSendKey(1, 0, KEY_A);
  const receiver = new Keyring();
  receiver.installReceiveKey({ epoch: 1, baseKey: KEY_A, members: MEMBERS });
  return { sender, receiver };
}

async function sealed(keyring: Keyring, plaintext: string): Promise<Bytes> {
  const frame = await keyring.encrypt(utf8(plaintext));
  assert.ok(frame !== undefined);
  return frame;
}

test("all header vectors of RFC 9605 appendix C.1 encode and decode", () => {
  assert.equal(vectors.header.length, 289);
  for (const vector of vectors.header) {
    const [kid, counter] = [BigInt(vector.kid), BigInt(vector.ctr)];
    assert.equal(toHex(encodeHeader(kid, counter)), vector.encoded);
    const decoded = decodeHeader(fromHex(vector.encoded));
    assert.deepEqual(decoded, { kid, counter, length: vector.encoded.length / 2 });
    for (let cut = 0; cut < vector.encoded.length; cut += 2) {
      assert.equal(decodeHeader(fromHex(vector.encoded.slice(0, cut))), undefined);
    }
  }
});

test("the vectors of RFC 9605 appendix C.3 for AES-GCM seal and open", async () => {
  const suites = [AES_128_GCM_SHA256_128, AES_256_GCM_SHA512_128];
  for (const suite of suites) {
    const vector = vectors.sframe.find((one: { cipher_suite: number }) => one.cipher_suite === suite.id);
    const kid = BigInt(vector.kid);
    const keys = await deriveFrameKeys(suite, fromHex(vector.base_key), kid);
    assert.equal(toHex(keys.salt), vector.sframe_salt);
    const metadata = fromHex(vector.metadata);
    const frame = await seal(keys, kid, BigInt(vector.ctr), metadata, fromHex(vector.pt));
    assert.equal(toHex(frame), vector.ct);
    const header = decodeHeader(frame);
    assert.ok(header !== undefined);
    assert.equal(toHex(new Uint8Array(await open(keys, header, metadata, frame))), vector.pt);
    await assert.rejects(open(keys, header, utf8("other metadata"), frame));
  }
});

test("frames of all tracks draw from one counter and come through", async () => {
  const { sender, receiver } = pairOfKeyrings();
  const frames = await Promise.all(["sound", "picture", "sound"].map((plaintext) => sealed(sender, plaintext)));
  assert.deepEqual(frames.map((frame) => decodeHeader(frame)?.counter), [0n, 1n, 2n]);
  for (const frame of frames) assert.equal((await receiver.decrypt(frame, "alice")).type, "frame");
  assert.equal(receiver.counters.decrypted, 3);
});

test("without a key nothing goes out", async () => {
  const keyring = new Keyring();
  assert.equal(await keyring.encrypt(utf8("plain")), undefined);
  keyring.switchSendKey(1, 0, KEY_A);
  keyring.stopSending();
  assert.equal(await keyring.encrypt(utf8("plain")), undefined);
  assert.equal(keyring.counters.noSendKey, 2);
});

test("switching to the epoch in use does not start the counter again", async () => {
  const { sender } = pairOfKeyrings();
  await sealed(sender, "one");
  sender.switchSendKey(1, 0, KEY_A);
  assert.equal(decodeHeader(await sealed(sender, "two"))?.counter, 1n);
});

test("a frame under another leaf than the track's owner is a wrong sender", async () => {
  const { sender, receiver } = pairOfKeyrings();
  assert.deepEqual(await receiver.decrypt(await sealed(sender, "x"), "ben"), { type: "dropped" });
  assert.equal(receiver.counters.wrongSender, 1);
});

test("replayed, tampered, malformed and differently keyed frames are dropped and counted apart", async () => {
  const { sender, receiver } = pairOfKeyrings();
  const frame = await sealed(sender, "once");
  await receiver.decrypt(frame, "alice");
  assert.equal((await receiver.decrypt(frame, "alice")).type, "dropped");
  const tampered = await sealed(sender, "twice");
  tampered[tampered.length - 1] = (tampered[tampered.length - 1] as number) ^ 1;
  assert.equal((await receiver.decrypt(tampered, "alice")).type, "dropped");
  assert.equal((await receiver.decrypt(new Uint8Array(0), "alice")).type, "dropped");
  const other = new Keyring();
  other.switchSendKey(1, 0, KEY_B);
  await sealed(other, "0");
  assert.equal((await receiver.decrypt(await sealed(other, "1"), "alice")).type, "dropped");
  const { replay, authentication, malformed } = receiver.counters;
  assert.deepEqual({ replay, authentication, malformed }, { replay: 1, authentication: 2, malformed: 1 });
});

test("a key that failed once is not given up: the next good frame passes", async () => {
  const { sender, receiver } = pairOfKeyrings();
  for (let i = 0; i < 100; i++) await receiver.decrypt(Uint8Array.of(0x18, i & 7, ...new Array(20).fill(7)), "alice");
  assert.equal((await receiver.decrypt(await sealed(sender, "good"), "alice")).type, "frame");
});

test("KID is leaf and epoch bits, and an older key makes room when the bits wrap", async () => {
  assert.equal(kidOf(3, 0x25), 0x35n);
  const receiver = new Keyring();
  receiver.installReceiveKey({ epoch: 1, baseKey: KEY_A, members: MEMBERS });
  receiver.installReceiveKey({ epoch: 17, baseKey: KEY_B, members: MEMBERS });
  const sender = new Keyring();
  sender.switchSendKey(17, 0, KEY_B);
  assert.equal((await receiver.decrypt(await sealed(sender, "new"), "alice")).type, "frame");
  receiver.dropReceiveKey(1);
  assert.equal((await receiver.decrypt(await sealed(sender, "newer"), "alice")).type, "frame");
});

test("the replay window forgets nothing inside it and takes nothing behind it", () => {
  const window = new ReplayWindow();
  assert.ok(window.accept(5) && window.accept(3) && !window.accept(5) && !window.accept(3));
  assert.ok(window.accept(5 + REPLAY_WINDOW - 1));
  assert.ok(!window.accept(4));
  assert.ok(window.accept(6) && !window.accept(6));
});

test("frames of an unknown epoch are held and come out in order when the key comes", async () => {
  const sender = new Keyring();
  sender.switchSendKey(2, 0, KEY_B);
  const { receiver } = pairOfKeyrings();
  const heard: string[] = [];
  const track = new ReceiveTrack<string>(() => receiver, "alice", (name) => heard.push(name));
  for (const name of ["a", "b", "c"]) await track.push(0, name, await sealed(sender, name));
  assert.deepEqual(heard, []);
  receiver.installReceiveKey({ epoch: 2, baseKey: KEY_B, members: MEMBERS });
  const late = track.push(HELD_MAX_MS, "d", await sealed(sender, "d"));
  await track.retry(HELD_MAX_MS);
  await late;
  assert.deepEqual([...heard].sort(), ["a", "b", "c", "d"]);
  assert.equal(receiver.counters.unknownKey, 0);
});

test("held frames are bounded in number and in time, and loudly counted", async () => {
  const sender = new Keyring();
  sender.switchSendKey(2, 0, KEY_B);
  const { receiver } = pairOfKeyrings();
  const track = new ReceiveTrack<number>(() => receiver, "alice", () => assert.fail("nothing can be opened"));
  for (let i = 0; i < HELD_MAX + 3; i++) await track.push(0, i, await sealed(sender, "x"));
  assert.equal(receiver.counters.unknownKey, 3);
  track.expire(HELD_MAX_MS + 1);
  assert.equal(receiver.counters.unknownKey, HELD_MAX + 3);
});
