//! Answering by itself: for those whom the household's signed policy names, after a ring that everybody in the room hears.

import type { WhoIs } from "../e2ee/port.ts";
import type { AnswerMode } from "../home/policies.ts";
import type { CallId } from "../protocol.ts";

/** The ring tone's first figure and the beginning of the spoken name. */
export const RING_FIRST_MS = 1_800;

export interface AutoAnswerHost {
  /** By the policy that holds now. */
  mode(who: WhoIs): AnswerMode;
  /** The call that rings now. */
  ringing(): CallId | undefined;
  /** The browser lets the page sound: nobody is listened in on without having heard the ring. */
  audible(): boolean;
  answer(): void;
}

export class AutoAnswer {
  /** What the policy says of the call that rang last. */
  last: { call: CallId; mode: AnswerMode } | undefined;
  readonly #host: AutoAnswerHost;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: AutoAnswerHost) {
    this.#host = host;
  }

  rings(call: CallId, who: WhoIs): void {
    clearTimeout(this.#timer);
    const mode = this.#host.mode(who);
    this.last = { call, mode };
    if (mode === "auto") this.#timer = setTimeout(() => this.#due(call, who), RING_FIRST_MS);
  }

  /** Asked again: the call may be over and the policy another by now. */
  #due(call: CallId, who: WhoIs): void {
    if (this.#host.ringing() !== call || this.#host.mode(who) !== "auto" || !this.#host.audible()) return;
    this.#host.answer();
  }
}
