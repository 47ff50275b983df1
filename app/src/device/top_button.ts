//! The big button: two presses call the top contact, one press hangs up. Pure, told the time.

/** Two presses within this are one double press. */
export const DOUBLE_PRESS_MS = 600;

export type Press = "hang_up" | "call" | "first" | "ignored";

export class TopButton {
  #before: number | undefined;
  #deafUntil = 0;

  /** `busy`: a call is on, or being placed. */
  press(nowMs: number, busy: boolean): Press {
    if (busy) {
      this.#before = undefined;
      // Who presses twice in a call wants it to end, not another to begin.
      this.#deafUntil = nowMs + DOUBLE_PRESS_MS;
      return "hang_up";
    }
    if (nowMs < this.#deafUntil) return "ignored";
    if (this.#before !== undefined && nowMs - this.#before <= DOUBLE_PRESS_MS) {
      this.#before = undefined;
      return "call";
    }
    this.#before = nowMs;
    return "first";
  }
}
