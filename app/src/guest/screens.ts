//! What a guest sees: what this is, a name, waiting, the call, and why it is over.

import { html, nothing, type TemplateResult } from "lit-html";
import { GUEST_NAME_MAX } from "../e2ee/identity/guest_name.ts";
import type { CallState } from "../call/state.ts";
import { callScreen, type CallScreenHost } from "../screens/call.ts";
import { icons } from "../ui/icons.ts";
import { avatar, field, form } from "../ui/parts.ts";
import { durationWords, endingWords } from "../ui/words.ts";
import { NO_HOUSEHOLD } from "./hosting.ts";
import type { Visit } from "./visit.ts";

export function guestPage(visit: Visit): TemplateResult | typeof nothing {
  const { stage } = visit;
  switch (stage.at) {
    case "door": return frame(visit, door(visit));
    case "waiting": return frame(visit, waiting(visit));
    case "turned_away": return frame(visit, turnedAway(visit, stage.why));
    case "no_link": return frame(visit, noLink());
    case "call": return visit.calls === undefined ? nothing : call(visit, visit.calls.state);
  }
}

function frame(visit: Visit, content: TemplateResult): TemplateResult {
  return html`<main class="door">
    <section class="door-card" data-testid="guest-page" data-stage=${visit.stage.at}>
      ${content}
      ${visit.alarms.map((text) => html`<p class="error" role="alert" data-testid="guest-alarm">${text}</p>`)}
    </section>
    <p class="door-foot">Calls are end-to-end encrypted: this server passes on what it can't read.</p>
  </main>`;
}

function door(visit: Visit): TemplateResult {
  return html`
    <img class="logo" src="/icon.svg" alt="" width="56" height="56" />
    <h1>You are invited to a call</h1>
    <p class="lead">Say who you are and knock. Whoever sent you this link sees your name and lets you in. You need no account, and this page forgets everything when you close it.</p>
    ${form(visit, {
      name: "knock", submit: "Knock",
      fields: html`
        ${field({ name: "name", label: "Your name", maxlength: GUEST_NAME_MAX, capitalize: "words", autocomplete: "name", value: visit.name, autofocus: true })}
        <fieldset class="choices"><legend class="field-label">Come in with</legend>
          <label class="check"><input type="radio" name="with" value="voice" data-testid="with-voice" .checked=${!visit.picture} /><span>Voice</span></label>
          <label class="check"><input type="radio" name="with" value="picture" data-testid="with-picture" .checked=${visit.picture} /><span>Voice and picture</span></label>
        </fieldset>`,
      run: (value) => visit.knock(value("name"), value("with") === "picture"),
    })}
    ${checks(visit)}`;
}

/** All of it, in groups that can be read out. */
function checks(visit: Visit): TemplateResult | typeof nothing {
  const fingerprint = visit.link?.fingerprint;
  if (fingerprint === undefined) return nothing;
  return html`<details class="more"><summary data-testid="what-is-checked">What this page checks</summary>
    <p class="hint">Only the household with this fingerprint, which came with the link, can let you in. The server can't put anybody else in its place.</p>
    <p class="hash" data-testid="link-fingerprint">${fingerprint.match(/.{1,4}/g)?.join(" ")}</p></details>`;
}

function waiting(visit: Visit): TemplateResult {
  return html`
    <div class="guest-waits">${avatar(visit.name, "large")}</div>
    <div role="status" data-testid="guest-waiting"><h1>You knocked, ${visit.name}</h1>
    <p class="lead">Waiting until somebody lets you in. Keep this page open.</p></div>
    <div class="spinner"></div>
    <button class="button" data-testid="stop-waiting" @click=${() => visit.giveUp()}>Stop waiting</button>`;
}

function turnedAway(visit: Visit, why: "refused" | "no_answer" | "lost"): TemplateResult {
  const [title, words] = {
    refused: ["Not now", "You were not let in this time."],
    no_answer: ["Nobody came to the door", "Perhaps nobody is there now."],
    lost: ["The connection was lost", "Knock again to come in."],
  }[why];
  return html`<div role="status" data-testid="turned-away" data-why=${why}><h1>${title}</h1><p class="lead">${words}</p></div>
    <button class="button primary wide" data-testid="knock-again" @click=${() => visit.giveUp()}>Knock again</button>
    <p class="note">Or ask whoever sent you the link.</p>`;
}

function noLink(): TemplateResult {
  return html`<img class="logo" src="/icon.svg" alt="" width="56" height="56" />
    <div role="status" data-testid="no-link"><h1>This link is no longer valid</h1>
    <p class="lead">It has ended, was taken back, or is not complete. Ask whoever sent it to you for a new one.</p></div>`;
}

function call(visit: Visit, state: CallState): TemplateResult {
  if (state.at === "ended") return frame(visit, over(visit, state));
  // Rings for no longer than the answer takes, or was called off in that moment.
  if (state.at !== "running") return frame(visit, html`<div role="status"><h1>Coming in…</h1></div><div class="spinner"></div>`);
  return html`<main>${callScreen(hostOf(visit))}</main>`;
}

function over(visit: Visit, state: Extract<CallState, { at: "ended" }>): TemplateResult {
  const serious = state.reason === "encryption_refused";
  return html`<div class="guest-waits">${serious ? html`<span class="alarm-sign">${icons.alarm}</span>` : avatar(state.peer.name, "large")}</div>
    <div data-testid="guest-over" data-reason=${state.reason} role=${serious ? "alert" : "status"}><h1>${serious ? "Stopped for safety" : "The call is over"}</h1>
    <p class="lead">${state.reason === "hung_up" ? state.peer.name : endingWords(state.reason, state.peer.name, false)}${state.seconds === undefined ? nothing : html` · ${durationWords(state.seconds)}`}</p></div>
    <p class="note">You can close this page. It keeps nothing.</p>
    <button class="button wide" data-testid="knock-again" @click=${() => visit.giveUp()}>Knock again</button>`;
}

function hostOf(visit: Visit): CallScreenHost {
  const { calls } = visit;
  if (calls === undefined) throw new Error("no call");
  const draft = (name: string, on: boolean): void => {
    visit.drafts.set(name, on || undefined);
    visit.changed();
  };
  return {
    calls,
    store: NO_HOUSEHOLD,
    drafts: visit.drafts,
    self: undefined,
    visitor: true,
    keyChanged: () => false,
    codeOpen: visit.drafts.get<boolean>("code-open") ?? false,
    setCodeOpen: (open) => draft("code-open", open),
    adult: false,
    hasCamera: true,
    originalSound: calls.media?.original ?? false,
    setOriginalSound: (on) => void calls.media?.setOriginal(on),
    soundIsBlocked: visit.drafts.get<boolean>("sound-blocked") ?? false,
    soundBlocked: (blocked) => draft("sound-blocked", blocked),
    changed: () => visit.changed(),
  };
}
