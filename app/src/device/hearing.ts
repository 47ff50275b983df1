//! What is announced at this home device: taken, played in turn when nothing else is on, offered when it was quiet, and answered.

import type { LinkUp } from "../app/link_up.ts";
import type { E2ee } from "../e2ee/page.ts";
import type { AnnouncedContent } from "../e2ee/port.ts";
import { Announcing } from "../home/announcing.ts";
import type { Recorder } from "../media/recorder.ts";
import type { Announced, AnnouncementHeard, AnnouncementId, AnnounceTo, Event } from "../protocol.ts";
import { ServerClock } from "../session/server_clock.ts";
import { AnnouncementQueue, type Incoming } from "./announcement_queue.ts";
import type { Outcome, Output } from "./announced_sound.ts";

/** The device around it. */
export interface HearingHost {
  readonly e2ee: Pick<E2ee, "request">;
  readonly output: Output;
  readonly recorder: Pick<Recorder, "open" | "state" | "begin" | "discard">;
  /** Its microphone may be opened: no switch is off. */
  mayRecord(): boolean;
  /** Do not disturb is on: here, everywhere, or by the weekly times. */
  quiet(): boolean;
  /** In so many milliseconds it may begin or end by itself; undefined: it does not. */
  quietChangesInMs(): number | undefined;
  say(text: string): void;
  changed(): void;
  now?: () => number;
}

type Around = Pick<LinkUp, "session" | "store" | "calls" | "loaded">;

export class Hearing {
  readonly queue = new AnnouncementQueue();
  readonly #host: HearingHost;
  readonly #clock = new ServerClock();
  /** What has begun of the one that plays: before its moment nothing of it is shown. */
  #begun: AnnouncementId | undefined;
  #stop: AbortController | undefined;
  #around: Around | undefined;
  #announcing: Announcing | undefined;
  #wasQuiet = false;
  #staleTimer: ReturnType<typeof setTimeout> | undefined;
  #quietTimer: ReturnType<typeof setTimeout> | undefined;
  /** One after another, in the order in which they were announced. */
  #line: Promise<void> = Promise.resolve();
  /** The one that somebody answers. */
  answering: Incoming | undefined;

  constructor(host: HearingHost) {
    this.#host = host;
  }

  /** The one that is played or shown now. */
  get playing(): Incoming | undefined {
    return this.queue.playing?.id === this.#begun ? this.queue.playing : undefined;
  }

  /** Something waits that this page can't sound yet, since nobody has touched it. */
  get silenced(): boolean {
    const [first] = this.queue.waiting;
    return first !== undefined && !this.#busy() && !this.#host.output.can(first);
  }

  /** What this device announces itself. */
  get announcing(): Announcing | undefined {
    return this.#announcing;
  }

  begin(around: Around): void {
    this.end();
    this.#around = around;
    this.#announcing = new Announcing(this.#host.e2ee, around.session, { devices: () => around.store.devices, changed: () => this.#host.changed() });
  }

  end(): void {
    clearTimeout(this.#staleTimer);
    clearTimeout(this.#quietTimer);
    this.#halt();
    this.queue.interrupt();
    this.#around = this.#announcing = this.answering = undefined;
  }

  /** At the beginning of a session: says with which key it takes things, and takes what waits. */
  async loaded(): Promise<void> {
    const session = this.#around?.session;
    if (session === undefined) return;
    const { statement } = await this.#host.e2ee.request("announcement.sealing_key", {});
    await session.done({ type: "put_sealing_key", statement });
    await this.#settle();
  }

  handle(event: Event): void {
    this.#announcing?.handle(event);
    // What comes before the household is known waits in the list.
    if (event.type === "announced" && this.#around?.loaded === true) this.#hear(event);
  }

  /** After every change: a call, a switch, do not disturb. */
  look(): void {
    const { recorder, quiet, mayRecord, output } = this.#host;
    if (recorder.open && (this.#busy() || !mayRecord())) recorder.discard();
    const { state } = recorder;
    if (state.at === "idle" && state.problem === undefined) this.answering = undefined;
    for (const one of this.queue.stale(this.#now())) this.#over(one, "put_aside");
    this.#lookAgain();
    const isQuiet = this.#around !== undefined && quiet();
    this.#lookWhenTimesChange();
    // Once: what somebody then wants to hear all the same is played.
    if (isQuiet && !this.#wasQuiet) {
      this.#halt();
      this.queue.hush();
    }
    if (this.#wasQuiet && !isQuiet) void this.#settle().catch(() => undefined);
    this.#wasQuiet = isQuiet;
    if (this.#busy() && this.queue.playing !== undefined) {
      this.#halt();
      this.queue.interrupt();
    }
    // An open microphone would record it.
    if (this.#around === undefined || this.#busy() || recorder.open) return;
    const next = this.queue.next((one) => output.can(one));
    if (next !== undefined) void this.#play(next);
  }

  /** Somebody does not want to hear the one that plays. */
  putAside(): void {
    this.#halt();
    const over = this.queue.over();
    if (over !== undefined) this.#over(over, "put_aside");
    this.queue.last = undefined;
    this.#host.changed();
  }

  playOffered(): void {
    this.queue.playOffered();
    this.#host.changed();
  }

  putOfferedAside(): void {
    for (const one of this.queue.putOfferedAside()) this.#over(one, "put_aside");
    this.#host.changed();
  }

  /** The last one has been read, and answered or not. */
  close(): void {
    this.queue.last = undefined;
    this.#host.changed();
  }

  /** Records an answer to the last one. */
  beginAnswer(): void {
    const { last } = this.queue;
    if (last === undefined || this.queue.playing !== undefined || !this.#host.mayRecord()) return;
    void this.#host.recorder.begin();
    this.answering = last;
    this.#host.changed();
  }

  discardAnswer(): void {
    this.answering = undefined;
    this.#host.recorder.discard();
    this.#host.changed();
  }

  /** A new announcement, threaded to the one that is answered. */
  async sendAnswer(to: AnnounceTo, content: AnnouncedContent): Promise<void> {
    await this.#announcing?.announce(to, content, this.answering?.id);
    if (this.queue.last?.id === this.answering?.id) this.queue.last = undefined;
    this.discardAnswer();
  }

  async #settle(): Promise<void> {
    const around = this.#around;
    if (around === undefined || this.#host.quiet()) return;
    const { announcements } = await around.session.request({ type: "list_announcements" }, "announcements");
    for (const told of announcements) this.#hear(told);
  }

  #hear(told: Announced): void {
    this.#line = this.#line.then(() => this.#hearOne(told));
  }

  async #hearOne(told: Announced): Promise<void> {
    try {
      const one = await this.#take(told);
      if (one === undefined) return;
      if (!this.queue.take(one, this.#host.quiet())) this.#over(one, "put_aside");
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      // Told twice: as an event, and in the list of what waits.
      if (code === "heard_before") return;
      this.#host.say(`An announcement was not taken: ${message}`);
      this.#tell({ id: told.announcement }, "put_aside");
    }
    this.#host.changed();
  }

  /** Undefined: the device has left its household meanwhile. */
  async #take(told: Announced): Promise<Incoming | undefined> {
    const { announcement, statement } = told;
    const { e2ee } = this.#host;
    const around = this.#around;
    if (around === undefined) return undefined;
    const [{ who, replyTo }] = await Promise.all([
      e2ee.request("announcement.take", { announcement, statement }), this.#clock.ask(around.session, () => this.#now()),
    ]);
    const { content: ciphertext } = await around.session.request({ type: "get_announcement", announcement }, "announcement_content");
    const content = await e2ee.request("announcement.open", { announcement, content: ciphertext });
    const moment = (serverMs: number): number => this.#clock.when(serverMs, this.#now()) ?? this.#now();
    return {
      id: announcement, device: who.device, kind: who.kind === "home_device" ? "home_device" : "app", from: around.store.device(who.device)?.label ?? who.label,
      content, replyTo, play: told.play, beginMs: moment(told.begin_at_ms), freshUntilMs: moment(told.expires_at_ms),
    };
  }

  /** One may go stale while nothing else happens. */
  #lookAgain(): void {
    clearTimeout(this.#staleTimer);
    const times = [...this.queue.waiting, ...this.queue.offered].map(({ freshUntilMs }) => freshUntilMs);
    if (times.length === 0 || this.#around === undefined) return;
    this.#staleTimer = setTimeout(() => this.#host.changed(), Math.max(0, Math.min(...times) - this.#now()) + 1);
  }

  /** The weekly times begin and end while nothing else happens. */
  #lookWhenTimesChange(): void {
    clearTimeout(this.#quietTimer);
    const inMs = this.#host.quietChangesInMs();
    if (inMs === undefined || this.#around === undefined) return;
    this.#quietTimer = setTimeout(() => this.#host.changed(), Math.max(0, inMs) + 1);
  }

  async #play(one: Incoming): Promise<void> {
    const stop = new AbortController();
    this.#stop = stop;
    // The screen of a call that has ended would hide what is shown. The call machine may be in the middle of ending it.
    queueMicrotask(() => this.#around?.calls.state.at === "ended" && this.#around.calls.input({ on: "dismiss" }));
    const begun = (): void => {
      this.#begun = one.id;
      this.#host.changed();
    };
    const outcome = await this.#host.output.play(one, begun, stop.signal).catch((): Outcome => "failed");
    if (stop.signal.aborted || this.#stop !== stop) return;
    this.#stop = this.#begun = undefined;
    this.queue.over();
    this.#over(one, outcome === "failed" ? "put_aside" : outcome);
    if (outcome === "failed") this.queue.last = undefined;
    this.#host.changed();
  }

  #halt(): void {
    const stop = this.#stop;
    this.#stop = this.#begun = undefined;
    stop?.abort();
  }

  /** It does not play here again, in this page or a later one. */
  #over({ id }: Incoming, heard: AnnouncementHeard): void {
    void this.#host.e2ee.request("announcement.heard", { announcement: id }).catch(() => undefined);
    this.#tell({ id }, heard);
  }

  #tell({ id }: Pick<Incoming, "id">, heard: AnnouncementHeard): void {
    void this.#around?.session.done({ type: "heard_announcement", announcement: id, heard }).catch(() => undefined);
  }

  /** In a call or a drop-in, or one rings. */
  #busy(): boolean {
    const at = this.#around?.calls.state.at;
    return at !== undefined && at !== "idle" && at !== "ended";
  }

  #now(): number {
    return (this.#host.now ?? (() => performance.now()))();
  }
}
