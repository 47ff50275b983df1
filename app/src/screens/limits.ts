//! What a child may: switches, and the contacts outside the household. For whichever page shows a child.

import { html, nothing, type TemplateResult } from "lit-html";
import { live } from "lit-html/directives/live.js";
import type { App } from "../app/app.ts";
import type { AccountId, ChildLimits, ContactId } from "../protocol.ts";
import { toggle } from "../ui/controls.ts";

/** As the protocol bounds them. */
const CONTACTS_MAX = 256;

/** Nothing for who is no child. Adults change it; a child reads it. */
export function limits(app: App, account: AccountId): TemplateResult | typeof nothing {
  const child = app.store.rules.child(account);
  const name = app.store.members.find(({ id }) => id === account)?.display_name ?? "this child";
  if (child === undefined) return nothing;
  const change = (part: Partial<ChildLimits>): Promise<void> => app.store.rules.setLimits(account, part);
  return html`<section class="sheet-part" data-testid="limits">
    <h3>What ${name} may</h3>
    ${toggle(app, {
      id: "limit-calling", label: "Calls", hint: "Calling, and being called.", on: child.limits.calling, disabled: !app.grown,
      set: (calling) => change({ calling }),
    })}
    ${toggle(app, {
      id: "limit-messaging", label: "Messages", hint: "Writing, being written to, and announcements.", on: child.limits.messaging, disabled: !app.grown,
      set: (messaging) => change({ messaging }),
    })}
    ${toggle(app, {
      id: "limit-drop-in", label: "Drop in", hint: "Dropping in, and being dropped in on, where the household allows it.", on: child.limits.drop_in, disabled: !app.grown,
      set: (drop_in) => change({ drop_in }),
    })}
    ${allowed(app, name, child.limits, change)}
  </section>`;
}

function allowed(app: App, name: string, { contacts: chosen }: ChildLimits, change: (part: Partial<ChildLimits>) => Promise<void>): TemplateResult {
  const contacts = app.store.sortedContacts();
  const names = contacts.filter(({ id }) => chosen.includes(id)).map((contact) => contact.name);
  const words = html`<p class="hint">Your household always. Outside it only whom you choose, in both directions: everybody else can't reach ${name}, and is told what somebody away would show.</p>`;
  if (!app.grown || contacts.length === 0) {
    return html`${words}<p data-testid="limit-contacts">${names.length === 0 ? "Nobody outside the household." : names.join(", ")}</p>`;
  }
  return html`<details class="child-part" data-testid="limit-contacts"><summary>Contacts outside the household: ${names.length === 0 ? "none" : names.length}</summary>${words}
    ${contacts.map((contact) => html`<label class="check"><input type="checkbox" data-testid="limit-contact" data-handle=${contact.handle}
      .checked=${live(chosen.includes(contact.id))} @change=${(event: Event) => void app.attempt(() => change({ contacts: picked(chosen, contact.id, (event.currentTarget as HTMLInputElement).checked) }))} />
      <span>${contact.name} <small>@${contact.handle}</small></span></label>`)}</details>`;
}

function picked(chosen: readonly ContactId[], contact: ContactId, on: boolean): ContactId[] {
  const rest = chosen.filter((id) => id !== contact);
  if (on && rest.length >= CONTACTS_MAX) throw new Error(`At most ${CONTACTS_MAX} contacts can be chosen.`);
  return on ? [...rest, contact] : rest;
}
