//! That somebody is near, said now and then: a touch, a click or a key, or that something moved. What they do is not said.

/** Of touches. The server rounds to five minutes: more often tells nothing more. */
export const SAY_EVERY_MS = 60_000;
/** Of movement, as often as the server hears a device: a room that was just switched on is shown at once. */
export const MOTION_EVERY_MS = 10_000;

export class Activity {
  /** False: there is nobody to say it to yet. */
  readonly #say: () => boolean;
  readonly #everyMs: number;
  #saidAtMs = -Infinity;

  constructor(say: () => boolean, everyMs: number) {
    this.#say = say;
    this.#everyMs = everyMs;
  }

  noticed(nowMs: number): void {
    if (nowMs - this.#saidAtMs < this.#everyMs) return;
    if (this.#say()) this.#saidAtMs = nowMs;
  }
}
