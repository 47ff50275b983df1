//! The top contact: whom a double press on a home device calls.

import { html, nothing, type TemplateResult } from "lit-html";
import type { App } from "../app/app.ts";
import type { TopContact } from "../protocol.ts";
import { toggle } from "../ui/controls.ts";
import { icons } from "../ui/icons.ts";

export function isTop(app: App, who: TopContact): boolean {
  const top = app.store.rules.mine.top_contact;
  if (top === null || top.type !== who.type) return false;
  return top.type === "contact" ? top.contact === (who as typeof top).contact : top.handle === (who as typeof top).handle;
}

/** One at most: choosing another takes it from the one before. */
export function topToggle(app: App, who: TopContact): TemplateResult {
  return toggle(app, {
    id: "top-contact", label: "Call with a double press", hint: "On your home devices: two presses of the big button call them, one hangs up.", on: isTop(app, who),
    set: (on) => app.store.rules.setTopContact(on ? who : null),
  });
}

export function topMark(app: App, who: TopContact): TemplateResult | typeof nothing {
  return isTop(app, who) ? html`<span class="mark" data-testid="top-mark">${icons.star}Double press</span>` : nothing;
}
