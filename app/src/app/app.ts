//! The app's model: who is signed in, which screen stands, what is to be said. Screens read it and call its verbs.

import type { CallController, LiveOver } from "../call/controller.ts";
import type { PeerView, Tone } from "../call/state.ts";
import { E2ee } from "../e2ee/page.ts";
import type { IdentityStatus } from "../e2ee/port.ts";
import { Announcing } from "../home/announcing.ts";
import { AddressBookStore } from "../home/address_book.ts";
import { Doors } from "../home/doors.ts";
import { Near } from "../home/near.ts";
import { CallLinks } from "../home/call_links.ts";
import { Ledgers } from "../home/ledgers.ts";
import type { Departing } from "../home/departures.ts";
import { LocalMemory } from "../home/local.ts";
import { isGuestLink, type Link as UrlLink, parseLink } from "../home/links.ts";
import type { ContactView, HomeStore } from "../home/store.ts";
import { Recorder } from "../media/recorder.ts";
import { Tones } from "../media/tones.ts";
import type { CallId, Device, DeviceId, Event, PastCall } from "../protocol.ts";
import { PushDesk } from "../push/desk.ts";
import type { WorkerSays } from "../push/scope.ts";
import type { Link } from "../session/client.ts";
import { endingWords } from "../ui/words.ts";
import { Accounts } from "./account.ts";
import { mayKnock } from "./admission.ts";
import { Children } from "./children.ts";
import { AddDevice } from "./add_device.ts";
import { Drafts } from "./drafts.ts";
import { LinkUp } from "./link_up.ts";
import { Pairing } from "./pairing.ts";

export type Page = "contacts" | "links" | "household" | "children" | "history" | "settings" | "quiet" | "outside" | "ledger" | "announce";
export type Door = "welcome" | "sign-up" | "sign-in" | "recover" | "second-app" | "join";

export type Stage =
  | { at: "opening" }
  | { at: "door"; door: Door }
  /** Right after sign-up: the code is shown this once. */
  | { at: "recovery_code"; code: string }
  | { at: "waiting" }
  | { at: "home"; page: Page }
  /** Over until the person does something: another tab, an old app, a removed device. */
  | { at: "stopped"; code: string; text: string };

export interface Notice {
  id: number;
  text: string;
  kind: "info" | "alarm";
}

const NOTICES_MAX = 5;
const NOTICE_MS = 6_000;
const HISTORY_PAGE = 50;
/** From a tap on "Answer" until the call rings in the page that was opened for it; longer, and it is over. */
const ANSWER_WITHIN_MS = 15_000;

export class App {
  readonly e2ee: E2ee;
  readonly memory = new LocalMemory("app");
  readonly accounts: Accounts;
  readonly tones = new Tones();
  readonly recorder = new Recorder(() => this.changed(), () => this.memory.setting("original") === "on");
  readonly drafts = new Drafts();
  readonly push = new PushDesk(this.memory, (says) => this.#workerSays(says), () => this.changed());
  stage: Stage = { at: "opening" };
  identity: IdentityStatus = { state: "none" };
  link: Link = { state: "connecting", failures: 0 };
  linkUp: LinkUp | undefined;
  /** Imported contacts and numbers. */
  book: AddressBookStore | undefined;
  urlLink: UrlLink | undefined;
  notices: Notice[] = [];
  /** Undefined until it was fetched. */
  history: PastCall[] | undefined;
  historyComplete = false;
  /** Missed calls that nobody of this person's apps has seen. */
  missed: PastCall[] = [];
  pairing: Pairing | undefined;
  addDevice: AddDevice | undefined;
  children: Children | undefined;
  callLinks: CallLinks | undefined;
  /** Where this app may drop in. */
  doors: Doors | undefined;
  /** Where somebody was lately. */
  near: Near | undefined;
  /** What happened at home devices. */
  ledgers: Ledgers | undefined;
  /** What was announced, and who heard it. */
  announcing: Announcing | undefined;
  /** Answered in a notice before it rang in this page. */
  #answering: CallId | undefined;
  #ringing: CallId | undefined;
  #noticeId = 1;
  #render: () => void = () => undefined;

  constructor(worker: Worker) {
    this.e2ee = new E2ee(worker);
    this.accounts = new Accounts(this.e2ee, this.memory);
  }

  async start(render: () => void): Promise<void> {
    this.#render = render;
    addEventListener("hashchange", () => this.#route());
    addEventListener("beforeunload", (event) => {
      if (this.stage.at === "recovery_code") event.preventDefault();
    });
    this.push.start();
    this.changed();
    try {
      this.identity = await this.e2ee.request("open", { slot: "app" });
    } catch {
      return this.stop("internal", "This browser does not let the app keep its keys. Private windows and very old browsers can't be used.");
    }
    this.#enter();
  }

  get store(): HomeStore {
    if (this.linkUp === undefined) throw new Error("signed out");
    return this.linkUp.store;
  }

  get calls(): CallController {
    if (this.linkUp === undefined) throw new Error("signed out");
    return this.linkUp.calls;
  }

  /** This app's device in the household. */
  get self(): DeviceId | undefined {
    return this.identity.state === "ready" ? this.identity.who.device : undefined;
  }

  /** No child: may change devices, roles and limits. Signing for the household takes `adult`, an app's right. */
  get grown(): boolean {
    const me = this.linkUp?.store.me;
    return me !== undefined && me.role !== "child";
  }

  /** A child's app silences their own devices only. */
  maySilence(device: Device): boolean {
    return this.grown || device.account === this.store.home?.account.id;
  }

  /** What it takes to sign somebody or something out of the household. */
  departing(): Departing {
    if (this.linkUp === undefined || this.self === undefined) throw new Error("You are signed out.");
    return { e2ee: this.e2ee, session: this.linkUp.session, roster: this.store.roster, adult: this.adult, self: this.self };
  }

  get ownGenesis(): string | undefined {
    return this.identity.state === "ready" ? this.identity.who.genesis : undefined;
  }

  get adult(): boolean {
    return this.identity.state === "ready" && this.identity.who.adult;
  }

  changed(): void {
    this.#render();
  }

  say(text: string, kind: Notice["kind"] = "info"): void {
    const notice = { id: this.#noticeId++, text, kind };
    this.notices = [...this.notices.filter((other) => other.text !== text), notice].slice(-NOTICES_MAX);
    if (kind === "info") setTimeout(() => this.unsay(notice.id), NOTICE_MS);
    this.changed();
  }

  unsay(id: number): void {
    this.notices = this.notices.filter((notice) => notice.id !== id);
    this.changed();
  }

  /** Runs what a person asked for; what fails is said in words. True when it was done. */
  async attempt(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.say(error instanceof Error ? error.message : String(error), "alarm");
      return false;
    } finally {
      this.changed();
    }
  }

  go(target: Page | Door): void {
    location.hash = target === "welcome" || target === "contacts" ? "#/" : `#/${target}`;
    this.#route();
  }

  signedUp(identity: IdentityStatus, recoveryCode: string): void {
    this.identity = identity;
    this.stage = { at: "recovery_code", code: recoveryCode };
    this.#connect();
    this.changed();
  }

  signedIn(identity: IdentityStatus): void {
    this.identity = identity;
    history.replaceState(null, "", "#/");
    this.#enter();
  }

  recoveryCodeKept(): void {
    this.#enter();
  }

  async signOut(forget: boolean): Promise<void> {
    this.#disconnect();
    // The server forgets the address by itself; the browser and its names do not wait for it.
    await this.push.forget();
    await (forget ? this.accounts.forget() : this.accounts.signOut());
    this.identity = await this.e2ee.request("open", { slot: "app" });
    this.drafts.clear();
    history.replaceState(null, "", "#/");
    this.#enter();
  }

  stop(code: string, text: string): void {
    this.stage = { at: "stopped", code, text };
    this.changed();
  }

  /** After "opened in another tab": this one takes over. */
  useHere(): void {
    this.#disconnect();
    this.#enter();
  }

  peerOf(contact: ContactView): PeerView {
    const verdict = contact.pin === 2 ? "verified" : contact.pin === 1 ? "unverified" : undefined;
    return { handle: contact.handle, name: contact.name, contact: contact.id, genesis: contact.theirGenesis, verdict };
  }

  call(peer: PeerView, video: boolean): void {
    void this.tones.unlock();
    this.calls.dial(peer, video);
  }

  dropIn(peer: PeerView, video: boolean): void {
    void this.tones.unlock();
    this.calls.dropIn(peer, video);
  }

  async loadHistory(more: boolean): Promise<void> {
    const session = this.linkUp?.session;
    if (session === undefined) return;
    const last = more ? this.history?.at(-1) : undefined;
    const { calls } = await session.request({ type: "list_history", before_ms: last?.started_at_ms ?? null, limit: HISTORY_PAGE }, "history");
    this.history = more ? [...(this.history ?? []), ...calls] : calls;
    this.historyComplete = calls.length < HISTORY_PAGE;
    this.changed();
    const newest = this.missed[0];
    if (more || newest === undefined) return;
    // They are on the screen now; the person's other apps take their marks away too.
    this.missed = [];
    await session.done({ type: "mark_missed_seen", until_ms: newest.started_at_ms });
  }

  async #loadMissed(): Promise<void> {
    const session = this.linkUp?.session;
    if (session === undefined) return;
    this.missed = (await session.request({ type: "list_missed" }, "missed")).calls;
    this.changed();
  }

  startAddDevice(): void {
    if (this.linkUp === undefined) return;
    this.addDevice?.stop();
    this.addDevice = new AddDevice(this.e2ee, this.linkUp.session, () => this.changed());
    void this.addDevice.start();
    this.changed();
  }

  stopAddDevice(): void {
    this.addDevice?.stop();
    this.addDevice = undefined;
    this.changed();
  }

  #enter(): void {
    if (this.memory.session() === undefined || this.identity.state === "none") {
      this.stage = { at: "door", door: "welcome" };
      this.#route();
      return;
    }
    this.#connect();
    this.stage = this.identity.state === "waiting" ? { at: "waiting" } : { at: "home", page: "contacts" };
    this.#route();
  }

  #connect(): void {
    const stored = this.memory.session();
    if (stored === undefined || this.linkUp !== undefined) return;
    this.linkUp = new LinkUp(this.e2ee, this.memory, stored.token, {
      identity: () => this.identity,
      setIdentity: (identity) => this.#setIdentity(identity),
      mayUseCamera: () => true,
      // An app has no switches of its own: muting is all.
      maySend: () => true,
      tone: (tone) => this.#tone(tone),
      rings: () => undefined,
      announce: (peer, video) => this.#announce(peer, video),
      unannounce: () => this.#unannounce(),
      alert: (text) => this.say(text, "alarm"),
      linkChanged: (link) => this.#linkChanged(link),
      liveOver: (over) => this.#liveOver(over),
      begun: () => this.identity.state === "ready" && this.callLinks?.begin(),
      loaded: () => {
        void this.near?.load().catch(() => undefined);
        this.doors?.forget();
        if (this.grown) this.ledgers?.begin();
      },
      event: (event) => this.#event(event),
      changed: () => this.#homeChanged(),
    });
    this.book = new AddressBookStore(this.linkUp.session, () => this.changed());
    this.doors = new Doors(this.linkUp.session, () => this.changed());
    this.ledgers = new Ledgers(this.e2ee, this.linkUp.session, {
      memory: this.memory, genesis: () => this.ownGenesis, label: (device) => this.linkUp?.store.device(device)?.label, changed: () => this.changed(),
    });
    const { store } = this.linkUp;
    this.announcing = new Announcing(this.e2ee, this.linkUp.session, { devices: () => store.devices, changed: () => this.changed() });
    this.near = new Near(this.linkUp.session, () => this.changed());
    this.children = new Children(this.linkUp.session, () => this.changed());
    this.callLinks = new CallLinks(this.e2ee, this.linkUp.session, {
      memory: this.memory,
      changed: () => this.changed(),
      knocked: () => mayKnock(this) && this.tones.knock(),
      serverNow: () => Date.now() + (this.linkUp?.clockOffsetMs() ?? 0),
    });
    this.linkUp.start();
  }

  #disconnect(): void {
    this.addDevice = undefined;
    this.children = undefined;
    this.callLinks = undefined;
    this.ledgers?.stop();
    this.doors = this.near = this.ledgers = this.announcing = undefined;
    this.recorder.discard();
    this.linkUp?.stop();
    this.linkUp = undefined;
    this.book = undefined;
    this.history = undefined;
    this.missed = [];
    this.link = { state: "connecting", failures: 0 };
    this.tones.play("none");
  }

  #setIdentity(identity: IdentityStatus): void {
    this.identity = identity;
    if (identity.state === "ready" && this.stage.at === "waiting") this.stage = { at: "home", page: "contacts" };
    this.changed();
  }

  #event(event: Event): void {
    if (event.type === "join_refused") this.stop("join_refused", "Your request to join was turned down. Ask the person who invited you.");
    if (event.type === "call_ended" || event.type === "call_missed") this.history = undefined;
    if (event.type === "call_missed") this.missed = [event, ...this.missed];
    if (event.type === "missed_seen") this.missed = this.missed.filter((call) => call.started_at_ms > event.until_ms);
    if (event.type === "call_missed" || event.type === "missed_seen") this.changed();
    this.near?.handle(event);
    this.ledgers?.handle(event);
    this.announcing?.handle(event);
    this.doors?.handle(event);
    this.children?.handle(event);
    this.callLinks?.handle(event);
    void this.addDevice?.handle(event);
    this.book?.handle(event);
  }

  #linkChanged(link: Link): void {
    const online = link.state === "online" && this.link.state !== "online";
    this.link = link;
    if (online && this.identity.state === "ready") void this.#loadMissed().catch(() => undefined);
    if (link.state === "online") this.book?.stale();
    if (link.state === "ended") this.#ended(link.error.code, link.error.message);
    if (link.state === "online" && this.linkUp !== undefined) void this.push.renew(this.linkUp.session);
    this.changed();
  }

  #ended(code: string, message: string): void {
    this.linkUp?.calls.abandon();
    if (code === "unauthorized" || code === "device_revoked" || code === "not_registered") {
      this.#disconnect();
      this.memory.keepSession(undefined);
    }
    if (code === "unauthorized") {
      this.stage = { at: "door", door: "sign-in" };
      this.say("You were signed out. Sign in again to go on.");
      return;
    }
    this.stop(code, message);
  }

  #route(): void {
    // A guest's page has a key worker of its own and knows no account.
    if (isGuestLink(location.hash)) return location.reload();
    this.urlLink = parseLink(location.hash);
    if (this.urlLink?.kind === "answer") {
      const { call } = this.urlLink;
      this.urlLink = undefined;
      // Said once: a reload answers nothing.
      history.replaceState(null, "", "#/");
      this.#answerSoon(call);
    }
    const name = location.hash.replace(/^#\/?/, "");
    if (this.stage.at === "door") {
      const doors: Door[] = ["sign-up", "sign-in", "recover", "second-app"];
      const door = this.urlLink?.kind === "join" ? "join" : (doors.find((candidate) => candidate === name) ?? "welcome");
      if (door !== "second-app") this.pairing?.stop();
      if (door !== "second-app") this.pairing = undefined;
      this.stage = { at: "door", door };
    } else if (this.stage.at === "home") {
      const pages: Page[] = ["links", "household", "children", "history", "settings", "quiet", "outside", "ledger", "announce"];
      const page = pages.find((candidate) => candidate === name) ?? "contacts";
      if (page !== "household") this.stopAddDevice();
      if (page !== "announce") this.recorder.discard();
      this.stage = { at: "home", page };
      if (page === "history") void this.attempt(() => this.loadHistory(false));
    }
    this.changed();
  }

  /** What reached nobody is said; the rest stands in the list. */
  #liveOver(over: LiveOver): void {
    if (over.live.side !== "speaks") return;
    if (over.reason === "encryption_refused") this.say(endingWords(over.reason, "", true), "alarm");
    if (this.announcing?.liveOver(over) === false && over.reason !== "hung_up") this.say(this.linkUp?.calls.failure ?? endingWords(over.reason, "", true), "alarm");
  }

  #homeChanged(): void {
    if (this.linkUp?.loaded === true) this.push.follow(this.linkUp.store);
    this.#answerIfItRings();
    // A call takes the microphone, and nobody sees any more that it is recorded.
    if (this.recorder.open && this.linkUp?.calls.state.at !== "idle") this.recorder.discard();
    this.changed();
  }

  #tone(tone: Tone): void {
    this.tones.play(tone);
  }

  #workerSays(says: WorkerSays): void {
    if (says.type === "go") location.hash = says.path.slice(says.path.indexOf("#") + 1);
    else if (this.linkUp?.calls.state.at === "incoming" && this.linkUp.calls.state.call === says.call) this.linkUp.calls.input({ on: "decline" });
  }

  /** Only what rings here by the certificates of the one who calls is answered: the notice is no more than the wish. */
  #answerSoon(call: CallId): void {
    this.#answering = call;
    setTimeout(() => {
      if (this.#answering !== call) return;
      this.#answering = undefined;
      this.say("That call does not ring any more.");
    }, ANSWER_WITHIN_MS);
    this.#answerIfItRings();
  }

  /** With the microphone alone: who tapped in the dark shows no picture by it. */
  #answerIfItRings(): void {
    const state = this.linkUp?.calls.state;
    if (this.#answering === undefined || state?.at !== "incoming" || state.call !== this.#answering) return;
    this.#answering = undefined;
    queueMicrotask(() => this.linkUp?.calls.answer(false));
  }

  #announce(peer: PeerView, video: boolean): void {
    const state = this.linkUp?.calls.state;
    if (state?.at === "incoming") this.push.announce(state.call, peer.name, video, state.expiresAtMs);
    this.#ringing = state?.at === "incoming" ? state.call : undefined;
  }

  #unannounce(): void {
    if (this.#ringing !== undefined) this.push.unannounce(this.#ringing);
    this.#ringing = undefined;
  }
}
