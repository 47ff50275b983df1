//! Which household a recovery code belongs to, shown to who restores and believed by nobody's word.
//!
//! Who restores has only the code and learns the genesis key from the server. The genesis key vouches for the recovery
//! key in a certificate, but a server can make a genesis key of its own and have it vouch for the recovery key, which is
//! public. So the recovery key, which the server never has, names the genesis key in turn: the binding.

import { type Bytes, equalBytes } from "../bytes.ts";
import { decodeCertificate, KIND } from "./certificate.ts";
import { decode, MalformedError, Writer } from "./encoding.ts";
import { equalKeys } from "./keytext.ts";
import type { KeyPair } from "./keys.ts";
import { readSigned, type Signed, SignatureError, sign, verifySigned, writeSigned } from "./signed.ts";

const CONTEXT = "homeline recovery binding v1";

/** The server shows another household than the one that the recovery key names. */
export class OtherHouseholdError extends Error {
  constructor() {
    super("the server shows another household than the one this recovery code belongs to");
    this.name = "OtherHouseholdError";
  }
}

/** What the server keeps of a recovery key: the certificate that genesis signed, and the binding, signed here. */
export function encodeRecoveryProof(certificate: Signed, genesis: Bytes, recovery: KeyPair): Bytes {
  const bound = sign(CONTEXT, binding(genesis, recovery.publicKey), recovery);
  return new Writer().list16([certificate, bound], writeSigned).bytes();
}

/** The recovery key's certificate, if that key (derived from the code) itself names the genesis key that the roster shows. */
export function openRecoveryProof(encoded: Uint8Array, genesis: Bytes, recovery: Bytes): Signed {
  const [signed, bound] = decode(encoded, (reader) => reader.list16(2, readSigned));
  if (signed === undefined || bound === undefined) throw new MalformedError("a recovery key has a certificate and a binding");
  const names = equalKeys(bound.signer, recovery) && holds(bound) && equalBytes(bound.body, binding(genesis, recovery));
  if (!names) throw new OtherHouseholdError();
  verifySigned("homeline certificate v1", signed);
  const certificate = decodeCertificate(signed.body);
  const same = certificate.kind === KIND.recovery && equalKeys(signed.signer, genesis)
    && equalKeys(certificate.genesis, genesis) && equalKeys(certificate.subject, recovery);
  if (!same) throw new OtherHouseholdError();
  return signed;
}

function holds(bound: Signed): boolean {
  try {
    verifySigned(CONTEXT, bound);
    return true;
  } catch (error) {
    if (error instanceof SignatureError) return false;
    throw error;
  }
}

/** One encoding for one statement: the body is compared as a whole and never parsed. */
function binding(genesis: Bytes, recovery: Bytes): Bytes {
  return new Writer().u8(1).key(genesis).key(recovery).bytes();
}
