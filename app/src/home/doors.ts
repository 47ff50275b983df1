//! Where this app may drop in now, as the server says when somebody looks: a button that would be refused is not shown.

import type { Callee, Event } from "../protocol.ts";
import type { Session } from "../session/client.ts";

/** While a card is open; what changed meanwhile is said in words when the button is pressed. */
const ASK_AGAIN_MS = 15_000;
/** Cards and devices that somebody looked at; the oldest goes. */
const ANSWERS_MAX = 64;

/** After these, one may drop in elsewhere than before. */
const MOVES: ReadonlySet<Event["type"]> = new Set([
  "drop_in_grant_put", "drop_in_grant_ended", "device_settings_changed", "contact_put", "contact_deleted", "roster_grew", "recently_active", "child_changed",
]);

interface Answer {
  readonly may: boolean;
  readonly askedAtMs: number;
}

export class Doors {
  readonly #session: Pick<Session, "done">;
  readonly #changed: () => void;
  readonly #now: () => number;
  readonly #answers = new Map<string, Answer>();

  constructor(session: Pick<Session, "done">, changed: () => void, now: () => number = Date.now) {
    this.#session = session;
    this.#changed = changed;
    this.#now = now;
  }

  /** Asks if that was not asked lately. False until there is an answer. */
  may(to: Callee): boolean {
    const key = JSON.stringify(to);
    const known = this.#answers.get(key);
    if (known === undefined || this.#now() - known.askedAtMs >= ASK_AGAIN_MS) void this.#ask(to, key, known?.may ?? false);
    return known?.may ?? false;
  }

  handle(event: Event): void {
    if (MOVES.has(event.type)) this.forget();
  }

  /** What was said before holds no more: asked anew as soon as somebody looks. */
  forget(): void {
    this.#answers.clear();
    this.#changed();
  }

  async #ask(to: Callee, key: string, before: boolean): Promise<void> {
    const asked: Answer = { may: before, askedAtMs: this.#now() };
    this.#answers.delete(key);
    this.#answers.set(key, asked);
    const oldest = [...this.#answers.keys()].at(-ANSWERS_MAX - 1);
    if (oldest !== undefined) this.#answers.delete(oldest);
    const may = await this.#session.done({ type: "may_drop_in", to }).then(() => true, () => false);
    // Asked anew meanwhile, after something changed: that answer counts.
    if (this.#answers.get(key) !== asked) return;
    this.#answers.set(key, { ...asked, may });
    if (may !== before) this.#changed();
  }
}
