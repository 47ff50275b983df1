//! The page behind the link in a consent's mail: shows the consent and withdraws it, without a sign-in.

import { html, nothing, render, type TemplateResult } from "lit-html";
import type { ConsentReview } from "../protocol.ts";
import { paragraphs } from "../screens/child_consent.ts";
import { api } from "../session/http.ts";
import { icons } from "../ui/icons.ts";
import { timeWords } from "../ui/words.ts";

type View = { at: "loading" } | { at: "failed"; why: string } | { at: "shown"; review: ConsentReview; sure: boolean; why?: string };

/** Behind the `#`, which no server sees. */
const secret = location.hash.slice(1);
const target = document.getElementById("app");
let view: View = { at: "loading" };

function show(next: View): void {
  view = next;
  if (target !== null) render(page(view), target);
}

function page(now: View): TemplateResult {
  return html`<main class="door"><div class="door-card consent-card">
    <img class="logo" src="/icon.svg" alt="" width="56" height="56" /><h1>Your consent</h1>${body(now)}</div></main>`;
}

function body(now: View): TemplateResult {
  switch (now.at) {
    case "loading": return html`<div class="spinner"></div>`;
    case "failed": return html`<p class="error" role="alert" data-testid="link-failed">${now.why}</p>`;
    case "shown": return shown(now);
  }
}

function shown({ review, sure, why }: Extract<View, { at: "shown" }>): TemplateResult {
  const ended = review.withdrawn_at_ms;
  const given = timeWords(review.given_at_ms, Date.now());
  return html`
    <p data-testid="review" data-state=${ended === null ? "given" : "withdrawn"}>Consent <strong class="nobreak">${review.reference}</strong> for a child of your household, given ${given}.</p>
    ${ended === null ? nothing : html`<p class="note" role="status" data-testid="withdrawn">${icons.check} It ended ${timeWords(ended, Date.now())}. If it was not replaced by a newer one, the child calls nobody and nobody calls the child.</p>`}
    <div class="consent-text" tabindex="0" role="region" aria-label="What was consented to">${paragraphs(review.text)}</div>
    ${why === undefined ? nothing : html`<p class="error" role="alert">${why}</p>`}
    ${ended !== null ? nothing : sure ? html`<p>From then on the child calls nobody, and nobody calls the child.</p>
      <div class="form-buttons"><button class="button" @click=${() => show({ at: "shown", review, sure: false })}>Keep it</button>
        <button class="button danger" data-testid="withdraw-sure" @click=${() => void withdraw(review)}>Withdraw it</button></div>`
      : html`<div class="form-buttons"><button class="button danger" data-testid="withdraw" @click=${() => show({ at: "shown", review, sure: true })}>Withdraw my consent</button></div>`}`;
}

async function withdraw(review: ConsentReview): Promise<void> {
  try {
    show({ at: "shown", review: await api.consentWithdraw({ secret }), sure: false });
  } catch (error) {
    show({ at: "shown", review, sure: false, why: words(error) });
  }
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

show(view);
api.consentReview({ secret }).then(
  (review) => show({ at: "shown", review, sure: false }),
  (error: unknown) => show({ at: "failed", why: words(error) }),
);
