//! What a child may: switches, and the contacts outside the household. For whichever page shows a child.

import { html, nothing, type TemplateResult } from "lit-html";
import type { App } from "../app/app.ts";
import type { AccountId, ChildLimits } from "../protocol.ts";
import { toggle } from "../ui/controls.ts";
import { form } from "../ui/parts.ts";

/** As the protocol bounds them. */
const CONTACTS_MAX = 256;

/** Nothing for who is no child. Adults change it; a child reads it. */
export function limits(app: App, account: AccountId): TemplateResult | typeof nothing {
  const child = app.store.rules.child(account);
  const name = app.store.members.find(({ id }) => id === account)?.display_name ?? "this child";
  if (child === undefined) return nothing;
  const change = (part: Partial<ChildLimits>): Promise<void> => app.store.rules.setLimits(account, { ...child.limits, ...part });
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
    ${allowed(app, name, child.limits, change)}
  </section>`;
}

function allowed(app: App, name: string, { contacts: chosen }: ChildLimits, change: (part: Partial<ChildLimits>) => Promise<void>): TemplateResult {
  const contacts = app.store.sortedContacts();
  const words = html`<p class="hint">Your household always. Outside it only whom you choose, in both directions: everybody else can't reach ${name}, and is told what somebody away would show.</p>`;
  if (!app.grown || contacts.length === 0) {
    const names = contacts.filter(({ id }) => chosen.includes(id)).map((contact) => contact.name);
    return html`${words}<p data-testid="limit-contacts">${names.length === 0 ? "Nobody outside the household." : names.join(", ")}</p>`;
  }
  return form(app, {
    name: "limits", submit: "Save",
    fields: html`<fieldset class="choices"><legend class="field-label">Who may be reached outside the household</legend>${words}
      ${contacts.map((contact) => html`<label class="check"><input type="checkbox" name=${contact.id} data-testid="limit-contact" data-handle=${contact.handle}
        .defaultChecked=${chosen.includes(contact.id)} /><span>${contact.name} <small>@${contact.handle}</small></span></label>`)}</fieldset>`,
    run: async (value) => {
      const picked = contacts.map(({ id }) => id).filter((id) => value(id) !== "");
      if (picked.length > CONTACTS_MAX) throw new Error(`At most ${CONTACTS_MAX} contacts can be chosen.`);
      await change({ contacts: picked });
      app.say("Saved.");
    },
  });
}
