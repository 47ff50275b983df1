//! Who is in a call, by the names that this person gave them, and how sure it is that they are who they seem. Pure.

import type { ContactView } from "../home/store.ts";
import type { DeviceId, Grade, MediaState, Member, Participant } from "../protocol.ts";
import type { Known, PeerView, Running } from "./state.ts";

/** How sure it is who somebody is. */
export type Standing =
  /** Of the own household. */
  | "own"
  /** A contact whose call code was compared, or who came by a link. */
  | "verified"
  /** A contact with the pinned key, or one who was never met: that it is their household is the server's word. */
  | "unverified"
  /** Not in the contacts, or the contact of that handle is of another household: by their own word. */
  | "stranger"
  /** Came by a call link, by their certificate; named by themself. */
  | "guest"
  /** Not in the group yet: nothing is heard of them. */
  | "joining";

export interface PersonView {
  device: DeviceId;
  name: string;
  handle: string;
  standing: Standing;
  media: MediaState;
  connected: boolean;
  speaking: boolean;
  /** Spoke last: the one to look at. */
  lead: boolean;
  /** How good their connection is; undefined while nothing is known of it. */
  grade: Grade | undefined;
}

/** What is known at home about those who may be in a call. */
export interface AddressBook {
  members: readonly Member[];
  contactByHandle(handle: string): ContactView | undefined;
}

/** Everybody besides this device. */
export function peopleIn(state: Running, book: AddressBook): PersonView[] {
  const { theirDevice, theirParty: party, theirMedia: media } = state;
  const first = theirDevice === undefined || party === undefined ? [] : [{ device: theirDevice, party, media }];
  return [...first, ...state.others].map((one) => personView(one, state, book));
}

function personView({ device, party, media }: Pick<Participant, "device" | "party" | "media">, state: Running, book: AddressBook): PersonView {
  const { handle } = party;
  const known = state.known[device];
  const { name, standing } = nameOf(party, known, state.peer, book);
  return {
    device, name, handle, standing, media, connected: !state.lost.includes(device),
    speaking: state.speaking.includes(device), lead: state.lead === device, grade: state.grades[device],
  };
}

/** The server says which handle it is; the certificates say whether the contact of that handle can be meant. */
function nameOf(party: Participant["party"], known: Known | undefined, peer: PeerView, book: AddressBook): { name: string; standing: Standing } {
  const { handle, display_name } = party;
  // The one who was called or who called was judged already, before there was a group.
  if (known === undefined) return peer.handle === handle ? { name: peer.name, standing: standingOf(peer) } : { name: display_name, standing: "joining" };
  if (known.kind === "guest") return { name: known.label, standing: "guest" };
  if (known.own) {
    const member = book.members.find(({ id }) => id === known.person);
    return { name: book.contactByHandle(member?.handle ?? handle)?.name ?? member?.display_name ?? display_name, standing: "own" };
  }
  const contact = book.contactByHandle(handle);
  const fits = contact !== undefined && contact.trouble === undefined && (contact.theirGenesis ?? known.genesis) === known.genesis;
  if (!fits && peer.handle === handle && peer.genesis === known.genesis) return { name: peer.name, standing: standingOf(peer) };
  if (!fits) return { name: display_name, standing: "stranger" };
  return { name: contact.name, standing: contact.pin === 2 ? "verified" : "unverified" };
}

function standingOf({ verdict }: PeerView): Standing {
  switch (verdict) {
    case "own": return "own";
    case "verified": case "first_by_link": return "verified";
    case "stranger": return "stranger";
    case "guest": return "guest";
    default: return "unverified";
  }
}

/** What the call is called on the screen: one name, or how many there are. */
export function titleOf(people: readonly PersonView[], peer: PeerView): string {
  const [first, second, ...more] = people;
  if (first === undefined) return peer.name;
  if (second === undefined) return first.handle === peer.handle ? peer.name : first.name;
  if (more.length === 0) return `${first.name} and ${second.name}`;
  return `${first.name}, ${second.name} and ${more.length} more`;
}
