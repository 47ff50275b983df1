//! A child's consent: giving it, seeing it, withdrawing it.

import { html, nothing, type TemplateResult } from "lit-html";
import type { App } from "../app/app.ts";
import type { Child, ConsentRecord, ConsentText, MailState, Member } from "../protocol.ts";
import { dialog, field, form } from "../ui/parts.ts";
import { timeWords } from "../ui/words.ts";
import { NAME_MAX } from "./contacts.ts";

const EMAIL_MAX = 254;
const REFERENCE_DIGITS = 8;

export function consent(app: App, child: Child, member: Member): TemplateResult {
  const view = app.children?.view(child.account);
  const open = (what: string): void => show(app, `${what}:${child.account}`);
  if (view?.text === undefined) return html`<div class="spinner"></div>`;
  if (child.consent === null || view.record === undefined || view.record.withdrawn_at_ms !== null) {
    return html`<p>${member.display_name} can't call or be called until an adult consents.${view.record === undefined ? "" : " A consent was given before and withdrawn."}</p>
      <div class="form-buttons"><button class="button primary" data-testid="open-consent" @click=${() => open("consent")}>Read and consent</button></div>`;
  }
  const { record, text } = view;
  return html`<p data-testid="consent-line">Given by ${record.name}, ${timeWords(record.given_at_ms, Date.now())}. Reference <strong class="nobreak">${record.consent.slice(0, REFERENCE_DIGITS)}</strong>.</p>
    <p class="hint" role="status" data-testid="consent-mail" data-state=${record.mail_state}>${mailWords(record)}</p>
    ${record.version === text.version ? nothing : html`<p class="hint">The text has changed since. Read it again under Change.</p>`}
    <div class="form-buttons">
      <button class="text-button danger" data-testid="withdraw-consent" @click=${() => open("withdraw")}>Withdraw</button>
      <button class="button" data-testid="open-consent" @click=${() => open("consent")}>Review or change</button></div>`;
}

export function consentDialogs(app: App, child: Child, member: Member): TemplateResult | typeof nothing {
  const view = app.children?.view(child.account);
  const name = app.drafts.get<string>("dialog");
  if (view?.text === undefined) return nothing;
  if (name === `consent:${child.account}`) return give(app, member, view.text, view.record);
  if (name === `withdraw:${child.account}`) return withdraw(app, member);
  return nothing;
}

function give(app: App, member: Member, text: ConsentText, record: ConsentRecord | undefined): TemplateResult {
  const close = (): void => show(app, undefined);
  const before = record?.withdrawn_at_ms === null ? record : undefined;
  return dialog("consent", `Consent for ${member.display_name}`, close, html`
    <div class="consent-text" tabindex="0" role="region" aria-label="What you consent to" data-testid="consent-text">${paragraphs(text.text)}</div>
    ${form(app, {
      name: "consent", submit: before === undefined ? "I consent" : "Consent anew",
      fields: html`
        ${field({ name: "guardian", label: "Your name", value: before?.name ?? app.store.home?.account.display_name ?? "", maxlength: NAME_MAX, autocomplete: "name", capitalize: "words" })}
        ${field({ name: "email", label: "Your e-mail address", type: "email", value: before?.email ?? "", maxlength: EMAIL_MAX, autocomplete: "email", capitalize: "off", hint: "You get a confirmation with a link to review or withdraw." })}
        <label class="check"><input type="checkbox" name="read" value="yes" required data-testid="field-read" /><span>I am ${member.display_name}'s parent or guardian, and I have read this.</span></label>`,
      run: async (value) => {
        await app.children?.give(member.id, { name: value("guardian"), email: value("email"), version: text.version });
        close();
      },
    })}`);
}

function withdraw(app: App, member: Member): TemplateResult {
  const close = (): void => show(app, undefined);
  return dialog("withdraw", "Withdraw the consent?", close, html`
    <p>From then on ${member.display_name} calls nobody, and nobody calls ${member.display_name}. You can consent again at any time.</p>
    <div class="form-buttons"><button class="button" @click=${close}>Keep it</button>
      <button class="button danger" data-testid="withdraw-sure" @click=${async () => {
        if (await app.attempt(async () => app.children?.withdraw(member.id))) close();
      }}>Withdraw</button></div>`);
}

/** A text's paragraphs. */
export function paragraphs(text: string): TemplateResult[] {
  return text.split(/\n{2,}/).map((paragraph) => html`<p>${paragraph}</p>`);
}

function mailWords({ email, mail_state: state }: ConsentRecord): string {
  const words: Record<MailState, string> = {
    off: "This server is not set up to send mail, so no confirmation was sent.",
    waiting: `A confirmation is on its way to ${email}.`,
    sent: `A confirmation was sent to ${email}.`,
    given_up: `The confirmation could not be sent to ${email} for a day. Check the address, and consent anew.`,
  };
  return words[state];
}

function show(app: App, name: string | undefined): void {
  app.drafts.set("dialog", name);
  app.changed();
}
