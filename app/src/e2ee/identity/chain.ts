//! Chains of certificates, leaf first, up to the genesis key of a household.
//!
//! `verifyChain` proves what a chain says of itself. Whether its household is the one expected is the caller's
//! question, always asked. A guest's chain is a certificate by itself (guest.ts).

import { type Bytes, equalBytes } from "../bytes.ts";
import {
  type Certificate, CLOCK_SKEW_MS, decodeCertificate, GUEST_LIFETIME_MAX_MS, isAdult, KIND, type Kind, LIFETIME_MAX_MS, RIGHTS, type Rights,
} from "./certificate.ts";
import { decode, MalformedError, Writer } from "./encoding.ts";
import { isGuestName } from "./guest_name.ts";
import { deviceIdOf, householdIdOf } from "./ids.ts";
import { isUsableKey } from "./keys.ts";
import { readSigned, SignatureError, type Signed, verifySigned, writeSigned } from "./signed.ts";

export const CHAIN_LENGTH_MAX = 6;

export type Chain = Signed[];

export interface Identity {
  genesis: Bytes;
  household: string;
  device: string;
  deviceKey: Bytes;
  kind: Kind;
  rights: Rights;
  person: string;
  label: string;
  /** The end of the first link that ends. */
  notAfterMs: number;
  /** Every subject of the chain, leaf first: a roster may have removed one of them. */
  subjects: Bytes[];
}

/** Why a chain proves nothing. */
export class ChainError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ChainError";
  }
}

export function encodeChain(chain: Chain): Bytes {
  return new Writer().list16(chain, writeSigned).bytes();
}

export function decodeChain(bytes: Uint8Array): Chain {
  return decode(bytes, (reader) => reader.list16(CHAIN_LENGTH_MAX, readSigned));
}

export function verifyChain(chain: Chain, now: number): Identity {
  const certificates = openAll(chain);
  const leaf = certificates[0];
  if (leaf === undefined) throw new ChainError("the chain is empty");
  if (certificates.some(({ kind }) => kind === KIND.guest)) checkGuest(certificates, chain);
  if (leaf.kind === KIND.recovery) throw new ChainError("a recovery key is no device");
  certificates.forEach((certificate, index) => {
    checkLink(certificate, chain[index] as Signed, certificates[index + 1], leaf.genesis);
    checkTime(certificate, now);
  });
  return {
    genesis: leaf.genesis,
    household: householdIdOf(leaf.genesis),
    device: deviceIdOf(leaf.subject),
    deviceKey: leaf.subject,
    kind: leaf.kind,
    rights: leaf.rights,
    person: leaf.person,
    label: leaf.label,
    notAfterMs: Math.min(...certificates.map((certificate) => certificate.notAfterMs)),
    subjects: certificates.map((certificate) => certificate.subject),
  };
}

function openAll(chain: Chain): Certificate[] {
  if (chain.length > CHAIN_LENGTH_MAX) throw new ChainError("the chain is too long");
  return chain.map((signed) => {
    try {
      verifySigned("homeline certificate v1", signed);
      return decodeCertificate(signed.body);
    } catch (error) {
      if (error instanceof MalformedError || error instanceof SignatureError) throw new ChainError(error.message);
      throw error;
    }
  });
}

/** `issuer` is the next certificate, or absent for the last one, which the genesis key signs. */
function checkLink(certificate: Certificate, signed: Signed, issuer: Certificate | undefined, genesis: Bytes): void {
  if (!equalBytes(certificate.genesis, genesis)) throw new ChainError("the chain mixes two households");
  if (!isUsableKey(certificate.subject)) throw new ChainError("a certified key is not usable");
  if (certificate.kind === KIND.device && isAdult(certificate.rights)) {
    throw new ChainError("a home device is never adult");
  }
  if (certificate.kind !== KIND.recovery && certificate.notAfterMs > certificate.notBeforeMs + LIFETIME_MAX_MS) {
    throw new ChainError("a certificate lasts longer than it may");
  }
  const signer = issuer === undefined ? genesis : issuer.subject;
  if (!equalBytes(signed.signer, signer)) throw new ChainError("a link is signed by another key than the next one's");
  if (issuer === undefined) return;
  if (certificate.kind === KIND.recovery) throw new ChainError("only the genesis key certifies a recovery key");
  const mayCertify = issuer.kind === KIND.recovery || (issuer.kind === KIND.app && isAdult(issuer.rights));
  if (!mayCertify) throw new ChainError("a link is signed by a key that may not certify");
}

/** One certificate that a key signs for itself, for a day at most: docs/guests.md. */
function checkGuest([leaf, ...rest]: Certificate[], [signed]: Chain): void {
  if (leaf === undefined || signed === undefined || rest.length > 0) throw new ChainError("a guest's chain is one certificate");
  const itself = equalBytes(leaf.genesis, leaf.subject) && equalBytes(signed.signer, leaf.subject);
  if (!itself) throw new ChainError("a guest's certificate is signed by another key than its own");
  if (leaf.rights !== RIGHTS.none || leaf.person !== "" || leaf.rosterSeq !== 0) throw new ChainError("a guest has no rights, no account and no roster");
  if (!isGuestName(leaf.label)) throw new ChainError("a guest's name has 1 to 40 characters");
  if (leaf.notAfterMs > leaf.notBeforeMs + GUEST_LIFETIME_MAX_MS) throw new ChainError("a guest's certificate lasts longer than it may");
}

function checkTime(certificate: Certificate, now: number): void {
  if (now < certificate.notBeforeMs - CLOCK_SKEW_MS) throw new ChainError("a certificate is not valid yet");
  if (now > certificate.notAfterMs + CLOCK_SKEW_MS) throw new ChainError("a certificate has expired");
}
