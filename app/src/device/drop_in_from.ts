//! Dropping in from a home device itself: a room or a contact is chosen, and it begins. Only where it would not be refused.

import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import { nearMark } from "../screens/drop_in_call.ts";
import { icons } from "../ui/icons.ts";
import type { DeviceModel } from "./model.ts";
import { type Place, places, PLACES_MAX } from "./places.ts";

const OPEN = "drop-in-from";
const TYPED = "drop-in-from-typed";

export function dropInFrom(device: DeviceModel): TemplateResult | typeof nothing {
  if (device.linkUp?.loaded !== true) return nothing;
  const { drafts } = device;
  const { shown, more } = places(device, drafts.get<string>(TYPED) ?? "");
  const show = (open: boolean): void => {
    drafts.set(OPEN, open || undefined);
    drafts.set(TYPED, undefined);
    device.changed();
  };
  if (drafts.get(OPEN) !== true) {
    return shown.length === 0 ? nothing : html`<button class="button" data-testid="drop-in-from" @click=${() => show(true)}>${icons.home}Drop in on a room or a contact</button>`;
  }
  const open = shown.filter(({ peer }) => device.doors?.may(peer.target ?? { handle: peer.handle }) === true);
  return html`<section class="announcement drop-in-from" data-testid="drop-in-places" aria-label="Drop in">
    <h2>Drop in on</h2>
    <p class="hint">You are connected without anybody answering. A tone sounds there first.</p>
    ${more ? html`<input type="search" aria-label="Name" placeholder="Name" data-testid="drop-in-search" @input=${(event: Event) => {
      drafts.set(TYPED, (event.currentTarget as HTMLInputElement).value);
      device.changed();
    }} />` : nothing}
    ${open.length === 0
      ? html`<p role="status" data-testid="drop-in-nowhere">Nobody has let you drop in${more ? ` among these ${PLACES_MAX}` : ""}, or nobody can be dropped in on now.</p>`
      : html`<ul class="tiles">${repeat(open, ({ id }) => id, (place) => tile(device, place, () => show(false)))}</ul>`}
    <div class="announcement-buttons"><button class="button" data-testid="drop-in-from-close" @click=${() => show(false)}>Close</button></div></section>`;
}

/** With picture where both have one: whoever drops in is seen, as they see. */
function tile(device: DeviceModel, { peer, picture, near }: Place, before: () => void): TemplateResult {
  const video = picture && device.shape === "display";
  return html`<li><button class="tile" data-testid="drop-in-place" @click=${() => {
    before();
    device.calls.dropIn(peer, video);
  }}><span class="place-sign">${video ? icons.video : icons.mic}</span><span><span class="unseen">Drop in on </span>${peer.name}</span>${nearMark(near)}</button></li>`;
}
