//! What is signed of a live announcement (docs/announcements.md): who speaks, in which call, to which devices, and when.

import { type Bytes, compareBytes, equalBytes, fromHex, toHex } from "../bytes.ts";
import { whoSays } from "./announcement.ts";
import { CLOCK_SKEW_MS } from "./certificate.ts";
import { type Chain, decodeChain, encodeChain, type Identity } from "./chain.ts";
import { decode, MalformedError, readVersion, Writer } from "./encoding.ts";
import type { KeyPair } from "./keys.ts";
import type { Roster } from "./roster.ts";
import { decodeSigned, encodeSigned, sign, verifySigned } from "./signed.ts";

const CONTEXT = "homeline live announcement v1";
const CALL_ID_LENGTH = 16;

/** As many as a call has room for beside the one who speaks. */
export const LIVE_DEVICES_MAX = 31;
/** It lasts no longer, and whoever hears of it later hears nothing. */
export const LIVE_AGE_MAX_MS = 60_000;

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
  const from = whoSays(signed.signer, live, liveCountsUntil(live), roster, now);
  if (live.devices.some((device) => equalBytes(device, from.deviceKey))) throw new MalformedError("nobody announces live to their own device");
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
