//! May this one drop in on this device now? Asked by the device itself, before it opens anything.
//!
//! Nothing here is the server's word: the grant is signed by an adult of the own roster, the initiator by their own
//! household's key, and what was seen before is kept by the device. Pure, and told the time. Twin of e2ee/src/drop_in/judge.rs.

import { type Bytes, equalBytes } from "../bytes.ts";
import { CLOCK_SKEW_MS, KIND } from "./certificate.ts";
import { type Chain, ChainError, type Identity, verifyChain } from "./chain.ts";
import { type DropInGrant, GRANT_TO, GrantError, openGrant } from "./drop_in.ts";
import { type HeldGrants, TakeError } from "./drop_in_held.ts";
import { areOpen } from "./drop_in_hours.ts";
import { MalformedError } from "./encoding.ts";
import { equalKeys } from "./keytext.ts";
import type { Roster } from "./roster.ts";
import { SignatureError } from "./signed.ts";

/** What the device knows of its household besides the grants. */
export interface Standing {
  /** The device's own key. */
  device: Bytes;
  roster: Roster;
  /** The keys that the household's contacts have pinned now; who is no contact any more has none. */
  pinned: readonly { contact: string; genesis: Bytes }[];
}

/** A drop-in that somebody wants. */
export interface Wanted {
  /** Who: the chain of the device that begins it. That it holds the key is shown by the group. */
  initiator: Chain;
  picture: boolean;
  /**
   * The grant that it goes by, if it was shown; else any that is held counts. A device takes what it is shown first, so that
   * nothing older counts afterwards.
   */
  shown: Bytes | undefined;
}

/** What may begin. */
export interface Permit {
  grant: string;
  revision: number;
  picture: boolean;
  opening: DropInGrant["opening"];
  /** It has to end by then. */
  untilMs: number;
}

/** Why nothing begins, in the order in which it is found: of several grants, the one that came furthest says why. */
export type Refused =
  | "off" | "initiator" | "not_in_household" | "no_grant" | "forged" | "other_household" | "signer_may_not" | "replayed" | "revoked"
  | "ended_here" | "not_yet" | "expired" | "not_a_contact" | "new_member" | "other_device" | "outside_hours" | "sound_only";

/** How far a grant came before it was refused. */
const PLACE: Readonly<Record<Refused, number>> = {
  off: 0, initiator: 0, not_in_household: 0, no_grant: 0, forged: 1, other_household: 1, signer_may_not: 2, replayed: 3, revoked: 4,
  ended_here: 5, not_yet: 6, expired: 6, not_a_contact: 7, new_member: 8, other_device: 9,
  outside_hours: 10, sound_only: 11,
};

export type Verdict = { permit: Permit; initiator: Identity } | { refused: Refused; initiator: Identity | undefined };

export function judge(now: number, held: HeldGrants, standing: Standing, wanted: Wanted): Verdict {
  const initiator = verified(wanted.initiator, now);
  if (held.off) return { refused: "off", initiator };
  if (initiator === undefined) return { refused: "initiator", initiator };
  const answer = weigh(now, held, standing, wanted, initiator);
  return typeof answer === "string" ? { refused: answer, initiator } : { permit: answer, initiator };
}

function weigh(now: number, held: HeldGrants, standing: Standing, { picture, shown }: Wanted, initiator: Identity): Permit | Refused {
  const own = equalKeys(initiator.genesis, standing.roster.genesis);
  if (own && !standing.roster.admits(initiator)) return "not_in_household";
  if (initiator.kind === KIND.guest || equalKeys(initiator.deviceKey, standing.device)) return "no_grant";
  const question = { now, held, standing, initiator, picture };
  if (shown !== undefined) return ask(question, shown);
  let told: Refused = "no_grant";
  for (const signed of held.statements.values()) {
    const answer = ask(question, signed);
    if (typeof answer !== "string") return answer;
    if (PLACE[answer] > PLACE[told]) told = answer;
  }
  return told;
}

interface Question {
  now: number;
  held: HeldGrants;
  standing: Standing;
  initiator: Identity;
  picture: boolean;
}

function ask({ now, held, standing, initiator, picture }: Question, signed: Bytes): Permit | Refused {
  const grant = open(signed, standing.roster);
  if (typeof grant === "string") return grant;
  if (!isTo(grant, initiator, standing.roster)) return "no_grant";
  const old = olderThanSeen(held, grant, signed);
  if (old !== undefined) return old;
  const refused = counts(now, held, standing, grant);
  if (refused !== undefined) return refused;
  // A household is let in as it was when an adult looked.
  if (grant.to === GRANT_TO.household && !grant.people.includes(initiator.person)) return "new_member";
  const covered = grant.devices.length === 0 || grant.devices.some((device) => equalBytes(device, standing.device));
  if (!covered) return "other_device";
  if (grant.hours !== undefined && !areOpen(grant.hours, now)) return "outside_hours";
  if (picture && !grant.picture) return "sound_only";
  return { grant: grant.id, revision: grant.revision, picture, opening: grant.opening, untilMs: grant.expiresAtMs };
}

function verified(chain: Chain, now: number): Identity | undefined {
  try {
    return verifyChain(chain, now);
  } catch (error) {
    if (error instanceof ChainError) return undefined;
    throw error;
  }
}

function open(signed: Bytes, roster: Roster): DropInGrant | Refused {
  try {
    return openGrant(signed, roster);
  } catch (error) {
    if (error instanceof GrantError) return error.reason;
    if (error instanceof MalformedError || error instanceof SignatureError) return "forged";
    throw error;
  }
}

function isTo({ to, contact, person }: DropInGrant, initiator: Identity, roster: Roster): boolean {
  if (to === GRANT_TO.home) return equalKeys(initiator.genesis, roster.genesis);
  const theirs = contact !== undefined && equalKeys(initiator.genesis, contact.genesis);
  return theirs && (to === GRANT_TO.household || initiator.person === person);
}

function olderThanSeen(held: HeldGrants, grant: DropInGrant, signed: Bytes): Refused | undefined {
  try {
    held.checkNewer(grant, signed);
    return undefined;
  } catch (error) {
    if (error instanceof TakeError && (error.reason === "replayed" || error.reason === "revoked")) return error.reason;
    throw error;
  }
}

/** Whether the grant counts at all now, for whatever it is. No grace after its end: it bounds what a withheld revocation can do. */
function counts(now: number, held: HeldGrants, { pinned }: Standing, grant: DropInGrant): Refused | undefined {
  if (grant.revoked) return "revoked";
  if (held.wasEndedHere(grant)) return "ended_here";
  if (grant.signedAtMs > now + CLOCK_SKEW_MS) return "not_yet";
  if (grant.expiresAtMs <= now) return "expired";
  const { contact } = grant;
  const known = contact === undefined || pinned.some((one) => one.contact === contact.id && equalKeys(one.genesis, contact.genesis));
  return known ? undefined : "not_a_contact";
}
