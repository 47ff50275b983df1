//! Guests: a key that is a household of one for a visit, and the proof that it knows the secret of a call link (docs/guests.md).

import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes, concat, equalBytes, fromHex, utf8 } from "../bytes.ts";
import { GUEST_LIFETIME_MAX_MS, KIND, RIGHTS, signCertificate } from "./certificate.ts";
import type { Chain } from "./chain.ts";
import { Writer } from "./encoding.ts";
import type { KeyPair } from "./keys.ts";

const LINK_ID_LENGTH = 16;

/** The key certifies itself: genesis, subject and signer are one. */
export function guestChain(pair: KeyPair, name: string, now: number): Chain {
  const certificate = {
    genesis: pair.publicKey, subject: pair.publicKey, kind: KIND.guest, rights: RIGHTS.none, person: "", label: name,
    notBeforeMs: now, notAfterMs: now + GUEST_LIFETIME_MAX_MS, rosterSeq: 0,
  };
  return [signCertificate(certificate, pair)];
}

export function guestProof(secret: Uint8Array, link: string, guestKey: Uint8Array): Bytes {
  const message = concat(utf8("homeline guest v1"), new Writer().opaque(fromHex(link), LINK_ID_LENGTH).key(guestKey).bytes());
  return Uint8Array.from(hmac(sha256, secret, message));
}

export function checkGuestProof(secret: Uint8Array, link: string, guestKey: Uint8Array, proof: Uint8Array): boolean {
  return equalBytes(guestProof(secret, link, guestKey), proof);
}
