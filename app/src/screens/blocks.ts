//! Blocked people: blocking somebody from wherever they are met, and the list in the settings.

import { html, nothing, type TemplateResult } from "lit-html";
import type { App } from "../app/app.ts";
import type { Handle } from "../protocol.ts";
import { icons } from "../ui/icons.ts";

export async function block(app: App, handle: Handle, name: string): Promise<void> {
  await app.store.rules.block(handle);
  app.say(`${name} is blocked and can't reach you. You find them under Settings.`);
}

/** For a card, a past call. Of one's own household nobody is blocked from here. */
export function blockButton(app: App, handle: Handle, name: string): TemplateResult | typeof nothing {
  if (app.store.members.some((member) => member.handle === handle)) return nothing;
  if (app.store.rules.blocks(handle)) {
    return html`<button class="button wide" data-testid="unblock" @click=${() => void app.attempt(() => app.store.rules.unblock(handle))}>Let ${name} through again</button>
      <p class="hint">Blocked: they can't reach you.</p>`;
  }
  return html`<button class="button danger wide" data-testid="block" @click=${() => void app.attempt(() => block(app, handle, name))}>${icons.block}Block ${name}</button>
    <p class="hint">They can't reach you any more, and are not told: to them it looks as if you were away.</p>`;
}

export function blockedMark(app: App, handle: Handle): TemplateResult | typeof nothing {
  return app.store.rules.blocks(handle) ? html`<span class="mark mark-alarm" data-testid="blocked-mark">${icons.block}Blocked</span>` : nothing;
}

export function blockedPeople(app: App): TemplateResult {
  const handles = [...app.store.rules.mine.blocked].sort();
  return html`<section class="panel" aria-label="Blocked people">
    <h2>Blocked people</h2>
    <p class="hint">${handles.length === 0 ? "Nobody. You can block somebody on their card, from a past call, or while they call." : "They can't reach you, and are not told. Others of your household are still reached."}</p>
    ${handles.length === 0 ? nothing : html`<ul class="plain-list" data-testid="blocked-people">${handles.map((handle) => html`<li class="choice" data-testid="blocked-person" data-handle=${handle}>
      <span class="row-text"><strong>${app.store.contactByHandle(handle)?.name ?? `@${handle}`}</strong><small>@${handle}</small></span>
      <button class="text-button" data-testid="unblock" aria-label=${`Unblock @${handle}`} @click=${() => void app.attempt(() => app.store.rules.unblock(handle))}>Unblock</button></li>`)}</ul>`}
  </section>`;
}
