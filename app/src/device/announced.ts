//! What a home device shows of announcements: the one that plays, what can be done about it afterwards, and what came while it was quiet.

import { html, nothing, type TemplateResult } from "lit-html";
import { toBase64Url } from "../e2ee/bytes.ts";
import { RECORDED_MS_MAX } from "../media/recorder.ts";
import type { AnnounceTo } from "../protocol.ts";
import { destinations, recordingWords } from "../ui/announce_words.ts";
import { icons } from "../ui/icons.ts";
import { durationWords } from "../ui/words.ts";
import type { Incoming } from "./announcement_queue.ts";
import type { DeviceModel } from "./model.ts";

const TO = "answer-to";
const SENDING = "answer-sending";

export function announced(device: DeviceModel): TemplateResult | typeof nothing {
  if (device.linkUp?.loaded !== true) return nothing;
  const { hearing } = device;
  return html`${hearing.playing !== undefined ? playing(device, hearing.playing) : hearing.answering !== undefined ? answer(device, hearing.answering) : last(device)}
    ${hearing.silenced || device.liveHearing.silenced ? html`<button class="button primary" data-testid="announcement-unlock" @click=${() => void device.unlock()}>${icons.speaker}Somebody announces something: touch to hear it</button>` : nothing}
    ${offered(device)}`;
}

/** The one that plays now, with its button. */
export function playing(device: DeviceModel, one: Incoming): TemplateResult {
  return card(one, true, html`<button class="button" data-testid="announcement-stop" @click=${() => device.hearing.putAside()}>Stop</button>`);
}

function last(device: DeviceModel): TemplateResult | typeof nothing {
  const { hearing } = device;
  const one = hearing.queue.last;
  // One that is about to begin takes its place.
  if (one === undefined || hearing.queue.playing !== undefined) return nothing;
  const microphone = device.buttons.switches.maySend("microphone");
  return card(one, false, html`
    ${microphone ? html`<button class="button primary" data-testid="announcement-answer" @click=${() => hearing.beginAnswer()}>${icons.mic}Answer</button>` : nothing}
    ${dropIn(device, one)}
    <button class="button" data-testid="announcement-close" @click=${() => hearing.close()}>Close</button>`);
}

function card({ from, content }: Incoming, plays: boolean, buttons: TemplateResult): TemplateResult {
  return html`<section class="announcement" role="status" data-testid="announcement" data-playing=${String(plays)} aria-label="Announcement">
    <h2 data-testid="announcement-from">${plays ? `${from} announces` : `${from} announced`}</h2>
    ${content.kind === "text" ? html`<p data-testid="announcement-text">${content.text}</p>` : html`<p class="hint">${durationWords(Math.round(content.lengthMs / 1_000))} of sound</p>`}
    <div class="announcement-buttons">${buttons}</div></section>`;
}

/** Only at a home device, and only where it would not be refused. */
function dropIn(device: DeviceModel, one: Incoming): TemplateResult | typeof nothing {
  const target = device.store.device(one.device);
  const person = device.store.members.find(({ id }) => id === target?.account);
  const { identity } = device;
  if (one.kind !== "home_device" || target === undefined || person === undefined || identity.state !== "ready") return nothing;
  if (device.doors?.may({ device: target.id }) !== true) return nothing;
  const peer = { handle: person.handle, name: target.label, contact: undefined, genesis: identity.who.genesis, verdict: "own" as const, target: { device: target.id } };
  return html`<button class="button" data-testid="announcement-drop-in" @click=${() => device.calls.dropIn(peer, device.shape === "display")}>${icons.phone}Drop in</button>`;
}

function answer(device: DeviceModel, one: Incoming): TemplateResult {
  const { recorder, hearing } = device;
  const { state } = recorder;
  const discard = html`<button class="button" data-testid="answer-discard" @click=${() => hearing.discardAnswer()}>Discard</button>`;
  const frame = (words: TemplateResult, buttons: TemplateResult): TemplateResult => html`<section class="announcement" data-testid="answer" data-recorder=${state.at} aria-label="Answer">
    <h2>Answer to ${one.from}</h2>${words}<div class="announcement-buttons">${buttons}</div></section>`;
  switch (state.at) {
    case "idle":
      return frame(state.problem === undefined ? html`` : html`<p class="error" role="alert" data-testid="answer-problem">${recordingWords(state.problem)}</p>`,
        html`<button class="button" data-testid="answer-discard" @click=${() => hearing.discardAnswer()}>Close</button>`);
    case "opening": return frame(html`<p class="hint" role="status">The browser asks for the microphone…</p>`, discard);
    case "recording":
      return frame(html`<p role="status" data-testid="answer-recording"><span class="recording-dot" aria-hidden="true"></span>Recording
        <span aria-hidden="true">${durationWords(Math.floor((performance.now() - state.sinceMs) / 1_000))} of ${durationWords(RECORDED_MS_MAX / 1_000)}</span></p>`,
        html`<button class="button primary" data-testid="answer-stop" @click=${() => recorder.end()}>Stop</button>${discard}`);
    case "recorded": {
      const { ogg, lengthMs } = state.sound;
      const sending = device.drafts.get(SENDING) === true;
      const send = async (): Promise<void> => {
        if (device.drafts.get(SENDING) === true) return;
        device.drafts.set(SENDING, true);
        try {
          await hearing.sendAnswer(answerTo(device, one), { kind: "sound", ogg: toBase64Url(ogg), lengthMs });
          device.drafts.set(TO, undefined);
        } catch (error) {
          device.say(error instanceof Error ? error.message : String(error));
        }
        device.drafts.set(SENDING, undefined);
        device.changed();
      };
      return frame(html`${where(device, one)}<p class="hint" role="status">${durationWords(Math.round(lengthMs / 1_000))} recorded.</p>`,
        html`<button class="button primary" data-testid="answer-send" ?disabled=${sending} @click=${() => void send()}>Send</button>${discard}`);
    }
  }
}

/** To the device that announced. An app plays none: then it goes where somebody chooses. */
function answerTo(device: DeviceModel, one: Incoming): AnnounceTo {
  if (one.kind === "home_device") return { type: "device", device: one.device };
  const value = device.drafts.get<string>(TO);
  return destinations(device.store.devices).find((place) => place.value === value)?.to ?? { type: "home" };
}

function where(device: DeviceModel, one: Incoming): TemplateResult | typeof nothing {
  if (one.kind === "home_device") return nothing;
  const self = device.identity.state === "ready" ? device.identity.who.device : undefined;
  const places = destinations(device.store.devices).filter(({ value }) => value !== `device:${self}`);
  return html`<label class="hint">Where: <select data-testid="answer-to" @change=${(event: Event) => device.drafts.set(TO, (event.currentTarget as HTMLSelectElement).value)}>
    ${places.map(({ value, label }) => html`<option value=${value} ?selected=${value === (device.drafts.get<string>(TO) ?? "home")}>${label}</option>`)}</select></label>`;
}

function offered(device: DeviceModel): TemplateResult | typeof nothing {
  const { offered: list } = device.hearing.queue;
  if (list.length === 0) return nothing;
  const from = [...new Set(list.map((one) => one.from))].join(", ");
  return html`<section class="announcement" role="status" data-testid="announcements-offered" aria-label="While it was quiet">
    <p>${list.length === 1 ? "One announcement" : `${list.length} announcements`} while it was quiet</p><p class="hint">${from}</p>
    <div class="announcement-buttons"><button class="button primary" data-testid="offered-play" @click=${() => device.hearing.playOffered()}>Play</button>
      <button class="button" data-testid="offered-aside" @click=${() => device.hearing.putOfferedAside()}>Not now</button></div></section>`;
}
