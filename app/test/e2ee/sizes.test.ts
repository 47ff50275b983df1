//! One counter over all sizes of a camera, as docs/call-keys.md argues it: whoever is switched between sizes, or begun with a stored key
//! frame, reads every frame once, and a frame that was read before is refused.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bytes } from "../../src/e2ee/bytes.ts";
import { Keyring } from "../../src/e2ee/frames/keyring.ts";
import { REPLAY_WINDOW } from "../../src/e2ee/frames/replay.ts";

const KEY = new Uint8Array(16).fill(7);
/** What a member sends at the most: sound, and a camera in three sizes (or one picture in as many layers). */
const FRAMES_PER_SECOND = { sound: 50, q: 30, h: 30, f: 30 };
type Stream = keyof typeof FRAMES_PER_SECOND;

interface Sent {
  at: number;
  stream: Stream;
  frame: Bytes;
}

/** All frames of so many milliseconds in the order in which they are encrypted. */
async function sent(milliseconds: number): Promise<Sent[]> {
  const sender = new Keyring();
  sender.switchSendKey(1, 0, KEY);
  const moments = (Object.keys(FRAMES_PER_SECOND) as Stream[]).flatMap((stream) => {
    const step = 1_000 / FRAMES_PER_SECOND[stream];
    return Array.from({ length: Math.floor(milliseconds / step) }, (_, nth) => ({ at: nth * step, stream }));
  });
  const all: Sent[] = [];
  for (const moment of moments.sort((a, b) => a.at - b.at)) {
    const frame = await sender.encrypt(Uint8Array.of(1));
    assert.ok(frame);
    all.push({ ...moment, frame });
  }
  return all;
}

function receiver(): Keyring {
  const keyring = new Keyring();
  keyring.installReceiveKey({ epoch: 1, baseKey: KEY, members: new Map([[0, "anna"]]) });
  return keyring;
}

async function reads(keyring: Keyring, { frame }: Sent): Promise<boolean> {
  return (await keyring.decrypt(frame, "anna")).type === "frame";
}

test("a receiver that is switched from size to size reads every frame that it gets", async () => {
  const keyring = receiver();
  // Each second another size, and the sound beside it.
  const sizes: Stream[] = ["f", "q", "h", "f", "h", "q", "f", "h", "q", "f"];
  for (const one of await sent(10_000)) {
    if (one.stream === "sound" || one.stream === sizes[Math.floor(one.at / 1_000)]) assert.ok(await reads(keyring, one), `${one.stream} at ${one.at}`);
  }
  const { replay, authentication } = keyring.counters;
  assert.deepEqual({ replay, authentication }, { replay: 0, authentication: 0 });
});

test("a receiver that is begun with a stored key frame reads what followed it, once", async () => {
  const all = await sent(6_000);
  const keyring = receiver();
  // It hears already when it begins to see; the node has the last two seconds of a size.
  for (const one of all) if (one.stream === "sound" && one.at < 4_000) assert.ok(await reads(keyring, one));
  const stored = all.filter(({ stream, at }) => stream === "h" && at >= 2_000 && at < 4_000);
  for (const one of stored) assert.ok(await reads(keyring, one), `${one.at}`);
  for (const one of all) if (one.stream === "f" && one.at >= 4_000) assert.ok(await reads(keyring, one));
  // Replayed to it although it had them: none is taken, which is why the node never does.
  for (const one of stored) assert.ok(!await reads(keyring, one));
  assert.equal(keyring.counters.replay, stored.length);
});

test("the window is seven seconds of everything that a member sends", async () => {
  const all = await sent(10_000);
  const perSecond = Object.values(FRAMES_PER_SECOND).reduce((sum, rate) => sum + rate, 0);
  assert.ok(REPLAY_WINDOW / perSecond > 7);
  const newest = all.at(-1);
  const before = (seconds: number): Sent | undefined => all.find(({ stream, at }) => stream === "q" && at >= 10_000 - seconds * 1_000);
  const [old, older] = [before(7), before(8)];
  assert.ok(newest && old && older);
  const keyring = receiver();
  assert.deepEqual([await reads(keyring, newest), await reads(keyring, old), await reads(keyring, older)], [true, true, false]);
});
