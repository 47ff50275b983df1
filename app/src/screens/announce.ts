//! Announce: said or typed, everywhere, in one room or a zone; and which rooms have heard it.

import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import type { App } from "../app/app.ts";
import { toBase64Url } from "../e2ee/bytes.ts";
import type { AnnouncedContent } from "../e2ee/port.ts";
import type { InRoom, Said } from "../home/announcing.ts";
import { RECORDED_MS_MAX } from "../media/recorder.ts";
import type { DeviceId } from "../protocol.ts";
import { type Destination, destinations, destinationWords, inRoomWords, recordingWords } from "../ui/announce_words.ts";
import { icons } from "../ui/icons.ts";
import { form } from "../ui/parts.ts";
import { durationWords, timeWords } from "../ui/words.ts";

const TO = "announce-to";
const SENDING = "announce-sending";
/** In any script it stays below what an announcement may have. */
export const TEXT_MAX = 500;

/** Leads to the page. */
export function toAnnounce(app: App): TemplateResult | typeof nothing {
  if (!app.store.devices.some(({ kind }) => kind === "home_device")) return nothing;
  return html`<button class="text-button" data-testid="to-announce" @click=${() => app.go("announce")}>${icons.speaker}Announce</button>`;
}

export function announce(app: App): TemplateResult {
  const places = destinations(app.store.devices);
  const head = html`<header class="page-head"><div class="page-title">
    <button class="icon-button" aria-label="Back to the household" data-testid="to-household" @click=${() => app.go("household")}>${icons.back}</button>
    <h1>Announce</h1></div></header>`;
  if (places.length === 1) return html`${head}<div class="empty" data-testid="announce-nowhere">${icons.speaker}<p>Your household has no home device yet that could play it.</p></div>`;
  return html`${head}
    <p class="hint">Everybody in the room hears it. It is encrypted for your own devices; where do not disturb is on nothing is played.</p>
    <section class="panel" aria-label="Where">
      <label class="field"><span class="field-label">Where</span><select data-testid="announce-to" @change=${(event: Event) => {
        app.drafts.set(TO, (event.currentTarget as HTMLSelectElement).value);
        app.changed();
      }}>${places.map(({ value, label }) => html`<option value=${value} ?selected=${value === chosen(app, places).value}>${label}</option>`)}</select></label>
    </section>
    <section class="panel" aria-label="Say it"><h2>Say it</h2>${recording(app, places)}</section>
    <section class="panel" aria-label="Speak live"><h2>Speak live</h2>
      <p class="hint">It is heard as you speak, a minute at most. Nothing comes back. Where a call is on or do not disturb, nothing is heard, afterwards neither.</p>
      <button class="button" data-testid="announce-live" @click=${() => live(app, chosen(app, places))}>${icons.voice}Speak live</button></section>
    <section class="panel" aria-label="Type it"><h2>Type it</h2>${typing(app, places)}</section>
    ${said(app)}`;
}

/** What stands in the list; a device that has gone meanwhile is no longer chosen. */
function chosen(app: App, places: readonly Destination[]): Destination {
  const value = app.drafts.get<string>(TO);
  return places.find((place) => place.value === value) ?? (places[0] as Destination);
}

async function send(app: App, places: readonly Destination[], content: AnnouncedContent): Promise<void> {
  await app.announcing?.announce(chosen(app, places).to, content);
}

function live(app: App, { to, label }: Destination): void {
  app.recorder.discard();
  void app.tones.unlock();
  app.calls.announceLive(to, label);
}

function typing(app: App, places: readonly Destination[]): TemplateResult {
  return form(app, {
    name: "announce", submit: "Announce",
    fields: html`<label class="field"><span class="field-label">Text</span><textarea name="text" rows="2" data-testid="announce-text" required maxlength=${TEXT_MAX}></textarea>
      <span class="hint">A device speaks it with its own voice, or shows it.</span></label>`,
    run: async (value) => {
      await send(app, places, { kind: "text", text: value("text") });
      const field = document.querySelector<HTMLTextAreaElement>('[data-testid="announce-text"]');
      if (field !== null) field.value = "";
    },
  });
}

function recording(app: App, places: readonly Destination[]): TemplateResult {
  const { recorder } = app;
  const { state } = recorder;
  switch (state.at) {
    case "idle":
      return html`${state.problem === undefined ? html`<p class="hint">In your own voice, a minute at most. The microphone is on from one press to the next.</p>`
        : html`<p class="error" role="alert" data-testid="announce-problem">${recordingWords(state.problem)}</p>`}
        <button class="button" data-testid="announce-record" @click=${() => void recorder.begin()}>${icons.mic}Record</button>`;
    case "opening":
      return html`<p role="status">Your browser asks for the microphone…</p><button class="button" data-testid="announce-discard" @click=${() => recorder.discard()}>Cancel</button>`;
    case "recording": {
      const seconds = Math.floor((performance.now() - state.sinceMs) / 1_000);
      return html`<p class="recording" role="status" data-testid="announce-recording"><span class="recording-dot" aria-hidden="true"></span>Recording
          <span aria-hidden="true">${durationWords(seconds)} of ${durationWords(RECORDED_MS_MAX / 1_000)}</span></p>
        <div class="card-actions"><button class="button primary" data-testid="announce-stop" @click=${() => recorder.end()}>Stop</button>
          <button class="button" data-testid="announce-discard" @click=${() => recorder.discard()}>Discard</button></div>`;
    }
    case "recorded": {
      const sending = app.drafts.get(SENDING) === true;
      const { ogg, lengthMs } = state.sound;
      const go = async (): Promise<void> => {
        if (app.drafts.get(SENDING) === true) return;
        app.drafts.set(SENDING, true);
        const sent = await app.attempt(() => send(app, places, { kind: "sound", ogg: toBase64Url(ogg), lengthMs }));
        app.drafts.set(SENDING, undefined);
        if (sent) recorder.discard();
        app.changed();
      };
      return html`<p role="status" data-testid="announce-recorded">${durationWords(Math.round(lengthMs / 1_000))} recorded.</p>
        <div class="card-actions"><button class="button primary" data-testid="announce-send" ?disabled=${sending} aria-busy=${sending ? "true" : "false"} @click=${() => void go()}>Announce</button>
          <button class="button" data-testid="announce-discard" ?disabled=${sending} @click=${() => recorder.discard()}>Discard</button></div>`;
    }
  }
}

function said(app: App): TemplateResult | typeof nothing {
  const list = app.announcing?.said ?? [];
  if (list.length === 0) return nothing;
  return html`<h2 class="section">Announced</h2>${repeat(list, ({ id }) => id, (one) => announcement(app, one))}`;
}

function announcement(app: App, one: Said): TemplateResult {
  const { id, atMs, to } = one;
  const what = saidWords(one);
  const label = (device: DeviceId): string => app.store.device(device)?.label ?? "A device";
  return html`<section class="panel" data-testid="announced" data-announcement=${id} aria-label=${what}>
    <p><strong>${what}</strong> <small>${destinationWords(to, label)} · ${timeWords(atMs, Date.now())}</small></p>
    ${heardWhere(one, label)}
  </section>`;
}

export function saidWords({ content }: Said): string {
  const long = content.kind === "text" ? "" : durationWords(Math.round(content.lengthMs / 1_000));
  return content.kind === "text" ? `“${content.text}”` : content.kind === "live" ? `Live, ${long}` : `Your voice, ${long}`;
}

/** What became of it in each room. */
export function heardWhere({ rooms, atMs, answered }: Said, label: (device: DeviceId) => string): TemplateResult {
  return html`<ul class="list" aria-live="polite">${repeat([...rooms], ([device]) => device, ([device, state]) => room(label(device), device, state, inRoomWords(state, Date.now() - atMs)))}</ul>
    ${!answered || rooms.size > 0 ? nothing : html`<p class="hint">No device there may play it.</p>`}`;
}

/** One room's row; also while somebody still speaks. */
export function room(label: string, device: DeviceId, state: InRoom, words: string): TemplateResult {
  const good = state === "played" || state === "shown" || state === "hears";
  return html`<li class="row" data-testid="announced-room" data-device=${device} data-state=${state}><span class="row-text pad"><strong>${label}</strong></span>
    <span class="mark ${good ? "mark-good" : ""}">${good ? icons.check : nothing}${words}</span></li>`;
}
