//! A member vouches for a household before it commits the first of its devices in.
//!
//! The others take a leaf only of a household that they expect. It is said in the epoch that the commit ends, right
//! before it, so that it can't come too late. The Rust twin is `e2ee/src/member/vouching.rs`.

import type { Bytes } from "../bytes.ts";

/** Households of one call that were vouched for; a call has no more participants. */
export const VOUCHED_MAX = 32;
const VOUCHING = 2;
const KEY_LENGTH = 32;

export function vouching(genesis: Uint8Array): Bytes {
  const message = new Uint8Array(1 + KEY_LENGTH);
  message[0] = VOUCHING;
  message.set(genesis, 1);
  return message;
}

/** `undefined`: it is another kind of message. */
export function readVouching(data: Uint8Array): Bytes | undefined {
  if (data.length !== 1 + KEY_LENGTH || data[0] !== VOUCHING) return undefined;
  return Uint8Array.from(data.subarray(1));
}
