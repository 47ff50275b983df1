//! Certificates: an adult's app, a recovery key or the genesis key vouches for another key.

import type { Bytes } from "../bytes.ts";
import { decode, MalformedError, type Reader, readVersion, Writer } from "./encoding.ts";
import type { KeyPair } from "./keys.ts";
import { type Signed, sign } from "./signed.ts";

export const KIND = { app: 1, device: 2, recovery: 3, guest: 4 } as const;
/** Processor and bridge (5 and 6) come later and are refused now. */
export type Kind = (typeof KIND)[keyof typeof KIND];

export const RIGHTS = { none: 0, adult: 1 } as const;
export type Rights = (typeof RIGHTS)[keyof typeof RIGHTS];

export const DAY_MS = 24 * 60 * 60 * 1000;
export const LIFETIME_MS = 30 * DAY_MS;
/** A day of grace, so that an issuer may start a certificate in the past for slow clocks. */
export const LIFETIME_MAX_MS = LIFETIME_MS + DAY_MS;
export const RENEW_BELOW_MS = 10 * DAY_MS;
/** A guest's certificate is for one visit. */
export const GUEST_LIFETIME_MAX_MS = DAY_MS;
/** A recovery key's certificate does not end. */
export const FOREVER_MS = Number.MAX_SAFE_INTEGER;
export const CLOCK_SKEW_MS = 5 * 60 * 1000;

export interface Certificate {
  genesis: Bytes;
  subject: Bytes;
  kind: Kind;
  rights: Rights;
  person: string;
  label: string;
  notBeforeMs: number;
  notAfterMs: number;
  rosterSeq: number;
}

export function signCertificate(certificate: Certificate, signer: KeyPair): Signed {
  return sign("homeline certificate v1", encodeCertificate(certificate), signer);
}

export function encodeCertificate(c: Certificate): Bytes {
  return new Writer()
    .u8(1).key(c.genesis).key(c.subject).u8(c.kind).u8(c.rights).string(c.person).string(c.label)
    .u64(c.notBeforeMs).u64(c.notAfterMs).u64(c.rosterSeq).bytes();
}

export function decodeCertificate(body: Uint8Array): Certificate {
  return decode(body, (reader) => {
    readVersion(reader);
    return {
      genesis: reader.key(),
      subject: reader.key(),
      kind: readKind(reader),
      rights: readRights(reader),
      person: reader.string(),
      label: reader.string(),
      notBeforeMs: reader.u64(),
      notAfterMs: reader.u64(),
      rosterSeq: reader.u64(),
    };
  });
}

export function isAdult(rights: Rights): boolean {
  return rights === RIGHTS.adult;
}

export function readRights(reader: Reader): Rights {
  const rights = reader.u8();
  if (rights !== RIGHTS.none && rights !== RIGHTS.adult) throw new MalformedError("rights that are not known here");
  return rights;
}

function readKind(reader: Reader): Kind {
  const kind = reader.u8();
  const known = Object.values(KIND).find((candidate) => candidate === kind);
  if (known === undefined) throw new MalformedError("a kind of certificate that is not known here");
  return known;
}
