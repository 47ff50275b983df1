//! Who calls, who rings and who hands a call over, by their certificates and the own contacts; the server's word is not enough.

import type { WhoIs } from "../e2ee/port.ts";
import type { ContactView } from "../home/store.ts";
import type { CallId, DeviceId, Event, Party } from "../protocol.ts";
import type { CallHost } from "./controller.ts";
import { judge, type Verdict } from "./pins.ts";
import type { PeerView } from "./state.ts";

export type Called = Extract<Event, { type: "incoming_call" | "call_waiting" }>;
export type Offered = Extract<Event, { type: "move_offered" }>;

/** Somebody whose invitation holds. */
export interface Introduced {
  who: WhoIs;
  peer: PeerView;
  video: boolean;
  /** In the call already, by genesis key. */
  households: string[];
}

/** Why nothing rings. */
export type Refused =
  /** Too late to ring; nobody's fault. */
  | { refused: "stale" }
  | { refused: "forged" }
  | { refused: "changed_key"; contact: ContactView; genesis: string };

export async function whoCalls(host: CallHost, event: Called): Promise<Introduced | Refused> {
  const { e2ee, store, memory } = host;
  let checked;
  try {
    const handle = host.visitor === true ? ownDevice(host) : event.to.handle;
    checked = await e2ee.request("call.check_invitation", { call: event.call, handle, invitation: event.invitation });
  } catch (error) {
    return { refused: (error as { code?: string }).code === "stale" ? "stale" : "forged" };
  }
  const { who, displayName, video, households } = checked;
  const contact = store.contactByHandle(event.from.handle);
  // The key worker of a guest takes the household of the link alone.
  const verdict = host.visitor === true ? "first_by_link" : judge(contact, who, contact && memory.linkFingerprint(contact.id));
  if (verdict === "changed" && contact !== undefined) return { refused: "changed_key", contact, genesis: who.genesis };
  const member = verdict === "own" ? store.members.find(({ id }) => id === who.person) : undefined;
  // A room calls by its own name.
  const room = verdict === "own" && who.kind === "home_device" ? store.device(who.device)?.label : undefined;
  const name = room ?? contact?.name ?? member?.display_name ?? displayName;
  const peer: PeerView = { handle: event.from.handle, name, contact: contact?.id, genesis: who.genesis, verdict };
  return { who, peer, video, households };
}

function ownDevice(host: CallHost): DeviceId {
  const identity = host.identity();
  return identity.state === "ready" ? identity.who.device : "";
}

/**
 * A device of the own household hands its call over. It says so by inviting its own person, which nothing else is
 * signed for, and names the households that are in the call.
 */
export async function whoHandsOver(host: CallHost, event: Offered): Promise<Introduced | Refused> {
  const { e2ee, store } = host;
  let checked;
  try {
    checked = await e2ee.request("call.check_invitation", { call: event.call, handle: event.to.handle, invitation: event.invitation });
  } catch (error) {
    return { refused: (error as { code?: string }).code === "stale" ? "stale" : "forged" };
  }
  const { who, video, households } = checked;
  const person = store.members.find(({ id }) => id === who.person) ?? (store.home?.account.id === who.person ? store.home.account : undefined);
  if (!who.own || who.device !== event.from || person?.handle !== event.to.handle) return { refused: "forged" };
  return { who, peer: otherEnd(host, event.party, households), video, households };
}

/** Who is at the other end of a call that is handed over: a contact only if their pinned household is in it. */
function otherEnd({ store, memory }: CallHost, { handle, display_name, guest }: Party, households: readonly string[]): PeerView {
  const member = store.members.find((one) => one.handle === handle);
  const contact = store.contactByHandle(handle);
  if (member !== undefined) return { handle, name: contact?.name ?? member.display_name, contact: contact?.id, genesis: undefined, verdict: "own" };
  const [first] = households.length === 1 ? households : [];
  if (guest === true) return { handle, name: display_name, contact: undefined, genesis: first, verdict: "guest" };
  const fits = contact?.theirGenesis !== undefined ? households.includes(contact.theirGenesis) : first !== undefined && contact !== undefined && memory.linkFingerprint(contact.id) === undefined;
  if (contact === undefined || !fits) return { handle, name: display_name, contact: undefined, genesis: first, verdict: "stranger" };
  const verdict: Verdict = contact.pin === 2 ? "verified" : contact.pin === 1 ? "unverified" : "first";
  return { handle, name: contact.name, contact: contact.id, genesis: contact.theirGenesis ?? first, verdict };
}

/** Who rings or answered there; undefined when what the server sent is not genuine. */
export async function whoRings(host: CallHost, event: { call: CallId; device: DeviceId; key_package: string; statement: string }): Promise<WhoIs | undefined> {
  try {
    const who = await host.e2ee.request("call.check_ringing", { call: event.call, keyPackage: event.key_package, ringing: event.statement });
    return who.device === event.device ? who : undefined;
  } catch {
    return undefined;
  }
}
