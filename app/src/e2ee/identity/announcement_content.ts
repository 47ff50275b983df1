//! An announcement's content: encrypted once, its key sealed to each device (docs/announcements.md).

import { type Bytes, compareBytes, concat, equalBytes, fromHex, fromUtf8, utf8 } from "../bytes.ts";
import {
  ANNOUNCED, type Announcement, AnnouncementError, DEVICES_MAX, LENGTH_MS_MAX, type SealedKey, signAnnouncement, SOUND_BYTES_MAX, TEXT_BYTES_MAX,
} from "./announcement.ts";
import type { Chain } from "./chain.ts";
import { MalformedError } from "./encoding.ts";
import { type KeyPair, sha256 } from "./keys.ts";
import { SealingKey, sealTo } from "./sealing.ts";

/** The content's key is used once, so that its nonce may be anything. */
const NONCE = new Uint8Array(12);
const KEY_LENGTH = 16;

/** What is said: Opus in Ogg and how long it lasts, or a text. */
export type Content = { kind: "sound"; ogg: Bytes; lengthMs: number } | { kind: "text"; text: string };

export interface Draft {
  id: string;
  content: Content;
  replyTo: string | undefined;
  atMs: number;
}

export interface Speaker {
  device: KeyPair;
  chain: Chain;
  genesis: Bytes;
}

/** Encrypts, seals and signs. `contentKey` is random and used for nothing else. A device whose key is none is left out. */
export async function sealAnnouncement(
  draft: Draft, { device, chain, genesis }: Speaker, to: readonly { device: Bytes; key: Bytes }[], contentKey: Bytes,
): Promise<{ statement: Bytes; ciphertext: Bytes }> {
  const { kind, plain, lengthMs } = partsOf(draft.content);
  if (to.length > DEVICES_MAX) throw new AnnouncementError("too_many");
  const parameters = { name: "AES-GCM", iv: NONCE, additionalData: contentAad(draft.id) };
  const ciphertext = new Uint8Array(await crypto.subtle.encrypt(parameters, await aesKey(contentKey), plain));
  const keys: SealedKey[] = [];
  for (const one of to) {
    if (equalBytes(one.device, device.publicKey) || keys.some((other) => equalBytes(other.device, one.device))) continue;
    const sealed = await sealTo(one.key, keyInfo(draft.id, device.publicKey), concat(genesis, one.device), contentKey);
    if (sealed !== undefined) keys.push({ device: one.device, enc: sealed.enc, sealed: sealed.ciphertext });
  }
  if (keys.length === 0) throw new AnnouncementError("no_devices");
  keys.sort((one, other) => compareBytes(one.device, other.device));
  const said = { genesis, id: draft.id, kind, atMs: draft.atMs, lengthMs, replyTo: draft.replyTo, contentHash: sha256(ciphertext), keys, chain };
  return { statement: signAnnouncement(said, device), ciphertext };
}

/** Opens the content of an announcement that was opened and whose signer is `from`. */
export async function openContent(said: Announcement, from: Bytes, device: KeyPair, ciphertext: Bytes): Promise<Content> {
  const sealed = said.keys.find((one) => equalBytes(one.device, device.publicKey));
  if (sealed === undefined) throw new AnnouncementError("not_for_us");
  if (!equalBytes(sha256(ciphertext), said.contentHash)) throw new AnnouncementError("other_content");
  const own = await SealingKey.of(device);
  const contentKey = await own.open({ enc: sealed.enc, ciphertext: sealed.sealed }, keyInfo(said.id, from), concat(said.genesis, device.publicKey));
  if (contentKey?.length !== KEY_LENGTH) throw new MalformedError("the content's key does not open");
  const parameters = { name: "AES-GCM", iv: NONCE, additionalData: contentAad(said.id) };
  const plain = await crypto.subtle.decrypt(parameters, await aesKey(contentKey), ciphertext).catch(() => undefined);
  if (plain === undefined) throw new MalformedError("the content does not decrypt");
  return contentOf(said, new Uint8Array(plain));
}

function partsOf(content: Content): { kind: Announcement["kind"]; plain: Bytes; lengthMs: number } {
  const sound = content.kind === "sound";
  const plain = sound ? content.ogg : utf8(content.text);
  const lengthMs = sound ? content.lengthMs : 0;
  if (plain.length === 0 || (sound && lengthMs === 0)) throw new AnnouncementError("empty");
  if (plain.length > (sound ? SOUND_BYTES_MAX : TEXT_BYTES_MAX) || lengthMs > LENGTH_MS_MAX) throw new AnnouncementError("too_long");
  return { kind: sound ? ANNOUNCED.sound : ANNOUNCED.text, plain, lengthMs };
}

function contentOf(said: Announcement, plain: Bytes): Content {
  const sound = said.kind === ANNOUNCED.sound;
  if (plain.length > (sound ? SOUND_BYTES_MAX : TEXT_BYTES_MAX)) throw new MalformedError("the content is longer than it may be");
  if (sound) return { kind: "sound", ogg: plain, lengthMs: said.lengthMs };
  try {
    return { kind: "text", text: fromUtf8(plain) };
  } catch {
    throw new MalformedError("the content is no text");
  }
}

function aesKey(bytes: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
}

function contentAad(id: string): Bytes {
  return concat(utf8("homeline announcement content v1"), fromHex(id));
}

function keyInfo(id: string, from: Bytes): Bytes {
  return concat(utf8("homeline announcement key v1"), fromHex(id), from);
}
