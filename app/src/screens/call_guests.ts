//! What a household can do about guests on a call's screen.

import { html, nothing, type TemplateResult } from "lit-html";
import type { DeviceId } from "../protocol.ts";
import { icons } from "../ui/icons.ts";
import type { CallScreenHost } from "./call.ts";

export interface GuestButtons {
  /** They came by a link of this person. */
  mayRemove(device: DeviceId): boolean;
  remove(device: DeviceId): void;
  /** Only adults make call links. */
  invite?(): void;
}

/** Between two, hanging up does the same. */
export function removeGuest(host: CallScreenHost, device: DeviceId, name: string): TemplateResult | typeof nothing {
  if (host.guests?.mayRemove(device) !== true) return nothing;
  return html`<button class="text-button" data-testid="remove-guest" aria-label=${`Remove ${name} from the call`} @click=${() => host.guests?.remove(device)}>${icons.leave}Remove</button>`;
}
