//! Whether the home can be reached from outside: the last test, what to mend, and a link for a new test.

import { html, nothing, type TemplateResult } from "lit-html";
import type { App } from "../app/app.ts";
import { outsideHost } from "../outside/candidates.ts";
import { findings, results } from "../outside/view.ts";
import type { OutsideState } from "../protocol.ts";
import { icons } from "../ui/icons.ts";
import { copy } from "../ui/parts.ts";
import { qr } from "../ui/qr.ts";

const STATE = "outside-state";
const ASKED = "outside-asked";
const LINK = "outside-link";

export function outside(app: App): TemplateResult {
  if (!app.adult) return html`<div class="empty">${icons.lock}<p>Only an adult's app may look at this.</p></div>`;
  const state = app.drafts.get<OutsideState>(STATE);
  if (state === undefined && app.drafts.get(ASKED) !== true) void load(app);
  return html`<header class="page-head"><div class="page-title">
      <button class="icon-button" aria-label="Back to the settings" data-testid="to-settings" @click=${() => app.go("settings")}>${icons.back}</button>
      <h1>Reachable from outside?</h1></div></header>
    <section class="panel" aria-label="A test">
      <h2>Test it</h2>
      <p class="hint">Open the link on a phone whose Wi-Fi is off. It needs no sign-in, and counts for an hour. Nobody else is asked.</p>
      ${link(app, state)}
    </section>
    ${state === undefined ? html`<div class="loading"><div class="spinner"></div></div>` : html`
      ${findings(state.findings)}
      <section aria-label="The last test of each way">${results(state.ways)}</section>
      <button class="button" data-testid="outside-again" @click=${() => void load(app)}>Look again</button>`}`;
}

function link(app: App, state: OutsideState | undefined): TemplateResult {
  const url = app.drafts.get<string>(LINK);
  if (url === undefined) {
    return html`<button class="button primary" data-testid="outside-link" ?disabled=${state === undefined} @click=${() => void app.attempt(() => make(app, state))}>${icons.link}Make a link</button>`;
  }
  return html`<div class="qr-frame">${qr(url, "The test's link as a QR code")}</div>
    <p class="link-text" data-testid="outside-url">${url}</p>
    <div class="card-actions">
      <button class="button primary" data-testid="copy-outside" @click=${() => void copy(app, url, "The link is copied.")}>${icons.copy}Copy</button>
      ${"share" in navigator ? html`<button class="button" @click=${() => void navigator.share({ url }).catch(() => undefined)}>${icons.share}Share</button>` : nothing}
      <a class="button" href=${url} target="_blank" rel="noopener" data-testid="outside-here">${icons.out}Open here</a>
    </div>`;
}

async function make(app: App, state: OutsideState | undefined): Promise<void> {
  const ticket = await app.linkUp?.session.request({ type: "test_from_outside" }, "outside_ticket");
  if (ticket === undefined) return;
  const port = state?.ways.find(({ way }) => way === "web")?.port ?? location.port;
  const host = outsideHost(location.hostname, ticket.address);
  const origin = host === location.hostname && location.protocol === "https:" ? location.origin : `https://${host}:${port}`;
  app.drafts.set(LINK, `${origin}/outside#${ticket.secret}`);
}

async function load(app: App): Promise<void> {
  app.drafts.set(ASKED, true);
  await app.attempt(async () => {
    const { type: _type, ...state } = await app.linkUp!.session.request({ type: "get_outside" }, "outside");
    app.drafts.set(STATE, state satisfies OutsideState);
  });
}
