//! Call links of the signed-in person, and the guests who knock at them (docs/guests.md). What cannot be proved is never shown.

import type { E2ee } from "../e2ee/page.ts";
import type { WhoIs } from "../e2ee/port.ts";
import type { CallLink, CallLinkId, DeviceId, Event } from "../protocol.ts";
import { RequestError } from "../session/errors.ts";
import type { Session } from "../session/client.ts";
import { guestLink } from "./links.ts";
import { type LocalMemory, randomId } from "./local.ts";

/** The server lets eight wait at each of 20 links; more than fit on a screen are not kept. */
const KNOCKS_MAX = 32;
/** Devices of guests who came by a link of this person, so that they can be taken out of a call. */
const CAME_MAX = 64;

export interface CallLinksHost {
  readonly memory: Pick<LocalMemory, "guests" | "keepGuests">;
  changed(): void;
  /** There is one more knock to show. */
  knocked(): void;
  serverNow(): number;
}

export interface Knock {
  link: CallLinkId;
  /** What the maker calls the link. */
  label: string;
  who: WhoIs;
}

export class CallLinks {
  /** The newest first; undefined until they were fetched. */
  links: CallLink[] | undefined;
  /** Whose chain and proof hold, in the order in which they came. */
  knocks: Knock[] = [];
  /** Knocks that the server made up, or that came without the link's secret. */
  dropped = 0;
  readonly #e2ee: E2ee;
  readonly #session: Session;
  readonly #host: CallLinksHost;
  /** Secrets of links that this app made. */
  #secrets = new Map<CallLinkId, string>();
  #fingerprint = "";
  #work: Promise<void> = Promise.resolve();

  constructor(e2ee: E2ee, session: Session, host: CallLinksHost) {
    this.#e2ee = e2ee;
    this.#session = session;
    this.#host = host;
  }

  /** A session began: who waits still is told anew. */
  begin(): void {
    this.knocks = [];
    void this.load().catch(() => undefined);
  }

  load(): Promise<void> {
    return this.#next(() => this.#load());
  }

  /** The link to send; undefined where another app of this person made it and keeps its secret. */
  urlOf(link: CallLinkId): string | undefined {
    const secret = this.#secrets.get(link);
    return secret === undefined ? undefined : guestLink(location.origin, link, secret, this.#fingerprint);
  }

  /** The secret is kept before the server hears of the link: there is none that nobody can admit by. */
  make(label: string, lifetimeMs: number): Promise<CallLinkId> {
    const link = randomId();
    return this.#next(async () => {
      const { secret, fingerprint } = await this.#e2ee.request("guest.make", {});
      const now = this.#host.serverNow();
      await this.#e2ee.request("guest.keep", { link, secret, endsAtMs: now + lifetimeMs });
      try {
        await this.#session.done({ type: "make_call_link", link, label, expires_at_ms: now + lifetimeMs });
      } catch (error) {
        // Unknown whether it was made: the next list tells, and forgets it if it was not.
        if (!(error instanceof RequestError) || error.code !== "session_lost") await this.#e2ee.request("guest.forget", { link });
        throw error;
      }
      this.#secrets.set(link, secret);
      this.#fingerprint = fingerprint;
      this.#take({ link, label, made_at_ms: now, expires_at_ms: now + lifetimeMs });
    }).then(() => link);
  }

  revoke(link: CallLinkId): Promise<void> {
    return this.#next(async () => {
      await this.#session.done({ type: "revoke_call_link", link });
      await this.#ended(link);
    });
  }

  refuse({ who }: Knock): Promise<void> {
    this.#drop(who.device);
    return this.#session.done({ type: "refuse_guest", guest: who.device });
  }

  /** They are being let in: the question is answered. */
  answered({ who }: Knock): void {
    this.#drop(who.device);
  }

  /** Whether this person may take that guest out of a call. */
  brought(guest: DeviceId): boolean {
    return this.#host.memory.guests().includes(guest);
  }

  handle(event: Event): void {
    switch (event.type) {
      case "call_link_made": {
        const { type: _, ...link } = event;
        return this.#take(link);
      }
      case "call_link_ended":
        return void this.#next(() => this.#ended(event.link)).catch(() => undefined);
      case "guest_knocked":
        return void this.#next(() => this.#knocked(event)).catch(() => undefined);
      case "guest_gone":
        // In its turn: their knock may be being checked.
        return void this.#next(async () => this.#drop(event.guest)).catch(() => undefined);
    }
  }

  async #load(): Promise<void> {
    const { links } = await this.#session.request({ type: "list_call_links" }, "call_links");
    const kept = await this.#e2ee.request("guest.kept", {});
    const live = new Set(links.map(({ link }) => link));
    for (const { link } of kept.links) if (!live.has(link)) await this.#e2ee.request("guest.forget", { link });
    this.#secrets = new Map(kept.links.filter(({ link }) => live.has(link)).map(({ link, secret }) => [link, secret]));
    this.#fingerprint = kept.fingerprint;
    this.links = links;
  }

  async #knocked({ link, guest, chain, proof }: Extract<Event, { type: "guest_knocked" }>): Promise<void> {
    if (this.links?.some((known) => known.link === link) !== true) await this.#load();
    this.#remember(guest);
    // Another app of this person made the link: that one admits.
    if (!this.#secrets.has(link)) return;
    let who: WhoIs;
    try {
      who = await this.#e2ee.request("guest.check", { link, chain, proof });
      if (who.device !== guest) throw new Error("the server names another device than the chain");
    } catch {
      this.dropped++;
      return;
    }
    const again = this.knocks.some((knock) => knock.who.device === guest);
    if (again || this.knocks.length >= KNOCKS_MAX) return;
    const label = this.links?.find((known) => known.link === link)?.label ?? "";
    this.knocks = [...this.knocks, { link, label, who }];
    this.#host.knocked();
  }

  async #ended(link: CallLinkId): Promise<void> {
    this.links = this.links?.filter((known) => known.link !== link);
    this.knocks = this.knocks.filter((knock) => knock.link !== link);
    this.#secrets.delete(link);
    await this.#e2ee.request("guest.forget", { link });
  }

  #take(link: CallLink): void {
    this.links = [link, ...(this.links ?? []).filter((known) => known.link !== link.link)];
    this.#host.changed();
  }

  #drop(guest: DeviceId): void {
    this.knocks = this.knocks.filter(({ who }) => who.device !== guest);
    this.#host.changed();
  }

  #remember(guest: DeviceId): void {
    const { memory } = this.#host;
    memory.keepGuests([...memory.guests().filter((known) => known !== guest), guest].slice(-CAME_MAX));
  }

  /** One after the other: a list that was asked for before a link was made must not undo it. */
  #next(work: () => Promise<void>): Promise<void> {
    const result = this.#work.then(work).finally(() => this.#host.changed());
    this.#work = result.catch(() => undefined);
    return result;
  }
}
