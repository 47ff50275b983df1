//! Announcing from a home device: large buttons for where and how, and afterwards what became of it in each room.

import { html, nothing, type TemplateResult } from "lit-html";
import { ref } from "lit-html/directives/ref.js";
import { toBase64Url } from "../e2ee/bytes.ts";
import { RECORDED_MS_MAX } from "../media/recorder.ts";
import { heardWhere, saidWords, TEXT_MAX } from "../screens/announce.ts";
import { destinationWords, recordingWords } from "../ui/announce_words.ts";
import { icons } from "../ui/icons.ts";
import { form } from "../ui/parts.ts";
import { durationWords } from "../ui/words.ts";
import { playing } from "./announced.ts";
import type { DeviceModel } from "./model.ts";
import type { SpeakingState } from "./speaking.ts";

type Asking = Extract<SpeakingState, { at: "asking" }>;

/** Leads to it, where another home device could play it. */
export function toAnnounce(device: DeviceModel): TemplateResult | typeof nothing {
  if (device.linkUp?.loaded !== true || device.speaking.places.length === 0 || device.hearing.answering !== undefined) return nothing;
  return html`<button class="big-button" data-testid="to-announce" @click=${() => device.speaking.open()}>${icons.speaker}Announce</button>`;
}

export function announce(device: DeviceModel, state: Asking): TemplateResult {
  const { speaking, hearing } = device;
  return html`<main class="device-announce" data-testid="announce">
    <header class="device-announce-head"><h1>Announce</h1>
      <button class="button" data-testid="announce-close" ?disabled=${state.sending} @click=${() => speaking.close()}>${icons.close}Close</button></header>
    ${hearing.playing === undefined ? nothing : playing(device, hearing.playing)}
    <div class="places" role="radiogroup" aria-label="Where">${speaking.places.map(({ value, label }) => html`
      <button class="place" role="radio" aria-checked=${String(value === state.to)} data-testid="announce-place" data-place=${value} ?disabled=${state.sending}
        @click=${() => speaking.choose(value)}>${label}</button>`)}</div>
    ${state.problem === undefined ? nothing : html`<p class="error" role="alert" data-testid="announce-problem">${state.problem}</p>`}
    ${state.typing ? typing(device) : recording(device, state)}
  </main>`;
}

function typing(device: DeviceModel): TemplateResult {
  return html`<div class="device-announce-text">${form(device, {
    name: "announce", submit: "Announce",
    fields: html`<label class="field"><span class="field-label">Text</span><textarea name="text" rows="3" data-testid="announce-text" required maxlength=${TEXT_MAX}></textarea></label>`,
    secondary: html`<button class="button" type="button" data-testid="announce-back" @click=${() => device.speaking.type(false)}>Back</button>`,
    run: (value) => device.speaking.send({ kind: "text", text: value("text") }),
  })}</div>`;
}

/** One large button for each thing that can be done now. */
function recording(device: DeviceModel, { sending }: Asking): TemplateResult {
  const { recorder, speaking } = device;
  const { state } = recorder;
  const discard = html`<button class="big-button" data-testid="announce-discard" ?disabled=${sending} @click=${() => speaking.discard()}>${icons.close}Discard</button>`;
  switch (state.at) {
    case "idle":
      return html`${state.problem === undefined ? nothing : html`<p class="error" role="alert" data-testid="announce-problem">${recordingWords(state.problem)}</p>`}
        ${device.buttons.switches.maySend("microphone") ? nothing : html`<p class="device-words" role="status" data-testid="announce-microphone-off">The microphone is switched off. It can be typed.</p>`}
        <div class="big-buttons"><button class="big-button" data-testid="announce-record" ?disabled=${!speaking.maySpeak} @click=${() => speaking.record()}>${icons.mic}Record</button>
          <button class="big-button" data-testid="announce-live" ?disabled=${!speaking.maySpeak} @click=${() => speaking.live()}>${icons.voice}Speak live</button>
          ${device.shape === "display" ? html`<button class="big-button" data-testid="announce-type" @click=${() => speaking.type(true)}>${icons.keyboard}Type it</button>` : nothing}</div>`;
    case "opening": return html`<p class="device-words" role="status">The browser asks for the microphone…</p><div class="big-buttons">${discard}</div>`;
    case "recording":
      return html`<p class="device-words" role="status" data-testid="announce-recording"><span class="recording-dot" aria-hidden="true"></span>Recording
          <span aria-hidden="true">${durationWords(Math.floor((performance.now() - state.sinceMs) / 1_000))} of ${durationWords(RECORDED_MS_MAX / 1_000)}</span></p>
        <div class="big-buttons"><button class="big-button big-red" data-testid="announce-stop" @click=${() => recorder.end()}>${icons.micOff}Stop</button>${discard}</div>`;
    case "recorded": {
      const { ogg, lengthMs } = state.sound;
      return html`<p class="device-words" role="status" data-testid="announce-recorded">${durationWords(Math.round(lengthMs / 1_000))} recorded.</p>
        <div class="big-buttons"><button class="big-button big-green" data-testid="announce-send" ?disabled=${sending} aria-busy=${sending ? "true" : "false"}
          @click=${() => void speaking.send({ kind: "sound", ogg: toBase64Url(ogg), lengthMs })}>${icons.speaker}Announce</button>${discard}</div>`;
    }
  }
}

/** Beside the clock, until somebody closes it or it is old. */
export function justAnnounced(device: DeviceModel): TemplateResult | typeof nothing {
  const { speaking } = device;
  const { said } = speaking;
  if (device.linkUp?.loaded !== true || said === undefined) return nothing;
  const label = (id: string): string => device.store.device(id)?.label ?? "A device";
  return html`<section class="announcement" data-testid="announced" data-announcement=${said.id} aria-label="Announced" ${ref(intoView)}>
    <h2>Announced: ${destinationWords(said.to, label)}</h2><p class="hint">${saidWords(said)}</p>
    ${heardWhere(said, label)}
    <div class="announcement-buttons"><button class="button" data-testid="announced-close" @click=${() => speaking.close()}>Close</button></div></section>`;
}

/** On a small screen it would stand above what somebody has scrolled to. */
function intoView(element?: Element): void {
  element?.scrollIntoView({ block: "nearest" });
}
