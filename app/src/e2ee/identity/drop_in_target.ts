//! A drop-in at the device that is heard, as a machine: what may open when. Pure, and told the time.
//!
//! Nothing opens before the tone has played to its end and the light is on: only `signalled` leads to `open`. After `close` no
//! input leads back. Twin of e2ee/src/drop_in/target.rs.

import type { DropInRefusal, DropInStage } from "../../protocol.ts";
import { type DropInGrant, OPENING } from "./drop_in.ts";
import type { Permit } from "./drop_in_judge.ts";

/** How long somebody at the device has for yes or no. */
export const KNOCK_MS = 20_000;
/** How long the picture is frosted, where nothing else is set. */
export const FROSTED_MS = 10_000;
export const FROSTED_MIN_MS = 5_000;
export const FROSTED_MAX_MS = 30_000;
/** A long drop-in is heard again. */
export const REMIND_EVERY_MS = 5 * 60_000;
/** Tone and light take a second; a page that could not give them by then says so itself, or is gone. */
export const SIGNAL_MAX_MS = 6_000;

/** Who ended it; the places are those of the ledger. */
export type EndedBy = "target" | "initiator" | "grant" | "put_out" | "connection";

export interface Live {
  call: string;
  permit: Permit;
  /** The own household may be shown at once, where the device is set so. */
  own: boolean;
  /** What is sent of the picture is granted, wished, and there. */
  picture: boolean;
  frostedMs: number;
}

export type TargetState =
  | { at: "idle" }
  /** Tone and light. */
  | { at: "signalling"; live: Live; untilMs: number }
  | { at: "knocking"; live: Live; untilMs: number }
  /** `clearsAtMs`: until then the picture is frosted; undefined where it is clear, or there is none. */
  | { at: "open"; live: Live; clearsAtMs: number | undefined; hushed: boolean; remindsAtMs: number };

export type TargetInput =
  | { on: "permitted"; live: Live }
  | { on: "signalled" }
  /** Tone or light could not be given. */
  | { on: "not_signalled" }
  | { on: "yes" }
  | { on: "no" }
  | { on: "hush"; to: boolean }
  /** One press at the device. */
  | { on: "end" }
  /** The other side, or the server, ended it, or the connection is gone. */
  | { on: "over"; by: "initiator" | "connection" }
  /** It may not go on: the grant ended, drop-in was switched off, or everyone was put out. */
  | { on: "ends"; refusal: DropInRefusal; by: "grant" | "put_out" }
  | { on: "tick" };

export type TargetOutput =
  /** Play the tone to its end and light the indicator; then say `signalled`. */
  | { do: "signal" }
  /** Now, and only now: the group, and microphone and camera as the stage says. `frosted`: what is sent of the picture. */
  | { do: "open"; stage: DropInStage; frosted: boolean }
  | { do: "stage"; stage: DropInStage; frosted: boolean }
  /** Before it opened, or while it knocked. */
  | { do: "refuse"; refusal: DropInRefusal }
  /** Forget the group, close everything, put the light out. */
  | { do: "close"; by: EndedBy }
  /** The soft tone of a long drop-in. */
  | { do: "remind" };

export interface TargetStep {
  state: TargetState;
  outputs: TargetOutput[];
}

export function step(state: TargetState, now: number, input: TargetInput): TargetStep {
  if (state.at === "idle") {
    if (input.on !== "permitted") return stay(state);
    return to({ at: "signalling", live: input.live, untilMs: now + SIGNAL_MAX_MS }, { do: "signal" });
  }
  switch (input.on) {
    case "over": return closed(input.by);
    case "ends": return ends(state, input.refusal, input.by);
    case "end": return state.at === "open" ? closed("target") : refused("turned_away", "target");
  }
  switch (state.at) {
    case "signalling": return signalling(state, now, input);
    case "knocking": return knocking(state, now, input);
    case "open": return open(state, now, input);
  }
}

/** What the other side hears and sees. */
function stageOf({ clearsAtMs, hushed }: At<"open">): { stage: DropInStage; frosted: boolean } {
  const frosted = clearsAtMs !== undefined;
  return { stage: hushed ? "hushed" : frosted ? "frosted" : "clear", frosted };
}

/** How long the picture is frosted: never shorter than five seconds for another household. */
export function frostedFor(wishedMs: number, own: boolean): number {
  if (own && wishedMs === 0) return 0;
  return Math.min(FROSTED_MAX_MS, Math.max(FROSTED_MIN_MS, wishedMs));
}

type At<K extends TargetState["at"]> = Extract<TargetState, { at: K }>;

function signalling(state: At<"signalling">, now: number, input: TargetInput): TargetStep {
  // Late is too late, whatever comes.
  if (input.on === "not_signalled" || now >= state.untilMs) return refused("no_signal", "target");
  if (input.on !== "signalled") return stay(state);
  const { live } = state;
  if (knocks(live.permit.opening)) return to({ at: "knocking", live, untilMs: now + KNOCK_MS }, { do: "open", stage: "knocking", frosted: true });
  const next = opened(live, now);
  return to(next, { do: "open", ...stageOf(next) });
}

function knocking(state: At<"knocking">, now: number, input: TargetInput): TargetStep {
  const { live } = state;
  const late = now >= state.untilMs;
  const unlessNo = live.permit.opening === OPENING.knockUnlessNo;
  if (input.on === "no" || (late && !unlessNo)) return refused("turned_away", "target");
  if (input.on !== "yes" && !late) return stay(state);
  const next = opened(live, now);
  return to(next, { do: "stage", ...stageOf(next) });
}

function open(state: At<"open">, now: number, input: TargetInput): TargetStep {
  if (input.on === "hush" && input.to !== state.hushed) {
    const next = { ...state, hushed: input.to };
    return to(next, { do: "stage", ...stageOf(next) });
  }
  if (input.on !== "tick") return stay(state);
  let next = state;
  const outputs: TargetOutput[] = [];
  if (state.clearsAtMs !== undefined && now >= state.clearsAtMs) {
    next = { ...next, clearsAtMs: undefined };
    outputs.push({ do: "stage", ...stageOf(next) });
  }
  if (now >= state.remindsAtMs) {
    next = { ...next, remindsAtMs: now + REMIND_EVERY_MS };
    outputs.push({ do: "remind" });
  }
  return to(next, ...outputs);
}

function opened(live: Live, now: number): At<"open"> {
  const frosted = live.picture ? frostedFor(live.frostedMs, live.own) : 0;
  return { at: "open", live, clearsAtMs: frosted === 0 ? undefined : now + frosted, hushed: false, remindsAtMs: now + REMIND_EVERY_MS };
}

function knocks(opening: DropInGrant["opening"]): boolean {
  return opening === OPENING.knockUntilYes || opening === OPENING.knockUnlessNo;
}

/** Before somebody was let in, the initiator hears why; afterwards it just ends. */
function ends(state: TargetState, refusal: DropInRefusal, by: "grant" | "put_out"): TargetStep {
  return state.at === "open" ? closed(by) : refused(refusal, by);
}

function refused(refusal: DropInRefusal, by: EndedBy): TargetStep {
  return to({ at: "idle" }, { do: "refuse", refusal }, { do: "close", by });
}

function closed(by: EndedBy): TargetStep {
  return to({ at: "idle" }, { do: "close", by });
}

function stay(state: TargetState): TargetStep {
  return { state, outputs: [] };
}

function to(state: TargetState, ...outputs: TargetOutput[]): TargetStep {
  return { state, outputs };
}
