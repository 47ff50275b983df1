//! Plays an announcement at its moment: its sound, or its text by the device's voice. No microphone is opened for either.

import { fromBase64Url } from "../e2ee/bytes.ts";
import { RECORDED_MS_MAX } from "../media/recorder.ts";
import type { Tones } from "../media/tones.ts";
import type { Incoming } from "./announcement_queue.ts";
import { painted } from "./painted.ts";
import type { Voice } from "./voice.ts";

/** A sound output that has not come to the end by then is none. */
const LATE_MS = 5_000;
/** The slowest voice takes no longer for a character. */
const CHARACTER_MS = 250;

/** What became of it. */
export type Outcome = "played" | "shown" | "failed";

/** Resolves with what became of it; once `stop` is aborted it is silent at once, and what it resolves with means nothing. */
export type Play = (one: Incoming, begun: () => void, stop: AbortSignal) => Promise<Outcome>;

export interface Output {
  /** Whether it can be heard, or read, now. */
  can(one: Incoming): boolean;
  play: Play;
}

export function announcedSound(tones: Pick<Tones, "allowed" | "output">, voice: Pick<Voice, "speaks" | "read" | "stopReading">): Output {
  const speaks = (): boolean => tones.allowed && voice.speaks;
  return {
    // What can't be spoken is shown, and a tab that nobody looks at shows nothing.
    can: ({ content }) => (content.kind === "sound" ? tones.allowed : speaks() || !document.hidden),
    play: (one, begun, stop) => {
      const { content } = one;
      if (content.kind === "sound") return sound(tones.output, content.ogg, one.beginMs, begun, stop);
      return text(speaks() ? voice : undefined, `${one.from} says: ${content.text}`, one.beginMs, begun, stop);
    },
  };
}

async function sound(context: AudioContext, ogg: string, beginMs: number, begun: () => void, stop: AbortSignal): Promise<Outcome> {
  const buffer = await context.decodeAudioData(fromBase64Url(ogg).buffer).catch(() => undefined);
  if (buffer === undefined || buffer.length === 0) return "failed";
  if (stop.aborted) return "failed";
  const source = context.createBufferSource();
  source.buffer = buffer;
  source.connect(context.destination);
  const ended = new Promise<Outcome>((resolve) => (source.onended = () => resolve("played")));
  // Scheduled by the clock of the sound itself, so that nothing this page does delays it.
  source.start(contextTime(context, beginMs), 0, RECORDED_MS_MAX / 1_000);
  stop.addEventListener("abort", () => source.stop());
  await at(beginMs, stop);
  if (!stop.aborted) begun();
  const outcome = await within(ended, buffer.duration * 1_000 + Math.max(0, beginMs - performance.now()) + LATE_MS);
  source.disconnect();
  return outcome;
}

/** When `beginMs` of the page's clock is heard, by the sound's own: what the output holds back is counted in. */
function contextTime(context: AudioContext, beginMs: number): number {
  const { contextTime: heard, performanceTime } = context.getOutputTimestamp();
  const known = heard !== undefined && performanceTime !== undefined && performanceTime > 0;
  const time = known ? heard + (beginMs - performanceTime) / 1_000 : context.currentTime + (beginMs - performance.now()) / 1_000;
  return Math.max(time, context.currentTime);
}

async function text(voice: Pick<Voice, "read" | "stopReading"> | undefined, words: string, beginMs: number, begun: () => void, stop: AbortSignal): Promise<Outcome> {
  await at(beginMs, stop);
  if (stop.aborted) return "failed";
  begun();
  if (voice !== undefined) {
    stop.addEventListener("abort", () => voice.stopReading());
    const spoken = await within(voice.read(words), words.length * CHARACTER_MS + LATE_MS);
    if (spoken === true) return "played";
    if (stop.aborted) return "failed";
  }
  return (await painted(() => document.querySelector('[data-testid="announcement"]'))) ? "shown" : "failed";
}

function at(beginMs: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, Math.max(0, beginMs - performance.now()));
    stop.addEventListener("abort", () => resolve());
  });
}

function within<T>(work: Promise<T>, ms: number): Promise<T | "failed"> {
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve("failed"), ms);
    void work.then((value) => {
      clearTimeout(late);
      resolve(value);
    });
  });
}
