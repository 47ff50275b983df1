//! Dropping in, as the one sees it who does: where it can be begun, how far it has come, and why it was refused.

import { html, nothing, type TemplateResult } from "lit-html";
import type { App } from "../app/app.ts";
import type { CallState, DropIn, PeerView, Running } from "../call/state.ts";
import { icons } from "../ui/icons.ts";
import { nearWords, refusalWords, stageWords } from "../ui/drop_in_words.ts";

/** Only where it would not be refused. `picture`: there may be one. */
export function dropInButtons(app: App, peer: PeerView, picture: boolean, before: () => void = () => undefined): TemplateResult | typeof nothing {
  // Whose household was never met can't be meant by its key.
  if (peer.genesis === undefined) return nothing;
  if (app.doors?.may(peer.target ?? { handle: peer.handle }) !== true) return nothing;
  const begin = (video: boolean): void => {
    before();
    app.dropIn(peer, video);
  };
  return html`<div class="card-part drop-in-part" data-testid="drop-in-now">
    <p class="hint">You may drop in: you are connected without anybody answering. A tone sounds there first.</p>
    <div class="card-actions">
      <button class="button" data-testid="drop-in-sound" @click=${() => begin(false)}>${icons.mic}Drop in</button>
      ${picture ? html`<button class="button" data-testid="drop-in-video" @click=${() => begin(true)}>${icons.video}With picture</button>` : nothing}
    </div></div>`;
}

/** Who is dropped in on, and where that is. */
export function dropInTitle(peer: PeerView, { room }: DropIn): string {
  return room === "" || room === peer.name ? peer.name : `${peer.name}, ${room}`;
}

export function dropInNote({ dropIn, theirMedia }: Running): TemplateResult | typeof nothing {
  const words = dropIn && stageWords(dropIn.stage, theirMedia.camera);
  return words === undefined ? nothing : html`<p class="call-note" role="status" data-testid="drop-in-stage" data-stage=${dropIn?.stage ?? nothing}>${words}</p>`;
}

export function askingWords({ dropIn }: Extract<CallState, { at: "outgoing" }>): string | undefined {
  if (dropIn === undefined) return undefined;
  return dropIn.stage === "knocking" ? "Knocking…" : "Dropping in…";
}

export function dropInEndWords({ dropIn, peer, reason }: Extract<CallState, { at: "ended" }>): string | undefined {
  if (dropIn === undefined) return undefined;
  if (dropIn.refusal !== undefined) return refusalWords(dropIn.refusal, peer.name);
  switch (reason) {
    case "hung_up": case "cancelled": return "The drop-in has ended";
    case "failed_to_start": return "You could not drop in";
    default: return undefined;
  }
}

/** A dot that is read out too. */
export function nearMark(minutesAgo: number | undefined): TemplateResult | typeof nothing {
  if (minutesAgo === undefined) return nothing;
  return html`<span class="mark near" data-testid="near" data-minutes=${minutesAgo}><span class="dot dot-near" aria-hidden="true"></span>${nearWords(minutesAgo)}</span>`;
}
