//! What members tell each other inside the group every ten seconds, so that a fork is noticed.

import type { Bytes } from "../bytes.ts";
import { decode, HASH_LENGTH, MalformedError, Writer } from "../identity/encoding.ts";

const KIND_COMPARISON = 1;

/** `hash`: SHA-256 of the epoch authenticator. */
export function comparison(epoch: number, hash: Uint8Array): Bytes {
  return new Writer().u8(KIND_COMPARISON).u64(epoch).opaque(hash, HASH_LENGTH).bytes();
}

/** Absent for anything else that members may say one day. */
export function readComparison(data: Uint8Array): { epoch: number; hash: Bytes } | undefined {
  try {
    return decode(data, (reader) => {
      if (reader.u8() !== KIND_COMPARISON) throw new MalformedError("another kind of message");
      return { epoch: reader.u64(), hash: reader.opaque(HASH_LENGTH) };
    });
  } catch (error) {
    if (error instanceof MalformedError) return undefined;
    throw error;
  }
}
