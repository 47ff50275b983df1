//! A child's calls, for the adults: with whom, when, how long, how each ended.

import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import type { App } from "../app/app.ts";
import type { Child, Member, PastCall } from "../protocol.ts";
import { icons } from "../ui/icons.ts";
import { durationWords, timeWords } from "../ui/words.ts";

export function calls(app: App, child: Child, member: Member): TemplateResult {
  const view = app.children?.view(child.account);
  const load = (more: boolean): void => void app.attempt(async () => app.children?.loadCalls(child.account, more));
  return html`<details class="child-part" data-testid="child-calls" @toggle=${(event: Event) => {
    if ((event.currentTarget as HTMLDetailsElement).open) load(false);
  }}><summary>Calls</summary>
    ${view?.calls === undefined ? html`<div class="spinner"></div>`
      : view.calls.length === 0 ? html`<p class="hint" data-testid="child-no-calls">No calls yet.</p>`
      : html`<ul class="list">${repeat(view.calls, ({ call }) => call, (call) => row(app, member, call))}</ul>`}
    ${view?.calls === undefined || view.complete ? nothing : html`<button class="button wide" @click=${() => load(true)}>Earlier calls</button>`}
  </details>`;
}

function row(app: App, member: Member, past: PastCall): TemplateResult {
  const contact = app.store.contactByHandle(past.party.handle);
  const other = app.store.members.find(({ handle }) => handle === past.party.handle);
  const name = contact?.name ?? other?.display_name ?? past.party.display_name;
  const outgoing = past.direction === "outgoing";
  const length = past.answered_at_ms === null ? "" : durationWords((past.ended_at_ms - past.answered_at_ms) / 1_000);
  const parts = [past.video ? "Video" : "Voice", endWords(past), length].filter((part) => part !== "");
  return html`<li class="row" data-testid="child-call" data-reason=${past.reason} data-handle=${past.party.handle}><span class="row-text pad">
    <strong>${name}</strong>
    <small><span class="way" title=${outgoing ? `${member.display_name} called` : `${name} called`}>${outgoing ? icons.out : icons.into}</span>${parts.join(" · ")}</small>
    <small>@${past.party.handle} · ${timeWords(past.started_at_ms, Date.now())}</small></span></li>`;
}

/** How a call of somebody else's ended; the words of the own history speak to "you". */
function endWords({ reason, direction }: PastCall): string {
  switch (reason) {
    case "hung_up": return "";
    case "declined": return "Declined";
    case "cancelled": return direction === "outgoing" ? "Given up" : "Missed";
    case "no_answer": return direction === "outgoing" ? "No answer" : "Missed";
    case "answered_elsewhere": return "Answered on another device";
    case "busy": return "Busy";
    case "unreachable": return "Could not be reached";
    case "device_lost": return "Connection lost";
    case "device_revoked": return "Device removed";
    case "server_restarted": return "Server restarted";
    case "encryption_refused": return "Stopped for safety";
    case "media_failed": return "No media connection";
    default: return "Ended";
  }
}
