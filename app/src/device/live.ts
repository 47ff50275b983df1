//! Somebody announces live: this device plays it, shows who speaks, and stops with one press. Its microphone stays shut.

import { html, nothing, type TemplateResult } from "lit-html";
import { reached, type CallState } from "../call/state.ts";
import { round, type CallScreenHost } from "../screens/call.ts";
import { allowSound } from "../screens/call_running.ts";
import { waitingCall } from "../screens/call_waiting.ts";
import { sink } from "../screens/sink.ts";
import { icons } from "../ui/icons.ts";
import { ring } from "./light.ts";
import type { DeviceModel } from "./model.ts";

type Running = Extract<CallState, { at: "running" }>;

export function hearingLive(device: DeviceModel, host: CallScreenHost, state: Running): TemplateResult {
  const { peer, path, live } = state;
  const theirs = live?.side === "hears" ? device.calls.media?.of(live.device) : undefined;
  const lost = path === "reconnecting";
  return html`<main class="device-center live-hears" data-testid="live" data-live="hears" data-call-state=${reached(state)}>
    ${ring(device, html`<strong class="ring-name" data-testid="announcement-from">${peer.name} announces</strong>`)}
    <p class="device-words" role="status" data-testid="live-status">${lost ? "Reconnecting…" : "Live. This device only plays: its microphone is shut."}</p>
    <audio data-testid="remote-audio" ${sink(theirs?.audio, (blocked) => host.soundBlocked(blocked))}></audio>
    ${device.soundBlocked ? html`<button class="button primary" data-testid="announcement-unlock" @click=${() => allowSound(host)}>${icons.speaker}Touch to hear it</button>` : nothing}
    ${waitingCall(host, state, peer.name)}
    <div class="device-buttons">${round("announcement-stop", "Stop", icons.close, "red", () => device.liveHearing.stop())}</div>
  </main>`;
}
