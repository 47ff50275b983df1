//! Which counters of one sender and epoch were seen: a window behind the highest.

/** 1,024 counters: about seven seconds of a member that sends sound and three layers of video. */
export const REPLAY_WINDOW = 1_024;

export class ReplayWindow {
  /** The counter last seen in each residue class; -1 for none. */
  readonly #seen = new Float64Array(REPLAY_WINDOW).fill(-1);
  #highest = -1;

  /** True when the counter is neither known nor too old to know. */
  isFresh(counter: number): boolean {
    return counter > this.#highest - REPLAY_WINDOW && this.#seen[counter % REPLAY_WINDOW] !== counter;
  }

  /** Records a counter whose frame was authentic; false when another frame had it before. */
  accept(counter: number): boolean {
    if (!this.isFresh(counter)) return false;
    this.#seen[counter % REPLAY_WINDOW] = counter;
    this.#highest = Math.max(this.#highest, counter);
    return true;
  }
}
