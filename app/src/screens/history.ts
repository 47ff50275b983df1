//! Past calls, with the reason for every end in words.

import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import type { App } from "../app/app.ts";
import type { PastCall } from "../protocol.ts";
import { icons } from "../ui/icons.ts";
import { avatar, dialog, guestMark } from "../ui/parts.ts";
import { durationWords, historyWords, timeWords } from "../ui/words.ts";
import { blockButton, blockedMark } from "./blocks.ts";

export function history(app: App): TemplateResult {
  const calls = app.history;
  if (calls === undefined) {
    void app.loadHistory(false).catch(() => undefined);
    return html`<header class="page-head"><h1>Calls</h1></header><div class="loading"><div class="spinner"></div></div>`;
  }
  return html`<header class="page-head"><h1>Calls</h1></header>
    ${calls.length === 0
      ? html`<div class="empty">${icons.clock}<p>No calls yet.</p></div>`
      : html`<ul class="list" data-testid="history">${repeat(calls, ({ call }) => call, (call) => row(app, call))}</ul>`}
    ${app.historyComplete || calls.length === 0 ? nothing : html`<button class="button wide" data-testid="history-more" @click=${() => void app.attempt(() => app.loadHistory(true))}>Earlier calls</button>`}
    ${sheet(app, calls)}`;
}

/** Who is known only from a call can be blocked from here. */
function sheet(app: App, calls: readonly PastCall[]): TemplateResult | typeof nothing {
  const name = app.drafts.get<string>("dialog");
  const past = name?.startsWith("past:") === true ? calls.find(({ call }) => call === name.slice(5)) : undefined;
  if (past === undefined) return nothing;
  const words = nameOf(app, past);
  if (past.party.guest === true) {
    return dialog("past", words, () => open(app, undefined), html`<div class="card-view">${avatar(words, "large")}<p>${guestMark()}</p>
      <p class="hint">Came by a call link. Guests have no account, so they can't be called.</p></div>`);
  }
  return dialog("past", words, () => open(app, undefined), html`<div class="card-view">${avatar(words, "large")}<p class="handle">@${past.party.handle}</p><p>${blockedMark(app, past.party.handle)}</p></div>
    ${blockButton(app, past.party.handle, words)}`);
}

function open(app: App, dialogName: string | undefined): void {
  app.drafts.set("dialog", dialogName);
  app.changed();
}

function nameOf(app: App, { party }: PastCall): string {
  if (party.guest === true) return party.display_name;
  const member = app.store.members.find(({ handle }) => handle === party.handle);
  return app.store.contactByHandle(party.handle)?.name ?? member?.display_name ?? (party.display_name || `@${party.handle}`);
}

function row(app: App, past: PastCall): TemplateResult {
  const contact = app.store.contactByHandle(past.party.handle);
  const member = app.store.members.find(({ handle }) => handle === past.party.handle);
  const name = nameOf(app, past);
  const answered = past.answered_at_ms !== null;
  const missed = past.direction === "incoming" && !answered && past.reason !== "answered_elsewhere" && past.reason !== "declined";
  const length = past.answered_at_ms === null ? "" : durationWords((past.ended_at_ms - past.answered_at_ms) / 1_000);
  const words = historyWords(past.reason, past.direction, answered);
  const again = (video: boolean): void => app.call(contact !== undefined ? app.peerOf(contact) : {
    handle: past.party.handle, name, contact: undefined, verdict: member === undefined ? undefined : "own",
    genesis: member !== undefined && app.identity.state === "ready" ? app.identity.who.genesis : undefined,
  }, video);
  return html`<li class="row" data-testid="past-call" data-reason=${past.reason} data-direction=${past.direction}>
    <button class="row-main" data-testid="open-past" @click=${() => open(app, `past:${past.call}`)}>${avatar(name)}
      <span class="row-text"><strong class=${missed ? "missed" : ""}>${name}${past.party.guest === true ? html` ${guestMark()}` : nothing}</strong>
        <small><span class="way" title=${past.direction === "outgoing" ? "You called" : "They called"}>${past.direction === "outgoing" ? icons.out : icons.into}</span>${[past.video ? "Video" : "", words, length].filter((part) => part !== "").join(" · ") || "Voice"}</small>
        <small>${timeWords(past.started_at_ms, Date.now())} ${blockedMark(app, past.party.handle)}</small></span></button>
    ${contact === undefined && member === undefined && app.adult && past.party.guest !== true ? html`<button class="text-button" data-testid="add-from-history" @click=${() => {
      app.drafts.set("add-name", past.party.display_name);
      app.drafts.set("add-handle", past.party.handle);
      app.drafts.set("dialog", "add-contact");
      app.go("contacts");
    }}>Add</button>` : nothing}
    ${past.party.guest === true ? nothing : html`<button class="icon-button go" aria-label=${`Call ${name}`} data-testid="call-again" @click=${() => again(past.video)}>${past.video ? icons.video : icons.phone}</button>`}
  </li>`;
}
