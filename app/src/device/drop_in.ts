//! Dropped in on: what the screen of a home device shows of it, and the buttons; its own switch, and everyone out.

import { html, nothing, type TemplateResult } from "lit-html";
import { reached, type CallState } from "../call/state.ts";
import { ownPicture, problems, round, type CallScreenHost } from "../screens/call.ts";
import { alarms } from "../screens/call_trust.ts";
import { ownQuality } from "../screens/call_quality.ts";
import { sink } from "../screens/sink.ts";
import { viewed } from "../screens/viewed.ts";
import { hereWords } from "../ui/drop_in_words.ts";
import { icons } from "../ui/icons.ts";
import { avatar } from "../ui/parts.ts";
import type { DeviceModel } from "./model.ts";
import { motionSwitch } from "./nearness.ts";
import { FROSTED_SECONDS, type Visits } from "./visits.ts";

type Here = Extract<CallState, { at: "arriving" | "running" }>;

/** The drop-in that this device is the target of. */
export function droppedInOn(state: CallState): Here | undefined {
  if (state.at === "arriving") return state;
  return state.at === "running" && state.dropIn?.side === "target" ? state : undefined;
}

export function dropInScreen(device: DeviceModel, host: CallScreenHost, state: Here): TemplateResult {
  const { peer } = state;
  const running = state.at === "running" ? state : undefined;
  const stage = running?.dropIn?.stage ?? (state.at === "arriving" && state.knocks ? "knocks" as const : "arriving" as const);
  const theirs = running === undefined ? undefined : device.calls.media?.of(running.theirDevice);
  const silent = stage === "hushed" || stage === "knocking";
  const picture = running !== undefined && running.theirMedia.camera && theirs?.video !== undefined;
  const words = hereWords(stage, peer.name, running?.camera.on === true);
  return html`<main class="call call-running dropped-in ${picture ? "with-picture" : ""}" data-testid="drop-in" data-drop-in=${stage}
      data-call-state=${running === undefined ? "arriving" : reached(running)}>
    <video class="remote ${picture ? "" : "hidden"}" data-testid="remote-video" playsinline muted ${sink(theirs?.video)} ${viewed(device.calls.media?.views, picture ? running?.theirDevice : undefined)}></video>
    <audio data-testid="remote-audio" ${sink(silent ? undefined : theirs?.audio, (blocked) => host.soundBlocked(blocked))}></audio>
    <header class="drop-in-indicator" data-testid="drop-in-indicator" role="alert"><span class="drop-in-lamp" aria-hidden="true"></span><h1 data-testid="drop-in-who">${words}</h1></header>
    ${picture ? nothing : html`<div class="call-person">${avatar(peer.name, "huge")}</div>`}
    ${running === undefined ? nothing : html`${ownPicture(host, running.camera)}
    <div class="call-messages">${alarms(running)}${problems(running)}${ownQuality(device.calls)}</div>`}
    <div class="call-buttons">${buttons(device.visits, running, stage)}</div>
  </main>`;
}

/** While it knocks only yes and no: whoever does not want it says no. */
function buttons(visits: Visits, running: Extract<CallState, { at: "running" }> | undefined, stage: string): TemplateResult {
  const camera = running?.camera.on === true;
  const cameraOff = running === undefined || (!camera && !running.video) ? nothing
    : round("drop-in-camera", camera ? "Camera off" : "Camera on", camera ? icons.videoOff : icons.video, camera ? "plain" : "off", () => visits.camera(!camera));
  if (stage === "knocking" || stage === "knocks") {
    return html`${round("drop-in-no", "No", icons.close, "red", () => visits.say("no"))}
      ${cameraOff}
      ${stage === "knocking" ? round("drop-in-yes", "Yes", icons.check, "green", () => visits.say("yes")) : nothing}`;
  }
  const hushed = stage === "hushed";
  return html`${running === undefined ? nothing : html`${cameraOff}
    ${round("drop-in-hush", hushed ? "Sound on" : "Hush", hushed ? icons.mic : icons.micOff, hushed ? "off" : "plain", () => visits.say(hushed ? "unhush" : "hush"), hushed)}`}
    ${round("drop-in-end", "End", icons.hangUp, "red", () => visits.say("end"))}
    ${round("everyone-out", "Everyone out", icons.leave, "plain", () => void visits.everyoneOut())}`;
}

/** On the device's own page, where anybody may at all, or it is switched off. */
export function dropInControls(device: DeviceModel): TemplateResult | typeof nothing {
  const { visits } = device;
  if (device.linkUp?.loaded !== true || (!visits.switchedOff && device.store.grants.active().length === 0)) return nothing;
  const seconds = visits.frostedSeconds;
  return html`<section class="device-drop-in" data-testid="device-drop-in-controls" aria-label="Drop in">
    <p class="device-words" role="status" data-testid="drop-in-state">${visits.switchedOff ? "Nobody may drop in here: it is switched off." : "Some people may drop in here. A tone always sounds first."}</p>
    <div class="device-drop-in-buttons">
      <button class="button" data-testid="drop-in-switch" data-off=${String(visits.switchedOff)} @click=${() => void visits.switchOff(!visits.switchedOff)}>${visits.switchedOff ? "Allow drop in" : "Switch drop in off"}</button>
      <button class="button danger" data-testid="everyone-out" @click=${() => void visits.everyoneOut()}>Everyone out</button>
      ${device.shape === "display" ? html`<label class="drop-in-frosted">Frosted for <select data-testid="drop-in-frosted" @change=${(event: Event) => visits.keepFrosted(Number((event.currentTarget as HTMLSelectElement).value))}>
        ${FROSTED_SECONDS.map((one) => html`<option value=${one} ?selected=${one === seconds}>${one === 0 ? "0 s, for your household" : `${one} s`}</option>`)}</select></label>` : nothing}
    </div>${motionSwitch(device)}</section>`;
}
