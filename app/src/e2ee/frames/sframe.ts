//! SFrame (RFC 9605): header, key derivation and the AES-GCM suites, on WebCrypto.
//!
//! Suite 0x0004 is what calls use; 0x0005 is here because the working group's vectors prove the code with it as well.

import { type Bytes, concat, utf8 } from "../bytes.ts";

export interface Suite {
  id: number;
  keyLength: number;
  hash: "SHA-256" | "SHA-512";
}

export const AES_128_GCM_SHA256_128: Suite = { id: 0x0004, keyLength: 16, hash: "SHA-256" };
export const AES_256_GCM_SHA512_128: Suite = { id: 0x0005, keyLength: 32, hash: "SHA-512" };

const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;
/** A config byte, a KID and a CTR of eight bytes each. */
const HEADER_LENGTH_MAX = 17;

export interface Header {
  kid: bigint;
  counter: bigint;
  /** Of the encoded header. */
  length: number;
}

export interface FrameKeys {
  key: CryptoKey;
  salt: Bytes;
}

/** RFC 9605 section 4.3: values below 8 live in the config byte, others follow it in the fewest bytes. */
export function encodeHeader(kid: bigint, counter: bigint): Bytes {
  const kidBytes = kid < 8n ? new Uint8Array(0) : minimalBytes(kid);
  const counterBytes = counter < 8n ? new Uint8Array(0) : minimalBytes(counter);
  const kidField = kid < 8n ? Number(kid) : 0x08 | (kidBytes.length - 1);
  const counterField = counter < 8n ? Number(counter) : 0x08 | (counterBytes.length - 1);
  return concat(Uint8Array.of((kidField << 4) | counterField), kidBytes, counterBytes);
}

/** Absent when the frame is too short to hold its own header. */
export function decodeHeader(frame: Uint8Array): Header | undefined {
  const config = frame[0];
  if (config === undefined) return undefined;
  let at = 1;
  const field = (bits: number): bigint | undefined => {
    if ((bits & 0x08) === 0) return BigInt(bits);
    const length = (bits & 0x07) + 1;
    if (frame.length < at + length) return undefined;
    let value = 0n;
    for (const byte of frame.subarray(at, at + length)) value = (value << 8n) | BigInt(byte);
    at += length;
    return value;
  };
  const kid = field(config >> 4);
  const counter = kid === undefined ? undefined : field(config & 0x0f);
  if (kid === undefined || counter === undefined || at > HEADER_LENGTH_MAX) return undefined;
  return { kid, counter, length: at };
}

/** RFC 9605 section 4.4.2. The derived key is not extractable: only the salt can be seen. */
export async function deriveFrameKeys(suite: Suite, baseKey: Bytes, kid: bigint): Promise<FrameKeys> {
  const secret = await crypto.subtle.importKey("raw", baseKey, "HKDF", false, ["deriveBits"]);
  const expand = async (label: string, length: number) => {
    const info = concat(utf8(label), bigEndian(kid, 8), bigEndian(BigInt(suite.id), 2));
    const parameters = { name: "HKDF", hash: suite.hash, salt: new Uint8Array(0), info };
    return new Uint8Array(await crypto.subtle.deriveBits(parameters, secret, length * 8));
  };
  const raw = await expand("SFrame 1.0 Secret key ", suite.keyLength);
  const key = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
  raw.fill(0);
  return { key, salt: await expand("SFrame 1.0 Secret salt ", NONCE_LENGTH) };
}

/** RFC 9605 section 4.4.3. The caller never uses a counter twice with one key. */
export async function seal(
  keys: FrameKeys, kid: bigint, counter: bigint, metadata: Uint8Array, plaintext: BufferSource,
): Promise<Bytes> {
  const header = encodeHeader(kid, counter);
  const parameters = gcm(keys.salt, counter, concat(header, metadata));
  const sealed = new Uint8Array(await crypto.subtle.encrypt(parameters, keys.key, plaintext));
  return concat(header, sealed);
}

/** RFC 9605 section 4.4.4. Rejects (the promise) when the frame is not authentic. */
export async function open(keys: FrameKeys, header: Header, metadata: Uint8Array, frame: Bytes): Promise<ArrayBuffer> {
  const parameters = gcm(keys.salt, header.counter, concat(frame.subarray(0, header.length), metadata));
  return crypto.subtle.decrypt(parameters, keys.key, frame.subarray(header.length));
}

function gcm(salt: Bytes, counter: bigint, additionalData: Bytes): AesGcmParams {
  const nonce = bigEndian(counter, NONCE_LENGTH);
  for (let i = 0; i < NONCE_LENGTH; i++) nonce[i] = (nonce[i] as number) ^ (salt[i] as number);
  return { name: "AES-GCM", iv: nonce, additionalData, tagLength: TAG_LENGTH * 8 };
}

function minimalBytes(value: bigint): Bytes {
  let length = 1;
  while (value >> BigInt(8 * length) !== 0n) length++;
  return bigEndian(value, length);
}

function bigEndian(value: bigint, length: number): Bytes {
  const bytes = new Uint8Array(length);
  for (let i = length - 1, rest = value; i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 255n);
  return bytes;
}
