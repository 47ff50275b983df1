//! Calls of this person that run at another of their devices, to be taken over here.
//!
//! The server does not tell of them by itself; it is asked whenever somebody may look, and now and then while they do.

import type { CallId, RunningCall } from "../protocol.ts";
import type { Session } from "../session/client.ts";

/** While the page is looked at. Somebody who walks to another room finds the call there within this. */
export const LOOK_EVERY_MS = 10_000;
/** From the wish until the device in the call offers it; longer, and it does not answer. */
export const OFFERED_WITHIN_MS = 10_000;

export interface ElsewhereHost {
  readonly session: Session;
  /** A device that is in a call itself does not look. */
  idle(): boolean;
  changed(): void;
}

export class Elsewhere {
  calls: readonly RunningCall[] = [];
  /** The call that was asked for. */
  wanted: CallId | undefined;
  failure: string | undefined;
  readonly #host: ElsewhereHost;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #look = (): void => void (document.hidden || this.look());
  #giveUp: ReturnType<typeof setTimeout> | undefined;

  constructor(host: ElsewhereHost) {
    this.#host = host;
    this.#timer = setInterval(this.#look, LOOK_EVERY_MS);
    addEventListener("focus", this.#look);
    document.addEventListener("visibilitychange", this.#look);
  }

  stop(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#giveUp);
    removeEventListener("focus", this.#look);
    document.removeEventListener("visibilitychange", this.#look);
  }

  async look(): Promise<void> {
    if (!this.#host.idle()) return this.take([]);
    const reply = await this.#host.session.request({ type: "list_calls" }, "calls").catch(() => undefined);
    if (reply !== undefined) this.take(reply.calls);
  }

  take(calls: readonly RunningCall[]): void {
    const before = this.calls;
    this.calls = calls.filter(({ here, phase }) => !here && phase === "answered");
    if (this.wanted !== undefined && this.calls.every(({ call }) => call !== this.wanted)) this.#settle(undefined);
    if (before.length > 0 || this.calls.length > 0) this.#host.changed();
  }

  /** "Take over here". */
  async want(call: CallId, self: string): Promise<void> {
    this.failure = undefined;
    this.wanted = call;
    clearTimeout(this.#giveUp);
    this.#giveUp = setTimeout(() => this.#settle("The device in the call does not hand it over. Try again, or move it from there."), OFFERED_WITHIN_MS);
    this.#host.changed();
    try {
      await this.#host.session.done({ type: "move_call", call, to: self, invitation: null });
    } catch (error) {
      this.#settle(error instanceof Error ? error.message : String(error));
    }
  }

  /** Offered: true when it was asked for at this device. */
  arrives(call: CallId): boolean {
    if (this.wanted !== call) return false;
    this.#settle(undefined);
    return true;
  }

  #settle(failure: string | undefined): void {
    clearTimeout(this.#giveUp);
    this.wanted = undefined;
    this.failure = failure;
    this.#host.changed();
  }
}
