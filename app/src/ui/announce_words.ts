//! Where something can be announced, and what became of it there, in words.

import type { DeviceProblem, LiveRoom } from "../call/state.ts";
import { type InRoom, receivers, zones } from "../home/announcing.ts";
import type { AnnounceTo, Device } from "../protocol.ts";
import { problemWords } from "./words.ts";

/** After this a device that was told has not heard it, and will not. */
const FRESH_MS = 5 * 60 * 1_000;

export interface Destination {
  value: string;
  label: string;
  to: AnnounceTo;
}

/** Everywhere first, then rooms in which several devices stand or one of another name, then each device. */
export function destinations(devices: readonly Device[]): Destination[] {
  const rooms = receivers(devices, { type: "home" });
  const named = zones(devices).filter((room) => {
    const there = receivers(devices, { type: "zone", room });
    return there.length > 1 || there[0]?.label !== room;
  });
  return [
    { value: "home", label: "Everywhere", to: { type: "home" } },
    ...named.map((room) => ({ value: `zone:${room}`, label: `All of ${room}`, to: { type: "zone" as const, room } })),
    ...rooms.map(({ id, label }) => ({ value: `device:${id}`, label, to: { type: "device" as const, device: id } })),
  ];
}

export function destinationWords(to: AnnounceTo, label: (device: string) => string): string {
  switch (to.type) {
    case "home": return "Everywhere";
    case "zone": return to.room;
    case "device": return label(to.device);
  }
}

export function inRoomWords(state: InRoom, ageMs: number): string {
  switch (state) {
    case "played": return "Heard";
    case "hears": return "Hears it";
    case "left": return "Stopped there";
    case "declined": return "Not taken there";
    case "missed": return "Not heard";
    case "shown": return "Shown on its screen";
    case "put_aside": return "Put aside";
    case "quiet": return "Do not disturb: nothing is played there";
    case "busy": return "In a call";
    case "away": return ageMs > FRESH_MS ? "Was not connected" : "Not connected";
    case "told": return ageMs > FRESH_MS ? "Not heard" : "On its way…";
  }
}

/** While it is spoken, short enough to stand beside a name. */
export function liveRoomWords(state: LiveRoom): string {
  return state === "quiet" ? "Do not disturb" : inRoomWords(state, 0);
}

export function recordingWords(problem: DeviceProblem | "unsupported"): string {
  if (problem === "unsupported") return "This browser can't record. Type it instead.";
  // What a call adds about the other side is none of this.
  return problemWords("microphone", problem).replace(/ The other side can't hear you\.$/, "");
}
