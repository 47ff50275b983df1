//! The children of the household: consent, what each may, what each did. For its adults.

import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import type { App } from "../app/app.ts";
import type { Child, Member } from "../protocol.ts";
import { icons } from "../ui/icons.ts";
import { avatar, dialog, form } from "../ui/parts.ts";
import { calls } from "./child_calls.ts";
import { consent, consentDialogs } from "./child_consent.ts";
import { limits } from "./limits.ts";

/** Whether this app is an adult's, for whom the page is. */
export function isForAdults(app: App): boolean {
  const self = app.store.members.find(({ id }) => id === app.store.home?.account.id);
  return self !== undefined && self.role !== "child";
}

export function children(app: App): TemplateResult {
  const all = app.store.home?.children ?? [];
  return html`
    <header class="page-head"><div class="page-title">
      <button class="icon-button" aria-label="Back to the household" data-testid="to-household" @click=${() => app.go("household")}>${icons.back}</button>
      <h1>Children</h1></div></header>
    ${isForAdults(app) ? html`
      ${all.length === 0 ? html`<div class="empty" data-testid="no-children">${icons.people}<p>No member of your household is a child.</p></div>` : nothing}
      ${repeat(all, ({ account }) => account, (child) => card(app, child))}
      ${makeChild(app)}` : html`<div class="empty">${icons.lock}<p>Only the adults of your household see this page.</p></div>`}`;
}

function card(app: App, child: Child): TemplateResult | typeof nothing {
  const member = app.store.members.find(({ id }) => id === child.account);
  if (member === undefined) return nothing;
  const given = child.consent !== null;
  return html`<section class="panel child" data-testid="child" data-handle=${member.handle} data-consent=${given ? "given" : "none"} aria-label=${member.display_name}>
    <div class="child-head">${avatar(member.display_name)}
      <span class="row-text"><strong>${member.display_name}</strong><small>@${member.handle}</small></span>
      ${given ? html`<span class="mark mark-good">${icons.check}Consent given</span>` : html`<span class="mark mark-alarm">${icons.alarm}No consent</span>`}</div>
    ${consent(app, child, member)}
    ${limits(app, child.account)}
    ${calls(app, child, member)}
    <div class="child-foot"><button class="text-button danger" data-testid="delete-child-data" @click=${() => show(app, `erase:${child.account}`)}>${icons.trash}Delete what is kept about ${member.display_name}</button></div>
    ${consentDialogs(app, child, member)}
    ${app.drafts.get("dialog") === `erase:${child.account}` ? erase(app, child, member) : nothing}
  </section>`;
}

function erase(app: App, child: Child, member: Member): TemplateResult {
  const close = (): void => show(app, undefined);
  return dialog("erase", `Delete what is kept about ${member.display_name}?`, close, html`
    <p>The list of calls is deleted, and other people's lists keep no name of ${member.display_name}. It can't be undone.</p>
    <p class="hint">The account, its devices, what you allow and your consent stay. To end those, withdraw the consent or take ${member.display_name} out of the household.</p>
    <div class="form-buttons"><button class="button" data-testid="erase-not" @click=${close}>Keep it</button>
      <button class="button danger" data-testid="erase-sure" @click=${async () => {
        if (!await app.attempt(async () => app.children?.erase(child.account))) return;
        close();
        app.say(`What was kept about ${member.display_name} is deleted.`);
      }}>Delete it</button></div>`);
}

function makeChild(app: App): TemplateResult | typeof nothing {
  const self = app.store.home?.account.id;
  const others = app.store.members.filter(({ id, role }) => role === "adult" && id !== self);
  if (others.length === 0) return nothing;
  return html`<section class="panel"><h2>Is another member a child?</h2>
    <p class="hint">A child calls and is called only with your consent, and outside the household only with whom you choose.</p>
    ${form(app, {
      name: "make-child", submit: "Is a child",
      fields: html`<label class="field"><span class="field-label">Member</span><select name="member" data-testid="field-member">
        ${others.map(({ id, display_name }) => html`<option value=${id}>${display_name}</option>`)}</select></label>`,
      run: async (value) => app.linkUp?.session.done({ type: "set_role", account: value("member"), role: "child" }),
    })}</section>`;
}

function show(app: App, name: string | undefined): void {
  app.drafts.set("dialog", name);
  app.changed();
}
