//! The switch by which this phone or computer rings while the app is closed, and what is missing where it can't.

import { html, type TemplateResult } from "lit-html";
import { live } from "lit-html/directives/live.js";
import type { App } from "../app/app.ts";
import type { PushState } from "../push/desk.ts";

export function closedApp(app: App): TemplateResult {
  const { state } = app.push;
  const usable = state.at === "on" || state.at === "off";
  // As it stands, not as it was clicked: a refusal clears the box again.
  const checked = state.at === "on" || (state.at === "changing" && state.on);
  return html`<section class="panel">
    <h2>When the app is closed</h2>
    <label class="switch"><input type="checkbox" data-testid="setting-push" data-state=${state.at} .checked=${live(checked)} ?disabled=${!usable}
      aria-describedby="push-says" @change=${(event: Event) => switched(app, event.currentTarget as HTMLInputElement)} /><span>
      <strong>Ring this ${machine()} when the app is closed</strong>
      <small>A notification tells of each call, and names whoever is in your contacts. What the server sends for it names nobody.</small></span></label>
    <p class="hint" id="push-says" role="status" data-testid="push-says">${words(state)}</p>
  </section>`;
}

function switched(app: App, box: HTMLInputElement): void {
  const session = app.linkUp?.session;
  if (session === undefined) return;
  if (box.checked) void app.push.switchOn(session).then(() => app.linkUp !== undefined && app.push.follow(app.linkUp.store));
  else void app.push.switchOff(session);
}

function words(state: PushState): string {
  switch (state.at) {
    case "on": return "On.";
    case "changing": return "One moment…";
    case "off": return state.failed ?? "Off. The browser will ask whether Homeline may show notifications.";
    case "blocked": return "Notifications from this page are blocked, so only an open app rings. Allow them in the browser's settings for this page, then reload.";
    case "missing": return missing(state.what);
  }
}

function missing(what: Extract<PushState, { at: "missing" }>["what"]): string {
  switch (what) {
    case "secure_page": return "Browsers ring for pages that they trust only. Open this page by https, with the server's certificate installed.";
    case "home_screen": return "Put Homeline on the home screen first: tap Share, then Add to Home Screen, and open it from there.";
    case "push": return "This browser can't be woken by a server. Keep the app open, or use another browser.";
  }
}

function machine(): string {
  return /iPad|Tablet/.test(navigator.userAgent) ? "tablet" : /Android|iPhone|Mobile/.test(navigator.userAgent) ? "phone" : "computer";
}
