//! Settings: do not disturb, the own name, sound, blocked people, the server's certificate, signing out, leaving.

import { html, nothing, type TemplateResult } from "lit-html";
import type { App } from "../app/app.ts";
import type { About } from "../protocol.ts";
import { closedApp } from "./closed_app.ts";
import { api } from "../session/http.ts";
import { icons } from "../ui/icons.ts";
import { dialog, field, form } from "../ui/parts.ts";
import { blockedPeople } from "./blocks.ts";
import { NAME_MAX } from "./contacts.ts";
import { importSettings, ownNumber } from "./numbers.ts";
import { leavingButtons } from "./leaving.ts";

export function settings(app: App): TemplateResult {
  app.book?.want();
  const account = app.store.home?.account;
  return html`<header class="page-head"><h1>Settings</h1></header>
    <section class="panel">
      <h2>Do not disturb</h2>
      <p class="hint">This app, each device or everything, now or by the clock.</p>
      <button class="button" data-testid="go-quiet" @click=${() => app.go("quiet")}>${icons.moon}Do not disturb</button>
    </section>
    <section class="panel">
      <h2>Your name</h2>
      ${form(app, {
        name: "display-name", submit: "Save",
        fields: field({ name: "name", label: "Devices speak it when you call", value: account?.display_name ?? "", maxlength: NAME_MAX, autocomplete: "name", capitalize: "words" }),
        run: async (value) => {
          const name = value("name");
          await app.linkUp?.session.done({ type: "set_display_name", name });
          if (account !== undefined) account.display_name = name;
          app.say("Saved.");
        },
      })}
      <p class="hint">Your handle is <strong>@${account?.handle}</strong>.</p>
    </section>
    ${ownNumber(app)}
    ${importSettings(app)}
    <section class="panel">
      <h2>Sound</h2>
      <label class="switch"><input type="checkbox" data-testid="setting-original" .checked=${app.memory.setting("original") === "on"} @change=${(event: Event) => {
        const on = (event.currentTarget as HTMLInputElement).checked;
        app.memory.keepSetting("original", on ? "on" : undefined);
        void app.calls.media?.setOriginal(on);
      }} /><span><strong>Original sound</strong><small>For music: no echo cancelling, no noise reduction, no levelling. Use headphones.</small></span></label>
    </section>
    <section class="panel">
      <h2>Picture</h2>
      <label class="switch"><input type="checkbox" data-testid="setting-pictures" .checked=${app.memory.setting("pictures") === "layered"} @change=${(event: Event) => {
        app.memory.keepSetting("pictures", (event.currentTarget as HTMLInputElement).checked ? "layered" : undefined);
      }} /><span><strong>Sharper pictures (VP9)</strong><small>From the next call on, for your own picture. More work for this device; home devices of the Rust program can't show it.</small></span></label>
    </section>
    ${closedApp(app)}
    ${blockedPeople(app)}
    <section class="panel">
      <h2>This server</h2>
      <p class="hint">Phones and tablets give a microphone only to pages that they trust.</p>
      <a class="button" href="/install" data-testid="install-certificate">Install the certificate</a>
      ${app.adult ? html`<button class="button" data-testid="go-outside" @click=${() => app.go("outside")}>${icons.out}Reachable from outside?</button>` : nothing}
      ${about(app)}
    </section>
    <section class="panel">
      <h2>Sign out</h2>
      <p class="hint">The keys stay in this browser, so that your password is enough to come back.</p>
      <div class="form-buttons">
        <button class="text-button danger" data-testid="forget" @click=${() => show(app, true)}>Sign out and delete the keys</button>
        <button class="button" data-testid="sign-out" @click=${() => void app.signOut(false)}>Sign out</button>
      </div>
    </section>
    ${leavingButtons(app)}
    ${app.drafts.get("dialog") === "forget" ? dialog("forget", "Delete this browser's keys?", () => show(app, false), html`
      <p>Coming back then takes another app of yours, or your recovery code.</p>
      <button class="button danger wide" data-testid="forget-confirm" @click=${() => void app.signOut(true)}>Sign out and delete the keys</button>`) : nothing}`;
}

/** So that somebody who compares can see which app this server hands out. */
function about(app: App): TemplateResult | typeof nothing {
  const known = app.drafts.get<About>("about");
  if (known === undefined) {
    if (app.drafts.get("about-asked") !== true) {
      app.drafts.set("about-asked", true);
      api.about().then((answer) => {
        app.drafts.set("about", answer);
        app.changed();
      }, () => undefined);
    }
    return nothing;
  }
  return html`<p class="hint">Version ${known.version}. The app that it serves has the SHA-256 <span class="hash">${known.app_hash}</span>.</p>`;
}

function show(app: App, on: boolean): void {
  app.drafts.set("dialog", on ? "forget" : undefined);
  app.changed();
}
