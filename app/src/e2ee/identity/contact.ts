//! Contact cards: a household's own, signed word about whom it knows and which key is theirs.

import { type Bytes, equalBytes, fromHex, toHex } from "../bytes.ts";
import { decode, KEY_LENGTH, MalformedError, readVersion, Writer } from "./encoding.ts";
import type { KeyPair } from "./keys.ts";
import type { Roster } from "./roster.ts";
import { decodeSigned, encodeSigned, SignatureError, sign, verifySigned } from "./signed.ts";

const CONTEXT = "homeline contact v1";
const ID_LENGTH = 16;

export const PIN = { none: 0, unverified: 1, verified: 2, deleted: 3 } as const;
export type Pin = (typeof PIN)[keyof typeof PIN];

export interface ContactCard {
  genesis: Bytes;
  contactId: string;
  revision: number;
  name: string;
  handle: string;
  pin: Pin;
  /** Zeros unless pinned. */
  theirGenesis: Bytes;
}

export const NO_KEY: Bytes = new Uint8Array(KEY_LENGTH);

export function signContactCard(card: ContactCard, signer: KeyPair): Bytes {
  return encodeSigned(sign(CONTEXT, encodeContactCard(card), signer));
}

/** Checks that an adult app of the household signed it. Revisions are the keeper's question. */
export function openContactCard(blob: Uint8Array, roster: Roster): ContactCard {
  const signed = decodeSigned(blob);
  verifySigned(CONTEXT, signed);
  const card = decodeContactCard(signed.body);
  const ours = equalBytes(card.genesis, roster.genesis);
  if (!ours || !roster.isAdultApp(signed.signer)) throw new SignatureError("contact card");
  return card;
}

export function encodeContactCard(card: ContactCard): Bytes {
  return new Writer()
    .u8(1).key(card.genesis).opaque(fromHex(card.contactId), ID_LENGTH).u64(card.revision)
    .string(card.name).string(card.handle).u8(card.pin).key(card.theirGenesis).bytes();
}

export function decodeContactCard(body: Uint8Array): ContactCard {
  return decode(body, (reader) => {
    readVersion(reader);
    const card: ContactCard = {
      genesis: reader.key(),
      contactId: toHex(reader.opaque(ID_LENGTH)),
      revision: reader.u64(),
      name: reader.string(),
      handle: reader.string(),
      pin: readPin(reader.u8()),
      theirGenesis: reader.key(),
    };
    const pinned = card.pin === PIN.unverified || card.pin === PIN.verified;
    if (pinned === equalBytes(card.theirGenesis, NO_KEY)) throw new MalformedError("a pin and its key disagree");
    return card;
  });
}

function readPin(value: number): Pin {
  const pin = Object.values(PIN).find((known) => known === value);
  if (pin === undefined) throw new MalformedError("a pin that is not known here");
  return pin;
}
