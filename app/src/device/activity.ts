//! That somebody is near: a touch, a click or a key, said now and then. What they do is not said.

/** The server rounds to five minutes: more often tells nothing more. */
export const SAY_EVERY_MS = 60_000;

export class Activity {
  /** False: there is nobody to say it to yet. */
  readonly #say: () => boolean;
  #saidAtMs = -Infinity;

  constructor(say: () => boolean) {
    this.#say = say;
  }

  noticed(nowMs: number): void {
    if (nowMs - this.#saidAtMs < SAY_EVERY_MS) return;
    if (this.#say()) this.#saidAtMs = nowMs;
  }
}
