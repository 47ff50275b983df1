//! How good the connections of a call are: a sign with words where one is not good, and the figures of the own one.

import { html, nothing, type TemplateResult } from "lit-html";
import type { CallController } from "../call/controller.ts";
import type { PersonView } from "../call/people.ts";
import type { Figures, Picture } from "../media/quality.ts";
import type { Grade } from "../protocol.ts";
import { avatar } from "../ui/parts.ts";
import { gradeWords } from "../ui/words.ts";
import type { CallScreenHost } from "./call.ts";

const BARS: Readonly<Record<Grade, number>> = { good: 3, fair: 2, poor: 1 };

/** The own connection, where it is not good; a button where there is more to read. */
export function ownQuality(calls: CallController, more?: () => void): TemplateResult | typeof nothing {
  const rating = calls.media?.rating;
  if (rating === undefined || rating === "unknown" || rating === "good") return nothing;
  const words = gradeWords(rating);
  const sign = html`${bars(rating)}<span>${words}</span>`;
  return more === undefined ? html`<span class="quality" data-testid="quality" data-rating=${rating}>${sign}</span>`
    : html`<button class="quality" data-testid="quality" data-rating=${rating} aria-label=${`Your connection: ${words}. Show details`} @click=${more}>${sign}</button>`;
}

/** The same of somebody else, of whom no figures are known. */
export function theirQuality({ name, grade, connected }: Pick<PersonView, "name" | "grade" | "connected">): TemplateResult | typeof nothing {
  if (grade === undefined || grade === "good" || !connected) return nothing;
  const words = gradeWords(grade);
  return html`<span class="quality" data-testid="their-quality" data-rating=${grade} role="img" aria-label=${`${name}: ${words}`}>${bars(grade)}<span>${words}</span></span>`;
}

/** For whoever wants to know, or is asked by somebody who helps. */
export function connectionSheet(host: CallScreenHost, people: readonly PersonView[]): TemplateResult {
  const { media } = host.calls;
  const rating = media?.rating ?? "unknown";
  const known = people.filter(({ grade }) => grade !== undefined);
  return html`<p data-testid="connection-rating" data-rating=${rating}>${rating === "unknown" ? "It is being measured." : html`${bars(rating)} <strong>${gradeWords(rating)}</strong>`}</p>
    ${media?.figures === undefined ? nothing : figuresList(media.figures)}
    ${known.length === 0 ? nothing : html`<ul class="pick-list" data-testid="others-connections">${known.map(({ name, grade }) => html`<li class="pick">
      ${avatar(name)}<span class="row-text"><strong>${name}</strong><small>${grade === undefined ? "" : gradeWords(grade)}</small></span></li>`)}</ul>`}
    <p class="hint">Of the others only the word is known, as they know only yours.</p>`;
}

function figuresList(figures: Figures): TemplateResult {
  const rows: readonly (readonly [string, string | undefined])[] = [
    ["Lost on the way up", `${figures.lossUpPercent} %`],
    ["Lost on the way down", `${figures.lossDownPercent} %`],
    ["Round trip", milliseconds(figures.roundTripMs)],
    ["Jitter", milliseconds(figures.jitterMs)],
    ["Room on the way up", kilobits(figures.estimateUpKbit)],
    ["Room on the way down", kilobits(figures.estimateDownKbit)],
    ["Your picture is sent as", sizes(figures.sent)],
    ["Pictures come as", sizes(figures.received)],
  ];
  return html`<dl class="figures" data-testid="connection-figures">${rows.map(([what, value]) => value === undefined ? nothing : html`<div><dt>${what}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function milliseconds(value: number | undefined): string | undefined {
  return value === undefined ? undefined : `${value} ms`;
}

function kilobits(value: number | undefined): string | undefined {
  if (value === undefined) return undefined;
  return value >= 1_000 ? `${(value / 1_000).toFixed(1)} Mbit/s` : `${value} kbit/s`;
}

function sizes(pictures: readonly Picture[]): string | undefined {
  if (pictures.length === 0) return undefined;
  return pictures.map(({ width, height, framesPerSecond }) => `${width} × ${height}${framesPerSecond === undefined ? "" : `, ${Math.round(framesPerSecond)} a second`}`).join("; ");
}

function bars(grade: Grade): TemplateResult {
  return html`<span class="bars bars-${grade}" aria-hidden="true">${[1, 2, 3].map((bar) => html`<i class=${bar <= BARS[grade] ? "lit" : ""}></i>`)}</span>`;
}
