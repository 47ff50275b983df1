//! Numbers: those typed for a contact, the own one, and the settings about importing.

import { html, nothing, type TemplateResult } from "lit-html";
import { keyed } from "lit-html/directives/keyed.js";
import { live } from "lit-html/directives/live.js";
import type { App } from "../app/app.ts";
import { KINDS } from "../home/address_book.ts";
import type { ContactId, NumberKind, WrittenNumber } from "../protocol.ts";
import { REGIONS } from "../ui/regions.ts";
import { dialog, field, form } from "../ui/parts.ts";
import { fileButton, pickButton } from "./imported.ts";

/** As many as the server keeps for a contact. */
const NUMBERS_MAX = 10;
const NUMBER_CHARS_MAX = 64;

/** The numbers of a household's contact, to be changed: those there are, and an empty row for one more. */
export function numbersForm(app: App, contact: ContactId): TemplateResult {
  const numbers = app.book?.typed.get(contact) ?? [];
  const rows = [...numbers, ...(numbers.length < NUMBERS_MAX ? [{ kind: "mobile" as NumberKind, text: "" }] : [])];
  return form(app, {
    name: "numbers", submit: "Save numbers",
    // Rows are made anew when the numbers change: else an input would keep what was typed for another number.
    fields: html`${keyed(JSON.stringify([contact, numbers]), html`<fieldset class="number-rows"><legend class="field-label">Numbers</legend>${rows.map(({ kind, text }, at) => html`<div class="number-row">
      <label><span class="hidden-label">Sort of number ${at + 1}</span><select name=${`kind-${at}`} data-testid=${`number-kind-${at}`}>${KINDS.map((one) => html`<option value=${one.kind} ?selected=${one.kind === kind}>${one.label}</option>`)}</select></label>
      <label><span class="hidden-label">Number ${at + 1}</span><input name=${`number-${at}`} data-testid=${`number-${at}`} type="tel" .defaultValue=${text} maxlength=${NUMBER_CHARS_MAX} autocomplete="off" placeholder=${text === "" ? "Add a number" : ""} /></label>
    </div>`)}</fieldset>`)}`,
    run: async (value) => {
      const written = rows.map((_, at): WrittenNumber => ({ kind: value(`kind-${at}`) as NumberKind, text: value(`number-${at}`) }));
      await app.book?.setNumbers(contact, written.filter(({ text }) => text !== ""));
      app.say("Saved.");
    },
  });
}

export function importSettings(app: App): TemplateResult {
  const settings = app.book?.settings;
  const on = settings?.import === true;
  return html`<section class="panel" data-testid="import-settings">
    <h2>Imported contacts</h2>
    <label class="switch"><input type="checkbox" data-testid="setting-import" .checked=${live(on)} ?disabled=${settings === undefined} @change=${(event: Event) => {
      const input = event.currentTarget as HTMLInputElement;
      if (input.checked) void app.attempt(async () => app.book?.setImport(true));
      else if ((app.book?.entries.length ?? 0) === 0) void app.attempt(async () => app.book?.setImport(false));
      else {
        input.checked = true;
        show(app, "import-off");
      }
    }} /><span><strong>Import contacts</strong><small>Their names and numbers are stored on this server, where whoever runs it could read them. No other member of your household sees them. Switched off, all that was imported is deleted at once; what you typed stays.</small></span></label>
    ${on ? html`<div class="import-actions">${fileButton(app, "import-file")}${pickButton(app)}</div>
      <p class="hint">${settings.entries === 0 ? "Nothing is imported yet." : `${app.book?.entries.length ?? settings.entries} contacts are imported.`} A new file takes the place of the one before: who is not in it any more goes.</p>
      ${region(app, settings.region)}` : nothing}
    ${app.drafts.get("dialog") === "import-off" ? dialog("import-off", "Delete imported contacts?", () => show(app, undefined), html`
      <p>All ${app.book?.entries.length ?? 0} imported contacts are deleted from this server at once. Contacts that you typed stay.</p>
      <button class="button danger wide" data-testid="import-off-confirm" @click=${async () => {
        if (await app.attempt(async () => app.book?.setImport(false))) show(app, undefined);
      }}>Switch off and delete</button>`) : nothing}
  </section>`;
}

function region(app: App, chosen: string): TemplateResult {
  const names = new Intl.DisplayNames(undefined, { type: "region" });
  const regions = REGIONS.map((code) => ({ code, name: names.of(code) ?? code })).sort((one, other) => one.name.localeCompare(other.name));
  return html`<label class="field"><span class="field-label">Numbers without a country code are of</span>
    <select data-testid="setting-region" @change=${(event: Event) => {
      const code = (event.currentTarget as HTMLSelectElement).value;
      void app.attempt(async () => app.book?.setRegion(code));
    }}>${regions.map(({ code, name }) => html`<option value=${code} ?selected=${code === chosen}>${name}</option>`)}</select>
    <span class="hint">From the next import or typed number on.</span></label>`;
}

export function ownNumber(app: App): TemplateResult {
  return html`<section class="panel" data-testid="own-number"><h2>Your number</h2>${ownNumberBody(app)}</section>`;
}

function ownNumberBody(app: App): TemplateResult {
  const settings = app.book?.settings;
  if (settings === undefined) return html`<div class="spinner"></div>`;
  const { number, verification } = settings;
  const sentTo = app.drafts.get<string>("code-sent-to");
  if (sentTo !== undefined) return codeForm(app, sentTo);
  if (number !== null) {
    return html`<p><strong data-testid="verified-number">${number.number}</strong> <span class="mark mark-good">Verified</span></p>
      <label class="switch"><input type="checkbox" data-testid="setting-discoverable" .checked=${live(number.discoverable)} @change=${(event: Event) => {
        const on = (event.currentTarget as HTMLInputElement).checked;
        void app.attempt(async () => app.book?.setDiscoverable(on));
      }} /><span><strong>Be found by this number</strong><small>Who has it among their contacts sees that you are registered here, and your handle. You are not told who has it.</small></span></label>
      <button class="button" data-testid="forget-number" @click=${() => void app.attempt(async () => app.book?.forgetNumber())}>Give it up</button>`;
  }
  if (!verification) return html`<p class="hint" data-testid="no-sms">This server has no way to send text messages, so a number can't be verified. Whoever runs it can set one up.</p>`;
  return form(app, {
    name: "own-number", submit: "Send a code",
    fields: field({ name: "number", label: "Mobile number", type: "tel", autocomplete: "tel", maxlength: NUMBER_CHARS_MAX, hint: "A text message with a code goes there, to show that it is yours." }),
    run: async (value) => app.drafts.set("code-sent-to", await app.book?.startVerification(value("number"))),
  });
}

function codeForm(app: App, sentTo: string): TemplateResult {
  const over = (): void => {
    app.drafts.set("code-sent-to", undefined);
    app.drafts.set("error:number-code", undefined);
    app.changed();
  };
  return form(app, {
    name: "number-code", submit: "Confirm",
    fields: field({ name: "code", label: `The code sent to ${sentTo}`, inputmode: "numeric", autocomplete: "one-time-code", pattern: "[0-9]{6}", maxlength: 6, hint: "Six digits. They count for ten minutes." }),
    secondary: html`<button class="text-button" type="button" data-testid="code-again" @click=${over}>Another number or code</button>`,
    run: async (value) => {
      await app.book?.confirm(value("code"));
      over();
      app.say("The number is yours.");
    },
  });
}

function show(app: App, name: string | undefined): void {
  app.drafts.set("dialog", name);
  app.changed();
}
