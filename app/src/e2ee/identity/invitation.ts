//! Invitations of further members: the proof that a joiner's key knows the secret of the link.

import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes, concat, equalBytes, utf8 } from "../bytes.ts";
import { Writer } from "./encoding.ts";

export const SECRET_LENGTH = 32;

export function joinProof(secret: Uint8Array, appKey: Uint8Array, person: string): Bytes {
  const message = concat(utf8("homeline join v1"), new Writer().key(appKey).string(person).bytes());
  return Uint8Array.from(hmac(sha256, secret, message));
}

export function checkJoinProof(secret: Uint8Array, appKey: Uint8Array, person: string, proof: Uint8Array): boolean {
  return equalBytes(joinProof(secret, appKey, person), proof);
}
