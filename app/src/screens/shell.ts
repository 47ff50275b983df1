//! The frame of a signed-in app: navigation, the state of the connection, notices, and the page.

import { html, nothing, type TemplateResult } from "lit-html";
import type { App, Page } from "../app/app.ts";
import { icons } from "../ui/icons.ts";
import { avatar } from "../ui/parts.ts";
import { announce } from "./announce.ts";
import { callLinks } from "./call_links.ts";
import { children } from "./children.ts";
import { contacts } from "./contacts.ts";
import { elsewhere } from "./elsewhere.ts";
import { history } from "./history.ts";
import { household } from "./household.ts";
import { ledger, ledgerAlarm, newcomerBanner } from "./ledger.ts";
import { outside } from "./outside.ts";
import { dropInNews } from "./drop_in.ts";
import { quiet, quietBanner } from "./quiet.ts";
import { settings } from "./settings.ts";

const PAGES: readonly { page: Page; label: string; icon: TemplateResult }[] = [
  { page: "contacts", label: "Contacts", icon: icons.people },
  { page: "household", label: "Household", icon: icons.home },
  { page: "history", label: "Calls", icon: icons.clock },
  { page: "settings", label: "Settings", icon: icons.gear },
];

/** Pages that are reached from another, whose mark stands meanwhile. */
const OVER: Partial<Record<Page, Page>> = { links: "contacts", quiet: "settings", outside: "settings", children: "household", ledger: "household", announce: "household" };

export function shell(app: App): TemplateResult {
  if (app.stage.at !== "home") return html``;
  const { page } = app.stage;
  const home = app.linkUp?.store.home;
  const waiting = (home?.join_requests.length ?? 0) + (home?.leave_requests.length ?? 0);
  const account = app.linkUp?.store.home?.account;
  return html`<div class="shell">
    <nav class="nav" aria-label="Pages">
      <div class="nav-brand"><img src="/icon.svg" alt="" width="32" height="32" /><span>Homeline</span></div>
      ${PAGES.map((item) => html`<button class="nav-item" data-testid=${`nav-${item.page}`} aria-current=${item.page === (OVER[page] ?? page) ? "page" : nothing}
        @click=${() => app.go(item.page)}>${item.icon}<span>${item.label}</span>
        ${item.page === "history" && app.missed.length > 0
          ? html`<b class="badge" data-testid="missed-badge" aria-label=${`${app.missed.length} missed`}>${app.missed.length}</b>` : nothing}
        ${item.page === "household" && waiting > 0 ? html`<b class="badge" data-testid="join-badge">${waiting}</b>` : nothing}</button>`)}
      ${account === undefined ? nothing : html`<div class="nav-me">${avatar(account.display_name)}<span><strong>${account.display_name}</strong><small>@${account.handle}</small></span></div>`}
    </nav>
    <main class="page">
      ${banners(app)}
      ${app.linkUp?.loaded === true ? elsewhere(app.calls, app.store) : nothing}
      ${app.linkUp?.loaded === true && page !== "quiet" ? quietBanner(app) : nothing}
      ${app.linkUp?.loaded === true ? html`${page === "ledger" ? nothing : ledgerAlarm(app)}${dropInNews(app)}${newcomerBanner(app)}` : nothing}
      ${app.linkUp?.loaded === true ? body(app, page) : html`<div class="loading" data-testid="loading"><div class="spinner"></div></div>`}
    </main>
  </div>`;
}

function body(app: App, page: Page): TemplateResult {
  switch (page) {
    case "contacts": return contacts(app);
    case "links": return callLinks(app);
    case "household": return household(app);
    case "children": return children(app);
    case "history": return history(app);
    case "settings": return settings(app);
    case "quiet": return quiet(app);
    case "outside": return outside(app);
    case "ledger": return ledger(app);
    case "announce": return announce(app);
  }
}

function banners(app: App): TemplateResult {
  const store = app.linkUp?.store;
  const blocked = app.linkUp?.calls.blocked;
  const lost = app.link.state === "connecting" && (app.link.failures > 0);
  return html`
    ${lost ? html`<p class="banner" role="status" data-testid="offline">No connection to the server. Trying again…</p>` : nothing}
    ${store?.alarm === undefined ? nothing : html`<p class="banner banner-alarm" role="alert" data-testid="roster-alarm">${icons.alarm}<span>${store.alarm}</span></p>`}
    ${blocked === undefined ? nothing : html`<div class="banner banner-alarm" role="alert" data-testid="blocked-call">${icons.alarm}
      <span>A call in the name of <strong>${blocked.contact.name}</strong> was blocked: it came with another household key than the one you know. If they have begun anew, they can tell you so. If not, somebody may be pretending to be them.</span>
      <button class="icon-button" aria-label="Close" data-testid="blocked-close" @click=${() => {
        if (app.linkUp !== undefined) app.linkUp.calls.blocked = undefined;
        app.changed();
      }}>${icons.close}</button></div>`}`;
}

export function notices(app: App): TemplateResult {
  return html`<div class="notices" aria-live="polite">${app.notices.map((notice) => html`
    <div class="notice ${notice.kind === "alarm" ? "notice-alarm" : ""}" data-testid="notice" role=${notice.kind === "alarm" ? "alert" : "status"}>
      <span>${notice.text}</span>
      <button class="icon-button" aria-label="Close" @click=${() => app.unsay(notice.id)}>${icons.close}</button>
    </div>`)}</div>`;
}
