//! A member's own sheet: what they are, what a child may, and taking them out.

import { html, nothing, type TemplateResult } from "lit-html";
import type { App } from "../app/app.ts";
import { removeMember } from "../home/departures.ts";
import type { AccountId, Member, Role } from "../protocol.ts";
import { icons } from "../ui/icons.ts";
import { avatar, dialog, form } from "../ui/parts.ts";
import { roleWords } from "../ui/words.ts";
import { dropInButtons } from "./drop_in_call.ts";
import { limits } from "./limits.ts";
import { topToggle } from "./top_contact.ts";

export function memberSheet(app: App): TemplateResult | typeof nothing {
  const name = app.drafts.get<string>("dialog");
  const member = name?.startsWith("member:") === true ? app.store.members.find(({ id }) => id === name.slice(7)) : undefined;
  if (member === undefined) return nothing;
  const close = (): void => {
    app.drafts.set("dialog", undefined);
    app.changed();
  };
  const self = member.id === app.store.home?.account.id;
  return dialog("member", member.display_name, close, html`<div class="card-view">
      ${avatar(member.display_name, "large")}
      <p class="handle">@${member.handle}</p>
      <p class="mark" data-testid="member-role">${roleWords(member.role)}</p>
    </div>
    ${self ? nothing : dropInButtons(app, { handle: member.handle, name: member.display_name, contact: undefined, genesis: app.ownGenesis, verdict: "own" }, true, close)}
    ${self ? nothing : html`<section class="sheet-part">${topToggle(app, { type: "person", handle: member.handle })}</section>`}
    ${app.grown && !self && member.role !== "owner" ? roleForm(app, member) : nothing}
    ${member.role === "child" ? html`${consent(app, member)}${limits(app, member.id)}` : nothing}
    ${app.adult && owns(app) && member.role === "adult" ? ownership(app, member) : nothing}
    ${app.adult && !self && member.role !== "owner" ? removal(app, member, close) : nothing}`);
}

function owns(app: App): boolean {
  return app.store.members.some(({ id, role }) => id === app.store.home?.account.id && role === "owner");
}

/** Only the new owner can give it back: so it is said, and confirmed. */
function ownership(app: App, member: Member): TemplateResult {
  const signs = app.store.devices.some(({ account, adult }) => account === member.id && adult);
  return html`<details class="more sheet-part"><summary data-testid="ownership">Make ${member.display_name} the owner</summary>
    ${!signs ? html`<p class="hint" data-testid="ownership-not">${member.display_name} has no app that may add contacts and devices, as the owner needs one.</p>` : form(app, {
      name: "ownership", submit: `Make ${member.display_name} the owner`, danger: true,
      fields: html`<p class="hint">Nobody can take the owner out of the household or change what the owner is. You become an adult like the others.</p>
        <label class="check"><input type="checkbox" name="sure" required data-testid="field-sure" /><span>I know that only ${member.display_name} can give it back.</span></label>`,
      run: async () => {
        await app.store.rules.handOverOwnership(member.id);
        app.say(`${member.display_name} is the owner now.`);
      },
    })}</details>`;
}

function roleForm(app: App, member: Member): TemplateResult {
  const signing = app.store.devices.filter(({ account, adult }) => account === member.id && adult);
  return html`<section class="sheet-part"><h3>Role</h3>
    ${signing.length === 0 ? nothing : html`<p class="hint">${signing.map(({ label }) => label).join(", ")} may add contacts and devices, as no child's app may. Remove ${signing.length === 1 ? "it" : "them"} before you make ${member.display_name} a child.</p>`}
    ${form(app, {
      name: "role", submit: "Save",
      fields: html`<label class="field"><span class="field-label">${member.display_name} is</span><select name="role" data-testid="field-role">
        ${(["adult", "child"] as const).map((role) => html`<option value=${role} ?selected=${role === member.role}>${role === "adult" ? "an adult" : "a child"}</option>`)}</select>
        <span class="hint">A child reaches, and is reached by, only your household and the contacts that you choose.</span></label>`,
      run: async (value) => {
        await app.store.rules.setRole(member.id, value("role") as Role);
        app.say("Saved.");
      },
    })}</section>`;
}

function consent(app: App, member: Member): TemplateResult {
  const given = app.store.rules.child(member.id)?.consent != null;
  return html`<section class="sheet-part" data-testid="member-consent" data-consent=${given ? "given" : "none"}>
    <p class="hint">${given ? "An adult has given consent." : "Without an adult's consent a child reaches nobody, and nobody reaches them."}</p>
    ${app.grown ? html`<button class="button" data-testid="member-to-children" @click=${() => app.go("children")}>${given ? "Consent, calls and data" : "Give consent"}</button>` : nothing}
  </section>`;
}

function removal(app: App, member: Member, close: () => void): TemplateResult {
  return html`<details class="more sheet-part"><summary>Remove from the household</summary>
    <p class="hint">All devices of ${member.display_name} are signed out at once. Their account stays, without a household.</p>
    <button class="button danger wide" data-testid="remove-member" @click=${async () => {
      if (await app.attempt(() => signOutOfHousehold(app, member.id))) close();
    }}>${icons.trash}Remove ${member.display_name}</button></details>`;
}

/** Everything that is theirs goes with them. */
export function signOutOfHousehold(app: App, account: AccountId): Promise<void> {
  const theirs = app.store.devices.filter((device) => device.account === account).map(({ id }) => id);
  return removeMember(app.departing(), account, theirs);
}
