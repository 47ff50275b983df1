//! What a home device keeps of the announcements that were heard at it: none of them plays again in a page after this one.

import { type Bytes, equalBytes } from "../bytes.ts";
import type { Slot } from "./keystore.ts";
import type { Records } from "./records.ts";

interface KeptHeard {
  /** Of another household nothing of it counts. */
  genesis: Bytes;
  /** Until when each could count. */
  until: Map<string, number>;
}

export class KeptHeardOnes {
  readonly #records: Records;

  constructor(records: Records) {
    this.#records = records;
  }

  async load(slot: Slot, genesis: Bytes): Promise<Map<string, number>> {
    return read(await this.#records.get(name(slot)), genesis);
  }

  /** Bounded by what was taken: what counts no more is left out. */
  keep(slot: Slot, genesis: Bytes, [id, until]: [string, number], now: number): Promise<void> {
    return this.#records.update(name(slot), (old): KeptHeard => {
      const fresh = [...read(old, genesis)].filter(([, end]) => end >= now);
      return { genesis, until: new Map([...fresh, [id, until]]) };
    });
  }

  delete(slot: Slot): Promise<void> {
    return this.#records.delete(name(slot));
  }
}

function read(record: unknown, genesis: Bytes): Map<string, number> {
  const kept = record as KeptHeard | undefined;
  return kept !== undefined && equalBytes(kept.genesis, genesis) ? kept.until : new Map();
}

function name(slot: Slot): string {
  return `${slot} heard`;
}
