//! The one envelope of everything that is signed, with a context for each kind of statement.

import { type Bytes, concat, utf8 } from "../bytes.ts";
import { decode, type Reader, SIGNATURE_LENGTH, Writer } from "./encoding.ts";
import { type KeyPair, signBytes, verifyStrict } from "./keys.ts";

export type Context =
  | "homeline certificate v1"
  | "homeline roster v1"
  | "homeline contact v1"
  | "homeline answer policy v1"
  | "homeline call invitation v1"
  | "homeline ringing v1"
  | "homeline recovery binding v1"
  | "homeline drop-in grant v1"
  | "homeline drop-in asking v1"
  | "homeline drop-in ledger v1"
  | "homeline sealing key v1"
  | "homeline announcement v1"
  | "homeline live announcement v1";

export interface Signed {
  body: Bytes;
  signer: Bytes;
  signature: Bytes;
}

/** A signature that does not hold. */
export class SignatureError extends Error {
  constructor(what: string) {
    super(`the signature of this ${what} does not hold`);
    this.name = "SignatureError";
  }
}

export function sign(context: Context, body: Uint8Array, pair: KeyPair): Signed {
  const signature = signBytes(pair, signedBytes(context, body, pair.publicKey));
  return { body: Uint8Array.from(body), signer: pair.publicKey, signature };
}

/** Throws `SignatureError`; says nothing about whether the signer may say this. */
export function verifySigned(context: Context, signed: Signed): void {
  const message = signedBytes(context, signed.body, signed.signer);
  if (!verifyStrict(signed.signer, message, signed.signature)) throw new SignatureError(context);
}

export function encodeSigned(signed: Signed): Bytes {
  return writeSigned(new Writer(), signed).bytes();
}

export function decodeSigned(bytes: Uint8Array): Signed {
  return decode(bytes, readSigned);
}

export function writeSigned(writer: Writer, signed: Signed): Writer {
  return writer.vec32(signed.body).key(signed.signer).opaque(signed.signature, SIGNATURE_LENGTH);
}

export function readSigned(reader: Reader): Signed {
  return { body: reader.vec32(), signer: reader.key(), signature: reader.opaque(SIGNATURE_LENGTH) };
}

function signedBytes(context: Context, body: Uint8Array, signer: Uint8Array): Bytes {
  return concat(utf8(context), new Uint8Array(1), body, signer);
}
