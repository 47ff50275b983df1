//! What is signed of an announcement (docs/announcements.md): who says it, to which devices, when, and which ciphertext it is.

import { type Bytes, compareBytes, equalBytes, fromHex, toHex } from "../bytes.ts";
import { CLOCK_SKEW_MS } from "./certificate.ts";
import { decodeChain, encodeChain, type Chain, type Identity, verifyChain } from "./chain.ts";
import { decode, HASH_LENGTH, MalformedError, type Reader, readVersion, Writer } from "./encoding.ts";
import type { KeyPair } from "./keys.ts";
import type { Roster } from "./roster.ts";
import { decodeSigned, encodeSigned, SignatureError, sign, verifySigned } from "./signed.ts";

const CONTEXT = "homeline announcement v1";
const ID_LENGTH = 16;
const NO_ID = "00".repeat(ID_LENGTH);
/** The key of 16 bytes, and the tag. */
const SEALED_LENGTH = 32;

/** The longest sound; a longer one is refused. */
export const LENGTH_MS_MAX = 60_000;
/** Bytes of its Ogg file: a minute at 24 kbit/s, and what Ogg adds. */
export const SOUND_BYTES_MAX = 192 * 1024;
/** Bytes of a text: what is spoken in a minute, in any script. */
export const TEXT_BYTES_MAX = 2_048;
/** As many home devices as one announcement goes to. */
export const DEVICES_MAX = 64;
/** How long it may be played or offered. */
export const FRESH_MS = 5 * 60 * 1000;
/** Far more than a household announces while one counts; with a full memory none is taken. */
export const HEARD_MAX = 256;

export const ANNOUNCED = { sound: 1, text: 2 } as const;
export type AnnouncedKind = (typeof ANNOUNCED)[keyof typeof ANNOUNCED];

/** The content's key, sealed to one device. */
export interface SealedKey {
  device: Bytes;
  enc: Bytes;
  sealed: Bytes;
}

export interface Announcement {
  genesis: Bytes;
  id: string;
  kind: AnnouncedKind;
  atMs: number;
  /** Of the sound; 0 for text. */
  lengthMs: number;
  replyTo: string | undefined;
  /** SHA-256 of the ciphertext. */
  contentHash: Bytes;
  /** In ascending order of the devices, none twice. */
  keys: SealedKey[];
  /** The announcing device's. */
  chain: Chain;
}

/** Why an announcement is not taken though its signature holds, or why nothing is announced. */
export class AnnouncementError extends Error {
  readonly reason: "stale" | "heard_before" | "too_many" | "not_for_us" | "other_content" | "too_long" | "empty" | "no_devices";
  constructor(reason: AnnouncementError["reason"]) {
    super(WORDS[reason]);
    this.name = "AnnouncementError";
    this.reason = reason;
  }
}

const WORDS: Readonly<Record<AnnouncementError["reason"], string>> = {
  stale: "the announcement is too old, or of the future",
  heard_before: "the announcement was heard before",
  too_many: "Too many announcements in a short time, or too many devices.",
  not_for_us: "the announcement is not for this device",
  other_content: "the content is another one than was signed",
  too_long: "An announcement lasts at most a minute, or has about a page of text. Make it shorter.",
  empty: "There is nothing to announce.",
  no_devices: "None of the devices there can take an announcement. They have to be switched on once.",
};

export function signAnnouncement(said: Announcement, device: KeyPair): Bytes {
  return encodeSigned(sign(CONTEXT, encodeAnnouncement(said), device));
}

/** Opens an announcement that a device of this household has signed, and that is of now. */
export function openAnnouncement(blob: Uint8Array, roster: Roster, now: number): { said: Announcement; from: Identity } {
  const signed = decodeSigned(blob);
  verifySigned(CONTEXT, signed);
  const said = decodeAnnouncement(signed.body);
  return { said, from: whoSays(signed.signer, said, countsUntil(said), roster, now) };
}

/** Whose word it is: a device's of this household, by the chain that it shows, said of now. */
export function whoSays(signer: Bytes, said: { genesis: Bytes; chain: Chain; atMs: number }, untilMs: number, roster: Roster, now: number): Identity {
  const from = verifyChain(said.chain, now);
  const ours = equalBytes(said.genesis, roster.genesis) && equalBytes(from.genesis, said.genesis);
  if (!ours || !equalBytes(from.deviceKey, signer) || !roster.admits(from)) throw new SignatureError("announcement");
  if (said.atMs > now + CLOCK_SKEW_MS || now > untilMs) throw new AnnouncementError("stale");
  return from;
}

/** After this no device takes it, whatever its clock. */
export function countsUntil({ atMs }: Announcement): number {
  return atMs + FRESH_MS + CLOCK_SKEW_MS;
}

export function encodeAnnouncement(said: Announcement): Bytes {
  return new Writer()
    .u8(1).key(said.genesis).opaque(fromHex(said.id), ID_LENGTH).u8(said.kind).u64(said.atMs).u64(said.lengthMs)
    .opaque(fromHex(said.replyTo ?? NO_ID), ID_LENGTH).opaque(said.contentHash, HASH_LENGTH)
    .list16(said.keys, (writer, { device, enc, sealed }) => writer.key(device).key(enc).opaque(sealed, SEALED_LENGTH))
    .vec16(encodeChain(said.chain)).bytes();
}

export function decodeAnnouncement(body: Uint8Array): Announcement {
  return decode(body, (reader) => {
    readVersion(reader);
    const genesis = reader.key();
    const id = toHex(reader.opaque(ID_LENGTH));
    const kind = reader.u8();
    if (kind !== ANNOUNCED.sound && kind !== ANNOUNCED.text) throw new MalformedError("an announcement of a kind that is not known here");
    const atMs = reader.u64();
    const lengthMs = reader.u64();
    const fits = kind === ANNOUNCED.text ? lengthMs === 0 : lengthMs >= 1 && lengthMs <= LENGTH_MS_MAX;
    if (!fits) throw new MalformedError("an announcement lasts a minute at most, and a text does not last");
    const replyTo = toHex(reader.opaque(ID_LENGTH));
    const contentHash = reader.opaque(HASH_LENGTH);
    const keys = readKeys(reader);
    const chain = decodeChain(reader.vec16());
    return { genesis, id, kind, atMs, lengthMs, replyTo: replyTo === NO_ID ? undefined : replyTo, contentHash, keys, chain };
  });
}

function readKeys(reader: Reader): SealedKey[] {
  const keys = reader.list16(DEVICES_MAX, (item) => ({ device: item.key(), enc: item.key(), sealed: item.opaque(SEALED_LENGTH) }));
  const ascending = keys.every(({ device }, place) => place === 0 || compareBytes((keys[place - 1] as SealedKey).device, device) < 0);
  if (keys.length === 0 || !ascending) throw new MalformedError("an announcement goes to devices in ascending order");
  return keys;
}

/** The announcements that were taken, for as long as they could count, so that nothing is played twice. */
export class Heard {
  readonly #until: Map<string, number>;

  /** `until`: those that were heard before this page, and when each counts no more. */
  constructor(until: ReadonlyMap<string, number> = new Map()) {
    this.#until = new Map([...until].slice(-HEARD_MAX));
  }

  /** Until when one that was taken counts. */
  until(id: string): number | undefined {
    return this.#until.get(id);
  }

  /** Takes one that was opened, and that counts until then. */
  take(id: string, untilMs: number, now: number): void {
    for (const [one, until] of this.#until) if (until < now) this.#until.delete(one);
    if (this.#until.has(id)) throw new AnnouncementError("heard_before");
    if (this.#until.size >= HEARD_MAX) throw new AnnouncementError("too_many");
    this.#until.set(id, untilMs);
  }
}
