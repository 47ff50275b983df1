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

const D5 = 587.33, A5 = 880, E5 = 659.26, G5 = 783.99, B5 = 987.77, C6 = 1046.5, A4 = 440;

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
  // Somebody speaks live: heard before the first word, and gone by then.
  live: { notes: [{ hertz: [C6], at: 0, length: 0.14 }, { hertz: [G5], at: 0.12, length: 0.2 }], loudness: 0.18 },
  ended: { notes: [{ hertz: [E5], at: 0, length: 0.12 }, { hertz: [A4], at: 0.14, length: 0.22 }], loudness: 0.1 },
};

/** Two soft knocks on wood, three times over a quarter of a minute: somebody waits, but nothing rings. */
const KNOCKING: Pattern = {
  notes: [0, 7, 14].flatMap((at) => [{ hertz: [196], at, length: 0.14 }, { hertz: [220], at: at + 0.24, length: 0.18 }]),
  loudness: 0.3,
};

/** Somebody drops in: long enough to be heard in another room, and unlike every other sound. */
const DROP_IN: readonly Note[] = [
  { hertz: [D5], at: 0, length: 0.3 }, { hertz: [A5], at: 0.25, length: 0.3 }, { hertz: [D5, A5], at: 0.5, length: 0.6 },
];
/** Of full volume, whatever else is set: nobody is listened to who could not hear it. */
const DROP_IN_LOUDNESS = 0.5;
const DROP_IN_MS = 1_100;
/** A sound output that has not played it by then is none. */
const DROP_IN_LATE_MS = 3_000;
/** It goes on: soft, so that nobody is startled, and still heard. */
const STILL_THERE: Pattern = { notes: [{ hertz: [A5], at: 0, length: 0.18 }, { hertz: [D5], at: 0.22, length: 0.3 }], loudness: 0.12 };

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

  /** Resolves once it has sounded to its end; false: it has not, and nothing may open. No other tone cuts it short. */
  async dropIn(): Promise<boolean> {
    const context = this.#ready();
    if (context.state !== "running") await Promise.race([context.resume().catch(() => undefined), after(300)]);
    if (context.state !== "running") return false;
    const gain = context.createGain();
    gain.gain.value = DROP_IN_LOUDNESS;
    gain.connect(context.destination);
    const end = context.currentTime + DROP_IN_MS / 1_000 + 0.05;
    for (const note of DROP_IN) sound(context, gain, note);
    // By the clock of the sound itself: it stands still when nothing is played.
    for (const late = performance.now() + DROP_IN_LATE_MS; context.currentTime < end && performance.now() < late;) await after(50);
    gain.disconnect();
    return context.currentTime >= end;
  }

  /** A drop-in has gone on for five minutes more. */
  stillThere(): void {
    this.play("none");
    this.#repeat(STILL_THERE);
  }

  /** Where other sounds of this page are played as well. */
  get output(): AudioContext {
    return this.#ready();
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

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
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
