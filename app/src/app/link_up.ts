//! A signed-in app or device: its session, its household, its calls, kept together and taken apart together.

import { CallController, type CallHost, type DropInAsked, type LiveAnnounced, type LiveOver } from "../call/controller.ts";
import type { PeerView, Tone } from "../call/state.ts";
import type { E2ee } from "../e2ee/page.ts";
import type { IdentityStatus, WhoIs } from "../e2ee/port.ts";
import type { LocalMemory } from "../home/local.ts";
import { HomeStore } from "../home/store.ts";
import type { SourceKind } from "../media/capture.ts";
import type { CallId, Event } from "../protocol.ts";
import { type Link, Session, sessionUrl, type Welcome } from "../session/client.ts";

/** Events before the first loading; far more than a session begins with. */
const EARLY_MAX = 1_000;

/** An app may stay open for weeks without a new session. */
const RENEW_EVERY_MS = 6 * 60 * 60 * 1_000;

export interface LinkUpHost {
  identity(): IdentityStatus;
  setIdentity(identity: IdentityStatus): void;
  mayUseCamera(): boolean;
  /** False while the device's own switch is off. */
  maySend(source: SourceKind): boolean;
  tone(tone: Tone): void;
  /** Only home devices may answer by themselves. */
  rings(call: CallId, who: WhoIs): void;
  announce(peer: PeerView, video: boolean, moves: boolean): void;
  unannounce(): void;
  alert(text: string): void;
  linkChanged(link: Link): void;
  /** A session began that takes up no older one. */
  begun?(): void;
  /** The household is known, or known anew. */
  loaded?(): void;
  /** Home devices alone. */
  dropInAsked?(event: DropInAsked): void;
  dropInEnded?(call: CallId): void;
  liveAnnounced?(event: LiveAnnounced): void;
  liveOver?(over: LiveOver): void;
  /** Events that only some screens care about (pairing, admission). */
  event(event: Event): void;
  changed(): void;
}

export class LinkUp implements CallHost {
  readonly session: Session;
  readonly store: HomeStore;
  readonly calls: CallController;
  readonly e2ee: E2ee;
  readonly memory: LocalMemory;
  loaded = false;
  readonly dropInAsked?: (event: DropInAsked) => void;
  /** Events of calls wait until the contacts are known: a caller's name and pinned key come from there. */
  #early: Event[] | undefined = [];
  #clockOffsetMs = 0;
  #renewals: ReturnType<typeof setInterval> | undefined;
  readonly #host: LinkUpHost;

  constructor(e2ee: E2ee, memory: LocalMemory, token: string, host: LinkUpHost) {
    this.e2ee = e2ee;
    this.memory = memory;
    this.#host = host;
    const { dropInAsked } = host;
    if (dropInAsked !== undefined) this.dropInAsked = (event) => dropInAsked(event);
    this.session = new Session(sessionUrl(), token, {
      link: (link) => host.linkChanged(link),
      welcome: (welcome) => void this.#welcome(welcome),
      event: (event) => this.#event(event),
      networkChanged: () => this.calls.networkChanged(),
    });
    this.store = new HomeStore(e2ee, this.session, () => host.changed(), memory);
    this.calls = new CallController(this);
  }

  start(): void {
    this.session.start();
    this.#renewals = setInterval(() => void this.#renew().catch(() => undefined), RENEW_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#renewals);
    this.calls.dispose();
    this.session.close();
  }

  identity(): IdentityStatus {
    return this.#host.identity();
  }
  clockOffsetMs(): number {
    return this.#clockOffsetMs;
  }
  mayUseCamera(): boolean {
    return this.#host.mayUseCamera();
  }
  maySend(source: SourceKind): boolean {
    return this.#host.maySend(source);
  }
  tone(tone: Tone): void {
    this.#host.tone(tone);
  }
  rings(call: CallId, who: WhoIs): void {
    this.#host.rings(call, who);
  }
  announce(peer: PeerView, video: boolean, moves: boolean): void {
    this.#host.announce(peer, video, moves);
  }
  unannounce(): void {
    this.#host.unannounce();
  }
  alert(text: string): void {
    this.#host.alert(text);
  }
  changed(): void {
    this.#host.changed();
  }
  dropInEnded(call: CallId): void {
    this.#host.dropInEnded?.(call);
  }
  liveAnnounced(event: LiveAnnounced): void {
    this.#host.liveAnnounced?.(event);
  }
  liveOver(over: LiveOver): void {
    this.#host.liveOver?.(over);
  }

  async #welcome(welcome: Welcome): Promise<void> {
    this.#clockOffsetMs = welcome.server_time_ms - Date.now();
    this.#host.begun?.();
    try {
      await this.store.load();
      await this.#adoptIfAdmitted();
      this.loaded = true;
      this.#host.loaded?.();
      const early = this.#early ?? [];
      this.#early = undefined;
      for (const event of early) this.calls.handle(event);
      this.#host.changed();
      if (this.store.home?.household != null) {
        await this.calls.recover();
        await this.#renew();
      }
    } catch (error) {
      if ((error as { code?: string }).code !== "session_lost") this.#host.alert(error instanceof Error ? error.message : String(error));
    }
  }

  #event(event: Event): void {
    if (event.type === "admitted") void this.#admitted(event.chain, event.roster);
    this.#host.event(event);
    void this.store.apply(event).then(() => this.#followChains(event)).catch(() => undefined);
    if (this.#early === undefined) this.calls.handle(event);
    else if (this.#early.length < EARLY_MAX) this.#early.push(event);
  }

  async #admitted(chain: string, roster: string[]): Promise<void> {
    try {
      this.#host.setIdentity(await this.e2ee.request("adopt", { chain, roster }));
      await this.store.load();
    } catch {
      this.#host.alert("The household that let you in is not the one of your invitation. Ask the person who invited you for a new link.");
    }
    this.#host.changed();
  }

  /** Admitted while this tab was away: the household lists our device with its chain. */
  async #adoptIfAdmitted(): Promise<void> {
    const identity = this.#host.identity();
    const household = this.store.home?.household;
    if (identity.state !== "waiting" || household == null) return;
    for (const { chain, account } of household.devices) {
      if (account !== identity.person) continue;
      const who = await this.e2ee.request("chain.inspect", { chain });
      if (who.deviceKey === identity.deviceKey) await this.#admitted(chain, household.roster);
    }
  }

  /** Who was removed may have certified others: an adult's app does it anew at once, and its device takes it. */
  async #followChains(event: Event): Promise<void> {
    if (event.type === "roster_grew") await this.#renew();
    const identity = this.#host.identity();
    if (event.type === "certificate_renewed" && identity.state === "ready" && event.device === identity.who.device) await this.#takeRenewed(event.chain);
  }

  /** Certificates are renewed silently (docs/identity.md): a newer one of our own is taken in; an adult's app renews what is due. */
  async #renew(): Promise<void> {
    const identity = this.#host.identity();
    if (identity.state !== "ready") return;
    const own = this.store.device(identity.who.device);
    if (own !== undefined && own.chain !== identity.chain) await this.#takeRenewed(own.chain);
    if (!identity.who.adult || this.store.roster === undefined) return;
    const devices = this.store.devices.map(({ id, chain }) => ({ device: id, chain }));
    const { renewed } = await this.e2ee.request("chain.renew_due", { devices });
    for (const { device, chain } of renewed) {
      try {
        await this.session.done({ type: "renew_certificate", device, chain });
        if (device === identity.who.device) await this.#takeRenewed(chain);
      } catch {
        // Another adult app, or the next visit, renews it.
      }
    }
    await this.store.renewDropIn();
  }

  async #takeRenewed(chain: string): Promise<void> {
    await this.e2ee.request("chain.renewed", { chain }).then((identity) => this.#host.setIdentity(identity)).catch(() => undefined);
  }
}
