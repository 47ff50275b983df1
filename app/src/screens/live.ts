//! Speaking live: how long it may still go on, which rooms hear it, and the button that ends it. Nothing is played here.

import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import { LIVE_MS_MAX } from "../call/live.ts";
import { reached, type CallState, type LiveRoom } from "../call/state.ts";
import type { DeviceId } from "../protocol.ts";
import { liveRoomWords } from "../ui/announce_words.ts";
import { icons } from "../ui/icons.ts";
import { durationWords, problemWords } from "../ui/words.ts";
import { room } from "./announce.ts";
import { round, type CallScreenHost } from "./call.ts";
import { waitingCall } from "./call_waiting.ts";

type Running = Extract<CallState, { at: "running" }>;

export function speakingLive(host: CallScreenHost, state: Running): TemplateResult {
  const { peer, microphone, sinceMs } = state;
  const rooms = state.live?.side === "speaks" ? state.live.rooms : undefined;
  const seconds = Math.min(LIVE_MS_MAX, Math.max(0, Date.now() - sinceMs)) / 1_000;
  return html`<main class="call live" data-testid="live" data-live="speaks" data-call-state=${isHeard(state) ? "connected" : "connecting"}>
    <div class="live-body">
      <h1 data-testid="live-to">${icons.voice}Live: ${peer.name}</h1>
      <p class="live-status" role="status" data-testid="live-status">${statusWords(state)}</p>
      <p class="live-time" role="timer" data-testid="live-time">${durationWords(seconds)} of ${durationWords(LIVE_MS_MAX / 1_000)}</p>
      ${microphone.problem === undefined ? nothing : html`<p class="call-problem" role="alert" data-testid="microphone-problem" data-problem=${microphone.problem}>${problemWords("microphone", microphone.problem)}</p>`}
      ${rooms === undefined ? nothing : list(host, rooms)}
      ${waitingCall(host, state, peer.name)}
    </div>
    <div class="call-buttons">${round("live-stop", "Stop", icons.close, "red", () => host.calls.hangUp())}</div>
  </main>`;
}

function list({ store }: CallScreenHost, rooms: Readonly<Record<DeviceId, LiveRoom>>): TemplateResult {
  return html`<ul class="list live-rooms" aria-live="polite">${repeat(Object.entries(rooms), ([device]) => device, ([device, state]) => room(store.devices.find(({ id }) => id === device)?.label ?? "A device", device, state, liveRoomWords(state)))}</ul>`;
}

/** What is said now arrives somewhere. */
function isHeard(state: Running): boolean {
  const { live, microphone } = state;
  const hears = live?.side === "speaks" && Object.values(live.rooms ?? {}).includes("hears");
  return hears && reached(state) === "connected" && microphone.on;
}

function statusWords(state: Running): string {
  if (isHeard(state)) return "Speak now. It is heard as you speak.";
  if (state.live?.side !== "speaks" || state.live.rooms === undefined) return "Connecting…";
  if (!state.microphone.on) return "Your microphone is off: nothing is heard.";
  return Object.values(state.live.rooms).includes("hears") ? "Connecting…" : "Nobody hears it yet.";
}
