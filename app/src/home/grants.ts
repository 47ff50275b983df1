//! Who may drop in on the household's devices, as its adults have signed it.
//!
//! A grant counts only when an adult of the pinned household signed it, in the newest revision that was seen, until it ends. The
//! server can take one away, and never give one. Its devices check all of this by themselves.

import type { E2ee } from "../e2ee/page.ts";
import type { Grant, RosterView } from "../e2ee/port.ts";
import type { Blob, ContactId, DropInGrant, GrantId } from "../protocol.ts";
import type { Session } from "../session/client.ts";
import { randomId } from "./local.ts";
import { signerOf } from "./signers.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;
/** How long a grant lasts (docs/drop-in.md). */
const LIFETIME_MS = 30 * DAY_MS;
/** An adult's app that is open renews what lasts less long. */
const RENEW_BELOW_MS = 23 * DAY_MS;
/** As the server bounds them. */
const GRANTS_MAX = 128;

/** What an adult chooses; the rest is the statement's own affair. */
export type Choice = Pick<Grant, "to" | "devices" | "hours" | "picture" | "opening">;

/** Which grants this app's person was told of. */
export interface GrantMemory {
  toldGrants(): GrantId[] | undefined;
  keepToldGrants(grants: readonly GrantId[]): void;
}

interface Held {
  grant: Grant;
  statement: Blob;
}

export class Grants {
  readonly #e2ee: Pick<E2ee, "request">;
  readonly #session: Pick<Session, "done">;
  readonly #memory: Partial<GrantMemory> | undefined;
  readonly #now: () => number;
  #held = new Map<GrantId, Held>();
  /** Shown by the server, and signed by nobody who counts. */
  #untrusted = 0;

  constructor(e2ee: Pick<E2ee, "request">, session: Pick<Session, "done">, memory?: Partial<GrantMemory>, now: () => number = Date.now) {
    this.#e2ee = e2ee;
    this.#memory = memory;
    this.#session = session;
    this.#now = now;
  }

  /** Those that let somebody in, or will at their hours. */
  active(): Grant[] {
    return [...this.#held.values()].map(({ grant }) => grant).filter(({ revoked, expiresAtMs }) => !revoked && expiresAtMs > this.#now());
  }

  /** To the own household. */
  home(): Grant | undefined {
    return this.active().find(({ to }) => to.type === "home");
  }

  ofContact(contact: ContactId): Grant | undefined {
    return this.active().find(({ to }) => to.type !== "home" && to.contact === contact);
  }

  /** How many are shown that don't hold: they let nobody in. */
  get untrusted(): number {
    return this.#untrusted;
  }

  /** Those of which the person was not told yet: everybody of a household hears of each. */
  news(): Grant[] {
    const told = new Set(this.#memory?.toldGrants?.() ?? this.active().map(({ id }) => id));
    return this.active().filter(({ id }) => !told.has(id));
  }

  /** They were told of all that there are. */
  told(): void {
    this.#memory?.keepToldGrants?.(this.active().map(({ id }) => id));
  }

  /** All anew: a signer may have left the household since, so what was known counts no more by itself. */
  async load(shown: readonly DropInGrant[]): Promise<void> {
    this.#held = new Map();
    this.#untrusted = 0;
    for (const one of shown.slice(0, GRANTS_MAX)) await this.take(one);
    // An app that begins here knows them from its first look.
    if (this.#memory?.toldGrants?.() === undefined) this.told();
  }

  /** What is held, looked at anew after the household changed. */
  recheck(): Promise<void> {
    return this.load([...this.#held].map(([id, { statement }]) => ({ id, statement })));
  }

  async take({ id, statement }: DropInGrant): Promise<void> {
    try {
      const grant = await this.#e2ee.request("grant.open", { statement });
      if (grant.id !== id) throw new Error("the statement is another grant's");
      const before = this.#held.get(id)?.grant;
      const full = before === undefined && this.#held.size >= GRANTS_MAX;
      if (full || (before?.revoked === true && !grant.revoked)) return;
      this.#held.set(id, { grant, statement });
    } catch {
      this.#untrusted += 1;
    }
  }

  /** Gone with its contact. */
  end(id: GrantId): void {
    this.#held.delete(id);
  }

  /** Gives, or changes what was given to the same. */
  async give(choice: Choice): Promise<void> {
    const before = choice.to.type === "home" ? this.home() : this.ofContact(choice.to.contact);
    const news = this.news();
    const { id } = await this.#put({ ...this.#next(before), ...choice });
    // Who gives it knows it.
    if (news.every((one) => one.id !== id)) this.#memory?.keepToldGrants?.([...(this.#memory.toldGrants?.() ?? []), id]);
  }

  async takeBack(grant: Grant): Promise<void> {
    await this.#put({ ...this.#next(grant), revoked: true });
  }

  /** Everyone out: every grant ends. What fails is tried again with the next press. */
  async takeAllBack(): Promise<void> {
    for (const grant of this.active()) await this.takeBack(grant);
  }

  /** Silently, in every adult's app. What a removed adult had signed is signed anew as this app knew it while it counted. */
  async renew(gone: ReadonlySet<Blob> = new Set()): Promise<void> {
    for (const { grant, statement } of [...this.#held.values()]) {
      const left = grant.expiresAtMs - this.#now();
      const orphaned = gone.has(signerOf(statement) ?? "");
      if (grant.revoked || left <= 0 || (left >= RENEW_BELOW_MS && !orphaned)) continue;
      try {
        await this.#put(this.#next(grant));
      } catch {
        // Another adult's app was first, or took it back; or the next visit renews it.
      }
    }
  }

  /** The next revision, for thirty days from now. Its number is the time, which grows whichever adult's app signs. */
  #next(before: Grant | undefined): Grant {
    const now = this.#now();
    return {
      id: randomId(), to: { type: "home" }, devices: [], hours: undefined, picture: false, opening: "at_once", ...before,
      revision: Math.max(now, (before?.revision ?? 0) + 1), signedAtMs: now, expiresAtMs: now + LIFETIME_MS, revoked: false,
    };
  }

  async #put(grant: Grant): Promise<Grant> {
    const { statement } = await this.#e2ee.request("grant.sign", grant);
    await this.#session.done({ type: "put_drop_in_grant", grant: grant.id, statement });
    await this.take({ id: grant.id, statement });
    return grant;
  }
}

/** The keys of home devices by name, for whoever chooses among them. */
export function targets(roster: RosterView | undefined): { key: Blob; device: string }[] {
  return (roster?.devices ?? []).filter(({ kind }) => kind === "home_device").map(({ deviceKey, device }) => ({ key: deviceKey, device }));
}
