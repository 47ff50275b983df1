//! The recovery code: twenty random bytes as text, and the two secrets that it yields.

import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes, utf8 } from "../bytes.ts";
import { type Certificate, FOREVER_MS, KIND, RIGHTS, signCertificate } from "./certificate.ts";
import { type KeyPair, keyPairFromSeed } from "./keys.ts";
import type { Signed } from "./signed.ts";

export const CODE_BYTES = 20;
const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** A text that cannot be a recovery code: a typing error. */
export class RecoveryCodeError extends Error {
  constructor() {
    super("a recovery code has 32 letters and digits");
    this.name = "RecoveryCodeError";
  }
}

/** Eight groups of four, joined by hyphens. */
export function formatCode(bytes: Uint8Array): string {
  if (bytes.length !== CODE_BYTES) throw new RecoveryCodeError();
  let bits = 0n;
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte);
  let text = "";
  for (let shift = 155n; shift >= 0n; shift -= 5n) text += CROCKFORD[Number((bits >> shift) & 31n)];
  return (text.match(/.{4}/g) ?? []).join("-");
}

/** Forgives case, spaces and hyphens, and reads O as 0, I and L as 1. */
export function parseCode(text: string): Bytes {
  const digits = text.toUpperCase().replace(/[\s-]/g, "").replace(/O/g, "0").replace(/[IL]/g, "1");
  if (digits.length !== 32) throw new RecoveryCodeError();
  let bits = 0n;
  for (const digit of digits) {
    const value = CROCKFORD.indexOf(digit);
    if (value < 0) throw new RecoveryCodeError();
    bits = (bits << 5n) | BigInt(value);
  }
  const bytes = new Uint8Array(CODE_BYTES);
  for (let i = CODE_BYTES - 1; i >= 0; i--, bits >>= 8n) bytes[i] = Number(bits & 255n);
  return bytes;
}

export interface RecoverySecrets {
  /** Signs the entry and the certificate that restore a household. */
  pair: KeyPair;
  /** What the server keeps under argon2id. */
  auth: Bytes;
}

export function deriveRecovery(code: Uint8Array): RecoverySecrets {
  const derive = (info: string) => Uint8Array.from(hkdf(sha256, code, utf8("homeline recovery v1"), utf8(info), 32));
  return { pair: keyPairFromSeed(derive("sign")), auth: derive("auth") };
}

/** The certificate of the recovery key, signed by genesis: one half of the recovery proof. */
export function recoveryCertificate(recovery: Bytes, person: string, now: number, genesis: KeyPair): Signed {
  const certificate: Certificate = {
    genesis: genesis.publicKey, subject: recovery, kind: KIND.recovery, rights: RIGHTS.adult,
    person, label: "", notBeforeMs: now, notAfterMs: FOREVER_MS, rosterSeq: 0,
  };
  return signCertificate(certificate, genesis);
}
