//! A call that is on: one face or many, what is wrong with it, and its buttons.

import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import { peopleIn, type PersonView, titleOf } from "../call/people.ts";
import { reached, type CallState, type Running } from "../call/state.ts";
import { icons } from "../ui/icons.ts";
import { avatar, guestMark } from "../ui/parts.ts";
import { durationWords } from "../ui/words.ts";
import { type CallScreenHost, ownPicture, problems, round, switches } from "./call.ts";
import { notes, panels, setPanel } from "./call_panels.ts";
import { tiles } from "./call_tiles.ts";
import { ownQuality, theirQuality } from "./call_quality.ts";
import { dropInNote, dropInTitle } from "./drop_in_call.ts";
import { alarms, codePanel, trust } from "./call_trust.ts";
import { waitingCall } from "./call_waiting.ts";
import { sink } from "./sink.ts";
import { viewed } from "./viewed.ts";

type At = Extract<CallState, { at: "running" }>;

export function running(host: CallScreenHost, state: At): TemplateResult {
  const people = peopleIn(state, host.store);
  const title = state.dropIn === undefined ? titleOf(people, state.peer) : dropInTitle(state.peer, state.dropIn);
  const many = people.length > 1;
  const media = host.calls.media;
  const theirs = media?.of(state.theirDevice);
  const picture = !many && state.theirMedia.camera && theirs?.video !== undefined;
  const speaks = !many && people[0]?.speaking === true;
  return html`<section class="call call-running ${picture ? "with-picture" : ""} ${many ? "call-many" : ""} ${speaks ? "they-speak" : ""}" data-testid="call-screen" data-call-state=${reached(state)}
      data-drop-in=${state.dropIn?.stage ?? nothing} aria-label=${state.dropIn === undefined ? `Call with ${title}` : `Drop-in: ${title}`}>
    <video class="remote ${picture ? "" : "hidden"}" data-testid="remote-video" playsinline muted ${sink(many ? undefined : theirs?.video)} ${viewed(media?.views, picture ? state.theirDevice : undefined)}></video>
    ${sounds(host, state)}
    ${many ? tiles(host, people, ownPicture(host, state.camera)) : picture ? nothing : html`<div class="call-person">${avatar(title, "huge")}
      ${state.theirMedia.camera ? html`<p class="call-kind">Picture is coming…</p>` : nothing}</div>`}
    <header class="call-head">
      <div class="call-title"><h1><span data-testid="peer-name">${title}</span> ${!many && (people[0]?.standing ?? state.peer.verdict) === "guest" ? guestMark() : nothing}</h1>
        <p role="status"><span data-testid="call-status">${statusWords(state)}</span> </p>${ownQuality(host.calls, () => setPanel(host, "connection"))}</div>
      ${trust(host, state, people)}
    </header>
    ${many ? nothing : ownPicture(host, state.camera)}
    <div class="call-messages">
      ${dropInNote(state)}
      ${alarms(state)}
      ${problems(state)}
      ${many ? nothing : aboutThem(state, title, people[0])}
      ${notes(host, state)}
      ${host.soundIsBlocked ? html`<button class="button primary" data-testid="allow-sound" @click=${() => allowSound(host)}>Tap to hear ${title}</button>` : nothing}
    </div>
    ${waitingCall(host, state, title)}
    ${host.codeOpen ? codePanel(host, state, many) : nothing}
    ${buttons(host, people)}
    ${panels(host, state, people)}
  </section>`;
}

/** Each participant has an element of their own that stays while the screen around it changes. */
function sounds(host: CallScreenHost, state: Running): unknown {
  const devices = [state.theirDevice, ...state.others.map(({ device }) => device)];
  return repeat(devices, (device) => device ?? "first", (device, nth) => html`<audio data-testid=${nth === 0 ? "remote-audio" : "other-audio"}
    ${sink(host.calls.media?.of(device).audio, (blocked) => host.soundBlocked(blocked))}></audio>`);
}

function aboutThem(state: Running, name: string, them: PersonView | undefined): TemplateResult {
  return html`
    ${them === undefined ? nothing : theirQuality({ ...them, name })}
    ${state.theirMedia.microphone ? nothing : html`<p class="call-note" data-testid="peer-muted">${icons.micOff}${name}'s microphone is off</p>`}
    ${state.theirMedia.camera || !state.video ? nothing : html`<p class="call-note" data-testid="peer-camera-off">${icons.videoOff}${name}'s camera is off</p>`}
    ${state.theirConnected ? nothing : html`<p class="call-note" role="status" data-testid="peer-reconnecting">${name}'s connection was lost. Waiting for them…</p>`}`;
}

function buttons(host: CallScreenHost, people: readonly PersonView[]): TemplateResult {
  const state = host.calls.state;
  if (state.at !== "running") return html``;
  return html`<div class="call-buttons">
    ${switches(host, state)}
    ${host.visitor === true || state.dropIn !== undefined ? nothing : round("add-somebody", "Add", icons.addPerson, "plain", () => setPanel(host, "add"))}
    ${state.dropIn !== undefined ? nothing : round("call-more", "More", icons.more, "plain", () => setPanel(host, "more"))}
    ${round("hang-up", state.dropIn !== undefined ? "End" : people.length > 1 ? "Leave" : "Hang up", icons.hangUp, "red", () => host.calls.hangUp())}
  </div>`;
}

function statusWords(state: Running): string {
  if (state.keys !== "sending" && state.keys !== "waiting") return "Stopped for safety";
  switch (reached(state)) {
    case "reconnecting": return "Reconnecting…";
    case "connecting": return "Connecting…";
    case "connected": return durationWords((Date.now() - state.sinceMs) / 1_000);
  }
}

export function allowSound(host: CallScreenHost): void {
  for (const element of document.querySelectorAll("audio")) void element.play().then(() => host.soundBlocked(false), () => undefined);
}
