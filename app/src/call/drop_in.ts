//! A drop-in, on both of its sides: the part of the call machine for it. Pure.
//!
//! For the rest of the machine it is a call that the target began and the initiator has answered. Nothing of the target's
//! devices is opened before `drop_in_opens`, which only its key worker brings about.

import type { CallId, DropInRefusal, DropInStage } from "../protocol.ts";
import type { CallState, DropIn, DropInInput, Ending, PeerView, Source } from "./state.ts";
import type { At, On, Step } from "./step.ts";
import { stay, to } from "./step.ts";

/** What the machine does for every call. */
export interface Shared {
  begin(call: CallId, peer: PeerView, video: boolean, mine: boolean, nowMs: number, microphone: Source, camera: Source): At<"running">;
  end(state: At<"outgoing"> | At<"running">, reason: Ending, nowMs: number, changedKey?: string, refusal?: DropInRefusal): Step;
}

const OFF: Source = { on: false, problem: undefined };
const ON: Source = { on: true, problem: undefined };

export function dropIn(state: CallState, input: DropInInput, shared: Shared): Step {
  switch (input.on) {
    case "drop_in": return asks(state, input);
    case "drop_in_opened": return opened(state, input, shared);
    case "drop_in_refused": return refused(state, input, shared);
    case "drop_in_arrives": return arrives(state, input);
    case "drop_in_opens": return opens(state, input, shared);
    case "drop_in_answered": return answered(state, input);
    case "drop_in_stage": return goesOn(state, input);
    case "drop_in_over": return over(state, input, shared);
  }
}

/** Whether the target's microphone is open. */
export function isHeard(stage: DropInStage): boolean {
  return stage === "frosted" || stage === "clear";
}

// ---- the initiator ----

function asks(state: CallState, { call, peer, video }: On<"drop_in">): Step {
  if (state.at !== "idle" && state.at !== "ended") return stay(state);
  return to(
    { at: "outgoing", call, peer, video, ringing: false, microphone: ON, camera: video ? ON : OFF, warnings: [], theirSwitches: {}, dropIn: { stage: undefined } },
    { do: "tone", tone: "none" },
    { do: "drop_in", call, peer, picture: video },
  );
}

function opened(state: CallState, { call, device, label, nowMs }: On<"drop_in_opened">, { begin }: Shared): Step {
  if (state.at !== "outgoing" || state.dropIn === undefined) return stay(state);
  const { peer, video, microphone, camera } = state;
  const stage = state.dropIn.stage ?? (video ? "frosted" : "clear");
  const drops: DropIn = { side: "initiator", stage, frosted: false, room: label };
  return to(
    { ...begin(call, peer, video, true, nowMs, microphone, camera), theirDevice: device, dropIn: drops },
    { do: "open_media", call, camera: camera.on },
    { do: "tone", tone: "answered" },
    { do: "remember_drop_in", call },
  );
}

function refused(state: CallState, { refusal, nowMs }: On<"drop_in_refused">, { end }: Shared): Step {
  const mine = (state.at === "outgoing" && state.dropIn !== undefined) || (state.at === "running" && state.dropIn?.side === "initiator");
  return mine ? end(state as At<"outgoing"> | At<"running">, "drop_in_refused", nowMs, undefined, refusal) : stay(state);
}

// ---- the target ----

function arrives(state: CallState, { call, peer, video, knocks }: On<"drop_in_arrives">): Step {
  if (state.at !== "idle" && state.at !== "ended") return stay(state);
  return to({ at: "arriving", call, peer, video, knocks }, { do: "tone", tone: "none" });
}

function opens(state: CallState, { call, stage, frosted, nowMs, media, room }: On<"drop_in_opens">, { begin }: Shared): Step {
  if (state.at !== "arriving") return stay(state);
  const { peer, video } = state;
  const source = (on: boolean): Source => (on ? ON : OFF);
  return to(
    { ...begin(call, peer, video, true, nowMs, source(media.microphone), source(media.camera)), dropIn: { side: "target", stage, frosted, room } },
    { do: "open_drop_in", call, stage, media },
    { do: "connect_media", call, camera: media.camera },
    { do: "drop_in_media", call, microphone: isHeard(stage), frosted },
    ...(media.camera ? [{ do: "switch", source: "camera", on: true } as const] : []),
    { do: "remember_drop_in", call },
  );
}

/** The server says that the initiator is there. */
function answered(state: CallState, { call, device, media }: On<"drop_in_answered">): Step {
  if (state.at !== "running" || state.dropIn?.side !== "target") return stay(state);
  return to({ ...state, theirDevice: device, theirMedia: media }, { do: "admit_drop_in", call });
}

/** Its keys are forgotten already. A home device goes back to what it was, and asks nobody to close anything. */
function over(state: CallState, { nowMs }: On<"drop_in_over">, { end }: Shared): Step {
  if (state.at === "running" && state.dropIn?.side === "target") return end(state, "hung_up", nowMs);
  return state.at === "arriving" ? to({ at: "idle" }, { do: "close", call: state.call }, { do: "forget" }) : stay(state);
}

// ---- both ----

function goesOn(state: CallState, { call, stage, frosted }: On<"drop_in_stage">): Step {
  if (state.at === "outgoing" && state.dropIn !== undefined) return to({ ...state, dropIn: { stage } });
  if (state.at !== "running" || state.dropIn === undefined) return stay(state);
  const next = { ...state, dropIn: { ...state.dropIn, stage, frosted } };
  return state.dropIn.side === "initiator" ? to(next) : to(next, { do: "drop_in_media", call, microphone: isHeard(stage), frosted });
}
