//! Who dropped in: on which room, when, for how long, who ended it; what became of permissions; and loudly when a record can't be trusted.

import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import type { App } from "../app/app.ts";
import type { LedgerParty, LedgerTrouble } from "../e2ee/port_ledger.ts";
import { type Happened, type Newcomer, newcomers } from "../home/ledger_lines.ts";
import type { DeviceId, DropInRefusal } from "../protocol.ts";
import { icons } from "../ui/icons.ts";
import { durationWords, timeWords } from "../ui/words.ts";
import { isForAdults } from "./children.ts";
import { whom } from "./drop_in.ts";

const STEP = 50;
const SHOWN = "ledger-shown";
const OF = "ledger-of";
const ASKED = "ledger-asked";

/** Leads to the page; with a device, to what happened at it. */
export function toLedger(app: App, device?: DeviceId): TemplateResult | typeof nothing {
  const any = device !== undefined || app.store.devices.some(({ kind }) => kind === "home_device") || (app.ledgers?.views.size ?? 0) > 0;
  if (!isForAdults(app) || !any) return nothing;
  return html`<button class="button wide" data-testid="to-ledger" @click=${() => {
    app.drafts.set("dialog", undefined);
    app.drafts.set(OF, device);
    app.drafts.set(ASKED, undefined);
    app.go("ledger");
  }}>${icons.clock}Who dropped in</button>`;
}

export function ledger(app: App): TemplateResult {
  const { ledgers } = app;
  const head = html`<header class="page-head"><div class="page-title">
    <button class="icon-button" aria-label="Back to the household" data-testid="to-household" @click=${() => app.go("household")}>${icons.back}</button>
    <h1>Who dropped in</h1></div></header>`;
  if (!isForAdults(app) || ledgers === undefined) return html`${head}<div class="empty">${icons.lock}<p>Only the adults of your household see this page.</p></div>`;
  if (app.drafts.get(ASKED) !== true) {
    app.drafts.set(ASKED, true);
    void app.attempt(() => ledgers.load(true));
  }
  const of = app.drafts.get<DeviceId>(OF);
  const shown = app.drafts.get<number>(SHOWN) ?? STEP;
  const list = ledgers.happened.filter(({ devices }) => of === undefined || devices.includes(of));
  return html`${head}
    <p class="hint">Each device writes this itself and signs every line. Your app checks that nothing was changed or left out.</p>
    ${ledgers.troubles.map(({ device, trouble }) => alarm(app, device, trouble))}
    ${of === undefined ? nothing : html`<p>${ledgers.label(of)} only. <button class="text-button" data-testid="ledger-all" @click=${() => {
      app.drafts.set(OF, undefined);
      app.changed();
    }}>All devices</button></p>`}
    ${list.length === 0
      ? html`<div class="empty" data-testid="ledger-empty">${icons.clock}<p>Nothing has happened yet.</p></div>`
      : html`<ul class="list" data-testid="ledger">${repeat(list.slice(0, shown), ({ id }) => id, (one) => row(app, one))}</ul>`}
    ${list.length <= shown ? nothing : html`<button class="button wide" data-testid="ledger-more" @click=${() => {
      app.drafts.set(SHOWN, shown + STEP);
      app.changed();
    }}>Earlier</button>`}`;
}

/** On every other page, for as long as it is so. */
export function ledgerAlarm(app: App): TemplateResult | typeof nothing {
  const troubles = isForAdults(app) ? app.ledgers?.troubles ?? [] : [];
  if (troubles.length === 0) return nothing;
  const names = troubles.map(({ device }) => app.ledgers?.label(device)).join(", ");
  return html`<div class="banner banner-alarm" role="alert" data-testid="ledger-alarm">${icons.alarm}
    <span>The record of who dropped in can't be trusted: ${names}. Somebody may have dropped in without a trace.</span>
    <button class="text-button" data-testid="ledger-alarm-look" @click=${() => app.go("ledger")}>Look</button></div>`;
}

/** On every page, until somebody has decided: who is new in a contact's household needs an adult's word. */
export function newcomerBanner(app: App): TemplateResult | typeof nothing {
  if (!app.adult || app.ledgers === undefined) return nothing;
  const decided = (grant: string, person: string): boolean => app.memory.setting(later(grant, person)) !== undefined;
  return html`${newcomers(app.ledgers.happened, app.store.grants.active(), decided).map((one) => newcomer(app, one))}`;
}

function newcomer(app: App, { grant, contact, person, label }: Newcomer): TemplateResult {
  const name = app.store.contacts.get(contact)?.name ?? "a contact";
  const decide = (how: string): void => app.memory.keepSetting(later(grant.id, person), how);
  return html`<div class="banner banner-quiet" role="status" data-testid="newcomer">${icons.people}
    <span>Somebody of ${name}'s household wanted to drop in for the first time, from “${label}”.</span>
    <button class="text-button" data-testid="newcomer-allow" @click=${() => void app.attempt(async () => {
      await app.store.allowDropIn(grant, person);
      decide("allowed");
      app.say("They may drop in now, as the others of their household.");
    })}>Allow</button>
    <button class="text-button" data-testid="newcomer-later" @click=${() => {
      decide("not now");
      app.changed();
    }}>Not now</button></div>`;
}

function later(grant: string, person: string): string {
  return `newcomer.${grant}.${person}`;
}

function alarm(app: App, device: DeviceId, trouble: LedgerTrouble): TemplateResult {
  const name = app.ledgers?.label(device) ?? "a device";
  return html`<div class="banner banner-alarm" role="alert" data-testid="ledger-trouble" data-trouble=${trouble}>${icons.alarm}
    <span>${troubleWords(trouble, name)}</span>
    ${trouble === "broken" || trouble === "wrong_signer" ? nothing : html`<button class="text-button" data-testid="ledger-accept" @click=${() => void app.attempt(() => app.ledgers!.accept(device))}>Go on from what the server has</button>`}</div>`;
}

function troubleWords(trouble: LedgerTrouble, name: string): string {
  const meaning = "Somebody may have dropped in without a trace. Ask whoever runs the server; until it is clear, switch drop-in off there.";
  switch (trouble) {
    case "broken": return `The record of ${name} is broken: a line of it was changed, left out, or put elsewhere. ${meaning}`;
    case "wrong_signer": return `The record of ${name} has a line that ${name} did not write. ${meaning}`;
    case "shorter": return `The record of ${name} is shorter than before: lines that this app has seen are gone. ${meaning}`;
    case "another_one": return `The record of ${name} is another one than this app has seen before. ${meaning}`;
  }
}

function row(app: App, { atMs, devices, what }: Happened): TemplateResult {
  const rooms = devices.map((device) => app.ledgers?.label(device) ?? "").join(", ");
  const [title, more] = words(app, what, rooms);
  return html`<li class="row" data-testid="ledger-row" data-kind=${what.kind}><span class="row-text pad"><strong>${title}</strong>
    <small>${timeWords(atMs, Date.now())} · ${rooms}${more === "" ? "" : ` · ${more}`}</small></span></li>`;
}

function words(app: App, what: Happened["what"], rooms: string): [title: string, more: string] {
  switch (what.kind) {
    case "visit": {
      const how = `${what.knocked ? "knocked first, " : ""}${what.picture ? "with picture" : what.pictureRefused ? "sound only: a picture was refused" : "sound only"}`;
      const { ended } = what;
      return [`${partyWords(app, what.who)} dropped in`, ended === undefined ? `${how}, its end is not written` : `${how}, ${durationWords(ended.lastedMs / 1_000)}, ${endWords(ended.by)}`];
    }
    case "refused": return [`${partyWords(app, what.who)} was refused`, refusedWords(what.refusal)];
    case "grant": {
      const grant = app.store.grants.known(what.grant);
      const name = grant === undefined ? "one that is gone" : whom(app, grant);
      const done = what.change === "given" ? "given" : what.change === "changed" ? "changed or renewed" : "taken back";
      return [`Permission ${done}: ${name}`, ""];
    }
    case "put_out": return ["Everyone was put out, at the device", ""];
    case "switched": return [`Drop in was switched ${what.on ? "on" : "off"}`, ""];
    case "grant_refused": return ["The server showed a permission that does not hold", refusedWords(what.refusal)];
    case "resumed": return ["The record goes on after a loss", `${rooms} had written ${what.length} lines, and the server had others`];
  }
}

function partyWords(app: App, { genesis, person, label }: LedgerParty): string {
  if (genesis === "") return "Somebody who could not be verified";
  if (genesis === app.ownGenesis) return app.store.members.find(({ id }) => id === person)?.display_name ?? `Somebody of your household (${label})`;
  const contact = app.store.sortedContacts().find(({ theirGenesis }) => theirGenesis === genesis);
  return contact === undefined ? `Somebody who is no contact any more (${label})` : `${contact.name}'s household (${label})`;
}

function endWords(by: "target" | "initiator" | "grant" | "everyone_out" | "connection"): string {
  switch (by) {
    case "target": return "ended here";
    case "initiator": return "ended by them";
    case "grant": return "ended with the permission";
    case "everyone_out": return "everyone was put out";
    case "connection": return "the connection was lost";
  }
}

function refusedWords(refusal: DropInRefusal): string {
  switch (refusal) {
    case "off": return "drop in was off";
    case "initiator": return "it could not be verified who it was";
    case "not_in_household": return "their device is none of your household any more";
    case "no_grant": return "no permission lets them";
    case "forged": return "it was signed by nobody who may";
    case "other_household": return "it is another household's";
    case "signer_may_not": return "whoever signed it is no adult here any more";
    case "replayed": return "it was older than one seen before";
    case "revoked": return "it was taken back";
    case "ended_here": return "it was ended at the device";
    case "not_yet": return "it was signed in the future";
    case "expired": return "it had ended";
    case "not_a_contact": return "they are no contact any more, or have another key";
    case "other_device": return "not on this device";
    case "outside_hours": return "not at that hour";
    case "sound_only": return "sound only was allowed";
    case "busy": return "the device was busy";
    case "quiet": return "do not disturb was on";
    case "turned_away": return "nobody opened, or somebody said no";
    case "no_signal": return "tone or light could not be given";
    case "unavailable": return "the device could not open";
    case "new_member": return "new in that household: an adult has to agree first";
  }
}
