//! One receiving track: opens frames in order, and holds those whose key is still on its way.

import type { Bytes } from "../bytes.ts";
import type { Keyring } from "./keyring.ts";

/** Half a second of a video track. When it is full the oldest frame is dropped, since the newest is worth more. */
export const HELD_MAX = 32;
export const HELD_MAX_MS = 500;

interface Held<F> {
  frame: F;
  data: Bytes;
  since: number;
}

/**
 * `F` is the browser's frame; `deliver` puts the opened bytes into it and passes it on. The keyring is asked for at every
 * frame, since a track is there before its call has keys, and may outlive a group.
 */
export class ReceiveTrack<F> {
  readonly #keyring: () => Keyring | undefined;
  readonly #owner: string;
  readonly #deliver: (frame: F, data: ArrayBuffer) => void;
  #held: Held<F>[] = [];
  #last: Promise<void> = Promise.resolve();

  constructor(keyring: () => Keyring | undefined, owner: string, deliver: (frame: F, data: ArrayBuffer) => void) {
    this.#keyring = keyring;
    this.#owner = owner;
    this.#deliver = deliver;
  }

  push(now: number, frame: F, data: Bytes): Promise<void> {
    return this.#inOrder(async () => {
      this.expire(now);
      await this.#open({ frame, data, since: now });
    });
  }

  /** A receive key was installed: held frames of its epoch get their one further look. */
  retry(now: number): Promise<void> {
    return this.#inOrder(async () => {
      this.expire(now);
      const waiting = this.#held;
      this.#held = [];
      for (const held of waiting) await this.#open(held);
    });
  }

  expire(now: number): void {
    while (this.#held[0] !== undefined && now - this.#held[0].since > HELD_MAX_MS) {
      this.#held.shift();
      this.#keyring()?.giveUpUnknown();
    }
  }

  async #open(held: Held<F>): Promise<void> {
    const result = await this.#keyring()?.decrypt(held.data, this.#owner) ?? { type: "unknown" };
    if (result.type === "frame") this.#deliver(held.frame, result.data);
    if (result.type === "unknown") this.#hold(held);
  }

  /** A retry must not overtake a frame that is being opened. */
  #inOrder(run: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(run, run);
    return this.#last;
  }

  #hold(held: Held<F>): void {
    if (this.#held.length >= HELD_MAX) {
      this.#held.shift();
      this.#keyring()?.giveUpUnknown();
    }
    this.#held.push(held);
  }
}
