//! Whether somebody's household is the one that the signed contact card says. Pure.

import type { WhoIs } from "../e2ee/port.ts";
import type { ContactView } from "../home/store.ts";
import type { PeerView } from "./state.ts";

export type Verdict =
  /** Of the own household. */
  | "own"
  /** The pinned key, and somebody has compared the call code or came by a link. */
  | "verified"
  /** The pinned key, met once before. */
  | "unverified"
  /** A contact met for the first time: to be pinned once the call is answered. */
  | "first"
  /** The same, and the key fits the fingerprint of the link that brought the contact. */
  | "first_by_link"
  /** Not in the contacts. */
  | "stranger"
  /** Came by a call link; their key is known from their knock, and is never pinned. */
  | "guest"
  /** Another key than pinned: blocked until an adult confirms the change. */
  | "changed";

export function judge(contact: ContactView | undefined, who: Pick<WhoIs, "genesis" | "fingerprint" | "own">, linkFingerprint: string | undefined): Verdict {
  if (who.own) return contact?.theirGenesis !== undefined && contact.theirGenesis !== who.genesis ? "changed" : "own";
  if (contact === undefined || contact.pin === 3) return "stranger";
  if (contact.trouble !== undefined) return "changed";
  if (contact.theirGenesis !== undefined && contact.pin !== 0) {
    if (contact.theirGenesis !== who.genesis) return "changed";
    return contact.pin === 2 ? "verified" : "unverified";
  }
  if (linkFingerprint === undefined) return "first";
  return linkFingerprint === who.fingerprint ? "first_by_link" : "changed";
}

/** Whether whoever rings for `peer` is the guest who was let in; undefined: neither is a guest, and `judge` decides. A guest passes for nobody else. */
export function judgeGuest(peer: PeerView, who: Pick<WhoIs, "genesis" | "kind">): boolean | undefined {
  if (who.kind !== "guest" && peer.verdict !== "guest") return undefined;
  return who.kind === "guest" && peer.verdict === "guest" && peer.genesis === who.genesis;
}

/** The pin that the card should get after an answered call; none: it stays. */
export function pinAfter(verdict: Verdict): 1 | 2 | undefined {
  if (verdict === "first") return 1;
  if (verdict === "first_by_link") return 2;
  return undefined;
}
