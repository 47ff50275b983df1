//! Pairing: both sides commit to their keys, reveal them, and six digits prove that nobody stands between.

import { type Bytes, concat, equalBytes, utf8 } from "../bytes.ts";
import type { DeviceKindCode } from "./roster.ts";
import { KEY_LENGTH, Writer } from "./encoding.ts";
import { isUsableKey, sha256 } from "./keys.ts";

export const NONCE_LENGTH = 32;

export interface DeviceReveal {
  deviceKey: Bytes;
  nonce: Bytes;
  kind: DeviceKindCode;
  label: string;
}

export interface AppReveal {
  genesis: Bytes;
  appKey: Bytes;
  nonce: Bytes;
}

/** The other side revealed other keys than it had committed to: somebody may be in between. */
export class PairingMismatchError extends Error {
  constructor() {
    super("the other side's keys are not the ones it had promised");
    this.name = "PairingMismatchError";
  }
}

export function deviceCommitment(reveal: DeviceReveal): Bytes {
  const rest = new Writer().key(reveal.deviceKey).opaque(reveal.nonce, NONCE_LENGTH).u8(reveal.kind).string(reveal.label);
  return sha256(utf8("homeline pairing device v1"), rest.bytes());
}

export function appCommitment(reveal: AppReveal): Bytes {
  const rest = new Writer().key(reveal.genesis).key(reveal.appKey).opaque(reveal.nonce, NONCE_LENGTH);
  return sha256(utf8("homeline pairing app v1"), rest.bytes());
}

/** Checked by the app before it reveals anything. */
export function checkDeviceReveal(commitment: Uint8Array, reveal: DeviceReveal): void {
  refuseBadLengths(reveal.nonce, [reveal.deviceKey]);
  if (!equalBytes(commitment, deviceCommitment(reveal))) throw new PairingMismatchError();
}

/** Checked by the device before it shows the digits. */
export function checkAppReveal(commitment: Uint8Array, reveal: AppReveal): void {
  refuseBadLengths(reveal.nonce, [reveal.genesis, reveal.appKey]);
  if (!equalBytes(commitment, appCommitment(reveal))) throw new PairingMismatchError();
}

export function pairingDigits(device: DeviceReveal, app: AppReveal): string {
  const hash = sha256(
    utf8("homeline pairing digits v1"),
    concat(deviceCommitment(device), appCommitment(app), device.deviceKey, device.nonce, app.genesis, app.appKey, app.nonce),
  );
  const number = hash.subarray(0, 8).reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
  return (number % 1_000_000n).toString().padStart(6, "0");
}

function refuseBadLengths(nonce: Uint8Array, keys: readonly Uint8Array[]): void {
  const good = nonce.length === NONCE_LENGTH && keys.every((key) => key.length === KEY_LENGTH && isUsableKey(key));
  if (!good) throw new PairingMismatchError();
}
