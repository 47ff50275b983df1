//! Sounds of the app, made on the spot: the ring, ringing at the other end, answered, ended.

import type { Tone } from "../call/state.ts";

interface Note {
  hertz: readonly number[];
  /** Seconds after the start of the pattern. */
  at: number;
  length: number;
}
interface Pattern {
  notes: readonly Note[];
  /** Seconds until it begins again; none: once. */
  every?: number;
  loudness: number;
}

const E5 = 659.26, G5 = 783.99, B5 = 987.77, C6 = 1046.5, A4 = 440;

const PATTERNS: Record<Exclude<Tone, "none">, Pattern> = {
  ring: {
    notes: [
      { hertz: [E5], at: 0, length: 0.22 }, { hertz: [G5], at: 0.2, length: 0.22 }, { hertz: [B5], at: 0.4, length: 0.45 },
      { hertz: [E5], at: 1.0, length: 0.22 }, { hertz: [G5], at: 1.2, length: 0.22 }, { hertz: [C6], at: 1.4, length: 0.6 },
    ],
    every: 3, loudness: 0.25,
  },
  // Beside a call: heard, and never louder than who speaks.
  waiting: { notes: [{ hertz: [G5], at: 0, length: 0.12 }, { hertz: [G5], at: 0.2, length: 0.12 }], every: 5, loudness: 0.05 },
  ringback: { notes: [{ hertz: [425], at: 0, length: 1 }], every: 4, loudness: 0.06 },
  answered: { notes: [{ hertz: [A4], at: 0, length: 0.09 }, { hertz: [E5], at: 0.1, length: 0.14 }], loudness: 0.1 },
  confirm: { notes: [{ hertz: [G5], at: 0, length: 0.1 }, { hertz: [C6], at: 0.12, length: 0.16 }], loudness: 0.2 },
  ended: { notes: [{ hertz: [E5], at: 0, length: 0.12 }, { hertz: [A4], at: 0.14, length: 0.22 }], loudness: 0.1 },
};

/** Two soft knocks on wood, three times over a quarter of a minute: somebody waits, but nothing rings. */
const KNOCKING: Pattern = {
  notes: [0, 7, 14].flatMap((at) => [{ hertz: [196], at, length: 0.14 }, { hertz: [220], at: at + 0.24, length: 0.18 }]),
  loudness: 0.3,
};

export class Tones {
  #context: AudioContext | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #gain: GainNode | undefined;

  /** Browsers let a page sound only after a touch or a key; a device that was not touched yet asks for it. */
  get allowed(): boolean {
    return this.#ready().state === "running";
  }

  async unlock(): Promise<void> {
    await this.#ready().resume().catch(() => undefined);
  }

  play(tone: Tone): void {
    clearTimeout(this.#timer);
    if (this.#gain !== undefined && this.#context !== undefined) {
      this.#gain.gain.setTargetAtTime(0, this.#context.currentTime, 0.02);
      const old = this.#gain;
      setTimeout(() => old.disconnect(), 200);
    }
    this.#gain = undefined;
    if (tone !== "none") this.#repeat(PATTERNS[tone]);
  }

  knock(): void {
    this.play("none");
    this.#repeat(KNOCKING);
  }

  #ready(): AudioContext {
    this.#context ??= new AudioContext();
    return this.#context;
  }

  #repeat(pattern: Pattern): void {
    const context = this.#ready();
    if (context.state === "suspended") void context.resume().catch(() => undefined);
    const gain = context.createGain();
    gain.gain.value = pattern.loudness;
    gain.connect(context.destination);
    this.#gain = gain;
    const round = (): void => {
      for (const note of pattern.notes) sound(context, gain, note);
      if (pattern.every !== undefined) this.#timer = setTimeout(round, pattern.every * 1_000);
    };
    round();
  }
}

/** A soft bell: quick in, slow out, with a quiet octave above. */
function sound(context: AudioContext, out: AudioNode, { hertz, at, length }: Note): void {
  const begin = context.currentTime + at + 0.02;
  for (const base of hertz) {
    for (const [factor, loudness] of [[1, 1], [2, 0.18]] as const) {
      const oscillator = context.createOscillator();
      const envelope = context.createGain();
      oscillator.type = "sine";
      oscillator.frequency.value = base * factor;
      envelope.gain.setValueAtTime(0, begin);
      envelope.gain.linearRampToValueAtTime(loudness, begin + 0.015);
      envelope.gain.setValueAtTime(loudness, begin + Math.max(0.02, length - 0.12));
      envelope.gain.linearRampToValueAtTime(0, begin + length);
      oscillator.connect(envelope).connect(out);
      oscillator.start(begin);
      oscillator.stop(begin + length + 0.02);
    }
  }
}
