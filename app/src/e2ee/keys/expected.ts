//! Which households each running call may hold, kept beside the keys: a page that is reloaded in mid-call has only this.
//!
//! No key of a call is here, and nothing that the server said: only whom this member invited, whose invitation it
//! accepted, and whom members of the group vouched for.

import type { Bytes } from "../bytes.ts";
import type { Slot } from "./keystore.ts";
import type { Records } from "./records.ts";

/** Calls remembered for one slot; the oldest makes room. A device takes part in one call, and rings for a few. */
export const REMEMBERED_MAX = 16;
/** Longer than the server waits for a page that went away; what is older belongs to a call that is over. */
export const REMEMBERED_MS = 24 * 60 * 60 * 1_000;

interface Remembered {
  at: number;
  households: Bytes[];
}

type Calls = ReadonlyMap<string, Remembered>;

export class Expected {
  readonly #records: Records;

  constructor(records: Records) {
    this.#records = records;
  }

  async of(slot: Slot, call: string, now: number): Promise<Bytes[]> {
    const calls = (await this.#records.get(name(slot))) as Calls | undefined;
    const found = calls?.get(call);
    return found === undefined || now - found.at > REMEMBERED_MS ? [] : found.households;
  }

  /** All of them, each time there is one more. */
  keep(slot: Slot, call: string, households: Bytes[], now: number): Promise<void> {
    return this.#records.update(name(slot), (old) => {
      const fresh = [...((old as Calls | undefined) ?? [])].filter(([id, { at }]) => id !== call && now - at <= REMEMBERED_MS);
      return new Map([...fresh.slice(1 - REMEMBERED_MAX), [call, { at: now, households }]]);
    });
  }

  forget(slot: Slot, call: string): Promise<void> {
    return this.#records.update(name(slot), (old) => new Map([...((old as Calls | undefined) ?? [])].filter(([id]) => id !== call)));
  }

  forgetAll(slot: Slot): Promise<void> {
    return this.#records.delete(name(slot));
  }
}

function name(slot: Slot): string {
  return `${slot} calls`;
}
