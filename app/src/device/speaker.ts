//! A speaker in a call: its light, its voice, and few large buttons.

import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import { peopleIn, titleOf } from "../call/people.ts";
import { reached, type CallState, type Running } from "../call/state.ts";
import type { DeviceId } from "../protocol.ts";
import type { CallScreenHost } from "../screens/call.ts";
import { askingWords, dropInEndWords, dropInNote, dropInTitle } from "../screens/drop_in_call.ts";
import { ownQuality, theirQuality } from "../screens/call_quality.ts";
import { waitingCall } from "../screens/call_waiting.ts";
import { sink } from "../screens/sink.ts";
import { icons } from "../ui/icons.ts";
import { endingWords, problemWords, theirSwitchWords, warningWords } from "../ui/words.ts";
import { hardSwitches } from "./controls.ts";
import { ring } from "./light.ts";
import type { DeviceModel } from "./model.ts";

export function inCall(device: DeviceModel): boolean {
  const { at } = device.calls.state;
  return at === "incoming" || at === "outgoing" || at === "running";
}

/** A speaker has no picture: its light, its voice, and few large buttons. */
export function speakerCall(device: DeviceModel, host: CallScreenHost): TemplateResult {
  const { calls } = device;
  const state = calls.state;
  if (state.at === "idle" || state.at === "arriving") return html``;
  const people = state.at === "running" ? peopleIn(state, device.store) : [];
  const title = state.at !== "running" ? state.peer.name : state.dropIn === undefined ? titleOf(people, state.peer) : dropInTitle(state.peer, state.dropIn);
  const face = html`<strong class="ring-name" data-testid=${state.at === "incoming" ? "caller-name" : "peer-name"}>${title}</strong>`;
  const microphone = state.at === "running" || state.at === "outgoing" ? state.microphone : undefined;
  return html`<main class="device-center call-dark" data-testid=${testIdOf(state.at)} data-call-state=${callStateOf(device)} data-reason=${state.at === "ended" ? state.reason : nothing}
      data-drop-in=${state.at === "running" ? state.dropIn?.stage ?? nothing : nothing}>
    ${ring(device, face)}
    <p class="device-words" role="status" data-testid="call-status">${statusOf(device)}</p>
    ${state.at === "ended" && state.reason === "failed_to_start" && calls.failure !== undefined ? html`<p class="device-words" data-testid="start-failure">${calls.failure}</p>` : nothing}
    ${microphone?.problem === undefined ? nothing : html`<p class="call-problem" role="alert" data-testid="microphone-problem" data-problem=${microphone.problem}>${problemWords("microphone", microphone.problem)}</p>`}
    ${theirSound(device)}
    ${state.at === "running" ? html`${dropInNote(state)}${ownQuality(calls)}${people.map((person) => theirQuality(person))}` : nothing}
    ${state.at !== "running" ? nothing : state.warnings.map((warning) => html`<p class="call-alarm" role="alert" data-testid="call-warning" data-warning=${warning}>${icons.alarm}${warningWords(warning)}</p>`)}
    ${state.at !== "running" || state.code === undefined ? nothing : html`<details class="speaker-code"><summary data-testid="encryption-state" data-keys=${state.keys}>${icons.lock} Encrypted: call code</summary><p data-testid="call-code" data-code=${state.code}>${state.code}</p></details>`}
    ${state.at === "running" ? waitingCall(host, state, title) : nothing}
    <div class="device-buttons">${speakerButtons(device)}</div>
    ${inCall(device) ? hardSwitches(device, true) : nothing}
    ${repeat(devicesHeard(state), (heard) => heard ?? "first", (heard, nth) => html`<audio data-testid=${nth === 0 ? "remote-audio" : "other-audio"} ${sink(calls.media?.of(heard).audio, (blocked) => {
      device.soundBlocked = blocked;
      device.changed();
    })}></audio>`)}
  </main>`;
}

/** The other participants, the first one first: each has an element of its own. */
function devicesHeard(state: CallState): (DeviceId | undefined)[] {
  return state.at === "running" ? [state.theirDevice, ...state.others.map(({ device }) => device)] : [undefined];
}

/** Why nothing is heard of them, or will be. */
function theirSound(device: DeviceModel): TemplateResult | typeof nothing {
  const state = device.calls.state;
  if (state.at === "running") return state.theirMedia.microphone || state.others.length > 0 ? nothing : html`<p class="call-note" role="status" data-testid="peer-muted">${icons.micOff}${state.peer.name}'s microphone is off</p>`;
  const words = state.at === "incoming" || state.at === "outgoing" ? theirSwitchWords(state.theirSwitches, state.peer.name, state.at === "outgoing", false) : undefined;
  return words === undefined ? nothing : html`<p class="call-note" role="status" data-testid="peer-switched-off">${icons.micOff}${words}</p>`;
}

function testIdOf(at: string): string {
  return at === "incoming" ? "incoming-call" : at === "outgoing" ? "outgoing-call" : at === "running" ? "call-screen" : "call-ended";
}

function callStateOf(device: DeviceModel): string {
  const state = device.calls.state;
  if (state.at === "outgoing") return state.ringing ? "ringing" : "inviting";
  if (state.at === "running") return reached(state);
  return state.at;
}

function runningWords(state: Running): string {
  switch (reached(state)) {
    case "reconnecting": return "Reconnecting…";
    case "connecting": return "Connecting…";
    case "connected": return state.dropIn === undefined ? "In a call" : "Dropped in";
  }
}

function statusOf(device: DeviceModel): string {
  const state = device.calls.state;
  switch (state.at) {
    case "incoming": return state.moves ? "Your call would go on here" : state.video ? "Incoming video call" : "Incoming call";
    case "outgoing": return askingWords(state) ?? (state.ringing ? "Ringing…" : "Calling…");
    case "running": return runningWords(state);
    case "ended": return dropInEndWords(state) ?? (state.movedTo === undefined ? endingWords(state.reason, state.peer.name, state.outgoing) : `The call goes on at ${state.movedTo}`);
    case "idle": case "arriving": return "";
  }
}

function speakerButtons(device: DeviceModel): TemplateResult {
  const { calls } = device;
  const state = calls.state;
  const button = (id: string, label: string, icon: TemplateResult, look: string, press: () => void): TemplateResult =>
    html`<button class="round round-${look}" data-testid=${id} @click=${press}><span class="round-face">${icon}</span><span class="round-label">${label}</span></button>`;
  switch (state.at) {
    case "incoming": return html`${button("decline", state.moves ? "Not here" : "Decline", icons.hangUp, "red", () => calls.input({ on: "decline" }))}${button("answer", "Answer", icons.phone, "green", () => calls.answer(false))}`;
    case "outgoing": return button("cancel-call", "Cancel", icons.hangUp, "red", () => device.buttons.hangUp());
    case "running": return html`${button("mute", state.microphone.on ? "Mute" : "Unmute", state.microphone.on ? icons.mic : icons.micOff, state.microphone.on ? "plain" : "off",
      () => calls.input({ on: "toggle", source: "microphone", to: !state.microphone.on }))}${button("hang-up", "Hang up", icons.hangUp, "red", () => device.buttons.hangUp())}`;
    case "ended": return button("end-close", "Close", icons.close, "plain", () => calls.input({ on: "dismiss" }));
    case "idle": case "arriving": return html``;
  }
}
