//! What a device keeps of the grants that it was shown, and of what somebody ended at it.
//!
//! It outlives a reload beside the device's key: else a server could show an older revision again. What was ended here
//! needs no server and no signature, since it only takes away.

import { type Bytes, equalBytes } from "../bytes.ts";
import { CLOCK_SKEW_MS } from "./certificate.ts";
import { decodeGrant, type DropInGrant, GRANT_LIFETIME_MS_MAX, openGrant } from "./drop_in.ts";
import { sha256 } from "./keys.ts";
import type { Roster } from "./roster.ts";
import { decodeSigned } from "./signed.ts";

/** More grants than a household gives; a further one is not taken until one ends. */
export const HELD_MAX = 128;
/** More grants than a household changes in a month; a further one is not taken until old ones are forgotten. */
export const SEEN_MAX = 1_024;
/** More grants than anybody ends at a device; beyond, drop-in is off at it. */
export const ENDED_HERE_MAX = 1_024;

/** The newest revision of one grant. */
export interface Seen {
  revision: number;
  /** SHA-256 of the whole envelope: two statements of one revision are not one. */
  hash: Bytes;
  /** Then no later revision revives it. */
  revoked: boolean;
  /** Until then older revisions can matter. */
  untilMs: number;
}

/** As it is stored. */
export interface Kept {
  statements: Map<string, Bytes>;
  seen: Map<string, Seen>;
  endedHere: Set<string>;
  outSinceMs: number;
  off: boolean;
}

/** Why a genuine grant is not taken. */
export class TakeError extends Error {
  readonly reason: "replayed" | "revoked" | "not_yet" | "full";
  constructor(reason: TakeError["reason"]) {
    super(`a drop-in grant is not taken: ${reason}`);
    this.name = "TakeError";
    this.reason = reason;
  }
}

export class HeldGrants {
  /** The newest revision of each, as it was signed, revocations too. */
  readonly statements: Map<string, Bytes>;
  readonly #seen: Map<string, Seen>;
  readonly #endedHere: Set<string>;
  /** Everyone was put out at this moment: nothing signed until then counts. */
  #outSinceMs: number;
  /** Drop-in was switched off at this device, whatever the grants. */
  off: boolean;

  constructor(kept?: Kept) {
    this.statements = new Map(kept?.statements);
    this.#seen = new Map(kept?.seen);
    this.#endedHere = new Set(kept?.endedHere);
    this.#outSinceMs = kept?.outSinceMs ?? 0;
    this.off = kept?.off ?? false;
  }

  get kept(): Kept {
    return { statements: this.statements, seen: this.#seen, endedHere: this.#endedHere, outSinceMs: this.#outSinceMs, off: this.off };
  }

  /** Takes a grant, or a change or revocation of one. The same one twice is no error. */
  take(now: number, signed: Bytes, roster: Roster): DropInGrant {
    const grant = openGrant(signed, roster);
    if (grant.signedAtMs > now + CLOCK_SKEW_MS) throw new TakeError("not_yet");
    this.checkNewer(grant, signed);
    this.#sweep(now);
    const { id, revision, revoked } = grant;
    const room = (this.statements.size < HELD_MAX || this.statements.has(id)) && (this.#seen.size < SEEN_MAX || this.#seen.has(id));
    if (!room) throw new TakeError("full");
    // Whatever was signed until now has ended by then, and so has this one.
    const untilMs = Math.max(now + GRANT_LIFETIME_MS_MAX + 2 * CLOCK_SKEW_MS, grant.expiresAtMs);
    this.#seen.set(id, { revision, hash: sha256(signed), revoked, untilMs });
    this.statements.set(id, signed);
    return grant;
  }

  /**
   * The server says that it is gone. It can be believed, since that only takes away; should it show the grant again, the same
   * revision is taken again.
   */
  forget(id: string): void {
    this.statements.delete(id);
  }

  /** Somebody at the device ended this grant. */
  endHere(id: string): void {
    if (this.#endedHere.size < ENDED_HERE_MAX || this.#endedHere.has(id)) this.#endedHere.add(id);
    else this.off = true;
  }

  /** Somebody at the device put everyone out: what is held, and what was signed until now and never arrived. */
  everyoneOut(now: number): void {
    this.#outSinceMs = Math.max(this.#outSinceMs, now);
    for (const id of this.statements.keys()) this.endHere(id);
  }

  /** Refuses what is older than one seen before, another statement of the same revision, and what goes on after it was revoked. */
  checkNewer(grant: DropInGrant, signed: Uint8Array): void {
    const seen = this.#seen.get(grant.id);
    if (seen === undefined) return;
    const same = grant.revision === seen.revision && equalBytes(sha256(signed), seen.hash);
    if (grant.revision <= seen.revision && !same) throw new TakeError("replayed");
    if (seen.revoked && !grant.revoked) throw new TakeError("revoked");
  }

  wasEndedHere({ id, signedAtMs }: DropInGrant): boolean {
    return this.#endedHere.has(id) || signedAtMs <= this.#outSinceMs;
  }

  /** Forgets what has ended, and revisions of which no older one can count any more. */
  #sweep(now: number): void {
    for (const [id, signed] of this.statements) if (endOf(signed) <= now) this.statements.delete(id);
    for (const [id, { untilMs }] of this.#seen) if (untilMs <= now) this.#seen.delete(id);
  }
}

/** What was opened before is readable still; after a change of the format it is not, and goes. */
function endOf(signed: Bytes): number {
  try {
    return decodeGrant(decodeSigned(signed).body).expiresAtMs;
  } catch {
    return 0;
  }
}
