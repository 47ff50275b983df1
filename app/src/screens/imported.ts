//! On the contacts page: the question whether to import, the imported entries, and a card for each.

import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import type { App } from "../app/app.ts";
import { bringFile, bringPicked, hasPicker } from "../app/bring_contacts.ts";
import { kindLabel } from "../home/address_book.ts";
import { randomId } from "../home/local.ts";
import type { ImportedEntry, PhoneNumber } from "../protocol.ts";
import { icons } from "../ui/icons.ts";
import { avatar, dialog } from "../ui/parts.ts";

/** Rows drawn at once: more are found by searching. */
const SHOWN_MAX = 200;
/** Fewer contacts are seen at a glance. */
const SEARCH_FROM = 6;

/** Asked once, after signing up; either answer is kept by the server. */
export function askToImport(app: App): TemplateResult | typeof nothing {
  if (app.book?.settings?.import !== null) return nothing;
  return html`<div class="tip" data-testid="import-ask"><p><strong>Bring your contacts?</strong> From a vCard file of your phone or computer. Names and numbers are then stored on this server, and shown to you alone.</p>
    ${fileButton(app, "import-ask-file")}
    ${pickButton(app)}
    <button class="text-button" data-testid="import-refuse" @click=${() => void app.attempt(async () => app.book?.setImport(false))}>No, thanks</button></div>`;
}

/** A button that opens the system's file dialog; the input itself is reached by keyboard. */
export function fileButton(app: App, id: string): TemplateResult {
  const busy = app.drafts.get<boolean>("importing") ?? false;
  const onChange = async (event: Event): Promise<void> => {
    const input = event.currentTarget as HTMLInputElement;
    const file = input.files?.[0];
    if (file === undefined || app.drafts.get("importing") === true) return;
    app.drafts.set("importing", true);
    app.changed();
    await app.attempt(() => bringFile(app, file));
    app.drafts.set("importing", undefined);
    // The same file can be chosen again.
    input.value = "";
    app.changed();
  };
  return html`<label class="button file-button" aria-busy=${busy ? "true" : "false"}>
    <input type="file" accept=".vcf,text/vcard,text/x-vcard" class="file-input" data-testid=${id} ?disabled=${busy} @change=${onChange} />${busy ? "Importing…" : "Choose a vCard file"}</label>`;
}

export function pickButton(app: App): TemplateResult | typeof nothing {
  if (!hasPicker()) return nothing;
  return html`<button class="button" data-testid="import-pick" @click=${() => void app.attempt(() => bringPicked(app))}>Pick on this phone</button>`;
}

export function searchField(app: App, contacts: number): TemplateResult | typeof nothing {
  const searched = app.drafts.get<string>("contact-search") ?? "";
  if (contacts + (app.book?.entries.length ?? 0) < SEARCH_FROM && searched === "") return nothing;
  return html`<label class="field search"><span class="field-label">Search</span>
    <input type="search" data-testid="contact-search" placeholder="Name, handle or number" .value=${searched} autocomplete="off" @input=${(event: Event) => {
      app.drafts.set("contact-search", (event.currentTarget as HTMLInputElement).value || undefined);
      app.changed();
    }} /></label>`;
}

/** Whether somebody fits what is searched for: by a part of the name or handle, or by digits. */
export function fits(app: App, name: string, handle: string, numbers: readonly PhoneNumber[]): boolean {
  const searched = (app.drafts.get<string>("contact-search") ?? "").trim().toLowerCase();
  if (searched === "") return true;
  if (name.toLowerCase().includes(searched) || handle.includes(searched.replace(/^@/, ""))) return true;
  const digits = searched.replace(/\D/g, "");
  return digits.length >= 3 && numbers.some(({ text, e164 }) => text.replace(/\D/g, "").includes(digits) || (e164 ?? "").includes(digits));
}

export function imported(app: App): TemplateResult | typeof nothing {
  const all = app.book?.entries ?? [];
  if (all.length === 0) return nothing;
  const shown = all.filter((entry) => !entry.hidden && fits(app, entry.name, entry.registered ?? "", entry.numbers));
  const hidden = all.filter((entry) => entry.hidden);
  return html`<section class="imported" aria-label="Imported contacts">
    <h2>Imported <span class="count">${all.length - hidden.length}</span></h2>
    ${shown.length === 0
      ? html`<p class="hint" data-testid="no-imported">Nobody fits.</p>`
      : html`<ul class="list" data-testid="imported">${repeat(shown.slice(0, SHOWN_MAX), ({ id }) => id, (entry) => row(app, entry))}</ul>`}
    ${shown.length > SHOWN_MAX ? html`<p class="hint">And ${shown.length - SHOWN_MAX} more. Search to find them.</p>` : nothing}
    ${hidden.length === 0 ? nothing : html`<details class="more" data-testid="hidden-entries"><summary>${hidden.length} hidden</summary>
      <ul class="list">${hidden.map((entry) => html`<li class="row"><span class="row-text pad"><strong>${entry.name}</strong></span>
        <button class="button" data-testid="show-entry" aria-label=${`Show ${entry.name} again`} @click=${() => void app.attempt(async () => app.book?.hide(entry.id, false))}>Show again</button></li>`)}</ul></details>`}
  </section>${entryCard(app)}`;
}

function row(app: App, entry: ImportedEntry): TemplateResult {
  const first = entry.numbers[0];
  const more = entry.numbers.length > 1 ? ` and ${entry.numbers.length - 1} more` : "";
  return html`<li class="row" data-testid="imported-entry" data-name=${entry.name}>
    <button class="row-main" data-testid="open-entry" @click=${() => open(app, `entry:${entry.id}`)}>
      ${avatar(entry.name)}
      <span class="row-text"><strong>${entry.name}</strong>
        <small>${first === undefined ? "No number" : html`${kindLabel(first.kind)} ${first.text}${more}`} ${entry.registered === null ? nothing : html`<span class="mark mark-good" data-testid="registered">Registered here</span>`}</small></span>
    </button>
    ${addButton(app, entry, false)}
  </li>`;
}

/** Adding makes a contact of the household, with a card signed by this app. */
function addButton(app: App, entry: ImportedEntry, wide: boolean): TemplateResult | typeof nothing {
  const handle = entry.registered;
  if (handle === null || !app.adult || app.store.contactByHandle(handle) !== undefined) return nothing;
  const add = (): Promise<boolean> => app.attempt(async () => {
    await app.store.putContact({ id: randomId(), name: entry.name, handle, pin: 0 });
    open(app, undefined);
    app.say(`${entry.name} is in your contacts now.`);
  });
  return wide
    ? html`<button class="button primary wide" data-testid="entry-add" @click=${() => void add()}>${icons.plus}Add to contacts</button>`
    : html`<button class="icon-button go" data-testid="quick-add" aria-label=${`Add ${entry.name} to contacts`} title="Add to contacts" @click=${() => void add()}>${icons.plus}</button>`;
}

function entryCard(app: App): TemplateResult | typeof nothing {
  const name = app.drafts.get<string>("dialog");
  const entry = name?.startsWith("entry:") === true ? app.book?.entries.find(({ id }) => id === name.slice(6)) : undefined;
  if (entry === undefined) return nothing;
  const close = (): void => open(app, undefined);
  const known = entry.registered === null ? undefined : app.store.contactByHandle(entry.registered);
  return dialog("entry", entry.name, close, html`<div class="card-view">
    ${avatar(entry.name, "large")}
    ${numberList(entry.numbers)}
    ${entry.registered === null ? nothing : html`<p class="handle">@${entry.registered} <span class="mark mark-good">Registered here</span></p>`}
    ${known === undefined ? nothing : html`<p class="hint">In your contacts as ${known.name}.</p>`}
    ${addButton(app, entry, true)}
    <button class="button wide" data-testid="hide-entry" @click=${async () => {
      if (await app.attempt(async () => app.book?.hide(entry.id, true))) close();
    }}>Hide</button>
    <p class="hint">Imported (${entry.source}). Hidden, it stays hidden at the next import. Only you see it.</p>
  </div>`);
}

export function numberList(numbers: readonly PhoneNumber[]): TemplateResult | typeof nothing {
  if (numbers.length === 0) return nothing;
  return html`<dl class="numbers" data-testid="numbers">${numbers.map(({ kind, text }) => html`<div><dt>${kindLabel(kind)}</dt><dd>${text}</dd></div>`)}</dl>`;
}

function open(app: App, name: string | undefined): void {
  app.drafts.set("dialog", name);
  app.changed();
}
