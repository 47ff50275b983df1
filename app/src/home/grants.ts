//! Who may drop in on the household's devices, as its adults have signed it.
//!
//! A grant counts only when an adult of the pinned household signed it, in the newest revision that was seen, until it ends. The
//! server can take one away, and never give one. Its devices check all of this by themselves.

import type { E2ee } from "../e2ee/page.ts";
import type { Grant, RosterView } from "../e2ee/port.ts";
import type { AccountId, Blob, ContactId, DropInGrant, GrantId } from "../protocol.ts";
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

/** More people than a household has; the contact is among those who are named. */
const PEOPLE_MAX = 32;

/** What an adult chooses; the rest is the statement's own affair: whom of a household it names, too. */
export type Choice = Pick<Grant, "devices" | "hours" | "picture" | "opening"> & {
  to: Whom;
  /** When it ends for good, within thirty days; undefined: it is renewed until an adult takes it back. */
  endsAtMs?: number | undefined;
};
type Whom = Exclude<Grant["to"], { type: "household" }> | { type: "household"; contact: ContactId; theirGenesis: Blob };

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
  readonly #session: Pick<Session, "done" | "request">;
  readonly #memory: Partial<GrantMemory> | undefined;
  readonly #now: () => number;
  #held = new Map<GrantId, Held>();
  /** Shown by the server, and signed by nobody who counts. */
  #untrusted = 0;

  constructor(e2ee: Pick<E2ee, "request">, session: Pick<Session, "done" | "request">, memory?: Partial<GrantMemory>, now: () => number = Date.now) {
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

  /** As it was last, whether it counts or not. */
  known(id: GrantId): Grant | undefined {
    return this.#held.get(id)?.grant;
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
    const { endsAtMs, ...said } = choice;
    const next = this.#next(before);
    const { id } = await this.#put({ ...next, ...said, to: await this.#named(choice.to, before), expiresAtMs: endsAtMs ?? next.signedAtMs + LIFETIME_MS });
    // Who gives it knows it.
    if (news.every((one) => one.id !== id)) this.#memory?.keepToldGrants?.([...(this.#memory.toldGrants?.() ?? []), id]);
  }

  /** Lets in somebody who is new in a contact's household: the next revision names them too. Once is enough. */
  async allow(grant: Grant, person: AccountId): Promise<void> {
    const { to } = grant;
    if (to.type !== "household" || to.people.includes(person)) return;
    if (to.people.length >= PEOPLE_MAX) throw new Error(`A permission names at most ${PEOPLE_MAX} people of a household. Give a new one, which names those who are there now.`);
    await this.#put({ ...this.#next(grant), to: { ...to, people: [...to.people, person] } });
  }

  async takeBack(grant: Grant): Promise<void> {
    // For as long as any revision before it could count.
    const next = this.#next(grant);
    await this.#put({ ...next, expiresAtMs: next.signedAtMs + LIFETIME_MS, revoked: true });
  }

  /** Everyone out: every grant ends. One that fails holds up no other, and is tried again with the next press. */
  async takeAllBack(): Promise<void> {
    const failed: unknown[] = [];
    for (const grant of this.active()) await this.takeBack(grant).catch((error: unknown) => failed.push(error));
    if (failed.length > 0) throw failed[0];
  }

  /** Silently, in every adult's app. What a removed adult had signed is signed anew as this app knew it while it counted. */
  async renew(gone: ReadonlySet<Blob> = new Set()): Promise<void> {
    for (const { grant, statement } of [...this.#held.values()]) {
      const left = grant.expiresAtMs - this.#now();
      const orphaned = gone.has(signerOf(statement) ?? "");
      const due = left < RENEW_BELOW_MS && endOf(grant) === undefined;
      if (grant.revoked || left <= 0 || (!due && !orphaned)) continue;
      try {
        await this.#put(this.#next(grant));
      } catch {
        // Another adult's app was first, or took it back; or the next visit renews it.
      }
    }
  }

  /** A household is named as it is when it is let in; a change names nobody anew. */
  async #named(to: Whom, before: Grant | undefined): Promise<Grant["to"]> {
    if (to.type !== "household") return to;
    if (before?.to.type === "household" && before.to.theirGenesis === to.theirGenesis) return { ...to, people: before.to.people };
    const { person, household } = await this.#session.request({ type: "contact_people", contact: to.contact }, "contact_people");
    return { ...to, people: [person, ...household.filter((one) => one !== person)].slice(0, PEOPLE_MAX) };
  }

  /** The next revision, for thirty days from now or until its end. Its number is the time, which grows whichever adult's app signs. */
  #next(before: Grant | undefined): Grant {
    const now = this.#now();
    return {
      id: randomId(), to: { type: "home" }, devices: [], hours: undefined, picture: false, opening: "at_once", ...before,
      revision: Math.max(now, (before?.revision ?? 0) + 1), signedAtMs: now, expiresAtMs: (before && endOf(before)) ?? now + LIFETIME_MS, revoked: false,
    };
  }

  async #put(grant: Grant): Promise<Grant> {
    const { statement } = await this.#e2ee.request("grant.sign", grant);
    await this.#session.done({ type: "put_drop_in_grant", grant: grant.id, statement });
    await this.take({ id: grant.id, statement });
    return grant;
  }
}

/** When it ends for good: it was signed for less than the thirty days of one that is renewed. */
export function endOf({ signedAtMs, expiresAtMs }: Grant): number | undefined {
  return expiresAtMs - signedAtMs < LIFETIME_MS ? expiresAtMs : undefined;
}

/** The keys of home devices by name, for whoever chooses among them. */
export function targets(roster: RosterView | undefined): { key: Blob; device: string }[] {
  return (roster?.devices ?? []).filter(({ kind }) => kind === "home_device").map(({ deviceKey, device }) => ({ key: deviceKey, device }));
}
