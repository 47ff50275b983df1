//! What the device that wants to drop in signs (docs/drop-in.md): which call, on whose household, with which key package.

import { type Bytes, equalBytes, fromHex, toHex } from "../bytes.ts";
import { CLOCK_SKEW_MS, decodeCertificate } from "./certificate.ts";
import { type Chain, ChainError, decodeChain, encodeChain } from "./chain.ts";
import { decode, HASH_LENGTH, MalformedError, readVersion, Writer } from "./encoding.ts";
import { type KeyPair, sha256 } from "./keys.ts";
import { decodeSigned, encodeSigned, SignatureError, sign, verifySigned } from "./signed.ts";

const CONTEXT = "homeline drop-in asking v1";
const CALL_ID_LENGTH = 16;
/** How old an asking may be, beyond the clocks' skew. */
export const ASKING_AGE_MAX_MS = 60_000;
/** How long a target remembers what it was asked: longer than one stays fresh, which may be signed ahead of time. */
export const ASKED_FOR_MS = 12 * 60_000;
/** More than anybody asks in that time; with a full memory a target refuses. */
export const ASKED_MAX = 256;

export interface Asking {
  call: string;
  atMs: number;
  /** The household that is meant. */
  targetGenesis: Bytes;
  picture: boolean;
  /** SHA-256 of the whole message with the key package. */
  keyPackageHash: Bytes;
  chain: Chain;
}

/** Why an asking is not taken: genuine or not, it does not belong here. */
export class AskingError extends Error {
  readonly reason: "unreadable" | "other_call" | "stale" | "other_household" | "other_key_package" | "other_picture" | "wrong_signer";
  constructor(reason: AskingError["reason"]) {
    super(`an asking is refused: ${reason}`);
    this.name = "AskingError";
    this.reason = reason;
  }
}

export function signAsking(asking: Asking, signer: KeyPair): Bytes {
  return encodeSigned(sign(CONTEXT, encodeAsking(asking), signer));
}

/** Checks all that the asking itself can show. Who the chain makes the signer, and whether they may, is `judge`'s question. */
export function checkAsking(
  blob: Uint8Array, expected: { call: string; genesis: Uint8Array; keyPackage: Uint8Array; picture: boolean }, now: number,
): Asking {
  const { asking, signer, subject } = openAsking(blob);
  if (asking.call !== expected.call) throw new AskingError("other_call");
  if (now - asking.atMs > ASKING_AGE_MAX_MS + CLOCK_SKEW_MS || asking.atMs - now > CLOCK_SKEW_MS) throw new AskingError("stale");
  if (!equalBytes(asking.targetGenesis, expected.genesis)) throw new AskingError("other_household");
  if (!equalBytes(asking.keyPackageHash, sha256(expected.keyPackage))) throw new AskingError("other_key_package");
  if (asking.picture !== expected.picture) throw new AskingError("other_picture");
  if (subject === undefined || !equalBytes(subject, signer)) throw new AskingError("wrong_signer");
  return asking;
}

function openAsking(blob: Uint8Array): { asking: Asking; signer: Bytes; subject: Bytes | undefined } {
  try {
    const signed = decodeSigned(blob);
    verifySigned(CONTEXT, signed);
    const asking = decodeAsking(signed.body);
    const [leaf] = asking.chain;
    return { asking, signer: signed.signer, subject: leaf && decodeCertificate(leaf.body).subject };
  } catch (error) {
    const expected = error instanceof MalformedError || error instanceof SignatureError || error instanceof ChainError;
    throw expected ? new AskingError("unreadable") : error;
  }
}

export function encodeAsking(asking: Asking): Bytes {
  return new Writer()
    .u8(1).opaque(fromHex(asking.call), CALL_ID_LENGTH).u64(asking.atMs).key(asking.targetGenesis).u8(asking.picture ? 1 : 0)
    .opaque(asking.keyPackageHash, HASH_LENGTH).vec16(encodeChain(asking.chain)).bytes();
}

export function decodeAsking(body: Uint8Array): Asking {
  return decode(body, (reader) => {
    readVersion(reader);
    const call = toHex(reader.opaque(CALL_ID_LENGTH));
    const atMs = reader.u64();
    const targetGenesis = reader.key();
    const picture = reader.u8();
    if (picture > 1) throw new MalformedError("neither yes nor no");
    const keyPackageHash = reader.opaque(HASH_LENGTH);
    return { call, atMs, targetGenesis, picture: picture === 1, keyPackageHash, chain: decodeChain(reader.vec16()) };
  });
}

/** The calls that somebody asked for lately: a drop-in is asked for once. */
export class Asked {
  readonly #calls: Map<string, number>;

  constructor(calls: ReadonlyMap<string, number> = new Map()) {
    this.#calls = new Map(calls);
  }

  /** To be kept as it is. */
  get calls(): ReadonlyMap<string, number> {
    return this.#calls;
  }

  /** False: it was asked for before, or nothing more can be remembered. */
  note(call: string, now: number): boolean {
    for (const [old, at] of this.#calls) if (now - at > ASKED_FOR_MS) this.#calls.delete(old);
    if (this.#calls.has(call) || this.#calls.size >= ASKED_MAX) return false;
    this.#calls.set(call, now);
    return true;
  }
}
