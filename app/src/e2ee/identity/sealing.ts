//! The key with which a device takes what is sealed to it, and its signed word on it (docs/announcements.md).
//!
//! HPKE (RFC 9180) in base mode, as MLS's suite 1 has it: X25519, HKDF-SHA256, AES-128-GCM. The key comes from the
//! device's own, so that a device has nothing more to keep.

import { Aes128Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256, HpkeError } from "@hpke/core";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes, equalBytes, utf8 } from "../bytes.ts";
import { decode, readVersion, Writer } from "./encoding.ts";
import type { KeyPair } from "./keys.ts";
import type { Roster } from "./roster.ts";
import { decodeSigned, encodeSigned, SignatureError, sign, verifySigned } from "./signed.ts";

const CONTEXT = "homeline sealing key v1";

export interface SealingStatement {
  genesis: Bytes;
  device: Bytes;
  /** What others seal to. */
  key: Bytes;
}

export interface SealedTo {
  enc: Bytes;
  ciphertext: Bytes;
}

export class SealingKey {
  readonly public: Bytes;
  readonly #pair: CryptoKeyPair;

  private constructor(pair: CryptoKeyPair, publicKey: Bytes) {
    this.#pair = pair;
    this.public = publicKey;
  }

  static async of(device: KeyPair): Promise<SealingKey> {
    const ikm = hkdf(sha256, device.seed, utf8(CONTEXT), utf8("seal"), 32);
    const { kem } = suite();
    const pair = await kem.deriveKeyPair(Uint8Array.from(ikm).buffer);
    return new SealingKey(pair, new Uint8Array(await kem.serializePublicKey(pair.publicKey)));
  }

  /** Undefined: it does not open. */
  async open({ enc, ciphertext }: SealedTo, info: Bytes, aad: Bytes): Promise<Bytes | undefined> {
    try {
      return new Uint8Array(await suite().open({ recipientKey: this.#pair, enc, info }, ciphertext, aad));
    } catch (error) {
      return none(error);
    }
  }
}

/** Undefined for a key that is no point to agree with. */
export async function sealTo(key: Bytes, info: Bytes, aad: Bytes, what: Bytes): Promise<SealedTo | undefined> {
  try {
    const recipientPublicKey = await suite().kem.deserializePublicKey(key);
    const { enc, ct } = await suite().seal({ recipientPublicKey, info }, what, aad);
    return { enc: new Uint8Array(enc), ciphertext: new Uint8Array(ct) };
  } catch (error) {
    return none(error);
  }
}

export async function signSealingKey(genesis: Bytes, device: KeyPair): Promise<Bytes> {
  const { public: key } = await SealingKey.of(device);
  return encodeSigned(sign(CONTEXT, new Writer().u8(1).key(genesis).key(device.publicKey).key(key).bytes(), device));
}

/** Opens the statement of a device that is in this roster now, signed by itself. */
export function openSealingKey(blob: Uint8Array, roster: Roster): SealingStatement {
  const signed = decodeSigned(blob);
  verifySigned(CONTEXT, signed);
  const statement = decodeSealingKey(signed.body);
  const own = equalBytes(statement.device, signed.signer) && equalBytes(statement.genesis, roster.genesis);
  if (!own || roster.device(statement.device) === undefined) throw new SignatureError("sealing key");
  return statement;
}

function decodeSealingKey(body: Uint8Array): SealingStatement {
  return decode(body, (reader) => {
    readVersion(reader);
    return { genesis: reader.key(), device: reader.key(), key: reader.key() };
  });
}

function suite(): CipherSuite {
  return new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes128Gcm() });
}

/** What does not fit together is nothing, and anything else a fault. */
function none(error: unknown): undefined {
  if (error instanceof HpkeError || error instanceof DOMException) return undefined;
  throw error;
}
