//! A live announcement, on both of its sides: the part of the call machine for it. Pure.
//!
//! For the rest of the machine it is a call that the announcing device began and in which everybody else only hears: there
//! nothing is captured, and here nothing is played.

import type { AnnouncementReceiver, CallId, DeviceId, Participant } from "../protocol.ts";
import type { CallState, Effect, Input, Live, LiveInput, LiveRoom, PeerView, Source } from "./state.ts";
import type { At, On, Step } from "./step.ts";
import { stay, to } from "./step.ts";

/** Then the server ends it. */
export const LIVE_MS_MAX = 60_000;

/** What the machine does for every call. */
export interface Shared {
  begin(call: CallId, peer: PeerView, video: boolean, mine: boolean, nowMs: number, microphone: Source, camera: Source): At<"running">;
}

const OFF: Source = { on: false, problem: undefined };
const ON: Source = { on: true, problem: undefined };

export function live(state: CallState, input: LiveInput, shared: Shared): Step {
  switch (input.on) {
    case "live_speaks": return speaks(state, input, shared);
    case "live_announced": return announced(state, input);
    case "live_declined": return declined(state, input);
    case "live_answered": return answered(state, input);
    case "live_hears": return hears(state, input, shared);
  }
}

/** The speaking device opens its microphone; what it captures waits for the first room that hears it. */
function speaks(state: CallState, { call, peer, to: where, nowMs }: On<"live_speaks">, { begin }: Shared): Step {
  if (state.at !== "idle" && state.at !== "ended") return stay(state);
  return to(
    { ...begin(call, peer, false, true, nowMs, ON, OFF), live: { side: "speaks", to: where, rooms: undefined } },
    { do: "tone", tone: "none" },
    { do: "announce_live", call, to: where },
    { do: "open_media", call, camera: false, only: "speaks" },
    { do: "remember_drop_in", call },
  );
}

/** The server has told the rooms. A quick one may have come before that was said here. */
function announced(state: CallState, { receivers, nowMs }: On<"live_announced">): Step {
  if (state.at !== "running" || state.live?.side !== "speaks") return stay(state);
  const known = state.live.rooms ?? {};
  const told = receivers.map(({ device, fate }: AnnouncementReceiver) => [device, known[device] ?? fate] as const);
  return to({ ...state, sinceMs: nowMs, live: { ...state.live, rooms: Object.fromEntries(told) } });
}

/** A room that was told will not hear it. */
function declined(state: CallState, { call, device }: On<"live_declined">): Step {
  if (state.at !== "running" || state.call !== call || state.live?.side !== "speaks") return stay(state);
  return to({ ...state, live: { ...state.live, rooms: { ...state.live.rooms, [device]: "declined" } } });
}

/** A room that was told wants to hear it. */
function answered(state: CallState, { call, device, keyPackage, statement }: On<"live_answered">): Step {
  if (state.at !== "running" || state.live?.side !== "speaks") return stay(state);
  return to(state, { do: "admit_live", call, device, keyPackage, statement });
}

/** This device plays it, and opens nothing. */
function hears(state: CallState, { call, peer, device, nowMs }: On<"live_hears">, { begin }: Shared): Step {
  if (state.at !== "idle" && state.at !== "ended") return stay(state);
  return to(
    { ...begin(call, peer, false, false, nowMs, OFF, OFF), live: { side: "hears", device } },
    { do: "tone", tone: "live" },
    { do: "hear_live", call },
    { do: "connect_media", call, camera: false, only: { hears: device } },
    { do: "remember_drop_in", call },
  );
}

/** Who is there hears it; who was, and is no more, has stopped it there. */
export function roomsWith(live: Live, participants: readonly Participant[], self: DeviceId): Live {
  if (live.side !== "speaks") return live;
  const here = new Set(participants.map(({ device }) => device).filter((device) => device !== self));
  const before = live.rooms ?? {};
  const gone = Object.entries(before).flatMap(([device, room]) => (room === "hears" && !here.has(device) ? [[device, "left"] as const] : []));
  const hear = [...here].map((device) => [device, "hears"] as const);
  return { ...live, rooms: { ...before, ...Object.fromEntries([...gone, ...hear]) } };
}

/** Nothing of it is captured here, whatever is pressed. */
export function capturesNothing(state: CallState, input: Input): boolean {
  return state.at === "running" && state.live?.side === "hears" && (input.on === "toggle" || input.on === "captured");
}

/** Whatever ended it: what became of it is told. */
export function ended(before: CallState, after: CallState, input: Input): Effect | undefined {
  if (before.at !== "running" || before.live === undefined) return undefined;
  if (after.at === "running" && after.call === before.call) return undefined;
  const nowMs = "nowMs" in input ? input.nowMs : before.sinceMs;
  const why = input.on === "start_failed" || input.on === "over" || input.on === "hang_up" ? input.reason : input.on === "warning" || input.on === "not_admitted" ? "encryption_refused" : "hung_up";
  return { do: "live_over", call: before.call, live: before.live, reason: why, lengthMs: Math.min(LIVE_MS_MAX, Math.max(0, nowMs - before.sinceMs)) };
}

/** A room of one that is over. */
export function afterwards(room: LiveRoom): LiveRoom {
  return room === "hears" ? "played" : room === "told" ? "missed" : room;
}
