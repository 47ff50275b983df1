//! The frame keys of a call: one sending key with one counter, and a receiving key for each epoch still in use.
//!
//! KID = (leaf index << 4) | (epoch & 15). A receiver chooses exactly one key by KID, and never tries another.

import type { Bytes } from "../bytes.ts";
import type { FrameCounters } from "../port.ts";
import { ReplayWindow } from "./replay.ts";
import { AES_128_GCM_SHA256_128, decodeHeader, deriveFrameKeys, type FrameKeys, type Header, open, seal } from "./sframe.ts";

const EPOCH_BITS = 4n;
const EPOCH_MASK = (1n << EPOCH_BITS) - 1n;
const NO_METADATA = new Uint8Array(0);

/** What an epoch's key is made of: the exported secret, and which device sits at which leaf. */
export interface EpochKey {
  epoch: number;
  baseKey: Bytes;
  members: ReadonlyMap<number, string>;
}

export type OpenResult =
  | { type: "frame"; data: ArrayBuffer }
  /** No key of that epoch yet: hold the frame for a moment. */
  | { type: "unknown" }
  | { type: "dropped" };

interface Sending {
  epoch: number;
  kid: bigint;
  keys: Promise<FrameKeys>;
  counter: bigint;
}

interface Receiving extends EpochKey {
  leaves: Map<number, { keys: Promise<FrameKeys>; window: ReplayWindow }>;
}

export class Keyring {
  readonly counters: FrameCounters = {
    encrypted: 0, decrypted: 0, noSendKey: 0, unknownKey: 0, wrongSender: 0, authentication: 0, replay: 0, malformed: 0,
  };
  #sending: Sending | undefined;
  /** By the four epoch bits: when they wrap, the older key makes room. */
  readonly #receiving = new Map<number, Receiving>();

  installReceiveKey(key: EpochKey): void {
    const bits = key.epoch & Number(EPOCH_MASK);
    if (this.#receiving.get(bits)?.epoch === key.epoch) return;
    this.#receiving.set(bits, { ...key, leaves: new Map() });
  }

  dropReceiveKey(epoch: number): void {
    const bits = epoch & Number(EPOCH_MASK);
    if (this.#receiving.get(bits)?.epoch === epoch) this.#receiving.delete(bits);
  }

  /** Switching to the epoch already in use would start its counter again, which repeats nonces: it does nothing. */
  switchSendKey(epoch: number, leaf: number, baseKey: Bytes): void {
    if (this.#sending?.epoch === epoch) return;
    const kid = kidOf(leaf, epoch);
    this.#sending = { epoch, kid, keys: deriveFrameKeys(AES_128_GCM_SHA256_128, baseKey, kid), counter: 0n };
  }

  /** For a group made anew: its epochs count from zero again, under other secrets. */
  reset(): void {
    this.#sending = undefined;
    this.#receiving.clear();
  }

  /** From now on every outgoing frame is dropped, until a key of another epoch comes. */
  stopSending(): void {
    this.#sending = undefined;
  }

  /** Absent: there is no key, the frame must be dropped. */
  async encrypt(plaintext: BufferSource): Promise<Bytes | undefined> {
    const sending = this.#sending;
    if (sending === undefined) {
      this.counters.noSendKey++;
      return undefined;
    }
    // Taken before anything is awaited: the tracks of a member share this one counter.
    const counter = sending.counter++;
    const sealed = await seal(await sending.keys, sending.kid, counter, NO_METADATA, plaintext);
    if (this.#sending === undefined) {
      this.counters.noSendKey++;
      return undefined;
    }
    this.counters.encrypted++;
    return sealed;
  }

  /** `owner` is the device that the track is said to be of. */
  async decrypt(frame: Bytes, owner: string): Promise<OpenResult> {
    const header = decodeHeader(frame);
    if (header === undefined || header.counter > BigInt(Number.MAX_SAFE_INTEGER)) return this.#drop("malformed");
    const receiving = this.#receiving.get(Number(header.kid & EPOCH_MASK));
    if (receiving === undefined) return { type: "unknown" };
    const leafIndex = Number(header.kid >> EPOCH_BITS);
    const device = receiving.members.get(leafIndex);
    if (device !== owner) return this.#drop("wrongSender");
    return this.#open(receiving, leafIndex, header, frame);
  }

  /** A held frame's time is up. */
  giveUpUnknown(): void {
    this.counters.unknownKey++;
  }

  async #open(receiving: Receiving, leafIndex: number, header: Header, frame: Bytes): Promise<OpenResult> {
    let leaf = receiving.leaves.get(leafIndex);
    if (leaf === undefined) {
      const keys = deriveFrameKeys(AES_128_GCM_SHA256_128, receiving.baseKey, header.kid);
      leaf = { keys, window: new ReplayWindow() };
      receiving.leaves.set(leafIndex, leaf);
    }
    const counter = Number(header.counter);
    if (!leaf.window.isFresh(counter)) return this.#drop("replay");
    let data: ArrayBuffer;
    try {
      data = await open(await leaf.keys, header, NO_METADATA, frame);
    } catch {
      return this.#drop("authentication");
    }
    if (!leaf.window.accept(counter)) return this.#drop("replay");
    this.counters.decrypted++;
    return { type: "frame", data };
  }

  #drop(reason: "malformed" | "wrongSender" | "authentication" | "replay"): OpenResult {
    this.counters[reason]++;
    return { type: "dropped" };
  }
}

export function kidOf(leaf: number, epoch: number): bigint {
  return (BigInt(leaf) << EPOCH_BITS) | (BigInt(epoch) & EPOCH_MASK);
}
