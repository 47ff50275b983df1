//! The device's voice: the browser's speech synthesis, where it has one.

const REPEAT_MS = 6_000;

export class Voice {
  /** What was said last, for those who read it: a live region shows it. */
  text = "";
  #reading = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Without a voice in the browser the ring tone and the screen have to do. */
  get available(): boolean {
    return "speechSynthesis" in globalThis;
  }

  /** Whether it has anything to speak with; a browser may know only after a while. */
  get speaks(): boolean {
    return this.available && speechSynthesis.getVoices().length > 0;
  }

  /** Once, to its end. False: it was cut short, or could not be said. */
  read(text: string): Promise<boolean> {
    this.stop();
    this.text = text;
    this.#reading = true;
    return new Promise((resolve) => {
      const utterance = new SpeechSynthesisUtterance(text);
      utterance.rate = 0.95;
      utterance.onend = () => resolve(true);
      utterance.onerror = () => resolve(false);
      speechSynthesis.speak(utterance);
    });
  }

  /** Silent, unless something else is said by now: a call that rings says who calls. */
  stopReading(): void {
    if (this.#reading) this.stop();
  }

  say(text: string, times = 1): void {
    this.stop();
    this.#speak(text, times);
  }

  repeat(text: string): void {
    this.say(text, Number.POSITIVE_INFINITY);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#reading = false;
    this.text = "";
    if (this.available) speechSynthesis.cancel();
  }

  #speak(text: string, times: number): void {
    this.text = text;
    if (this.available) {
      const utterance = new SpeechSynthesisUtterance(text);
      utterance.rate = 0.95;
      speechSynthesis.speak(utterance);
    }
    if (times > 1) this.#timer = setTimeout(() => this.#speak(text, times - 1), REPEAT_MS);
  }
}
