//! Self-certifying ids: hashes of keys.

import { type Bytes, toHex, utf8 } from "../bytes.ts";
import { sha256 } from "./keys.ts";

const ID_LENGTH = 16;

export function fingerprintOf(genesis: Uint8Array): Bytes {
  return sha256(utf8("homeline household v1"), genesis);
}

export function householdIdOf(genesis: Uint8Array): string {
  return toHex(fingerprintOf(genesis).subarray(0, ID_LENGTH));
}

export function deviceIdOf(deviceKey: Uint8Array): string {
  return toHex(sha256(utf8("homeline device v1"), deviceKey).subarray(0, ID_LENGTH));
}
