//! Drop in: who may, on which devices, when and how; given, narrowed and taken back by an adult, signed by this app.

import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import type { App } from "../app/app.ts";
import type { Grant } from "../e2ee/port.ts";
import { type Choice, endOf, targets } from "../home/grants.ts";
import { longDay, readWindow, shortDay, timeOf, WEEKDAYS, windowWords } from "../home/quiet.ts";
import type { ContactView } from "../home/store.ts";
import type { Device, QuietWindow } from "../protocol.ts";
import { toggle } from "../ui/controls.ts";
import { icons } from "../ui/icons.ts";
import { form } from "../ui/parts.ts";
import { dropInOnHome } from "./drop_in_home.ts";

const WHAT_IT_IS = "Whoever may drop in is connected without anybody answering. The device always sounds a tone and shows it.";
const OPENINGS: readonly (readonly [Grant["opening"], string])[] = [
  ["at_once", "It connects at once"], ["knock_until_yes", "It knocks, and opens only if somebody says yes"], ["knock_unless_no", "It knocks, and opens unless somebody says no"],
];
/** For how long, in days. */
const LASTS: readonly (readonly [string, string])[] = [["1", "For a day"], ["7", "For a week"]];
const DAY_MS = 24 * 60 * 60 * 1_000;
/** What a new choice of hours proposes. */
const DAYTIME: QuietWindow = { days: [...WEEKDAYS], from_minute: 8 * 60, to_minute: 20 * 60 };

/** On a contact's card. */
export function contactDropIn(app: App, contact: ContactView): TemplateResult | typeof nothing {
  const { theirGenesis } = contact;
  // Somebody of the own household: they go by its own grant.
  if (app.identity.state === "ready" && app.identity.who.genesis === theirGenesis) return nothing;
  const grant = app.store.grants.ofContact(contact.id);
  const to: Choice["to"] | undefined = theirGenesis === undefined || contact.trouble !== undefined ? undefined : { type: "household", contact: contact.id, theirGenesis };
  return html`<details class="more" data-testid="drop-in"><summary data-testid="card-drop-in">Drop in${grant === undefined ? "" : ": allowed"}</summary>
    ${section(app, grant?.to.type === "person" ? contact.name : `${contact.name} and their household`, grant, to, contact.name)}
    ${ask(app, contact)}</details>`;
}

/** On the household's page: the own household, everybody else who may, and everyone out. */
export function householdDropIn(app: App): TemplateResult | typeof nothing {
  const { grants } = app.store;
  const others = grants.active().filter(({ to }) => to.type !== "home");
  if (targets(app.store.roster).length === 0 && grants.active().length === 0) return nothing;
  return html`<h2 class="section">Drop in</h2>
    <section class="panel" data-testid="household-drop-in" aria-label="Drop in">
      ${dropInOnHome(app)}
      <h3>Your own household</h3>
      ${section(app, "Everybody of your household", grants.home(), { type: "home" })}
      ${others.length === 0 ? nothing : html`<h3>Others who may</h3>
        <ul class="list">${repeat(others, ({ id }) => id, (grant) => html`<li class="row" data-testid="drop-in-other"><span class="row-text pad"><strong>${whom(app, grant)}</strong><small>${words(app, grant)}</small></span>
          ${app.adult ? html`<button class="text-button" data-testid="drop-in-other-take-back" @click=${() => void app.attempt(() => app.store.takeDropInBack(grant))}>Take back</button>` : nothing}</li>`)}</ul>`}
      ${grants.untrusted === 0 ? nothing : html`<p class="error" data-testid="drop-in-untrusted">The server shows ${grants.untrusted} that no adult of your household has signed. Nobody is let in by them.</p>`}
      ${app.adult && grants.active().length > 0 ? html`<button class="button danger wide" data-testid="everyone-out" @click=${() => void app.attempt(async () => {
        await app.store.everyoneOut();
        app.say("Nobody may drop in any more.");
      })}>Everyone out: take all of it back</button>` : nothing}
    </section>`;
}

/** On a home device's own page. */
export function deviceDropIn(app: App, device: Device): TemplateResult | typeof nothing {
  if (device.kind !== "home_device") return nothing;
  return html`<section class="sheet-part"><h3>Drop in</h3>
    ${toggle(app, {
      id: "device-drop-in", label: "Allow drop in", on: device.settings.drop_in, disabled: !app.grown,
      hint: "Off: nobody may drop in here, whoever may elsewhere.", set: (on) => app.store.rules.allowDropIn(device.id, on),
    })}
    ${toggle(app, {
      id: "device-near", label: "Say when somebody was here", on: device.settings.recently_active, disabled: !app.grown,
      hint: "Only whoever may drop in here sees it: a touch within the last five or ten minutes, and no more.", set: (on) => app.store.rules.allowNear(device.id, on),
    })}</section>`;
}

/** On every page, until it was read: everybody of a household hears who may drop in on it. */
export function dropInNews(app: App): TemplateResult | typeof nothing {
  const news = app.store.grants.news();
  if (news.length === 0) return nothing;
  return html`<div class="banner banner-quiet" role="status" data-testid="drop-in-news">${icons.people}<span>${news.map((grant) => whom(app, grant)).join(", ")} may drop in on your home now.</span>
    <button class="text-button" data-testid="drop-in-news-read" @click=${() => {
      app.store.grants.told();
      app.changed();
    }}>I have read it</button></div>`;
}

function section(app: App, label: string, grant: Grant | undefined, to: Choice["to"] | undefined, name = ""): TemplateResult {
  const state = grant === undefined ? `${label} may not drop in.` : `${label} may drop in. ${words(app, grant)}`;
  if (!app.adult) return html`<p class="hint" data-testid="drop-in-state">${state} Only an adult's app changes that.</p>`;
  return html`<p class="hint">${WHAT_IT_IS}</p>
    <p data-testid="drop-in-state">${state}</p>
    ${grant === undefined ? nothing : html`<button class="button wide" data-testid="drop-in-take-back" @click=${() => void app.attempt(() => app.store.takeDropInBack(grant))}>Take back</button>`}
    ${to === undefined
      ? html`<p class="hint" data-testid="drop-in-unmet">It can be given once their household's key is known: call them first.</p>`
      : html`<details class="more"><summary data-testid="drop-in-open">${grant === undefined ? "Let them drop in" : "Change it"}</summary>${choices(app, to, grant, name)}</details>`}`;
}

function choices(app: App, to: Choice["to"], grant: Grant | undefined, contact: string): TemplateResult {
  const devices = targets(app.store.roster);
  const end = grant && endOf(grant);
  const name = `drop-in-${to.type === "home" ? "home" : to.contact}`;
  const chosen = (key: string): boolean => grant === undefined || grant.devices.length === 0 || grant.devices.includes(key);
  return form(app, {
    name: "drop-in", submit: grant === undefined ? "Let them drop in" : "Save",
    fields: html`${to.type === "home" ? nothing : html`<label class="field"><span class="field-label">Who</span><select name="whom" data-testid="drop-in-whom">
        <option value="household" ?selected=${grant?.to.type !== "person"}>${contact} and their household</option><option value="person" ?selected=${grant?.to.type === "person"}>${contact} alone</option></select></label>`}
      <fieldset class="choices"><legend class="field-label">On which devices</legend>
        ${devices.map(({ key, device }) => html`<label class="check"><input type="checkbox" name=${key} data-testid="drop-in-device" .defaultChecked=${chosen(key)} /><span>${app.store.device(device)?.label ?? "Device"}</span></label>`)}
        <p class="hint">All of them: those that come later, too.</p></fieldset>
      <label class="field"><span class="field-label">Sound or picture</span><select name="picture" data-testid="drop-in-picture">
        <option value="no" ?selected=${grant?.picture !== true}>Sound only</option><option value="yes" ?selected=${grant?.picture === true}>With picture</option></select></label>
      <label class="field"><span class="field-label">How it begins</span><select name="opening" data-testid="drop-in-opening">
        ${OPENINGS.map(([value, text]) => html`<option value=${value} ?selected=${value === (grant?.opening ?? "at_once")}>${text}</option>`)}</select></label>
      <label class="field"><span class="field-label">How long</span><select name="lasts" data-testid="drop-in-lasts">
        <option value="">Until it is taken back</option>${LASTS.map(([value, text]) => html`<option value=${value}>${text}</option>`)}
        ${end === undefined ? nothing : html`<option value="kept" selected>Until ${dated(end)}</option>`}</select></label>
      ${hours(app, name, grant)}`,
    run: async (value) => {
      const picked = devices.map(({ key }) => key).filter((key) => value(key) !== "");
      if (picked.length === 0) throw new Error("Choose at least one device.");
      await app.store.giveDropIn({
        to: value("whom") === "person" ? await alone(app, to) : to, devices: picked.length === devices.length ? [] : picked, hours: readHours(value),
        picture: value("picture") === "yes", opening: OPENINGS.find(([opening]) => opening === value("opening"))?.[0] ?? "knock_until_yes",
        endsAtMs: value("lasts") === "" ? undefined : value("lasts") === "kept" ? end : Date.now() + Number(value("lasts")) * DAY_MS,
      });
      app.drafts.set(`hours:${name}`, undefined);
      app.say("Your devices have been told.");
    },
  });
}

/** The contact's own account, as their household's server knows it: a certificate that says another name is not let in. */
async function alone(app: App, to: Choice["to"]): Promise<Choice["to"]> {
  if (to.type === "home" || app.linkUp === undefined) return to;
  const { contact, theirGenesis } = to;
  const { person } = await app.linkUp.session.request({ type: "contact_people", contact }, "contact_people");
  return { type: "person", contact, theirGenesis, person };
}

function hours(app: App, name: string, grant: Grant | undefined): TemplateResult {
  const draft = `hours:${name}`;
  const narrowed = app.drafts.get<boolean>(draft) ?? grant?.hours !== undefined;
  const { days, from_minute: from, to_minute: until } = grant?.hours?.windows[0] === undefined ? DAYTIME : weekly(grant.hours.windows[0]);
  return html`<label class="check"><input type="checkbox" name="narrowed" data-testid="drop-in-hours" .checked=${narrowed} @change=${(event: Event) => {
      app.drafts.set(draft, (event.currentTarget as HTMLInputElement).checked);
      app.changed();
    }} /><span>Only at certain hours</span></label>
    ${narrowed ? html`<fieldset class="quiet-line"><legend class="field-label">Hours, by the clock of ${zone(grant).replaceAll("_", " ")}</legend>
      <input type="hidden" name="zone" .value=${zone(grant)} />
      <div class="days">${WEEKDAYS.map((day) => html`<label class="day"><input type="checkbox" name=${`day-${day}`} aria-label=${longDay(day)} data-testid=${`drop-in-${day}`}
        .defaultChecked=${days.includes(day)} /><span aria-hidden="true">${shortDay(day)}</span></label>`)}</div>
      <div class="times">
        <label class="field"><span class="field-label">From</span><input type="time" name="from" data-testid="drop-in-hours-from" required .defaultValue=${timeOf(from)} /></label>
        <label class="field"><span class="field-label">To</span><input type="time" name="to" data-testid="drop-in-hours-to" required .defaultValue=${timeOf(until)} /></label>
      </div></fieldset>` : nothing}`;
}

function readHours(value: (field: string) => string): Grant["hours"] {
  if (value("narrowed") === "") return undefined;
  const window = readWindow(WEEKDAYS.filter((day) => value(`day-${day}`) !== ""), value("from"), value("to"));
  const days = WEEKDAYS.reduce((sum, day, place) => sum + (window.days.includes(day) ? 2 ** place : 0), 0);
  return { timeZone: value("zone"), windows: [{ days, fromMinute: window.from_minute, toMinute: window.to_minute }] };
}

/** The grant's own zone, or this browser's. */
function zone(grant: Grant | undefined): string {
  return grant?.hours?.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** The other way: what this person's own app may. The server is asked when they want to know. */
function ask(app: App, contact: ContactView): TemplateResult {
  const draft = `may-drop-in:${contact.id}`;
  const answer = app.drafts.get<string>(draft);
  return html`<button class="text-button start" data-testid="ask-drop-in" @click=${async () => {
      let said: string;
      try {
        await app.linkUp?.session.done({ type: "may_drop_in", to: { handle: contact.handle } });
        said = `${contact.name} lets you drop in.`;
      } catch (error) {
        said = error instanceof Error ? error.message : String(error);
      }
      app.drafts.set(draft, said);
      app.changed();
    }}>May you drop in on ${contact.name}?</button>
    ${answer === undefined ? nothing : html`<p class="hint" role="status" data-testid="may-drop-in">${answer}</p>`}`;
}

export function whom(app: App, { to }: Grant): string {
  if (to.type === "home") return "Everybody of your household";
  const name = app.store.contacts.get(to.contact)?.name ?? "Somebody";
  return to.type === "person" ? name : `${name} and their household`;
}

function words(app: App, grant: Grant): string {
  const { devices, hours: when, picture, opening } = grant;
  const end = endOf(grant);
  const known = targets(app.store.roster);
  const names = known.filter(({ key }) => devices.includes(key)).map(({ device }) => app.store.device(device)?.label ?? "Device");
  const where = devices.length === 0 ? "on every device" : names.length === 0 ? "on devices that are gone" : `on ${names.join(", ")}`;
  const times = when === undefined ? "always" : when.windows.map((window) => windowWords(weekly(window))).join("; ");
  const begins = opening === "at_once" ? "it connects at once" : opening === "knock_until_yes" ? "it knocks and waits for a yes" : "it knocks and opens unless somebody says no";
  const until = end === undefined ? "" : `, until ${dated(end)}`;
  return `${capital(where)}, ${times}${until}, ${picture ? "with picture" : "sound only"}; ${begins}.`;
}

function weekly({ days, fromMinute, toMinute }: { days: number; fromMinute: number; toMinute: number }): QuietWindow {
  return { days: WEEKDAYS.filter((_, place) => (days & (2 ** place)) !== 0), from_minute: fromMinute, to_minute: toMinute };
}

function dated(atMs: number): string {
  return new Date(atMs).toLocaleString(undefined, { weekday: "long", day: "numeric", month: "long", hour: "2-digit", minute: "2-digit" });
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
