//! Live announcements at a home device: taken by its key worker's word, heard at once if nothing is in the way, and never afterwards.

import type { LinkUp } from "../app/link_up.ts";
import type { LiveAnnounced } from "../call/controller.ts";
import { LIVE_MS_MAX } from "../call/live.ts";
import type { E2ee } from "../e2ee/page.ts";
import type { CallId, DeviceId, Event } from "../protocol.ts";

/** The device around it. */
export interface LiveHearingHost {
  readonly e2ee: Pick<E2ee, "request">;
  /** The page may sound: somebody has touched it. */
  audible(): boolean;
  /** A microphone is open here: nothing plays into what somebody records. */
  recording(): boolean;
  /** Do not disturb is on, here or everywhere. */
  quiet(): boolean;
  say(text: string): void;
  changed(): void;
  now?: () => number;
}

type Around = Pick<LinkUp, "session" | "store" | "calls" | "loaded">;

/** One that goes on, and is not heard here yet. */
interface Pending {
  call: CallId;
  device: DeviceId;
  name: string;
  untilMs: number;
}

export class LiveHearing {
  readonly #host: LiveHearingHost;
  #around: Around | undefined;
  /** The newest: a device hears one at a time. */
  #pending: Pending | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Told over while its signature was looked at. */
  #over: CallId | undefined;

  constructor(host: LiveHearingHost) {
    this.#host = host;
  }

  /** The one that is heard here. */
  get hears(): CallId | undefined {
    const state = this.#around?.calls.state;
    return state?.at === "running" && state.live?.side === "hears" ? state.call : undefined;
  }

  /** Somebody speaks, and this page can't sound, since nobody has touched it. */
  get silenced(): boolean {
    return this.#pending !== undefined && !this.#host.audible() && this.#free;
  }

  begin(around: Around): void {
    this.end();
    this.#around = around;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#around = this.#pending = undefined;
  }

  handle(event: Event): void {
    if (event.type !== "call_ended") return;
    this.#over = event.call;
    if (this.#pending?.call === event.call) this.#forget();
  }

  async announced({ call, device, statement }: LiveAnnounced): Promise<void> {
    const around = this.#around;
    // Do not disturb: nothing is heard, and nothing of it is offered afterwards.
    if (around === undefined) return;
    if (this.#host.quiet()) return this.#refuse(call);
    try {
      const { who } = await this.#host.e2ee.request("live.take", { call, device, statement });
      if (this.#around !== around || this.#over === call) return;
      clearTimeout(this.#timer);
      this.#pending = { call, device, name: around.store.device(who.device)?.label ?? who.label, untilMs: this.#now() + LIVE_MS_MAX };
      this.#timer = setTimeout(() => this.#host.changed(), LIVE_MS_MAX + 1);
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      if (code === "heard_before") return;
      this.#refuse(call);
      this.#host.say(`A live announcement was not taken: ${message}`);
    }
    this.#host.changed();
  }

  /** After every change. */
  look(): void {
    const { quiet, audible, recording } = this.#host;
    if (this.#around === undefined) return;
    if (quiet()) {
      if (this.#pending !== undefined) this.#refuse(this.#pending.call);
      this.#forget();
      if (this.hears !== undefined) queueMicrotask(() => this.stop());
      return;
    }
    const one = this.#pending;
    if (one === undefined) return;
    if (this.#now() >= one.untilMs) return this.#forget();
    // The call machine may be in the middle of a step.
    if (this.#free && audible() && !recording()) queueMicrotask(() => this.#hear(one));
  }

  /** One press: it ends here, and goes on elsewhere. */
  stop(): void {
    if (this.hears !== undefined) this.#around?.calls.hangUp();
  }

  get #free(): boolean {
    const at = this.#around?.calls.state.at;
    return at === "idle" || at === "ended";
  }

  #hear(one: Pending): void {
    const { quiet, recording } = this.#host;
    if (this.#pending !== one || !this.#free || quiet() || recording()) return;
    this.#forget();
    this.#around?.calls.hearLive(one.call, one.device, one.name);
  }

  /** It need not wait for this device. */
  #refuse(call: CallId): void {
    void this.#around?.session.done({ type: "hang_up", call, reason: "hung_up" }).catch(() => undefined);
  }

  #forget(): void {
    clearTimeout(this.#timer);
    this.#pending = undefined;
  }

  #now(): number {
    return (this.#host.now ?? (() => performance.now()))();
  }
}
