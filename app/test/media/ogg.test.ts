//! Opus packets out of a recorder's WebM, and into Ogg as RFC 7845 has it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { checksum, oggOf, samplesOf } from "../../src/media/ogg.ts";
import { opusOf, RecordingError } from "../../src/media/webm.ts";
import { bytes, LONG, opusHead, packet, webm } from "./webm.ts";

interface Page {
  flags: number;
  granule: number;
  sequence: number;
  packets: Uint8Array[];
}

/** Reads the file as a player does, with every checksum. */
function read(ogg: Uint8Array): Page[] {
  const pages: Page[] = [];
  for (let at = 0; at < ogg.length;) {
    const view = new DataView(ogg.buffer, ogg.byteOffset + at);
    assert.equal(new TextDecoder().decode(ogg.subarray(at, at + 5)), "OggS\0");
    const count = view.getUint8(26);
    const lengths = [...ogg.subarray(at + 27, at + 27 + count)];
    const end = at + 27 + count + lengths.reduce((sum, length) => sum + length, 0);
    const whole = Uint8Array.from(ogg.subarray(at, end));
    whole.fill(0, 22, 26);
    assert.equal(view.getUint32(22, true), slowChecksum(whole));
    const packets: Uint8Array[] = [];
    let begin = at + 27 + count;
    let length = 0;
    for (const one of lengths) {
      length += one;
      if (one === 255) continue;
      packets.push(ogg.subarray(begin, begin + length));
      [begin, length] = [begin + length, 0];
    }
    pages.push({ flags: view.getUint8(5), granule: Number(view.getBigUint64(6, true)), sequence: view.getUint32(18, true), packets });
    at = end;
  }
  return pages;
}

/** Bit by bit, as RFC 3533 tells it. */
function slowChecksum(data: Uint8Array): number {
  let sum = 0n;
  for (const byte of data) {
    sum ^= BigInt(byte) << 24n;
    for (let bit = 0; bit < 8; bit++) sum = ((sum << 1n) ^ (sum >> 31n === 1n ? 0x04c11db7n : 0n)) & 0xffffffffn;
  }
  return Number(sum);
}

test("a recorder's packets come out of WebM in their order, from simple blocks and groups", () => {
  const packets = [packet(1), packet(2), packet(3, 300)];
  for (const grouped of [false, true]) {
    const { head, packets: found } = opusOf(webm([packets.slice(0, 2), packets.slice(2)], { grouped }));
    assert.deepEqual(head, opusHead(312));
    assert.deepEqual(found, packets);
  }
  // A recorder that was stopped in the middle of a block.
  const whole = webm([packets]);
  assert.deepEqual(opusOf(whole.subarray(0, whole.length - 5)).packets, packets.slice(0, 2));
});

test("what is no Opus, laced, or no WebM is refused in words", () => {
  const wrong = [new Uint8Array([0, 1, 2]), bytes("OggS"), webm([[packet(1)]], { codec: "A_VORBIS" }), webm([[packet(1)]], { flags: 0x84 }), new Uint8Array(0)];
  for (const file of wrong) assert.throws(() => opusOf(file), RecordingError);
  const good = webm([[packet(1)]]);
  for (let at = 0; at < good.length; at++) {
    const damaged = Uint8Array.from(good);
    damaged[at]! ^= 0xff;
    try {
      opusOf(damaged);
    } catch (error) {
      assert.ok(error instanceof RecordingError, `${at}: ${error}`);
    }
  }
});

test("Ogg: head and tags on pages of their own, one channel, a second on each page, the end marked", () => {
  const packets = Array.from({ length: 120 }, (_, nth) => packet(nth, nth === 3 ? 510 : 40));
  const { ogg, lengthMs } = oggOf({ head: opusHead(312), packets }, 60_000);
  const pages = read(ogg);
  assert.deepEqual(pages.map(({ flags }) => flags), [2, 0, 0, 0, 4]);
  assert.deepEqual(pages.map(({ sequence }) => sequence), [0, 1, 2, 3, 4]);
  assert.deepEqual(pages.map(({ granule }) => granule), [0, 0, 48_000, 96_000, 115_200]);
  assert.deepEqual(pages[0]?.packets, [bytes("OpusHead", 1, 1, 312 & 255, 312 >> 8, 0x80, 0xbb, 0, 0, 0, 0, 0)]);
  assert.equal(new TextDecoder().decode(pages[1]?.packets[0]?.subarray(0, 8)), "OpusTags");
  assert.deepEqual(pages.slice(2).flatMap((one) => one.packets), packets);
  assert.equal(lengthMs, Math.ceil((115_200 - 312) / 48));
  assert.equal(checksum(bytes("OggS")), slowChecksum(bytes("OggS")));
});

test("a minute at most: what is longer is cut where it ends, to the sample", () => {
  const packets = Array.from({ length: 1_100 }, (_, nth) => packet(nth, 180, LONG));
  const { ogg, lengthMs } = oggOf({ head: opusHead(312), packets }, 60_000);
  assert.equal(lengthMs, 60_000);
  const pages = read(ogg);
  assert.equal(pages.at(-1)?.granule, 60 * 48_000 + 312);
  assert.equal(pages.at(-1)?.flags, 4);
  // The last packet begins before the end.
  assert.equal(pages.slice(2).flatMap((one) => one.packets).length, 1_001);
  assert.ok(ogg.length < 192 * 1_024);
});

test("large packets get pages that hold them; nothing to hear and unknown heads are refused", () => {
  const packets = Array.from({ length: 40 }, (_, nth) => packet(nth, 2_000));
  const pages = read(oggOf({ head: opusHead(0), packets }, 60_000).ogg);
  assert.deepEqual(pages.slice(2).flatMap((one) => one.packets), packets);
  for (const [head, given] of [[opusHead(0), []], [opusHead(960), [packet(1)]], [opusHead(0, 6, 1), [packet(1)]], [bytes("OpusHead"), [packet(1)]]] as const) {
    assert.throws(() => oggOf({ head, packets: [...given] }, 60_000), RecordingError);
  }
  assert.throws(() => oggOf({ head: opusHead(0), packets: [packet(1, 65_025)] }, 60_000), RecordingError);
});

test("a packet's first bytes say how long it plays", () => {
  const plays = (config: number, code: number, count?: number): number => samplesOf(bytes((config << 3) | code, ...(count === undefined ? [] : [count])));
  assert.deepEqual([plays(0, 0), plays(3, 0), plays(11, 0), plays(12, 0), plays(15, 0)], [480, 2_880, 2_880, 480, 960]);
  assert.deepEqual([plays(16, 0), plays(19, 0), plays(31, 0), plays(31, 1), plays(31, 2), plays(28, 3, 48)], [120, 960, 960, 1_920, 1_920, 5_760]);
  for (const wrong of [bytes(), bytes((31 << 3) | 3, 0), bytes((11 << 3) | 3, 3)]) assert.throws(() => samplesOf(wrong), RecordingError);
});
