//! Ledgers as the page and the key worker say them (docs/drop-in.md). Bytes are base64url.

import type { DropInRefusal } from "../protocol.ts";

/** Where a ledger ends, or how far it was read. */
export interface LedgerPoint {
  length: number;
  /** Of the last entry before that; absent where nothing is known yet: then the entry that follows says it. */
  hash?: string | undefined;
}

export interface LedgerParty {
  /** Empty where they could not be verified. */
  genesis: string;
  /** The account id in words. */
  person: string;
  /** What their device is called. */
  label: string;
}

/** What happened at a device. */
export type LedgerLine =
  | { kind: "opened"; call: string; who: LedgerParty; grant: string; picture: boolean; knocked: boolean }
  | { kind: "ended"; call: string; lastedMs: number; by: "target" | "initiator" | "grant" | "everyone_out" | "connection" }
  | { kind: "refused"; call: string; who: LedgerParty; refusal: DropInRefusal }
  | { kind: "grant_taken"; grant: string; revision: number; change: "given" | "changed" | "revoked" }
  | { kind: "put_out" }
  | { kind: "switched"; on: boolean }
  | { kind: "grant_refused"; refusal: DropInRefusal }
  | { kind: "resumed"; length: number };

export interface LedgerRead {
  index: number;
  /** By the device's clock. */
  atMs: number;
  line: LedgerLine;
}

/** What is wrong with a ledger. */
export type LedgerTrouble = "broken" | "wrong_signer" | "shorter" | "another_one";

export interface LedgerReadArgs {
  device: string;
  entries: string[];
  /** Whether the server has more than these. */
  more: boolean;
  /** The longest end that was seen of this device. */
  remembered?: LedgerPoint | undefined;
  /** Where reading began, and where it goes on. */
  began: number;
  at: LedgerPoint;
}

export interface LedgerReadReply {
  entries: LedgerRead[];
  end: { length: number; hash: string };
  trouble?: LedgerTrouble | undefined;
}
