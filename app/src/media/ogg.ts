//! Opus in Ogg (RFC 3533, RFC 7845), one channel: what an announcement's sound is kept in.

import { RecordingError, type OpusStream } from "./webm.ts";

/** Opus counts in this, whatever was recorded. */
const RATE = 48_000;
/** A page takes up to 255 lengths; a second of sound is one page, so that a damaged one costs no more. */
const LENGTHS_MAX = 255;
const PAGE_SAMPLES = RATE;
/** What RFC 6716 allows for one packet. */
const PACKET_SAMPLES_MAX = 5_760;
/** A file has one stream, so any number will do. */
const SERIAL = 1;

const FIRST = 2, LAST = 4;

export interface Sound {
  ogg: Uint8Array<ArrayBuffer>;
  lengthMs: number;
}

/**
 * A recording of `longestMs` at most; what is longer is cut off. A stereo packet plays as one channel where the head says so
 * (RFC 7845, section 5.1.1), so that the file has one channel whatever the microphone had.
 */
export function oggOf({ head, packets }: OpusStream, longestMs: number): Sound {
  const skip = preSkip(head);
  const until = skip + (longestMs * RATE) / 1_000;
  const pages = [page([headOf(skip)], 0, FIRST, 0), page([tags()], 0, 0, 1)];
  let pending: Uint8Array[] = [];
  let lengths = 0;
  let [begun, end] = [0, 0];
  const flush = (flags: number): void => {
    pages.push(page(pending, Math.min(end, until), flags, pages.length));
    [pending, lengths, begun] = [[], 0, end];
  };
  for (const packet of packets) {
    if (end >= until) break;
    const needs = Math.floor(packet.length / 255) + 1;
    if (needs > LENGTHS_MAX) throw new RecordingError("a packet is too long");
    if (lengths + needs > LENGTHS_MAX || (end - begun >= PAGE_SAMPLES && pending.length > 0)) flush(0);
    pending.push(packet);
    lengths += needs;
    end += samplesOf(packet);
  }
  if (end <= skip) throw new RecordingError("there is nothing to be heard");
  flush(LAST);
  const samples = Math.min(end, until) - skip;
  return { ogg: joined(pages), lengthMs: Math.ceil((samples * 1_000) / RATE) };
}

/** How long a packet plays, by its first bytes (RFC 6716, section 3.1). */
export function samplesOf(packet: Uint8Array): number {
  const [toc, count] = packet;
  if (toc === undefined) throw new RecordingError("an empty packet");
  const config = toc >> 3;
  const frame = config < 12 ? [480, 960, 1_920, 2_880][config & 3] as number : config < 16 ? [480, 960][config & 1] as number : 120 << (config & 3);
  const frames = (toc & 3) === 0 ? 1 : (toc & 3) < 3 ? 2 : (count ?? 0) & 0x3f;
  const samples = frame * frames;
  if (samples === 0 || samples > PACKET_SAMPLES_MAX) throw new RecordingError("a packet of no length that there is");
  return samples;
}

/** Samples at the beginning that the decoder drops. */
function preSkip(head: Uint8Array): number {
  const isHead = head.length >= 19 && new TextDecoder().decode(head.subarray(0, 8)) === "OpusHead";
  // Family 0: one or two channels, as packets say by themselves.
  if (!isHead || head[18] !== 0) throw new RecordingError("its head is not known");
  return new DataView(head.buffer, head.byteOffset).getUint16(10, true);
}

function headOf(skip: number): Uint8Array {
  const head = new Uint8Array(19);
  head.set(new TextEncoder().encode("OpusHead"));
  const view = new DataView(head.buffer);
  view.setUint8(8, 1);
  view.setUint8(9, 1);
  view.setUint16(10, skip, true);
  view.setUint32(12, RATE, true);
  return head;
}

function tags(): Uint8Array {
  const vendor = new TextEncoder().encode("homeline");
  const bytes = new Uint8Array(8 + 4 + vendor.length + 4);
  bytes.set(new TextEncoder().encode("OpusTags"));
  new DataView(bytes.buffer).setUint32(8, vendor.length, true);
  bytes.set(vendor, 12);
  return bytes;
}

/** `granule`: samples until the end of its last packet. */
function page(packets: readonly Uint8Array[], granule: number, flags: number, sequence: number): Uint8Array {
  const lengths = packets.flatMap(({ length }) => [...Array<number>(Math.floor(length / 255)).fill(255), length % 255]);
  const bytes = joined([new Uint8Array(27), Uint8Array.from(lengths), ...packets]);
  bytes.set(new TextEncoder().encode("OggS"));
  const view = new DataView(bytes.buffer);
  view.setUint8(5, flags);
  view.setBigUint64(6, BigInt(granule), true);
  view.setUint32(14, SERIAL, true);
  view.setUint32(18, sequence, true);
  view.setUint8(26, lengths.length);
  view.setUint32(22, checksum(bytes), true);
  return bytes;
}

const CHECKSUMS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte << 24;
  for (let bit = 0; bit < 8; bit++) sum = (sum << 1) ^ (sum < 0 ? 0x04c11db7 : 0);
  return sum;
});

/** Ogg's own CRC-32: not reflected, from zero. Its own four bytes count as zeros. */
export function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) sum = (sum << 8) ^ (CHECKSUMS[((sum >>> 24) ^ byte) & 0xff] as number);
  return sum >>> 0;
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
