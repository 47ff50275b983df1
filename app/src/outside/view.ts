//! How ways and findings look, in the app and on the page outside.

import { html, nothing, type TemplateResult } from "lit-html";
import type { OutsideFinding, OutsideFrom, OutsideLast, OutsideResult, OutsideTried, OutsideWay } from "../protocol.ts";
import { icons } from "../ui/icons.ts";
import { timeWords } from "../ui/words.ts";

const NAMES: Record<OutsideWay, { name: string; what: string; protocol: string }> = {
  web: { name: "The app", what: "HTTPS", protocol: "TCP" },
  web_socket: { name: "The session", what: "WebSocket", protocol: "TCP" },
  media_udp: { name: "Sound and pictures", what: "over UDP", protocol: "UDP" },
  media_tcp: { name: "Sound and pictures", what: "over TCP", protocol: "TCP" },
  relay_udp: { name: "Relay", what: "over UDP", protocol: "UDP" },
  relay_tcp: { name: "Relay", what: "over TCP", protocol: "TCP" },
  relay_tls: { name: "Relay", what: "over TLS", protocol: "TCP" },
};

const FROM: Record<OutsideFrom, string> = { outside: "from outside", inside: "from inside", unclear: "from a network the server can't place" };

export function trying(ways: readonly OutsideWay[], tried: readonly OutsideTried[], now: OutsideWay | undefined): TemplateResult {
  return html`<ul class="list" data-testid="ways">${ways.map((way) => {
    const found = tried.find((one) => one.way === way);
    return row(way, undefined, found === undefined ? (way === now ? html`<span class="mark">Trying…</span>` : html`<span class="mark">Waits</span>`) : mark(found), found);
  })}</ul>`;
}

export function results(ways: readonly OutsideResult[]): TemplateResult {
  return html`<ul class="list" data-testid="ways">${ways.map(({ way, port, last }) =>
    row(way, port, last === null ? html`<span class="mark">Not tested</span>` : mark(last), last ?? undefined, last ?? undefined))}</ul>`;
}

function row(way: OutsideWay, port: number | undefined, state: TemplateResult, found?: { works: boolean }, last?: OutsideLast): TemplateResult {
  const { name, what, protocol } = NAMES[way];
  return html`<li class="row" data-testid="way" data-way=${way} data-works=${found === undefined ? nothing : String(found.works)}>
    <span class="row-text pad"><strong>${name} ${what}</strong><small>${port === undefined ? nothing : html`${protocol} ${port}`}${last === undefined ? nothing : html` · ${FROM[last.from]}, ${timeWords(last.at_ms, Date.now())}`}</small></span>${state}</li>`;
}

function mark({ works, works_here }: { works: boolean; works_here: boolean }): TemplateResult {
  if (works) return html`<span class="mark mark-good">${icons.check}Yes</span>`;
  if (works_here) return html`<span class="mark mark-alarm">Wrong address</span>`;
  return html`<span class="mark mark-alarm">${icons.close}No</span>`;
}

export function findings(list: readonly OutsideFinding[]): TemplateResult {
  return html`${list.map(({ code, grave, text, steps }) => html`<section class="panel" data-testid="finding" data-code=${code}>
    <p class=${grave ? "error" : "note"}>${grave ? icons.alarm : nothing} ${text}</p>
    ${steps.length === 0 ? nothing : html`<ol class="steps">${steps.map((step) => html`<li>${step}</li>`)}</ol>`}</section>`)}`;
}
