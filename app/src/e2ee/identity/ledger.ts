//! The ledger of a target device (docs/drop-in.md): what the device keeps of its own, and how one that is shown is checked.
//!
//! The server can hold entries back, and can neither change, drop nor reorder one unnoticed by whoever remembers how long it was.

import type { DropInRefusal } from "../../protocol.ts";
import { type Bytes, equalBytes, fromBase64Url, toBase64Url } from "../bytes.ts";
import { HASH_LENGTH } from "./encoding.ts";
import { deviceIdOf } from "./ids.ts";
import { type KeyPair, sha256 } from "./keys.ts";
import { decodeEntry, LEDGER_CONTEXT, type LedgerEntry, type LedgerWhat, signEntry } from "./ledger_entry.ts";
import { decodeSigned, encodeSigned, verifySigned } from "./signed.ts";

/** Entries that wait for the server. When fewer than two places are left nothing opens, and nothing further is written but the end of a drop-in that runs. */
export const UNSENT_MAX = 1_024;
/** Refusals that are written within a minute; more are not, and of the same initiator and reason only one is. */
export const REFUSALS_A_MINUTE_MAX = 32;
const MINUTE_MS = 60_000;

/** Where a ledger ends: how many entries it has, and the hash of the last one (zeros for none). */
export interface LedgerEnd {
  length: number;
  hash: Bytes;
}

export type LedgerFault =
  /** That entry can't be read, does not follow the one before, or its signature is wrong. */
  | { fault: "broken"; index: number }
  | { fault: "wrong_signer"; index: number }
  | { fault: "shorter"; found: number; remembered: number }
  | { fault: "another_one" };

export class LedgerFaultError extends Error {
  readonly fault: LedgerFault;

  constructor(fault: LedgerFault) {
    super(`something is wrong with a ledger: ${fault.fault}`);
    this.name = "LedgerFaultError";
    this.fault = fault;
  }
}

export function noEntries(): LedgerEnd {
  return { length: 0, hash: new Uint8Array(HASH_LENGTH) };
}

/** Reads one ledger, entry by entry. What it returned counts once `finish` has agreed. */
export class LedgerReader {
  readonly #genesis: Bytes;
  readonly #device: string;
  readonly #remembered: LedgerEnd;
  readonly #began: number;
  #end: LedgerEnd;

  /** From the first entry on. `remembered`: the longest end that was seen of this device. */
  constructor(genesis: Bytes, device: string, remembered: LedgerEnd, from: { began: number; end: LedgerEnd } = { began: 0, end: noEntries() }) {
    this.#genesis = genesis;
    this.#device = device;
    this.#remembered = remembered;
    this.#began = from.began;
    this.#end = from.end;
  }

  /** Only what came after the end that was seen. */
  static after(genesis: Bytes, device: string, remembered: LedgerEnd): LedgerReader {
    return new LedgerReader(genesis, device, remembered, { began: remembered.length, end: remembered });
  }

  get end(): LedgerEnd {
    return this.#end;
  }

  /** Fails with `LedgerFaultError`; nothing after that can be read. */
  read(blob: Uint8Array): LedgerEntry {
    const index = this.#end.length;
    const entry = this.#open(blob, index);
    if (!equalBytes(entry.prev, this.#end.hash)) {
      // Where nothing but the remembered end is known it is not the chain that is broken.
      throw new LedgerFaultError(index > 0 && index === this.#began ? { fault: "another_one" } : { fault: "broken", index });
    }
    const end = { length: index + 1, hash: sha256(blob) };
    if (end.length === this.#remembered.length && !equalBytes(end.hash, this.#remembered.hash)) throw new LedgerFaultError({ fault: "another_one" });
    this.#end = end;
    return entry;
  }

  /** There are no more entries. */
  finish(): LedgerEnd {
    const { length } = this.#end;
    if (length < this.#remembered.length) throw new LedgerFaultError({ fault: "shorter", found: length, remembered: this.#remembered.length });
    return this.#end;
  }

  #open(blob: Uint8Array, index: number): LedgerEntry {
    const broken = new LedgerFaultError({ fault: "broken", index });
    const signed = attempt(() => decodeSigned(blob), broken);
    if (deviceIdOf(signed.signer) !== this.#device) throw new LedgerFaultError({ fault: "wrong_signer", index });
    const entry = attempt(() => decodeEntry(signed.body), broken);
    if (!equalBytes(entry.genesis, this.#genesis) || entry.index !== index) throw broken;
    // Signatures under a remembered end were checked when it was remembered: that the bytes are the same is what its hash says.
    if (index >= this.#remembered.length) attempt(() => verifySigned(LEDGER_CONTEXT, signed), broken);
    return entry;
  }
}

/** What is to be stored of a device's own ledger, as texts. */
export interface StoredLedger {
  length: number;
  hash: string;
  unsent: string[];
}

/** Too much waits for the server: nothing may open. */
export class LedgerFullError extends Error {
  constructor() {
    super("The ledger holds as many entries as it can until the server has stored some.");
    this.name = "LedgerFullError";
  }
}

/** What a device keeps of its own ledger. Its owner stores it whenever it has changed, before an entry is sent. */
export class OwnLedger {
  readonly #genesis: Bytes;
  readonly #pair: KeyPair;
  #end: LedgerEnd;
  #unsent: Bytes[];
  /** Refusals that were written lately. Not stored. */
  #refusals: { whose: string; refusal: DropInRefusal; atMs: number }[] = [];

  constructor(genesis: Bytes, pair: KeyPair, stored?: StoredLedger) {
    this.#genesis = genesis;
    this.#pair = pair;
    this.#end = stored === undefined ? noEntries() : { length: stored.length, hash: fromBase64Url(stored.hash) };
    this.#unsent = (stored?.unsent ?? []).slice(0, UNSENT_MAX).map(fromBase64Url);
  }

  /** Where it ends, unsent entries included. */
  get end(): LedgerEnd {
    return this.#end;
  }

  /** How many entries the server has said that it stored. */
  get storedLength(): number {
    return this.#end.length - this.#unsent.length;
  }

  /** Whether a drop-in may open: its beginning and its end must have room. */
  get hasRoom(): boolean {
    return this.#unsent.length + 2 <= UNSENT_MAX;
  }

  toStored(): StoredLedger {
    return { length: this.#end.length, hash: toBase64Url(this.#end.hash), unsent: this.#unsent.map(toBase64Url) };
  }

  /** A refusal that was written within the last minute, or is one too many, leaves no entry. Fails with `LedgerFullError`. */
  write(nowMs: number, what: LedgerWhat): void {
    const fits = what.kind === "ended" ? this.#unsent.length < UNSENT_MAX : this.hasRoom;
    if (!fits) throw new LedgerFullError();
    if (!this.#isOneTooMany(nowMs, what)) this.#push(nowMs, what);
  }

  /** The entry that the server is to store next, with its place. */
  next(): { index: number; entry: Bytes } | undefined {
    const [entry] = this.#unsent;
    return entry === undefined ? undefined : { index: this.storedLength, entry };
  }

  /** The server has stored the entry at this place. Said twice, it changes nothing. */
  stored(index: number): void {
    if (index === this.storedLength) this.#unsent.shift();
  }

  /** Compares with what the server has at the beginning of a session: how many, and the last of them. Fails with `LedgerFaultError`: see `resume`. */
  meet(length: number, last: Uint8Array | undefined): void {
    const stored = this.storedLength;
    if (length < stored) throw new LedgerFaultError({ fault: "shorter", found: length, remembered: stored });
    const expected = this.#hashAt(length);
    const found = last === undefined ? noEntries().hash : sha256(last);
    if (expected === undefined || !equalBytes(found, expected)) throw new LedgerFaultError({ fault: "another_one" });
    this.#unsent.splice(0, length - stored);
  }

  /**
   * Goes on from what the server has, read by a `LedgerReader` from the first entry to `found`, after `meet` refused it. The next entry
   * says what the device had remembered, and what was not stored follows it.
   */
  resume(nowMs: number, found: LedgerEnd): void {
    if (this.#unsent.length >= UNSENT_MAX) throw new LedgerFullError();
    const unsent = this.#unsent.splice(0);
    const { length, hash } = this.#end;
    this.#end = found;
    this.#push(nowMs, { kind: "resumed", length, hash });
    for (const blob of unsent) {
      const { atMs, what } = decodeEntry(decodeSigned(blob).body);
      this.#push(atMs, what);
    }
  }

  #push(atMs: number, what: LedgerWhat): void {
    const entry = { genesis: this.#genesis, index: this.#end.length, prev: this.#end.hash, atMs, what };
    const blob = encodeSigned(signEntry(entry, this.#pair));
    this.#end = { length: this.#end.length + 1, hash: sha256(blob) };
    this.#unsent.push(blob);
  }

  /** The hash of the entry before a place; undefined: the device does not remember that place. */
  #hashAt(length: number): Bytes | undefined {
    if (length === this.#end.length) return this.#end.hash;
    const blob = this.#unsent[length - this.storedLength];
    return blob === undefined ? undefined : decodeEntry(decodeSigned(blob).body).prev;
  }

  #isOneTooMany(nowMs: number, what: LedgerWhat): boolean {
    if (what.kind !== "refused" && what.kind !== "grant_refused") return false;
    const whose = toBase64Url(what.kind === "refused" ? what.who.device : what.statement);
    const { refusal } = what;
    // A clock that was set back would else keep what is remembered for as long as it was set back.
    this.#refusals = this.#refusals.filter(({ atMs }) => atMs <= nowMs && nowMs - atMs < MINUTE_MS);
    const known = this.#refusals.some((recent) => recent.whose === whose && recent.refusal === refusal);
    if (known || this.#refusals.length >= REFUSALS_A_MINUTE_MAX) return true;
    this.#refusals.push({ whose, refusal, atMs: nowMs });
    return false;
  }
}

function attempt<T>(read: () => T, otherwise: Error): T {
  try {
    return read();
  } catch {
    throw otherwise;
  }
}
