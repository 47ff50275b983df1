//! Two or more others in a call: a tile for each, calm up to nine, and scrolled beyond.

import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import type { PersonView, Standing } from "../call/people.ts";
import { icons } from "../ui/icons.ts";
import { avatar, guestMark } from "../ui/parts.ts";
import type { CallScreenHost } from "./call.ts";
import { removeGuest } from "./call_guests.ts";
import { theirQuality } from "./call_quality.ts";
import { sink } from "./sink.ts";
import { viewed } from "./viewed.ts";

/** More than this many tiles do not share the screen any more: they keep a size and scroll. */
export const CALM_MAX = 9;

/** `own`: the own picture, which is always seen by who sends it. */
export function tiles(host: CallScreenHost, people: readonly PersonView[], own: TemplateResult | typeof nothing): TemplateResult {
  const count = people.length + (own === nothing ? 0 : 1);
  return html`<ul class="call-tiles" data-testid="call-tiles" data-count=${count} data-size=${sizeOf(count)} tabindex=${count > CALM_MAX ? "0" : nothing} aria-label="In the call">
    ${repeat(people, ({ device }) => device, (person) => tile(host, person))}
    ${own === nothing ? nothing : html`<li class="call-tile tile-own">${own}</li>`}</ul>`;
}

function sizeOf(count: number): "two" | "four" | "nine" | "many" {
  return count <= 2 ? "two" : count <= 4 ? "four" : count <= CALM_MAX ? "nine" : "many";
}

function tile(host: CallScreenHost, person: PersonView): TemplateResult {
  const { device, name, standing, media, connected, speaking, lead } = person;
  const theirs = host.calls.media?.of(device);
  const picture = media.camera && theirs?.video !== undefined;
  return html`<li class="call-tile ${speaking ? "tile-speaks" : ""} ${lead ? "tile-lead" : ""}" data-testid="call-tile" data-device=${device} data-standing=${standing} data-speaking=${String(speaking)}>
    ${picture ? html`<video playsinline muted ${sink(theirs.video)} ${viewed(host.calls.media?.views, device)}></video>` : avatar(name, "large")}
    <span class="tile-name">${host.visitor === true && standing === "stranger" ? nothing : standingSign(standing)}<b data-testid="tile-name">${name}</b>
      ${speaking ? html`<span class="speaks" role="img" aria-label="speaks" data-testid="tile-speaks">${icons.voice}</span>` : nothing}
      ${media.microphone ? nothing : html`<span role="img" aria-label="microphone off">${icons.micOff}</span>`}</span>
    ${theirQuality(person)}
    ${standing === "guest" ? removeGuest(host, device, name) : nothing}
    ${connected ? nothing : html`<span class="tile-note" role="status">Connection lost</span>`}
    ${standing === "joining" ? html`<span class="tile-note" role="status">Joining…</span>` : nothing}</li>`;
}

export function standingWords(standing: Standing): string {
  switch (standing) {
    case "own": return "Your household";
    case "verified": return "Verified";
    case "unverified": return "Unverified";
    case "stranger": return "Not in your contacts";
    case "guest": return "Guest";
    case "joining": return "Joining";
  }
}

/** Quiet where all is well known; words stand in the list of people. */
function standingSign(standing: Standing): TemplateResult | typeof nothing {
  if (standing === "joining" || standing === "unverified") return nothing;
  if (standing === "guest") return guestMark();
  const icon = standing === "own" ? icons.home : standing === "verified" ? icons.shield : icons.unknown;
  return html`<span class="tile-sign tile-${standing}" role="img" aria-label=${standingWords(standing)} title=${standingWords(standing)}>${icon}</span>`;
}
