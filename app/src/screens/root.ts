//! Which screen stands.

import { html, nothing, type TemplateResult } from "lit-html";
import { ref } from "lit-html/directives/ref.js";
import { mayKnock } from "../app/admission.ts";
import type { App } from "../app/app.ts";
import { block } from "./blocks.ts";
import { inviteSheet } from "./call_links.ts";
import { callScreen, type CallScreenHost } from "./call.ts";
import { door, recoveryCode, stopped, waiting } from "./door.ts";
import { speakingLive } from "./live.ts";
import { knockBanner, knockLayer } from "./knock.ts";
import { notices, shell } from "./shell.ts";

export function root(app: App): TemplateResult {
  const calling = app.linkUp !== undefined && app.calls.state.at !== "idle";
  const knocks = !calling && app.stage.at === "home" ? knockLayer(app) : nothing;
  return html`${stage(app)}${calling ? callLayer(app) : notices(app)}${knocks}`;
}

/** A call comes above everything, an open dialog too, and what lies below can't be reached meanwhile. */
function callLayer(app: App): TemplateResult {
  return html`<dialog class="call-layer" closedby="none" @cancel=${(event: Event) => event.preventDefault()} ${ref(raise)}>
    ${screenOf(app)}<div class="call-sheets">${mayKnock(app) ? knockBanner(app) : nothing}${app.calls.state.at === "running" ? inviteSheet(app) : nothing}</div>${notices(app)}</dialog>`;
}

function screenOf(app: App): TemplateResult | typeof nothing {
  const { state } = app.calls;
  return state.at === "running" && state.live !== undefined ? speakingLive(hostOf(app), state) : callScreen(hostOf(app));
}

function raise(element?: Element): void {
  if (!(element instanceof HTMLDialogElement)) return;
  queueMicrotask(() => element.isConnected && !element.open && element.showModal());
}

function stage(app: App): TemplateResult {
  switch (app.stage.at) {
    case "opening": return html`<div class="loading"><div class="spinner"></div></div>`;
    case "door": return door(app);
    case "recovery_code": return recoveryCode(app);
    case "waiting": return waiting(app);
    case "home": return shell(app);
    case "stopped": return stopped(app);
  }
}

function hostOf(app: App): CallScreenHost {
  const draft = (name: string, on: boolean): void => {
    app.drafts.set(name, on || undefined);
    app.changed();
  };
  return {
    calls: app.calls,
    store: app.store,
    drafts: app.drafts,
    self: app.self,
    keyChanged: (contact) => app.memory.changedKey(contact) !== undefined,
    codeOpen: app.drafts.get<boolean>("code-open") ?? false,
    setCodeOpen: (open) => draft("code-open", open),
    adult: app.adult,
    hasCamera: true,
    originalSound: app.calls.media?.original ?? false,
    setOriginalSound: (on) => {
      app.memory.keepSetting("original", on ? "on" : undefined);
      void app.calls.media?.setOriginal(on);
    },
    soundIsBlocked: app.drafts.get<boolean>("sound-blocked") ?? false,
    soundBlocked: (blocked) => draft("sound-blocked", blocked),
    block: (peer) => {
      app.calls.input({ on: "decline" });
      void app.attempt(() => block(app, peer.handle, peer.name));
    },
    guests: {
      mayRemove: (device) => app.callLinks?.brought(device) === true,
      remove: (device) => void app.attempt(() => app.calls.guests.remove(device)),
      ...(app.grown ? { invite: () => {
        app.drafts.set("call-dialog", "invite");
        app.changed();
      } } : {}),
    },
    changed: () => app.changed(),
  };
}
