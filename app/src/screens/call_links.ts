//! Call links: making one, sending it, seeing which there are, and revoking them; as a page, and beside a running call.

import { html, nothing, type TemplateResult } from "lit-html";
import { keyed } from "lit-html/directives/keyed.js";
import { repeat } from "lit-html/directives/repeat.js";
import type { App } from "../app/app.ts";
import type { CallLinks } from "../home/call_links.ts";
import type { CallLink } from "../protocol.ts";
import { icons } from "../ui/icons.ts";
import { copy, dialog, field, form } from "../ui/parts.ts";
import { qr } from "../ui/qr.ts";

const LABEL_MAX = 64;
const HOUR_MS = 3_600_000;
const LIFETIMES: readonly { hours: number; words: string }[] = [
  { hours: 1, words: "For an hour" }, { hours: 24, words: "For a day" }, { hours: 168, words: "For a week" }, { hours: 720, words: "For 30 days" },
];
const USUAL_HOURS = 24;

/** Which sheet stands over the page, and which over a call. */
type Place = "dialog" | "call-dialog";

export function callLinks(app: App): TemplateResult {
  const links = app.callLinks;
  return html`
    <header class="page-head"><div class="page-title">
      <button class="icon-button" aria-label="Back to the contacts" data-testid="to-contacts" @click=${() => app.go("contacts")}>${icons.back}</button>
      <h1>Call links</h1></div></header>
    ${links === undefined || !app.grown ? html`<div class="empty">${icons.lock}<p>Only the adults of a household make call links.</p></div>` : html`
      <p class="hint">For somebody without an account. They open the link in a browser, say their name and knock. You see who knocks, and let them in or not; nobody comes in by the link alone.</p>
      <section class="panel" aria-label="A new link"><h2>A new link</h2>${makeForm(app, links, "dialog")}</section>
      ${list(app, links, "dialog")}
      ${links.dropped === 0 ? nothing : html`<p class="hint" data-testid="knocks-dropped">${icons.shield}${links.dropped === 1 ? "One knock" : `${links.dropped} knocks`} came without the link's secret and ${links.dropped === 1 ? "was" : "were"} not shown.</p>`}
      ${linkSheet(app, links, "dialog")}`}`;
}

/** The same over a running call. */
export function inviteSheet(app: App): TemplateResult | typeof nothing {
  const links = app.callLinks;
  if (links === undefined) return nothing;
  if (app.drafts.get("call-dialog") !== "invite") return linkSheet(app, links, "call-dialog");
  return dialog("invite-guest", "Invite with a link", () => show(app, "call-dialog", undefined), html`
    <p class="hint">For somebody without an account. When they knock, you let them into this call or not.</p>
    ${links.links === undefined || links.links.length === 0 ? nothing : list(app, links, "call-dialog")}
    ${makeForm(app, links, "call-dialog")}`);
}

function show(app: App, place: Place, name: string | undefined): void {
  app.drafts.set(place, name);
  app.changed();
}

function makeForm(app: App, links: CallLinks, place: Place): TemplateResult {
  const made = app.drafts.get<number>("call-links-made") ?? 0;
  // A fresh form once a link was made.
  return html`${keyed(made, form(app, {
    name: "call-link", submit: "Make a link",
    fields: html`<div class="pair">
      ${field({ name: "label", label: "What is it for?", hint: "You see it when somebody knocks.", maxlength: LABEL_MAX, capitalize: "words" })}
      <label class="field"><span class="field-label">How long?</span><select name="hours" data-testid="field-hours">
        ${LIFETIMES.map(({ hours, words }) => html`<option value=${hours} ?selected=${hours === USUAL_HOURS}>${words}</option>`)}</select></label></div>`,
    run: async (value) => {
      const link = await links.make(value("label"), Number(value("hours")) * HOUR_MS);
      app.drafts.set("call-links-made", made + 1);
      show(app, place, `call-link:${link}`);
    },
  }))}`;
}

function list(app: App, links: CallLinks, place: Place): TemplateResult {
  if (links.links === undefined) return html`<div class="loading"><div class="spinner"></div></div>`;
  if (links.links.length === 0) return html`<div class="empty" data-testid="no-call-links">${icons.link}<p>No link is open now.</p></div>`;
  return html`<ul class="list" data-testid="call-links">${repeat(links.links, ({ link }) => link, (link) => html`<li class="row" data-testid="call-link">
    <button class="row-main" data-testid="open-call-link" @click=${() => show(app, place, `call-link:${link.link}`)}>
      <span class="avatar avatar-small tint-none" aria-hidden="true">${icons.link}</span>
      <span class="row-text"><strong data-testid="call-link-label">${link.label}</strong><small>Until ${untilWords(link.expires_at_ms, Date.now())} ${links.urlOf(link.link) === undefined ? html`<span class="mark">Made in another app</span>` : nothing}</small></span>
    </button></li>`)}</ul>`;
}

function linkSheet(app: App, links: CallLinks, place: Place): TemplateResult | typeof nothing {
  const name = app.drafts.get<string>(place);
  const link = name?.startsWith("call-link:") === true ? links.links?.find((known) => known.link === name.slice(10)) : undefined;
  if (link === undefined) return nothing;
  const close = (): void => show(app, place, undefined);
  const url = links.urlOf(link.link);
  return dialog("call-link", link.label, close, html`
    <p class="hint">Until ${untilWords(link.expires_at_ms, Date.now())}, for as many guests as you let in.</p>
    ${url === undefined ? html`<p class="note" data-testid="made-elsewhere">Another app of yours made this link. Only that one can show it and let guests in; you can revoke it here.</p>` : sending(app, link, url)}
    <section class="sheet-part"><p class="hint">Who waits at a revoked link is sent away. A guest who is in a call stays in it.</p>
      <button class="button danger wide" data-testid="revoke-call-link" @click=${async () => {
        if (await app.attempt(() => links.revoke(link.link))) close();
      }}>${icons.block}Revoke this link</button></section>`);
}

function sending(app: App, link: CallLink, url: string): TemplateResult {
  return html`<div class="qr-frame">${qr(url, "The call link as a QR code")}</div>
    <p class="link-text" data-testid="call-link-url">${url}</p>
    <div class="card-actions">
      <button class="button primary" data-testid="copy-call-link" @click=${() => void copy(app, url, "The link is copied.")}>${icons.copy}Copy</button>
      ${"share" in navigator ? html`<button class="button" data-testid="share-call-link" @click=${() => void share(app, link, url)}>${icons.share}Share</button>` : nothing}
    </div>`;
}

async function share(app: App, link: CallLink, url: string): Promise<void> {
  try {
    await navigator.share({ title: link.label, url });
  } catch (error) {
    // Who closes the browser's sheet has changed their mind.
    if (!(error instanceof DOMException && error.name === "AbortError")) app.say("The browser could not share it. Copy the link instead.");
  }
}

/** "today 14:05", "Sunday 14:05", "24 Dec 14:05". */
export function untilWords(atMs: number, nowMs: number): string {
  const at = new Date(atMs);
  const time = at.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
  const midnight = (ms: number): number => new Date(ms).setHours(0, 0, 0, 0);
  const days = Math.round((midnight(atMs) - midnight(nowMs)) / 86_400_000);
  if (days <= 0) return `today ${time}`;
  if (days === 1) return `tomorrow ${time}`;
  if (days < 7) return `${at.toLocaleDateString(undefined, { weekday: "long" })} ${time}`;
  return `${at.toLocaleDateString(undefined, { day: "numeric", month: "short" })} ${time}`;
}
