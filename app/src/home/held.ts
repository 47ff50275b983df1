//! What held when this app last looked: so that an adult's app can sign anew what somebody had signed who left while it was closed.
//!
//! Nothing is trusted for standing here alone: it is signed anew only if the server still shows the very card or policy that
//! held here while its signer counted, and it counts for others only by the new signature.

import type { Pin, PolicyRule } from "../e2ee/port.ts";
import type { Blob, ContactId, DeviceId } from "../protocol.ts";

export interface HeldCard {
  card: Blob;
  name: string;
  handle: string;
  pin: Pin;
  theirGenesis: string | undefined;
  revision: number;
}

export interface Held {
  cards: Record<ContactId, HeldCard>;
  policies: Record<DeviceId, { policy: Blob; rules: PolicyRule[] }>;
}

/** Where it is kept. */
export interface HeldMemory {
  held(): Held | undefined;
  keepHeld(held: Held): void;
}

/** A browser keeps some megabytes for a page. Cards beyond these have to be saved again by hand. */
const CARDS_MAX = 1_000;

export const NOTHING_HELD: Held = { cards: {}, policies: {} };

/** The first cards only, in the order given. */
export function bounded(cards: readonly (readonly [ContactId, HeldCard])[]): Record<ContactId, HeldCard> {
  return Object.fromEntries(cards.slice(0, CARDS_MAX));
}
