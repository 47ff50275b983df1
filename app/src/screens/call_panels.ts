//! What opens over a running call: adding somebody, moving it, who is in it, and what is seldom needed.

import { html, nothing, type TemplateResult } from "lit-html";
import type { PersonView } from "../call/people.ts";
import type { PeerView, Refusal, Running } from "../call/state.ts";
import type { Device } from "../protocol.ts";
import { icons } from "../ui/icons.ts";
import { avatar, dialog, guestMark, pinMark } from "../ui/parts.ts";
import { movingWords, notAddedWords } from "../ui/words.ts";
import type { CallScreenHost } from "./call.ts";
import { removeGuest } from "./call_guests.ts";
import { connectionSheet } from "./call_quality.ts";
import { standingWords } from "./call_tiles.ts";

export type Panel = "add" | "more" | "move" | "people" | "connection";

/** From so many on, names are looked for by typing. */
const SEARCH_FROM = 8;
export const PANEL_DRAFT = "call-panel";

export function setPanel(host: CallScreenHost, panel: Panel | undefined): void {
  const before = host.drafts.get<Panel>(PANEL_DRAFT);
  host.drafts.set(PANEL_DRAFT, panel);
  host.drafts.set("call-search", undefined);
  host.changed();
  if (panel !== undefined) return;
  // Once it is drawn, the keyboard goes on where it was before the panel.
  const button = before === "add" ? "add-somebody" : "call-more";
  requestAnimationFrame(() => document.querySelector<HTMLElement>(`[data-testid="${button}"]`)?.focus());
}

export function panels(host: CallScreenHost, state: Running, people: readonly PersonView[]): TemplateResult | typeof nothing {
  // A second call must be in reach, and what lies below an open panel is not.
  if (state.waiting !== undefined) return nothing;
  const close = (): void => setPanel(host, undefined);
  switch (host.drafts.get<Panel>(PANEL_DRAFT)) {
    case "add": return dialog("add-somebody", "Add somebody", close, addList(host, state, people));
    case "move": return dialog("move", "Move this call to", close, moveList(host));
    case "connection": return dialog("connection", "Your connection", close, connectionSheet(host, people));
    case "people": return dialog("people", "In this call", close, peopleList(host, people));
    case "more": return dialog("call-more", "More", close, more(host, state, people));
    default: return nothing;
  }
}

/** What comes of adding and moving, on the call's own screen. */
export function notes(host: CallScreenHost, { adding, notAdded, moving, notMoved }: Running): TemplateResult {
  const note = (id: string, refusal: Refusal, words: string | undefined): TemplateResult | typeof nothing => words === undefined ? nothing
    : html`<p class="call-note" role="status" data-testid=${id} data-reason=${typeof refusal.why === "string" ? refusal.why : "refused"}>${words}
      <button class="icon-button" aria-label="Close" data-testid=${`${id}-close`} @click=${() => host.calls.input({ on: "notes_read" })}>${icons.close}</button></p>`;
  return html`
    ${adding === undefined ? nothing : html`<p class="call-note" role="status" data-testid="adding" data-ringing=${String(adding.ringing)}>${icons.addPerson}${adding.ringing ? `${adding.name}'s devices ring…` : `Calling ${adding.name}…`}
      <button class="text-button" data-testid="stop-adding" @click=${() => host.calls.input({ on: "stop_adding" })}>Cancel</button></p>`}
    ${notAdded === undefined ? nothing : note("not-added", notAdded, notAddedWords(notAdded))}
    ${moving === undefined ? nothing : html`<p class="call-note" role="status" data-testid="moving">${icons.move}Asking ${moving.label} to take the call…</p>`}
    ${notMoved === undefined ? nothing : note("not-moved", notMoved, movingWords(notMoved))}`;
}

function addList(host: CallScreenHost, { adding, peer }: Running, people: readonly PersonView[]): TemplateResult {
  const all = candidates(host, people.length === 0 ? [peer.handle] : people.map(({ handle }) => handle));
  const typed = (host.drafts.get<string>("call-search") ?? "").toLocaleLowerCase();
  const fitting = all.filter(({ name, handle }) => typed === "" || name.toLocaleLowerCase().includes(typed) || handle.includes(typed));
  const pick = (peer: PeerView): void => {
    host.calls.add(peer);
    setPanel(host, undefined);
  };
  const invite = host.guests?.invite;
  return html`
    ${invite === undefined ? nothing : html`<ul class="pick-list"><li><button class="pick" data-testid="invite-guest" @click=${() => (setPanel(host, undefined), invite())}>${icons.link}<span class="row-text"><strong>Invite with a link</strong><small>Somebody without an account</small></span></button></li></ul>`}
    ${adding === undefined ? nothing : html`<p class="hint">${adding.name} is being added. One at a time: wait until they are there.</p>`}
    ${all.length < SEARCH_FROM ? nothing : html`<label class="field"><span class="field-label">Look for</span><input data-testid="add-search" autocomplete="off" spellcheck="false"
      @input=${(event: Event) => {
        host.drafts.set("call-search", (event.currentTarget as HTMLInputElement).value.trim());
        host.changed();
      }} /></label>`}
    ${fitting.length === 0 ? html`<p class="hint" data-testid="nobody-to-add">${all.length === 0 ? "Everybody you know is in this call already." : "Nobody fits."}</p>` : nothing}
    <ul class="pick-list">${fitting.map((peer) => html`<li><button class="pick" data-testid="add-person" data-handle=${peer.handle} ?disabled=${adding !== undefined} @click=${() => pick(peer)}>
      ${avatar(peer.name)}<span class="row-text"><strong>${peer.name}</strong><small>@${peer.handle} ${peer.verdict === "own" ? html`<span class="mark">Your household</span>` : pinMark(peer.verdict === "verified" ? 2 : peer.verdict === "unverified" ? 1 : 0, false, false)}</small></span></button></li>`)}</ul>`;
}

/** Members of the household, then contacts; nobody twice, nobody who is here, nobody whose key is in doubt. */
function candidates(host: CallScreenHost, present: readonly string[]): PeerView[] {
  const { store } = host;
  const here = new Set([store.home?.account.handle, ...present]);
  const own = store.members.filter(({ handle }) => !here.has(handle));
  const members = own.map(({ handle, display_name }): PeerView => {
    const contact = store.contactByHandle(handle);
    return { handle, name: contact?.name ?? display_name, contact: contact?.id, genesis: undefined, verdict: "own" };
  });
  const known = new Set([...here, ...own.map(({ handle }) => handle)]);
  const contacts = store.sortedContacts().filter(({ id, handle, trouble }) => !known.has(handle) && trouble === undefined && !host.keyChanged(id));
  return [...members, ...contacts.map(({ id, handle, name, theirGenesis, pin }): PeerView => ({
    handle, name, contact: id, genesis: theirGenesis, verdict: pin === 2 ? "verified" : pin === 1 ? "unverified" : undefined,
  }))];
}

function moveList(host: CallScreenHost): TemplateResult {
  const devices = movable(host);
  const pick = (device: Device): void => {
    host.calls.moveTo(device);
    setPanel(host, undefined);
  };
  return html`
    <p class="hint">It goes on here until it is taken there. Nobody has to dial again.</p>
    ${devices.length === 0 ? html`<p class="hint" data-testid="nowhere-to-move">No other device of yours is switched on.</p>` : nothing}
    <ul class="pick-list">${devices.map((device) => html`<li><button class="pick" data-testid="move-to" data-device=${device.id} data-label=${device.label} @click=${() => pick(device)}>
      <span class="device-icon">${device.kind === "app" ? icons.tablet : device.settings.capabilities.screen ? icons.display : icons.speaker}</span>
      <span class="row-text"><strong>${device.label}</strong><small>${device.settings.room || (device.kind === "app" ? "App" : "Home device")}${device.settings.switches.microphone ? "" : " · microphone switched off"}</small></span></button></li>`)}</ul>`;
}

/** Own apps and the household's home devices that are switched on. */
function movable(host: CallScreenHost): Device[] {
  const me = host.store.home?.account.id;
  return host.store.devices.filter(({ id, kind, account, presence }) => id !== host.self && presence !== "offline" && (kind === "home_device" || account === me));
}

function peopleList(host: CallScreenHost, people: readonly PersonView[]): TemplateResult {
  return html`<ul class="pick-list" data-testid="people-list">${people.map(({ device, name, handle, standing, media }) => html`<li class="pick" data-testid="person-here" data-handle=${handle} data-standing=${standing}>
    ${avatar(name)}<span class="row-text"><strong>${name}</strong><small>${standing === "guest" ? guestMark() : html`@${handle} <span class="mark ${standing === "own" || standing === "verified" ? "mark-good" : ""}">${host.visitor === true && standing === "stranger" ? "By their own word" : standingWords(standing)}</span>`}</small></span>
    ${standing === "guest" && people.length > 1 ? removeGuest(host, device, name) : nothing}
    ${media.microphone ? nothing : html`<span role="img" aria-label="microphone off">${icons.micOff}</span>`}</li>`)}</ul>`;
}

function more(host: CallScreenHost, { outgoing }: Running, people: readonly PersonView[]): TemplateResult {
  return html`<ul class="pick-list">
    <li><button class="pick" data-testid="original-sound" aria-pressed=${String(host.originalSound)} @click=${() => host.setOriginalSound(!host.originalSound)}>${icons.music}<span class="row-text"><strong>Original sound</strong><small>${host.originalSound ? "On: music as it is, without echo and noise being taken out" : "Off: made for speech"}</small></span></button></li>
    ${host.visitor === true ? nothing : html`<li><button class="pick" data-testid="open-move" @click=${() => setPanel(host, "move")}>${icons.move}<span class="row-text"><strong>Move to…</strong><small>Another of your devices</small></span></button></li>`}
    <li><button class="pick" data-testid="open-people" @click=${() => setPanel(host, "people")}>${icons.people}<span class="row-text"><strong>Who is here</strong><small>${people.length + 1} with you</small></span></button></li>
    <li><button class="pick" data-testid="open-connection" @click=${() => setPanel(host, "connection")}>${icons.bars}<span class="row-text"><strong>Connection</strong><small>How good it is, in figures</small></span></button></li>
    ${outgoing && people.length > 1 ? html`<li><button class="pick danger" data-testid="end-for-everyone" @click=${() => host.calls.input({ on: "end_for_everyone", nowMs: Date.now() })}>${icons.hangUp}<span class="row-text"><strong>End for everyone</strong><small>You began this call</small></span></button></li>` : nothing}
  </ul>`;
}
