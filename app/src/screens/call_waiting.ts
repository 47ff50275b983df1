//! A second call while one is on: a sheet that waits to be answered, and takes no key that was meant for the call.

import { html, nothing, type TemplateResult } from "lit-html";
import type { Running } from "../call/state.ts";
import { icons } from "../ui/icons.ts";
import { avatar } from "../ui/parts.ts";
import type { CallScreenHost } from "./call.ts";

export function waitingCall(host: CallScreenHost, { waiting, live }: Running, present: string): TemplateResult | typeof nothing {
  if (waiting === undefined) return nothing;
  const { peer, video, answering } = waiting;
  return html`<aside class="call-waiting" role="region" aria-label=${`Second call, from ${peer.name}`} data-testid="call-waiting" data-answering=${String(answering)}>
    <div class="waiting-who" role="alert">${avatar(peer.name)}<span class="row-text"><strong data-testid="waiting-name">${peer.name}</strong>
      <small>${video ? "calls with video" : "calls"} ${peer.verdict === "stranger" ? "· not in your contacts" : peer.verdict === "first" || peer.verdict === "unverified" ? "· unverified" : ""}</small></span></div>
    <div class="waiting-buttons">
      <button class="button" data-testid="decline-waiting" ?disabled=${answering} @click=${() => host.calls.input({ on: "decline_waiting" })}>Not now</button>
      <button class="button primary" data-testid="answer-waiting" ?disabled=${answering} aria-busy=${String(answering)} @click=${() => host.calls.input({ on: "answer_waiting" })}>${icons.phone}Answer</button>
    </div>
    <p class="hint">${live === undefined ? `Answering ends your part in the call with ${present}.` : live.side === "speaks" ? "Answering ends your announcement." : "Answering ends the announcement here."}</p>
  </aside>`;
}
