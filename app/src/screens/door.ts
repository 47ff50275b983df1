//! The screens before somebody is signed in.

import { html, nothing, type TemplateResult } from "lit-html";
import { live } from "lit-html/directives/live.js";
import { appLabel } from "../app/account.ts";
import type { App } from "../app/app.ts";
import { Pairing } from "../app/pairing.ts";
import { parseHandle } from "../home/links.ts";
import type { AccountId } from "../protocol.ts";
import { field, form } from "../ui/parts.ts";
import { icons } from "../ui/icons.ts";

export const PASSWORD_MIN = 8;
const HANDLE_HINT = "3 to 32 letters, digits, dots or dashes. Others type it to call you.";

export function door(app: App): TemplateResult {
  if (app.stage.at !== "door") return html``;
  switch (app.stage.door) {
    case "welcome": return frame(app, welcome(app), false);
    case "sign-up": return frame(app, signUp(app));
    case "join": return frame(app, join(app));
    case "sign-in": return frame(app, signIn(app));
    case "recover": return frame(app, recover(app));
    case "second-app": return frame(app, secondApp(app));
  }
}

function frame(app: App, content: TemplateResult, back = true): TemplateResult {
  return html`<main class="door">
    <section class="door-card">
      ${back ? html`<button class="text-button back" data-testid="back" @click=${() => app.go("welcome")}>${icons.back}Back</button>` : nothing}
      ${content}
    </section>
    <p class="door-foot">Calls are end-to-end encrypted: this server passes on what it can't read.</p>
  </main>`;
}

function welcome(app: App): TemplateResult {
  const invited = app.urlLink?.kind === "contact" ? app.urlLink.handle : undefined;
  return html`
    <img class="logo" src="/icon.svg" alt="" width="72" height="72" />
    <h1>Homeline</h1>
    <p class="lead">${invited === undefined
      ? "Calls between the people and the rooms you care about, on a server of your own."
      : html`<strong data-testid="invited-by">@${invited}</strong> would like to be called by you. Sign up or sign in first, then open the link again.`}</p>
    <div class="stack">
      <button class="button primary wide" data-testid="go-sign-up" @click=${() => app.go("sign-up")}>Create a household</button>
      <button class="button wide" data-testid="go-sign-in" @click=${() => app.go("sign-in")}>Sign in</button>
      <button class="text-button" data-testid="go-second-app" @click=${() => app.go("second-app")}>Add this browser to my household</button>
      <a class="text-button" href="/device" data-testid="go-device">Use this screen as a home device</a>
    </div>
    <p class="note">Invited by a member of your household? Open the link that they gave you.</p>`;
}

/** Who left a household, or was taken out of it, keeps the account and moves in with it. */
function known(app: App): TemplateResult {
  return html`<label class="switch"><input type="checkbox" role="switch" data-testid="known-account" .checked=${live(hasAccount(app))} @change=${(event: Event) => {
    app.drafts.set("known-account", (event.currentTarget as HTMLInputElement).checked || undefined);
    app.changed();
  }} /><span><strong>I have an account already</strong><small>And am in no household any more. Handle and history stay; the old household's contacts and keys do not come along.</small></span></label>`;
}

function hasAccount(app: App): boolean {
  return app.drafts.get<boolean>("known-account") ?? false;
}

async function account(app: App, value: (name: string) => string): Promise<AccountId | undefined> {
  return hasAccount(app) ? app.accounts.homeless(handleOf(value("handle")), value("password")) : undefined;
}

function person(app: App): TemplateResult[] {
  if (hasAccount(app)) {
    return [
      field({ name: "handle", label: "Handle", autocomplete: "username", maxlength: 33, capitalize: "off", autofocus: true }),
      field({ name: "password", label: "Password", type: "password", autocomplete: "current-password" }),
    ];
  }
  return [
    field({ name: "name", label: "Your name", hint: "Devices speak it when you call.", autocomplete: "name", maxlength: 64, capitalize: "words", autofocus: true }),
    field({ name: "handle", label: "Handle", hint: HANDLE_HINT, autocomplete: "username", maxlength: 33, capitalize: "off" }),
    field({ name: "password", label: "Password", type: "password", hint: `At least ${PASSWORD_MIN} characters.`, autocomplete: "new-password", minlength: PASSWORD_MIN }),
  ];
}

/** A known account keeps its name; here it only says whose app it is. */
function read(app: App, value: (name: string) => string): { handle: string; password: string; displayName: string } {
  const handle = handleOf(value("handle"));
  return { handle, password: value("password"), displayName: hasAccount(app) ? handle : value("name") };
}

function handleOf(text: string): string {
  const handle = parseHandle(text);
  if (handle === undefined) throw new Error(`"${text}" can't be a handle. ${HANDLE_HINT}`);
  return handle;
}

/** This browser is somebody's app already: a new start gives its keys up, which nobody should do by accident. */
function replaces(app: App): TemplateResult | typeof nothing {
  if (app.identity.state !== "ready" || !app.identity.confirmed) return nothing;
  return html`<label class="check"><input type="checkbox" name="replace" required data-testid="field-replace" />
    <span>This browser holds the keys of <strong>${app.identity.who.label}</strong>. Going on deletes them here for good.</span></label>`;
}

function signUp(app: App): TemplateResult {
  return html`<h1>Create a household</h1>
    <p class="lead">You are its first member. You can invite the others afterwards.</p>
    ${known(app)}
    ${form(app, {
      name: "sign-up", submit: "Create",
      fields: html`${person(app)}${field({ name: "household", label: "Name of the household", hint: "As \"The Millers\" or \"Elm Street 5\".", maxlength: 64, capitalize: "words" })}${replaces(app)}`,
      run: async (value) => {
        const { identity, recoveryCode } = await app.accounts.found(read(app, value), value("household"), await account(app, value));
        app.signedUp(identity, recoveryCode);
      },
    })}`;
}

function join(app: App): TemplateResult {
  const link = app.urlLink;
  if (link?.kind !== "join") return html`<h1>This invitation is not complete</h1><p class="lead">Copy the whole link, or scan the code again.</p>`;
  return html`<h1>Join the household</h1>
    <p class="lead">After this, the person who invited you lets you in.</p>
    ${known(app)}
    ${form(app, {
      name: "join", submit: "Ask to join", fields: html`${person(app)}${replaces(app)}`,
      run: async (value) => app.signedIn(await app.accounts.join(read(app, value), link, await account(app, value))),
    })}`;
}

function signIn(app: App): TemplateResult {
  if (app.drafts.get<boolean>("no-key") === true) return noKey(app);
  return html`<h1>Sign in</h1>
    ${form(app, {
      name: "sign-in", submit: "Sign in",
      fields: [
        field({ name: "handle", label: "Handle", autocomplete: "username", capitalize: "off", autofocus: true }),
        field({ name: "password", label: "Password", type: "password", autocomplete: "current-password" }),
      ],
      run: async (value) => {
        const identity = await app.accounts.signIn(handleOf(value("handle")), value("password"));
        if (identity === undefined) app.drafts.set("no-key", true);
        else app.signedIn(identity);
      },
    })}
    <button class="text-button" data-testid="go-recover" @click=${() => app.go("recover")}>Use my recovery code</button>`;
}

function noKey(app: App): TemplateResult {
  const go = (to: "second-app" | "recover"): void => {
    app.drafts.set("no-key", undefined);
    app.go(to);
  };
  return html`<h1>One more step</h1>
    <p class="lead" data-testid="no-key">The password is right, but this browser holds no key of your household. Keys never leave the devices that made them, so a password alone opens nothing.</p>
    <div class="stack">
      <button class="button primary wide" data-testid="no-key-pair" @click=${() => go("second-app")}>Add it with another app of mine</button>
      <button class="button wide" data-testid="no-key-recover" @click=${() => go("recover")}>Use my recovery code</button>
    </div>`;
}

function recover(app: App): TemplateResult {
  return html`<h1>Recover</h1>
    <p class="lead">With the code that you wrote down at sign-up. This browser becomes an app of yours.</p>
    ${form(app, {
      name: "recover", submit: "Recover",
      fields: html`
        ${field({ name: "handle", label: "Handle", autocomplete: "username", capitalize: "off", autofocus: true })}
        ${field({ name: "code", label: "Recovery code", hint: "8 groups of 4 characters.", capitalize: "off" })}
        ${field({ name: "password", label: "New password", type: "password", hint: `At least ${PASSWORD_MIN} characters.`, autocomplete: "new-password", minlength: PASSWORD_MIN })}
        ${replaces(app)}`,
      run: async (value) => app.signedIn(await app.accounts.recover(handleOf(value("handle")), value("code"), value("password"))),
    })}`;
}

function secondApp(app: App): TemplateResult {
  const view = app.pairing?.view;
  if (view?.at === "waiting") {
    return html`<h1>Now on your other app</h1>
      <p class="lead" data-testid="pairing-waiting">Open <strong>Household</strong>, then <strong>Add a device</strong>. Six digits appear here.</p><div class="spinner"></div>`;
  }
  if (view?.at === "digits") {
    return html`<h1>Type these digits</h1><p class="lead">into your other app. They show that nobody stands in between.</p>
      <p class="digits" data-testid="pairing-digits">${spaced(view.digits)}</p>`;
  }
  return html`<h1>Add this browser</h1>
    <p class="lead">You need another app of yours at hand that is signed in.</p>
    ${view?.at === "failed" ? html`<p class="error" role="alert" data-testid="pairing-failed">${view.why}</p>` : nothing}
    ${form(app, {
      name: "second-app", submit: "Continue",
      fields: html`${field({ name: "handle", label: "Your handle", autocomplete: "username", capitalize: "off", autofocus: true })}${replaces(app)}`,
      run: async (value) => void pair(app, handleOf(value("handle"))),
    })}`;
}

async function pair(app: App, handle: string): Promise<void> {
  app.pairing?.stop();
  if (app.identity.state !== "none") app.identity = await app.e2ee.request("forget", {});
  const pairing = new Pairing(app.e2ee, () => app.changed());
  app.pairing = pairing;
  const paired = await pairing.run(handle, "app", appLabel(handle));
  if (paired === undefined) return;
  app.pairing = undefined;
  app.memory.keepSession({ token: paired.token, account: paired.account, handle });
  app.signedIn(paired.identity);
}

export function spaced(digits: string): string {
  return `${digits.slice(0, 3)} ${digits.slice(3)}`;
}

export function recoveryCode(app: App): TemplateResult {
  if (app.stage.at !== "recovery_code") return html``;
  const { code } = app.stage;
  const last = code.replace(/[^0-9A-Za-z]/g, "").slice(-4);
  return html`<main class="door"><section class="door-card">
    <h1>Your recovery code</h1>
    <p class="lead">If every app of yours is lost, this code is the only way back. It is shown this once, and nobody else has it, not even the server. Write it down and keep it where you keep your passport.</p>
    <p class="recovery" data-testid="recovery-code">${code.split(/[-\s]+/).map((group) => html`<span>${group}</span>`)}</p>
    ${form(app, {
      name: "recovery-kept", submit: "I have written it down",
      fields: field({ name: "last", label: "To be sure: its last four characters", capitalize: "off", autofocus: true }),
      run: async (value) => {
        if (value("last").toUpperCase() !== last.toUpperCase()) throw new Error("Those are not its last four characters. Look at what you wrote down.");
        app.recoveryCodeKept();
      },
    })}
  </section></main>`;
}

export function waiting(app: App): TemplateResult {
  return html`<main class="door"><section class="door-card" data-testid="waiting">
    <div class="spinner"></div>
    <h1>Nearly there</h1>
    <p class="lead">Ask the person who invited you to open <strong>Household</strong> in their app and let you in. This page goes on by itself.</p>
    <button class="text-button" data-testid="sign-out" @click=${() => void app.signOut(false)}>Sign out</button>
  </section></main>`;
}

export function stopped(app: App): TemplateResult {
  if (app.stage.at !== "stopped") return html``;
  const { code, text } = app.stage;
  const elsewhere = code === "session_replaced";
  const old = code === "protocol_version";
  const title = elsewhere ? "Open in another tab" : old ? "A new version is here" : code === "device_revoked" ? "This device was removed" : code === "not_registered" ? "This account is gone" : "Stopped";
  return html`<main class="door"><section class="door-card" data-testid="stopped" data-code=${code}>
    <h1>${title}</h1>
    <p class="lead" data-testid="stopped-text">${elsewhere ? "Homeline is used in another tab or window of this browser now." : text}</p>
    ${elsewhere
      ? html`<button class="button primary wide" data-testid="use-here" @click=${() => app.useHere()}>Use it here</button>`
      : html`<button class="button primary wide" data-testid="reload" @click=${() => location.reload()}>${old ? "Reload" : "Start again"}</button>`}
  </section></main>`;
}
