//! What a home device keeps of drop-ins beside its keys: the newest revisions of grants, what was ended at it, what it was asked, and
//! its ledger.

import { type Bytes, equalBytes } from "../bytes.ts";
import type { Kept } from "../identity/drop_in_held.ts";
import type { StoredLedger } from "../identity/ledger.ts";
import type { Slot } from "./keystore.ts";
import type { Records } from "./records.ts";

export interface KeptDropIn {
  /** Of another household nothing of it counts. */
  genesis: Bytes;
  held: Kept;
  /** Calls that were asked for lately. */
  asked: Map<string, number>;
  ledger: StoredLedger;
  /** The drop-in whose beginning is written and whose end is not. */
  opened?: Opened | undefined;
}

export interface Opened {
  call: string;
  atMs: number;
}

export class KeptGrants {
  readonly #records: Records;

  constructor(records: Records) {
    this.#records = records;
  }

  async load(slot: Slot, genesis: Bytes): Promise<KeptDropIn | undefined> {
    const kept = (await this.#records.get(name(slot))) as KeptDropIn | undefined;
    return kept !== undefined && equalBytes(kept.genesis, genesis) ? kept : undefined;
  }

  save(slot: Slot, kept: KeptDropIn): Promise<void> {
    return this.#records.update(name(slot), () => kept);
  }

  delete(slot: Slot): Promise<void> {
    return this.#records.delete(name(slot));
  }
}

function name(slot: Slot): string {
  return `${slot} drop-in`;
}
