//! Introductions in a call: who calls, and which fresh key package is a ringing device's.

import { type Bytes, equalBytes, fromHex, toHex } from "../bytes.ts";
import { type Chain, decodeChain, encodeChain, type Identity, verifyChain } from "./chain.ts";
import { CLOCK_SKEW_MS } from "./certificate.ts";
import { decode, HASH_LENGTH, MalformedError, readVersion, Writer } from "./encoding.ts";
import { type KeyPair, sha256 } from "./keys.ts";
import { decodeSigned, encodeSigned, type Signed, sign, verifySigned } from "./signed.ts";

const CALL_ID_LENGTH = 16;
const GENESIS_LENGTH = 32;
/** Households that an invitation names; a call has no more participants. */
const HOUSEHOLDS_MAX = 32;
/** How old an invitation may be, beyond the clocks' skew. A phone rings for less. */
export const INVITATION_AGE_MAX_MS = 60_000;

export interface CallInvitation {
  call: string;
  atMs: number;
  toHandle: string;
  displayName: string;
  video: boolean;
  chain: Chain;
  /** Households that are in the call already, by genesis key: for somebody who is added, and for a device that takes over. */
  households?: Bytes[];
}

export interface Ringing {
  call: string;
  keyPackageHash: Bytes;
  chain: Chain;
}

export type IntroductionReason = "other_call" | "stale" | "not_for_me" | "other_key_package" | "wrong_signer";

/** Genuine bytes that do not belong here. */
export class IntroductionError extends Error {
  readonly reason: IntroductionReason;
  constructor(reason: IntroductionReason) {
    super(`an introduction is refused: ${reason}`);
    this.name = "IntroductionError";
    this.reason = reason;
  }
}

export function signInvitation(invitation: CallInvitation, signer: KeyPair): Bytes {
  return encodeSigned(sign("homeline call invitation v1", encodeInvitation(invitation), signer));
}

/** What a ringing device checks before it makes a sound. */
export function checkInvitation(
  blob: Uint8Array, expected: { call: string; handle: string }, now: number,
): { invitation: CallInvitation; caller: Identity } {
  const signed = decodeSigned(blob);
  verifySigned("homeline call invitation v1", signed);
  const invitation = decodeInvitation(signed.body);
  if (invitation.call !== expected.call) throw new IntroductionError("other_call");
  if (now - invitation.atMs > INVITATION_AGE_MAX_MS + CLOCK_SKEW_MS || invitation.atMs - now > CLOCK_SKEW_MS) {
    throw new IntroductionError("stale");
  }
  if (invitation.toHandle !== expected.handle) throw new IntroductionError("not_for_me");
  return { invitation, caller: checkSigner(signed, invitation.chain, now) };
}

export function signRinging(ringing: Ringing, signer: KeyPair): Bytes {
  return encodeSigned(sign("homeline ringing v1", encodeRinging(ringing), signer));
}

/** What a caller checks before it adds the key package to its group. */
export function checkRinging(blob: Uint8Array, expected: { call: string; keyPackage: Uint8Array }, now: number): Identity {
  const signed = decodeSigned(blob);
  verifySigned("homeline ringing v1", signed);
  const ringing = decodeRinging(signed.body);
  if (ringing.call !== expected.call) throw new IntroductionError("other_call");
  if (!equalBytes(ringing.keyPackageHash, sha256(expected.keyPackage))) throw new IntroductionError("other_key_package");
  return checkSigner(signed, ringing.chain, now);
}

/** Version 2 is version 1 with the households behind it. */
export function encodeInvitation(i: CallInvitation): Bytes {
  const households = i.households ?? [];
  const writer = new Writer()
    .u8(households.length === 0 ? 1 : 2).opaque(fromHex(i.call), CALL_ID_LENGTH).u64(i.atMs).string(i.toHandle)
    .string(i.displayName).u8(i.video ? 1 : 0).vec16(encodeChain(i.chain));
  if (households.length === 0) return writer.bytes();
  return writer.vec16(Uint8Array.from(households.flatMap((key) => [...key]))).bytes();
}

export function decodeInvitation(body: Uint8Array): CallInvitation {
  return decode(body, (reader) => {
    const version = reader.u8();
    if (version !== 1 && version !== 2) throw new MalformedError("an invitation of an unknown version");
    const invitation = {
      call: toHex(reader.opaque(CALL_ID_LENGTH)),
      atMs: reader.u64(),
      toHandle: reader.string(),
      displayName: reader.string(),
      video: readFlag(reader.u8()),
      chain: decodeChain(reader.vec16()),
    };
    return version === 1 ? invitation : { ...invitation, households: readHouseholds(reader.vec16()) };
  });
}

export function encodeRinging(ringing: Ringing): Bytes {
  return new Writer()
    .u8(1).opaque(fromHex(ringing.call), CALL_ID_LENGTH).opaque(ringing.keyPackageHash, HASH_LENGTH)
    .vec16(encodeChain(ringing.chain)).bytes();
}

export function decodeRinging(body: Uint8Array): Ringing {
  return decode(body, (reader) => {
    readVersion(reader);
    return {
      call: toHex(reader.opaque(CALL_ID_LENGTH)),
      keyPackageHash: reader.opaque(HASH_LENGTH),
      chain: decodeChain(reader.vec16()),
    };
  });
}

function checkSigner(signed: Signed, chain: Chain, now: number): Identity {
  const identity = verifyChain(chain, now);
  if (!equalBytes(signed.signer, identity.deviceKey)) throw new IntroductionError("wrong_signer");
  return identity;
}

function readHouseholds(bytes: Uint8Array): Bytes[] {
  const count = bytes.length / GENESIS_LENGTH;
  if (!Number.isInteger(count) || count === 0 || count > HOUSEHOLDS_MAX) throw new MalformedError("households are 1 to 32 keys");
  const key = (index: number) => Uint8Array.from(bytes.subarray(index * GENESIS_LENGTH, (index + 1) * GENESIS_LENGTH));
  return Array.from({ length: count }, (_, index) => key(index));
}

function readFlag(value: number): boolean {
  if (value > 1) throw new MalformedError("a flag is 0 or 1");
  return value === 1;
}
