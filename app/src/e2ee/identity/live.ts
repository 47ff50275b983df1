//! What is signed of a live announcement (docs/announcements.md): who speaks, in which call, to which devices, and when.

import { type Bytes, compareBytes, equalBytes, fromHex, toHex } from "../bytes.ts";
import { AnnouncementError } from "./announcement.ts";
import { CLOCK_SKEW_MS } from "./certificate.ts";
import { type Chain, decodeChain, encodeChain, type Identity, verifyChain } from "./chain.ts";
import { decode, MalformedError, readVersion, Writer } from "./encoding.ts";
import type { KeyPair } from "./keys.ts";
import type { Roster } from "./roster.ts";
import { decodeSigned, encodeSigned, SignatureError, sign, verifySigned } from "./signed.ts";

const CONTEXT = "homeline live announcement v1";
const CALL_ID_LENGTH = 16;

/** As many as a call has room for beside the one who speaks. */
export const LIVE_DEVICES_MAX = 31;
/** It lasts no longer, and whoever hears of it later hears nothing. */
export const LIVE_AGE_MAX_MS = 60_000;
/** Far more than a household announces while one counts; with a full memory none is taken. */
export const LIVE_HEARD_MAX = 256;

export interface LiveAnnouncement {
  genesis: Bytes;
  call: string;
  atMs: number;
  /** The home devices that it is for, in ascending order, none twice, and not the one that speaks. */
  devices: Bytes[];
  /** The announcing device's. */
  chain: Chain;
}

export function signLive(live: LiveAnnouncement, device: KeyPair): Bytes {
  return encodeSigned(sign(CONTEXT, encodeLive(live), device));
}

/** Opens one that a device of this household has signed, and that is of now. */
export function openLive(blob: Uint8Array, roster: Roster, now: number): { live: LiveAnnouncement; from: Identity } {
  const signed = decodeSigned(blob);
  verifySigned(CONTEXT, signed);
  const live = decodeLive(signed.body);
  const from = verifyChain(live.chain, now);
  const ours = equalBytes(live.genesis, roster.genesis) && equalBytes(from.genesis, live.genesis);
  if (!ours || !equalBytes(from.deviceKey, signed.signer) || !roster.admits(from)) throw new SignatureError("live announcement");
  if (live.devices.some((device) => equalBytes(device, from.deviceKey))) throw new MalformedError("nobody announces live to their own device");
  if (live.atMs > now + CLOCK_SKEW_MS || now > liveCountsUntil(live)) throw new AnnouncementError("stale");
  return { live, from };
}

/** After this no device takes it, whatever its clock. */
export function liveCountsUntil({ atMs }: Pick<LiveAnnouncement, "atMs">): number {
  return atMs + LIVE_AGE_MAX_MS + CLOCK_SKEW_MS;
}

export function encodeLive(live: LiveAnnouncement): Bytes {
  return new Writer()
    .u8(1).key(live.genesis).opaque(fromHex(live.call), CALL_ID_LENGTH).u64(live.atMs)
    .list16(live.devices, (writer, device) => writer.key(device)).vec16(encodeChain(live.chain)).bytes();
}

export function decodeLive(body: Uint8Array): LiveAnnouncement {
  return decode(body, (reader) => {
    readVersion(reader);
    const genesis = reader.key();
    const call = toHex(reader.opaque(CALL_ID_LENGTH));
    const atMs = reader.u64();
    const devices = reader.list16(LIVE_DEVICES_MAX, (item) => item.key());
    if (devices.length === 0 || !ascending(devices)) throw new MalformedError("a live announcement goes to devices in ascending order");
    return { genesis, call, atMs, devices, chain: decodeChain(reader.vec16()) };
  });
}

function ascending(keys: readonly Bytes[]): boolean {
  return keys.every((key, place) => place === 0 || compareBytes(keys[place - 1] as Bytes, key) < 0);
}

/** Those that were taken, for as long as they could count, so that none begins twice. */
export class HeardLive {
  readonly #until = new Map<string, number>();

  take(live: LiveAnnouncement, now: number): void {
    for (const [call, until] of this.#until) if (until < now) this.#until.delete(call);
    if (this.#until.has(live.call)) throw new AnnouncementError("heard_before");
    if (this.#until.size >= LIVE_HEARD_MAX) throw new AnnouncementError("too_many");
    this.#until.set(live.call, liveCountsUntil(live));
  }
}
