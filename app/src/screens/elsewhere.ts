//! "Take over here": the own call that runs at another device, offered where somebody looks.

import { html, nothing, type TemplateResult } from "lit-html";
import type { CallController } from "../call/controller.ts";
import type { HomeStore } from "../home/store.ts";
import { icons } from "../ui/icons.ts";

export function elsewhere(calls: CallController, store: HomeStore): TemplateResult | typeof nothing {
  const { calls: running, wanted, failure } = calls.elsewhere;
  return html`${running.map(({ call, party }) => {
    const name = store.contactByHandle(party.handle)?.name ?? party.display_name;
    const asked = wanted === call;
    return html`<div class="banner banner-quiet" data-testid="call-elsewhere" data-call=${call}>${icons.phone}
      <span role="status">${asked ? `Fetching your call with ${name}…` : `Your call with ${name} goes on at another device.`}</span>
      <button class="text-button" data-testid="take-over" ?disabled=${asked} @click=${() => void calls.takeOver(call)}>Take over here</button></div>`;
  })}${failure === undefined || running.length === 0 ? nothing : html`<p class="banner" role="alert" data-testid="take-over-failed">${failure}</p>`}`;
}
