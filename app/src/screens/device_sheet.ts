//! A device's own sheet: its name and room, what it can do, whether it may ring, how it answers, and taking it out.

import { html, nothing, type TemplateResult } from "lit-html";
import type { App } from "../app/app.ts";
import { removeDevice } from "../home/departures.ts";
import type { Device } from "../protocol.ts";
import { icons } from "../ui/icons.ts";
import { dialog, field, form } from "../ui/parts.ts";
import { capabilityWords, presenceWords, switchWords } from "../ui/words.ts";
import { answering } from "./answering.ts";
import { deviceDropIn } from "./drop_in.ts";
import { dropInButtons } from "./drop_in_call.ts";
import { hasPicture, roomOf } from "./drop_in_home.ts";
import { toLedger } from "./ledger.ts";
import { WHAT_CALLERS_HEAR, deviceToggle } from "./quiet.ts";

const LABEL_MAX = 64;

export function deviceSheet(app: App): TemplateResult | typeof nothing {
  const name = app.drafts.get<string>("dialog");
  const device = name?.startsWith("device:") === true ? app.store.device(name.slice(7)) : undefined;
  if (device === undefined) return nothing;
  const close = (): void => {
    app.drafts.set("dialog", undefined);
    app.changed();
  };
  return dialog("device", device.label, close, html`
    ${facts(app, device)}
    ${dropInHere(app, device, close)}
    ${app.grown ? naming(app, device) : nothing}
    ${silence(app, device)}
    ${answering(app, device)}
    ${deviceDropIn(app, device)}
    ${device.kind === "home_device" ? toLedger(app, device.id) : nothing}
    ${removal(app, device, close)}`);
}

/** "Drop in on the kitchen". */
function dropInHere(app: App, device: Device, close: () => void): TemplateResult | typeof nothing {
  const peer = roomOf(app, device);
  return peer === undefined ? nothing : dropInButtons(app, peer, hasPicture(device), close);
}

function facts(app: App, device: Device): TemplateResult {
  const owner = app.store.members.find(({ id }) => id === device.account);
  const off = switchWords(device.settings.switches);
  return html`<dl class="facts" data-testid="device-facts">
    <dt>Kind</dt><dd>${device.kind === "app" ? "App" : "Home device"}${device.adult ? ", may add contacts and devices" : ""}</dd>
    <dt>${device.kind === "app" ? "Whose" : "Default person"}</dt><dd data-testid="device-person">${owner?.display_name ?? "Nobody"}</dd>
    <dt>State</dt><dd>${device.presence === "asleep" ? "Asleep: it can't ring until somebody opens its browser tab" : presenceWords(device.presence)}</dd>
    ${device.kind === "app" ? nothing : html`<dt>Has</dt><dd data-testid="device-has">${capabilityWords(device.settings.capabilities)}</dd>`}
    ${off === undefined ? nothing : html`<dt>Switches</dt><dd class="missed" data-testid="device-switches">${off}</dd>`}
  </dl>`;
}

function naming(app: App, device: Device): TemplateResult {
  return form(app, {
    name: "device", submit: "Save",
    fields: html`<div class="pair">
      ${field({ name: "label", label: "Name", value: device.label, maxlength: LABEL_MAX, capitalize: "words" })}
      ${device.kind === "app" ? nothing : field({ name: "room", label: "Room", value: device.settings.room, maxlength: LABEL_MAX, capitalize: "words", required: false })}</div>`,
    run: async (value) => {
      await app.store.rules.setDevice(device.id, { label: value("label"), room: device.kind === "app" ? null : value("room") });
      app.say("Saved.");
    },
  });
}

function silence(app: App, device: Device): TemplateResult | typeof nothing {
  if (!app.maySilence(device)) return nothing;
  return html`<section class="sheet-part"><h3>Do not disturb</h3>
    ${deviceToggle(app, device, device.id === app.self ? "Silence this app" : `Silence ${device.label}`)}
    <p class="hint">${WHAT_CALLERS_HEAR} It lasts until it is switched off.</p>
    <button class="text-button start" data-testid="device-schedule" @click=${() => {
      app.drafts.set("dialog", undefined);
      app.go("quiet");
    }}>${icons.clock}Your times and exceptions</button></section>`;
}

function removal(app: App, device: Device, close: () => void): TemplateResult {
  if (!app.adult || device.id === app.self) {
    return html`<p class="hint">${device.id === app.self ? "This is the app you are using. To leave, sign out under Settings." : "Only an adult's app can remove devices."}</p>`;
  }
  return html`<section class="sheet-part"><p class="hint">A removed device is signed out at once and can read nothing that comes later.</p>
    <button class="button danger wide" data-testid="remove-device" @click=${async () => {
      if (await app.attempt(() => removeDevice(app.departing(), device.id))) close();
    }}>${icons.trash}Remove ${device.label}</button></section>`;
}
