//! Past calls, with the reason for every end in words.

import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import type { App } from "../app/app.ts";
import type { PastCall } from "../protocol.ts";
import { icons } from "../ui/icons.ts";
import { avatar } from "../ui/parts.ts";
import { durationWords, historyWords, timeWords } from "../ui/words.ts";

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
    ${app.historyComplete || calls.length === 0 ? nothing : html`<button class="button wide" data-testid="history-more" @click=${() => void app.attempt(() => app.loadHistory(true))}>Earlier calls</button>`}`;
}

function row(app: App, past: PastCall): TemplateResult {
  const contact = app.store.contactByHandle(past.party.handle);
  const member = app.store.members.find(({ handle }) => handle === past.party.handle);
  const name = contact?.name ?? member?.display_name ?? (past.party.display_name || `@${past.party.handle}`);
  const answered = past.answered_at_ms !== null;
  const missed = past.direction === "incoming" && !answered && past.reason !== "answered_elsewhere" && past.reason !== "declined";
  const length = past.answered_at_ms === null ? "" : durationWords((past.ended_at_ms - past.answered_at_ms) / 1_000);
  const words = historyWords(past.reason, past.direction, answered);
  const again = (video: boolean): void => app.call(contact !== undefined ? app.peerOf(contact) : {
    handle: past.party.handle, name, contact: undefined, verdict: member === undefined ? undefined : "own",
    genesis: member !== undefined && app.identity.state === "ready" ? app.identity.who.genesis : undefined,
  }, video);
  return html`<li class="row" data-testid="past-call" data-reason=${past.reason} data-direction=${past.direction}>
    <span class="row-main still">${avatar(name)}
      <span class="row-text"><strong class=${missed ? "missed" : ""}>${name}</strong>
        <small><span class="way" title=${past.direction === "outgoing" ? "You called" : "They called"}>${past.direction === "outgoing" ? icons.out : icons.into}</span>${[past.video ? "Video" : "", words, length].filter((part) => part !== "").join(" · ") || "Voice"}</small>
        <small>${timeWords(past.started_at_ms, Date.now())}</small></span></span>
    ${contact === undefined && member === undefined && app.adult ? html`<button class="text-button" data-testid="add-from-history" @click=${() => {
      app.drafts.set("add-name", past.party.display_name);
      app.drafts.set("add-handle", past.party.handle);
      app.drafts.set("dialog", "add-contact");
      app.go("contacts");
    }}>Add</button>` : nothing}
    <button class="icon-button go" aria-label=${`Call ${name}`} data-testid="call-again" @click=${() => again(past.video)}>${past.video ? icons.video : icons.phone}</button>
  </li>`;
}
