//! Ed25519 keys: making, signing, and verification as strict as `ed25519-dalek`'s `verify_strict`.

import { ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";
import { type Bytes, concat, equalBytes } from "../bytes.ts";

const Point = ed25519.Point;
const ORDER = Point.Fn.ORDER;

export interface KeyPair {
  seed: Bytes;
  publicKey: Bytes;
}

export function keyPairFromSeed(seed: Uint8Array): KeyPair {
  return { seed: Uint8Array.from(seed), publicKey: Uint8Array.from(ed25519.getPublicKey(seed)) };
}

export function generateKeyPair(): KeyPair {
  return keyPairFromSeed(crypto.getRandomValues(new Uint8Array(32)));
}

export function signBytes(pair: KeyPair, message: Uint8Array): Bytes {
  return Uint8Array.from(ed25519.sign(message, pair.seed));
}

/** RFC 8032 without cofactor, canonical encodings only, neither the key nor R of small order. */
export function verifyStrict(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  try {
    const encodedR = signature.slice(0, 32);
    const s = littleEndian(signature.subarray(32));
    if (s >= ORDER) return false;
    const a = Point.fromBytes(Uint8Array.from(publicKey), false);
    const r = Point.fromBytes(encodedR, false);
    if (a.isSmallOrder() || r.isSmallOrder()) return false;
    const k = littleEndian(sha512(concat(encodedR, publicKey, message))) % ORDER;
    const sB = s === 0n ? Point.ZERO : Point.BASE.multiplyUnsafe(s);
    const kA = k === 0n ? Point.ZERO : a.multiplyUnsafe(k);
    return equalBytes(sB.subtract(kA).toBytes(), encodedR);
  } catch {
    // Not a point of the curve.
    return false;
  }
}

/** A public key that can be used at all: on the curve, and not of small order. */
export function isUsableKey(publicKey: Uint8Array): boolean {
  if (publicKey.length !== 32) return false;
  try {
    return !Point.fromBytes(Uint8Array.from(publicKey), false).isSmallOrder();
  } catch {
    return false;
  }
}

export function sha256(...parts: readonly Uint8Array[]): Bytes {
  return Uint8Array.from(nobleSha256(concat(...parts)));
}

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] as number);
  return value;
}
