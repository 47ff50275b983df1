//! That somebody is near: a touch, a click or a key, said now and then. What they do is not said.

/** The server rounds to five minutes: more often tells nothing more. */
export const SAY_EVERY_MS = 60_000;

export class Activity {
  readonly #say: () => void;
  #saidAtMs = -Infinity;

  constructor(say: () => void) {
    this.#say = say;
  }

  noticed(nowMs: number): void {
    if (nowMs - this.#saidAtMs < SAY_EVERY_MS) return;
    this.#saidAtMs = nowMs;
    this.#say();
  }
}
