//! The household's contacts: their cards, calling them, adding and deleting them, and keys that changed.

import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import type { App } from "../app/app.ts";
import { contactLink, parseHandle } from "../home/links.ts";
import { randomId } from "../home/local.ts";
import type { ContactView } from "../home/store.ts";
import { icons } from "../ui/icons.ts";
import { avatar, copy, dialog, field, form, pinMark } from "../ui/parts.ts";
import { qr } from "../ui/qr.ts";
import { askToImport, fits, imported, numberList, searchField } from "./imported.ts";
import { numbersForm } from "./numbers.ts";
import { blockButton, blockedMark } from "./blocks.ts";
import { contactDropIn } from "./drop_in.ts";
import { dropInButtons, nearMark } from "./drop_in_call.ts";
import { topMark, topToggle } from "./top_contact.ts";

export const NAME_MAX = 64;

export function contacts(app: App): TemplateResult {
  app.book?.want();
  const everybody = app.store.sortedContacts();
  const all = everybody.filter(({ id, name, handle }) => fits(app, name, handle, app.book?.typed.get(id) ?? []));
  return html`
    <header class="page-head">
      <h1>Contacts</h1>
      <div class="page-actions">
        ${app.grown ? html`<button class="button" data-testid="call-links-page" @click=${() => app.go("links")}>Call links</button>` : nothing}
        <button class="button" data-testid="my-link" @click=${() => open(app, "my-link")}>My link</button>
        ${app.adult ? html`<button class="button primary" data-testid="add-contact" @click=${() => open(app, "add-contact")}>${icons.plus}Add</button>` : nothing}
      </div>
    </header>
    ${askToImport(app)}
    ${askForNotifications(app)}
    ${searchField(app, everybody.length)}
    ${list(app, everybody.length === 0, all)}
    ${imported(app)}
    ${app.drafts.get("dialog") === "add-contact" || app.urlLink?.kind === "contact" ? addDialog(app) : nothing}
    ${app.drafts.get("dialog") === "my-link" ? myLinkDialog(app) : nothing}
    ${card(app)}`;
}

function list(app: App, nobody: boolean, fitting: readonly ContactView[]): TemplateResult | typeof nothing {
  const words = "Nobody here yet. Add somebody by their handle, or send them your link.";
  if (nobody && (app.book?.entries.length ?? 0) > 0) return html`<p class="hint" data-testid="no-contacts">${words}</p>`;
  if (nobody) return html`<div class="empty" data-testid="no-contacts">${icons.people}<p>${words}</p></div>`;
  if (fitting.length === 0) return html`<p class="hint" data-testid="no-fitting">No contact fits.</p>`;
  return html`<ul class="list" data-testid="contacts">${repeat(fitting, ({ id }) => id, (contact) => row(app, contact))}</ul>`;
}

function open(app: App, name: string | undefined): void {
  app.drafts.set("dialog", name);
  app.changed();
}

function blocked(app: App, contact: ContactView): boolean {
  return contact.trouble !== undefined || app.memory.changedKey(contact.id) !== undefined;
}

function row(app: App, contact: ContactView): TemplateResult {
  const stop = blocked(app, contact);
  return html`<li class="row" data-testid="contact" data-handle=${contact.handle}>
    <button class="row-main" data-testid="open-card" @click=${() => open(app, `card:${contact.id}`)}>
      ${avatar(contact.name)}
      <span class="row-text"><strong data-testid="contact-name">${contact.name}</strong><small>@${contact.handle} ${pinMark(contact.pin, contact.trouble !== undefined, stop)} ${blockedMark(app, contact.handle)} ${topMark(app, { type: "contact", contact: contact.id })} ${nearMark(app.near?.at(contact.handle))}</small></span>
    </button>
    <button class="icon-button go" aria-label=${`Call ${contact.name}`} title="Call" data-testid="call-voice" ?disabled=${stop} @click=${() => app.call(app.peerOf(contact), false)}>${icons.phone}</button>
    <button class="icon-button go" aria-label=${`Video call ${contact.name}`} title="Video call" data-testid="call-video" ?disabled=${stop} @click=${() => app.call(app.peerOf(contact), true)}>${icons.video}</button>
  </li>`;
}

/** The contact's card. It carries what can be done with the person. */
function card(app: App): TemplateResult | typeof nothing {
  const name = app.drafts.get<string>("dialog");
  const contact = name?.startsWith("card:") === true ? app.store.contacts.get(name.slice(5)) : undefined;
  if (contact === undefined) return nothing;
  const close = (): void => open(app, undefined);
  const stop = blocked(app, contact);
  return dialog("card", contact.name, close, html`<div class="card-view">
    ${avatar(contact.name, "large")}
    <p class="handle">@${contact.handle}</p>
    ${numberList(app.book?.typed.get(contact.id) ?? [])}
    ${registered(app, contact)}
    <p>${pinMark(contact.pin, contact.trouble !== undefined, stop)}</p>
    ${stop ? changedKey(app, contact) : html`<p class="hint">${pinHint(contact)}</p>`}
    <div class="card-actions">
      <button class="button primary" data-testid="card-call-voice" ?disabled=${stop} @click=${() => (close(), app.call(app.peerOf(contact), false))}>${icons.phone}Call</button>
      <button class="button primary" data-testid="card-call-video" ?disabled=${stop} @click=${() => (close(), app.call(app.peerOf(contact), true))}>${icons.video}Video</button>
    </div>
    ${nearMark(app.near?.at(contact.handle))}
    ${stop ? nothing : dropInButtons(app, app.peerOf(contact), true, close)}
    <div class="card-part">${topToggle(app, { type: "contact", contact: contact.id })}</div>
    ${contactDropIn(app, contact)}
    <details class="more"><summary data-testid="card-block">${app.store.rules.blocks(contact.handle) ? "Blocked" : "Block"}</summary>${blockButton(app, contact.handle, contact.name)}</details>
    ${app.adult ? html`<details class="more"><summary>Change or delete</summary>
      ${numbersForm(app, contact.id)}
      ${form(app, {
        name: "rename-contact", submit: "Save",
        fields: field({ name: "name", label: "Name", value: contact.name, maxlength: NAME_MAX, capitalize: "words" }),
        run: async (value) => {
          const { id, handle, pin, theirGenesis } = contact;
          await app.store.putContact({ id, name: value("name"), handle, pin, theirGenesis });
          close();
        },
      })}
      <button class="button danger wide" data-testid="delete-contact" @click=${async () => {
        if (await app.attempt(() => app.store.deleteContact(contact))) close();
      }}>${icons.trash}Delete ${contact.name}</button>
    </details>` : nothing}
  </div>`);
}

/** Whoever has shown that a number typed here is theirs: mostly the contact, and worth a look if not. */
function registered(app: App, { id, handle }: ContactView): TemplateResult | typeof nothing {
  const owner = app.book?.registered.get(id);
  if (owner === undefined) return nothing;
  return html`<p class="hint" data-testid="typed-registered" data-handle=${owner}>${owner === handle
    ? html`<span class="mark mark-good">Registered here</span>`
    : html`A number here is of <strong>@${owner}</strong>, who is registered.`}</p>`;
}

function pinHint(contact: ContactView): string {
  if (contact.pin === 2) return "You know that it is really their household.";
  if (contact.pin === 1) return "In your next call, compare the call code to be sure that nobody stands in between.";
  return "At the first call their household's key is remembered.";
}

function changedKey(app: App, contact: ContactView): TemplateResult {
  const genesis = app.memory.changedKey(contact.id);
  if (contact.trouble !== undefined || genesis === undefined) {
    const words = contact.trouble === "rollback"
      ? "The server shows an older card than this app has seen. Calls are blocked."
      : contact.trouble === "forged" ? "This card was not signed by an adult of your household. Calls are blocked." : "Calls are blocked.";
    return html`<p class="error" data-testid="card-trouble">${words}</p>`;
  }
  return html`<div class="alarm-box" data-testid="changed-key">
    <p>${icons.alarm}<strong>Their household's key has changed.</strong> Ask them, not by a call here, whether they set up Homeline anew. If they did not, somebody may be pretending to be them.</p>
    ${app.adult ? html`<button class="button danger wide" data-testid="confirm-change" @click=${() => void app.attempt(() => confirmChange(app, contact, genesis))}>They began anew: trust the new key</button>` : nothing}
    <button class="button wide" data-testid="reject-change" @click=${() => {
      app.memory.keepChangedKey(contact.id, undefined);
      app.changed();
    }}>Keep the key that I know</button>
  </div>`;
}

async function confirmChange(app: App, contact: ContactView, genesis: string): Promise<void> {
  const { id, name, handle } = contact;
  await app.store.putContact({ id, name, handle, pin: 1, theirGenesis: genesis });
  app.memory.keepChangedKey(id, undefined);
  app.memory.keepLinkFingerprint(id, undefined);
  app.calls.blocked = undefined;
}

function addDialog(app: App): TemplateResult {
  const link = app.urlLink?.kind === "contact" ? app.urlLink : undefined;
  const close = (): void => {
    if (link !== undefined) {
      globalThis.history.replaceState(null, "", "#/");
      app.urlLink = undefined;
    }
    open(app, undefined);
  };
  const known = link && app.store.contactByHandle(link.handle);
  if (link !== undefined && !app.adult) return dialog("add-contact", "Add a contact", close, html`<p class="hint">Only an adult's app can add contacts to the household.</p>`);
  return dialog("add-contact", "Add a contact", close, html`
    ${link === undefined ? nothing : html`<p class="hint" data-testid="link-hint">${icons.shield}This link carries the key of their household, so you can be sure from the first call.</p>`}
    ${form(app, {
      name: "add-contact", submit: known === undefined ? "Add" : "Save",
      fields: [
        field({ name: "name", label: "Name", hint: "As your family calls them.", maxlength: NAME_MAX, capitalize: "words", value: known?.name ?? app.drafts.get<string>("add-name") ?? "", autofocus: true }),
        field({ name: "handle", label: "Handle", hint: "Ask them for it.", maxlength: 33, capitalize: "off", value: link?.handle ?? app.drafts.get<string>("add-handle") ?? "" }),
      ],
      run: async (value) => {
        const handle = parseHandle(value("handle"));
        if (handle === undefined) throw new Error("That can't be a handle: 3 to 32 letters, digits, dots or dashes.");
        const same = app.store.contactByHandle(handle);
        if (same !== undefined && link === undefined) throw new Error(`@${handle} is in your contacts already, as ${same.name}.`);
        const id = same?.id ?? randomId();
        const fingerprint = link?.handle === handle ? link.fingerprint : undefined;
        await addContact(app, id, value("name"), handle, same, fingerprint);
        close();
      },
    })}`);
}

/** The link's fingerprint is kept here until the first call shows the key that it belongs to: a card holds keys only. */
async function addContact(app: App, id: string, name: string, handle: string, same: ContactView | undefined, fingerprint: string | undefined): Promise<void> {
  let pin = same?.pin ?? 0;
  if (fingerprint !== undefined && same?.theirGenesis !== undefined) {
    const known = await app.e2ee.request("contact.fingerprint", { genesis: same.theirGenesis });
    if (known.fingerprint !== fingerprint) throw new Error("This link is of another household than the one you know by that handle. Nothing was changed.");
    pin = 2;
  } else if (fingerprint !== undefined) {
    app.memory.keepLinkFingerprint(id, fingerprint);
  }
  await app.store.putContact({ id, name, handle, pin, theirGenesis: same?.theirGenesis });
}

function myLinkDialog(app: App): TemplateResult {
  const handle = app.store.home?.account.handle ?? "";
  const fingerprint = app.identity.state === "ready" ? app.identity.who.fingerprint : "";
  const link = contactLink(location.origin, handle, fingerprint);
  return dialog("my-link", "My link", () => open(app, undefined), html`
    <p class="hint">Whoever opens it adds you as a contact, with the key of your household.</p>
    <div class="qr-frame">${qr(link, "My contact link as a QR code")}</div>
    <p class="link-text" data-testid="contact-link">${link}</p>
    <button class="button primary wide" data-testid="copy-link" @click=${() => void copy(app, link, "The link is copied.")}>${icons.copy}Copy</button>`);
}

function askForNotifications(app: App): TemplateResult | typeof nothing {
  if (!("Notification" in globalThis) || Notification.permission !== "default" || app.memory.setting("no-notifications") === "on") return nothing;
  return html`<div class="tip" data-testid="notification-tip"><p>Hear of calls while this tab is in the background?</p>
    <button class="button" data-testid="notification-allow" @click=${async () => {
      await Notification.requestPermission();
      app.changed();
    }}>Allow notifications</button>
    <button class="text-button" data-testid="notification-refuse" @click=${() => {
      app.memory.keepSetting("no-notifications", "on");
      app.changed();
    }}>Not now</button></div>`;
}
