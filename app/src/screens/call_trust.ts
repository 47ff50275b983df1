//! What a call screen says about encryption: the mark, the call code, alarms.

import { html, nothing, type TemplateResult } from "lit-html";
import type { PersonView } from "../call/people.ts";
import type { Running } from "../call/state.ts";
import { icons } from "../ui/icons.ts";
import { warningWords } from "../ui/words.ts";
import type { CallScreenHost } from "./call.ts";

/** Verified is a call in which everybody is. */
export function trust(host: CallScreenHost, state: Running, people: readonly PersonView[]): TemplateResult {
  const alarmed = state.warnings.length > 0 || (state.keys !== "sending" && state.keys !== "waiting");
  const one = state.peer.verdict === "verified" || state.peer.verdict === "first_by_link" || state.peer.verdict === "own";
  const verified = people.length > 1 ? people.every(({ standing }) => standing === "own" || standing === "verified") : one;
  const words = alarmed ? "Warning" : state.keys === "waiting" ? "Making keys…" : verified ? "Encrypted · verified" : "Encrypted";
  return html`<button class="trust ${alarmed ? "trust-alarm" : verified ? "trust-good" : ""}" data-testid="encryption-state" data-keys=${state.keys} data-verified=${String(verified)}
    aria-expanded=${String(host.codeOpen)} @click=${() => host.setCodeOpen(!host.codeOpen)} title="Call code">
    ${alarmed ? icons.alarm : verified ? icons.shield : icons.lock}<span>${words}</span></button>`;
}

/** With many in the call the code is everybody's: comparing it says nothing of one contact alone. */
export function codePanel(host: CallScreenHost, state: Running, many: boolean): TemplateResult {
  const verified = !many && state.peer.verdict === "verified";
  const canVerify = host.adult && !many && state.peer.contact !== undefined && state.peer.genesis !== undefined && !verified && state.code !== undefined;
  return html`<aside class="code-panel" data-testid="code-panel">
    <p><strong>This call is end-to-end encrypted.</strong> Only the devices in it can hear and see it, not the server.</p>
    ${state.code === undefined ? html`<p class="hint">The call code comes with the keys.</p>` : html`
      <p class="hint">Read the code to each other. The same on both sides: nobody stands in between.</p>
      <p class="call-code" data-testid="call-code" data-code=${state.code}>${state.code.split(" ").map((group) => html`<span>${group} </span>`)}</p>`}
    ${verified ? html`<p class="mark mark-good" data-testid="verified-mark">${icons.shield}You have compared codes with ${state.peer.name}.</p>` : nothing}
    ${canVerify ? html`<div class="form-buttons">
      <button class="text-button danger" data-testid="code-differs" @click=${() => host.calls.hangUp("encryption_refused")}>It differs: hang up</button>
      <button class="button primary" data-testid="code-same" @click=${() => void host.calls.verify().catch(() => host.changed())}>We compared it: the same</button></div>` : nothing}
    ${state.peer.contact === undefined && state.peer.verdict === "stranger" ? html`<p class="hint">Not in your contacts: add them, and the next comparison is remembered.</p>` : nothing}
    <button class="icon-button code-close" aria-label="Close" data-testid="code-close" @click=${() => host.setCodeOpen(false)}>${icons.close}</button>
  </aside>`;
}

export function alarms(state: Running): TemplateResult {
  return html`${state.warnings.map((warning) => html`<p class="call-alarm" role="alert" data-testid="call-warning" data-warning=${warning}>${icons.alarm}${warningWords(warning)}</p>`)}
    ${state.keys === "sending" || state.keys === "waiting" ? nothing : html`<p class="call-alarm" role="alert" data-testid="sending-stopped" data-reason=${state.keys}>${icons.alarm}Nothing is sent any more: the keys of this call can't be trusted. Hang up and call again.</p>`}`;
}
