//! This device's own ledger as its drop-ins write it: who, which room, when, for how long, and what became of grants.

import { type Bytes, fromBase64Url, toBase64Url } from "../bytes.ts";
import type { Identity } from "../identity/chain.ts";
import { type DropInGrant, GrantError } from "../identity/drop_in.ts";
import type { DropInRefusal } from "../../protocol.ts";
import { TakeError } from "../identity/drop_in_held.ts";
import type { Opened } from "../keys/kept_grants.ts";
import type { EndedBy, Live } from "../identity/drop_in_target.ts";
import { MalformedError } from "../identity/encoding.ts";
import { type KeyPair, sha256 } from "../identity/keys.ts";
import { deviceIdOf } from "../identity/ids.ts";
import { LedgerFaultError, LedgerFullError, LedgerReader, noEntries, OwnLedger, type StoredLedger } from "../identity/ledger.ts";
import { ENDED_BY, GRANT_CHANGE, type LedgerWhat, type LedgerWho, unverifiedWho } from "../identity/ledger_entry.ts";
import { SignatureError } from "../identity/signed.ts";

const BY: Readonly<Record<EndedBy, (typeof ENDED_BY)[keyof typeof ENDED_BY]>> = {
  target: ENDED_BY.target, initiator: ENDED_BY.initiator, grant: ENDED_BY.grant, put_out: ENDED_BY.everyonePutOut, connection: ENDED_BY.connection,
};

export class LedgerBook {
  readonly #genesis: Bytes;
  readonly #pair: KeyPair;
  readonly #own: OwnLedger;
  readonly #now: () => number;
  #opened: Opened | undefined;
  /** The whole of what the server has, while it is read. */
  #reader: LedgerReader | undefined;

  constructor(genesis: Bytes, pair: KeyPair, now: () => number, stored?: StoredLedger, opened?: Opened) {
    this.#genesis = genesis;
    this.#pair = pair;
    this.#own = new OwnLedger(genesis, pair, stored);
    this.#now = now;
    this.#opened = opened;
  }

  /** The drop-in whose beginning is written and whose end is not. */
  get open(): Opened | undefined {
    return this.#opened;
  }

  get stored(): StoredLedger {
    return this.#own.toStored();
  }

  get hasRoom(): boolean {
    return this.#own.hasRoom;
  }

  next(): { index: number; entry: string } | undefined {
    const next = this.#own.next();
    return next && { index: next.index, entry: toBase64Url(next.entry) };
  }

  markStored(index: number): void {
    this.#own.stored(index);
  }

  refused(call: string, who: Identity | undefined, refusal: DropInRefusal): void {
    this.#write({ kind: "refused", call, who: written(who), refusal });
  }

  /** False: it could not be written, and nothing may open. */
  opened({ call, permit, picture }: Live, who: Identity): boolean {
    const done = this.#write({ kind: "opened", call, who: written(who), grant: permit.grant, revision: permit.revision, picture, opening: permit.opening });
    if (done) this.#opened = { call, atMs: this.#now() };
    return done;
  }

  /** Says nothing of what has not been opened. */
  ended(call: string, by: EndedBy): void {
    if (this.#opened?.call !== call) return;
    const lastedMs = Math.max(0, this.#now() - this.#opened.atMs);
    this.#opened = undefined;
    this.#write({ kind: "ended", call, lastedMs, by: BY[by] });
  }

  grantTaken({ id, revision, revoked }: DropInGrant, statement: Bytes, known: boolean): void {
    const change = revoked ? GRANT_CHANGE.revoked : known ? GRANT_CHANGE.changed : GRANT_CHANGE.given;
    this.#write({ kind: "grant_taken", grant: id, revision, statement: sha256(statement), change });
  }

  grantRefused(statement: Bytes, error: unknown): void {
    const refusal = refusalOf(error);
    if (refusal !== undefined) this.#write({ kind: "grant_refused", statement: sha256(statement), refusal });
  }

  putOut(): void {
    this.#write({ kind: "put_out" });
  }

  switched(on: boolean): void {
    this.#write({ kind: "switched", on });
  }

  /** At the beginning of a session. False: the server has another ledger than this device wrote; it is to be read whole. */
  meet(length: number, last: string | undefined): boolean {
    try {
      this.#own.meet(length, last === undefined ? undefined : fromBase64Url(last));
      return true;
    } catch (error) {
      if (!(error instanceof LedgerFaultError)) throw error;
      this.#reader = new LedgerReader(this.#genesis, deviceIdOf(this.#pair.publicKey), noEntries());
      return false;
    }
  }

  /** Entry by entry, from the first; fails when that is no sound ledger of this device. */
  read(entries: readonly string[], more: boolean): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    for (const entry of entries) reader.read(fromBase64Url(entry));
    if (more) return;
    this.#reader = undefined;
    this.#own.resume(this.#now(), reader.finish());
  }

  /** With a full ledger nothing opens; what else happened is not written. */
  #write(what: LedgerWhat): boolean {
    try {
      this.#own.write(this.#now(), what);
      return true;
    } catch (error) {
      if (!(error instanceof LedgerFullError)) throw error;
      return false;
    }
  }
}

function written(who: Identity | undefined): LedgerWho {
  return who === undefined ? unverifiedWho() : { genesis: who.genesis, device: who.deviceKey, person: who.person, label: who.label };
}

function refusalOf(error: unknown): DropInRefusal | undefined {
  if (error instanceof GrantError) return error.reason;
  if (error instanceof TakeError) return error.reason === "full" ? undefined : error.reason;
  return error instanceof MalformedError || error instanceof SignatureError ? "forged" : undefined;
}
