//! A guest's visit: a name, a knock, waiting, one call. Everything of it is in this page's memory and gone with it (docs/guests.md).

import { Drafts } from "../app/drafts.ts";
import { CallController } from "../call/controller.ts";
import type { Tone } from "../call/state.ts";
import { E2ee } from "../e2ee/page.ts";
import { type Link, parseLink } from "../home/links.ts";
import { Tones } from "../media/tones.ts";
import type { Event, GuestRefusal } from "../protocol.ts";
import { RequestError } from "../session/errors.ts";
import { api } from "../session/http.ts";
import { Session, sessionUrl } from "../session/client.ts";
import { type GuestKey, Hosting } from "./hosting.ts";

export type GuestLink = Extract<Link, { kind: "guest" }>;

export type Stage =
  | { at: "door" }
  | { at: "waiting" }
  /** In the call, or at the screen that stands after it. */
  | { at: "call" }
  /** Not let in, for now. */
  | { at: "turned_away"; why: Exclude<GuestRefusal, "link_ended"> | "lost" }
  /** Unknown, ended, revoked, or not whole: one and the same to whoever tries it. */
  | { at: "no_link" };

const ALARMS_MAX = 5;

export class Visit {
  readonly link: GuestLink | undefined;
  readonly drafts = new Drafts();
  readonly tones = new Tones();
  stage: Stage;
  calls: CallController | undefined;
  /** What a person should read: a call that was turned away, a key that could not be used. */
  alarms: string[] = [];
  /** As it was said last, for another knock. */
  name = "";
  picture = false;
  #e2ee: E2ee | undefined;
  #session: Session | undefined;
  #ending = false;
  #render: () => void = () => undefined;

  constructor() {
    const link = parseLink(location.hash);
    this.link = link?.kind === "guest" ? link : undefined;
    this.stage = this.link === undefined ? { at: "no_link" } : { at: "door" };
  }

  start(render: () => void): void {
    this.#render = render;
    // Another link, or the app itself, begins anew.
    addEventListener("hashchange", () => location.reload());
    render();
  }

  changed(): void {
    // Called off in the moment before it was answered: the guest waits on.
    if (this.stage.at === "call" && this.calls?.state.at === "idle") this.stage = { at: "waiting" };
    this.#render();
  }

  /** Fails with words that belong beside the form. */
  async knock(name: string, picture: boolean): Promise<void> {
    const { link } = this;
    if (link === undefined) return;
    this.#leave();
    this.name = name;
    this.picture = picture;
    void this.tones.unlock();
    // The worker may stay: every knock has a key of its own, and the one before is forgotten.
    this.#e2ee ??= new E2ee(new Worker("/e2ee-worker.js", { type: "module" }));
    const e2ee = this.#e2ee;
    const begun = await e2ee.request("guest.begin", { link: link.link, secret: link.secret, fingerprint: link.fingerprint, name });
    try {
      const { token } = await api.knock({ link: link.link, chain: begun.chain, proof: begun.proof });
      this.#connect(e2ee, token, begun);
      this.stage = { at: "waiting" };
    } catch (error) {
      if (!(error instanceof RequestError) || error.code !== "not_found") throw error;
      this.stage = { at: "no_link" };
    }
    this.changed();
  }

  /** Waits no longer. */
  giveUp(): void {
    this.#leave();
    this.stage = { at: "door" };
    this.changed();
  }

  #connect(e2ee: E2ee, token: string, key: GuestKey): void {
    const session = new Session(sessionUrl(), token, {
      link: (link) => link.state === "ended" && this.#over(),
      welcome: (welcome) => hosting.begun(welcome),
      event: (event) => this.#event(event),
      networkChanged: () => this.calls?.networkChanged(),
    });
    const hosting = new Hosting(e2ee, session, key, {
      tone: (tone) => this.#tone(tone),
      rings: () => this.#rings(),
      alert: (text) => this.#alert(text),
      changed: () => this.changed(),
    });
    this.#session = session;
    this.calls = new CallController(hosting);
    session.start();
  }

  #event(event: Event): void {
    if (event.type === "guest_refused") return this.#refused(event.reason);
    // The session ends with the call, perhaps before that has come to the screen.
    if (event.type === "call_ended") this.#ending = true;
    this.calls?.handle(event);
  }

  /** Its person asked to come in, so it answers by itself. */
  #rings(): void {
    this.stage = { at: "call" };
    queueMicrotask(() => this.calls?.answer(this.picture));
  }

  #refused(reason: GuestRefusal): void {
    this.#leave();
    this.stage = reason === "link_ended" ? { at: "no_link" } : { at: "turned_away", why: reason };
    this.changed();
  }

  /** The session is over for good: the server knows this guest no more. A call that ended stays on the screen. */
  #over(): void {
    const ended = this.#ending || this.calls?.state.at === "ended";
    if (ended || (this.stage.at !== "call" && this.stage.at !== "waiting")) return;
    this.#leave();
    this.stage = { at: "turned_away", why: "lost" };
    this.changed();
  }

  /** Ends whatever of an earlier knock there is, and forgets its key. */
  #leave(): void {
    this.calls?.dispose();
    this.#session?.close();
    this.calls = this.#session = undefined;
    this.alarms = [];
    this.#ending = false;
    this.tones.play("none");
  }

  #tone(tone: Tone): void {
    // It answers at once: nothing rings.
    if (tone !== "ring") this.tones.play(tone);
  }

  #alert(text: string): void {
    this.alarms = [...this.alarms.filter((other) => other !== text), text].slice(-ALARMS_MAX);
    this.changed();
  }
}
