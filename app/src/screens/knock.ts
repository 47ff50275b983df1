//! Somebody knocks at a call link: who, at which, and whether they come in.

import { html, nothing, type TemplateResult } from "lit-html";
import { ref } from "lit-html/directives/ref.js";
import { letIn } from "../app/admission.ts";
import type { App } from "../app/app.ts";
import type { Knock } from "../home/call_links.ts";
import { avatar, guestMark } from "../ui/parts.ts";

/** Over the page, while there is no call. Like a call it comes above every open dialog, and no button of it has the focus. */
export function knockLayer(app: App): TemplateResult | typeof nothing {
  const first = app.callLinks?.knocks[0];
  if (first === undefined) return nothing;
  return html`<dialog class="dialog knock-layer" closedby="none" aria-label=${`${first.who.label} knocks`} @cancel=${(event: Event) => event.preventDefault()} ${ref(raise)}>
    <section tabindex="-1" autofocus>${knockSheet(app, first, html`<button class="text-button danger" data-testid="revoke-from-knock" @click=${() => void app.attempt(async () => {
      app.tones.play("none");
      await app.callLinks?.revoke(first.link);
    })}>Not now, and revoke the link</button>`)}</section></dialog>`;
}

/** In a call: beside it, so that the call's own buttons stay within reach. */
export function knockBanner(app: App): TemplateResult | typeof nothing {
  const first = app.callLinks?.knocks[0];
  return first === undefined ? nothing : html`<div class="knock-banner">${knockSheet(app, first)}</div>`;
}

function knockSheet(app: App, knock: Knock, more: TemplateResult | typeof nothing = nothing): TemplateResult {
  const { who, label } = knock;
  const behind = (app.callLinks?.knocks.length ?? 1) - 1;
  return html`<section class="knock" role="group" aria-label="A guest knocks" data-testid="knock" data-guest=${who.device}>
    ${avatar(who.label, "large")}
    <div class="knock-words" role="alert">
      <h2><span data-testid="knock-name">${who.label}</span> ${guestMark()}</h2>
      <p data-testid="knock-words">${who.label}, a guest by “${label}”, asks to come in.</p>
      ${behind > 0 ? html`<p class="hint" data-testid="knocks-more">${behind === 1 ? "One more guest waits" : `${behind} more guests wait`} behind them.</p>` : nothing}
    </div>
    <div class="knock-buttons">
      <button class="button" data-testid="refuse-guest" @click=${() => void app.attempt(async () => {
        app.tones.play("none");
        await app.callLinks?.refuse(knock);
      })}>Not now</button>
      <button class="button primary" data-testid="let-in" @click=${() => void app.attempt(() => letIn(app, knock))}>Let in</button>
    </div>
    ${more}
  </section>`;
}

function raise(element?: Element): void {
  if (!(element instanceof HTMLDialogElement)) return;
  queueMicrotask(() => element.isConnected && !element.open && element.showModal());
}
