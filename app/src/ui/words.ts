//! What the app says to people about calls, devices and time.

import type { DeviceProblem, Ending, Refusal, TheirSwitches, Warning } from "../call/state.ts";
import type { CallDirection, Capabilities, EndReason, Grade, Presence, Role, Switches } from "../protocol.ts";

/** Why a call ended, on the screen that stands after it. */
export function endingWords(reason: Ending, name: string, outgoing: boolean): string {
  switch (reason) {
    case "hung_up": return "Call ended";
    case "declined": return outgoing ? `${name} declined the call` : "Call declined";
    case "cancelled": return outgoing ? "Call cancelled" : `${name} gave up`;
    case "no_answer": return outgoing ? `No answer from ${name}. Perhaps nobody is there, or nobody has that handle.` : "Missed call";
    case "answered_elsewhere": return "Answered on another device";
    case "busy": return `${name} is in another call`;
    case "unreachable": return `${name} can't be reached now: no device is switched on.`;
    case "device_lost": return "The connection to one side was lost";
    case "device_revoked": return "A device was removed from its household";
    case "server_restarted": return "The server was restarted and the call could not go on";
    case "encryption_refused": return "Stopped for safety: the other side's keys are not the ones they should be";
    case "media_failed": return "No way was found to carry sound and picture. The network may block it.";
    case "moved": return "The call goes on at your other device";
    case "failed_to_start": return "The call could not be started";
    case "left_here": return "Call ended";
    case "drop_in_refused": return "The drop-in was refused";
  }
}

/** Why somebody was not added; nothing where this side took it back. */
export function notAddedWords({ name, why }: Refusal): string | undefined {
  if (typeof why !== "string") return `${name} was not added. ${why.words}`;
  switch (why) {
    case "cancelled": return undefined;
    case "declined": return `${name} declined`;
    case "encryption_refused": return `${name} was not let in: their keys are not the ones they should be.`;
    case "answered_elsewhere": case "hung_up": case "moved": return `${name} was not added.`;
    default: return endingWords(why, name, true);
  }
}

/** Why the call stays here. */
export function movingWords({ name, why }: Refusal): string | undefined {
  if (typeof why !== "string") return `The call stays here. ${why.words}`;
  switch (why) {
    case "cancelled": return undefined;
    case "declined": return `${name} did not take the call. It goes on here.`;
    default: return `Nobody took the call at ${name}. It goes on here.`;
  }
}

/** The same in the history, short. */
export function historyWords(reason: EndReason, direction: CallDirection, answered: boolean): string {
  const outgoing = direction === "outgoing";
  switch (reason) {
    case "hung_up": return "";
    case "declined": return outgoing ? "Declined" : "You declined";
    case "cancelled": return outgoing ? "You gave up" : "Missed";
    case "no_answer": return outgoing ? "No answer" : "Missed";
    case "answered_elsewhere": return "Answered on another device";
    case "busy": return outgoing ? "Busy" : "Missed while in another call";
    case "unreachable": return outgoing ? "Could not be reached" : "Missed: no device was reachable";
    case "device_lost": return answered ? "Connection lost" : "Device lost";
    case "device_revoked": return "Device removed in mid-call";
    case "server_restarted": return "Server restarted";
    case "encryption_refused": return "Stopped for safety: wrong keys";
    case "media_failed": return "No media connection";
    case "moved": return "";
  }
}

export function problemWords(kind: "microphone" | "camera", problem: DeviceProblem): string {
  const without = kind === "microphone" ? "The other side can't hear you." : "The call goes on without your picture.";
  switch (problem) {
    case "insecure":
      return `This page is not secure, so the browser gives no ${kind}. Open it over https, or on localhost. ${without}`;
    case "missing":
      return `No ${kind} was found. Plug one in and it is taken up at once. ${without}`;
    case "refused":
      return `The browser does not allow the ${kind}. Allow it beside the address, then press the button again. ${without}`;
    case "busy":
      return `Another program uses the ${kind}. Close it, then press the button again. ${without}`;
    case "switched_off":
      return `The ${kind} of this device is switched off. ${without}`;
    case "lost":
      return `The ${kind} was unplugged or switched off. ${without}`;
  }
}

/** Before the answer: what is switched off at the other side, so that nobody wonders at the silence. */
export function theirSwitchWords(theirs: TheirSwitches, name: string, outgoing: boolean, video: boolean): string | undefined {
  const all = Object.values(theirs);
  const parts = [all.some(({ microphone }) => !microphone) ? "microphone" : "", video && all.some(({ camera }) => !camera) ? "camera" : ""].filter((part) => part !== "");
  if (parts.length === 0) return undefined;
  const what = parts.join(" and ");
  return outgoing ? `A device that rings there has its ${what} switched off` : `${name}'s ${what} ${parts.length === 1 ? "is" : "are"} switched off`;
}

export function warningWords(warning: Warning): string {
  switch (warning) {
    case "refused_member": return "Somebody who was not invited tried to get into this call, and was refused.";
    case "refused_device": return "A device answered for the other side with keys that are not theirs. It was refused.";
    case "decrypt_failures": return "Some of what arrives can't be decrypted with the keys of this call. Somebody may be changing it on the way.";
    case "fork": return "The two sides no longer agree on the keys of this call. Hang up and call again.";
    case "remove_withheld": return "The server does not let a removed device go. Nothing is sent any more.";
    case "invalid_commit": case "invalid_welcome": return "The server passed on keys that are not valid.";
  }
}

/** How good a connection is. */
export function gradeWords(grade: Grade): string {
  switch (grade) {
    case "good": return "Good connection";
    case "fair": return "Fair connection";
    case "poor": return "Poor connection";
  }
}

export function presenceWords(presence: Presence): string {
  switch (presence) {
    case "online": return "Online";
    case "asleep": return "Asleep";
    case "offline": return "Offline";
  }
}

export function roleWords(role: Role): string {
  switch (role) {
    case "owner": return "Owner";
    case "adult": return "Adult";
    case "child": return "Child";
  }
}

/** "Microphone, speaker, screen": what a device told that it has. */
export function capabilityWords({ microphone, speaker, screen, camera }: Capabilities): string {
  const has = [microphone && "microphone", speaker && "speaker", screen && "screen", camera && "camera"].filter((part) => part !== false).join(", ");
  return has === "" ? "Nothing that calls could use" : `${has.charAt(0).toUpperCase()}${has.slice(1)}`;
}

/** What is switched off at a device; undefined while nothing is. */
export function switchWords({ microphone, camera }: Switches): string | undefined {
  const off = [
    microphone ? undefined : "microphone switched off",
    camera === "on" ? undefined : camera === "off" ? "camera switched off" : "camera covered",
  ].filter((part) => part !== undefined).join(", ");
  return off === "" ? undefined : `${off.charAt(0).toUpperCase()}${off.slice(1)}`;
}

export function durationWords(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number): string => String(value).padStart(2, "0");
  const hours = Math.floor(whole / 3_600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

export function timeWords(atMs: number, nowMs: number): string {
  const at = new Date(atMs);
  const time = at.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
  const days = Math.round((startOfDay(nowMs) - startOfDay(atMs)) / 86_400_000);
  if (days === 0) return time;
  if (days === 1) return `Yesterday ${time}`;
  if (days < 7) return `${at.toLocaleDateString(undefined, { weekday: "long" })} ${time}`;
  return `${at.toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" })} ${time}`;
}

function startOfDay(ms: number): number {
  return new Date(ms).setHours(0, 0, 0, 0);
}
