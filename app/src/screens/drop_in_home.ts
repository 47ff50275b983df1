//! "Drop in on home": the first time an adult says whether the own household may; then a room is chosen, and it begins.

import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import type { App } from "../app/app.ts";
import type { PeerView } from "../call/state.ts";
import type { HomeStore } from "../home/store.ts";
import type { Device } from "../protocol.ts";
import { icons } from "../ui/icons.ts";
import { nearMark } from "./drop_in_call.ts";

const DRAFT = "drop-in-home";

/** Whose rooms they are: an app's household, or a home device's. */
interface Household {
  readonly store: Pick<HomeStore, "members">;
  readonly ownGenesis: string | undefined;
}

/** A home device as one drops in on it; nothing for what is none, or whose person is gone. */
export function roomOf({ store, ownGenesis }: Household, device: Device): PeerView | undefined {
  const person = store.members.find(({ id }) => id === device.account);
  if (device.kind !== "home_device" || person === undefined) return undefined;
  return { handle: person.handle, name: device.label, contact: undefined, genesis: ownGenesis, verdict: "own", target: { device: device.id } };
}

export function hasPicture({ settings }: Device): boolean {
  return settings.capabilities.screen && settings.capabilities.camera;
}

/** Only in an adult's app, since it may give the permission. */
export function dropInOnHome(app: App): TemplateResult | typeof nothing {
  const rooms = app.store.devices.filter((device) => roomOf(app, device) !== undefined);
  if (!app.adult || rooms.length === 0) return nothing;
  const step = app.drafts.get<"asks" | "rooms">(DRAFT);
  const go = (to: "asks" | "rooms" | undefined): void => {
    app.drafts.set(DRAFT, to);
    app.changed();
  };
  switch (step) {
    case "asks": return asks(app, go);
    case "rooms": return html`<p class="hint">Where? You are connected without anybody answering. A tone sounds there first.</p>
      <ul class="list">${repeat(rooms, ({ id }) => id, (device) => room(app, device, () => go(undefined)))}</ul>
      <button class="text-button start" data-testid="drop-in-home-no" @click=${() => go(undefined)}>Not now</button>`;
    default: return html`<button class="button wide" data-testid="drop-in-home" @click=${() => go(app.store.grants.home() === undefined ? "asks" : "rooms")}>${icons.home}Drop in on home</button>`;
  }
}

function asks(app: App, go: (to: "rooms" | undefined) => void): TemplateResult {
  return html`<p data-testid="drop-in-home-asks">Nobody may drop in on your home yet. Shall everybody of your household, on all of its home devices, with sound and picture, until an adult takes it back?</p>
    <div class="card-actions">
      <button class="button" data-testid="drop-in-home-yes" @click=${() => void app.attempt(async () => {
        await app.store.giveDropIn({ to: { type: "home" }, devices: [], hours: undefined, picture: true, opening: "at_once" });
        go("rooms");
      })}>Yes, allow it</button>
      <button class="button" data-testid="drop-in-home-no" @click=${() => go(undefined)}>No</button>
    </div>`;
}

function room(app: App, device: Device, before: () => void): TemplateResult | typeof nothing {
  const peer = roomOf(app, device);
  if (peer === undefined) return nothing;
  return html`<li class="row"><button class="row-main" data-testid="drop-in-room" @click=${() => {
    before();
    app.dropIn(peer, hasPicture(device));
  }}><span class="row-text"><strong>${device.label}</strong>${nearMark(app.near?.atDevice(device.id))}</span></button></li>`;
}
