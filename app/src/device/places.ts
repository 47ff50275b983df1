//! Where somebody at this home device may want to drop in: the other rooms of the household, then its contacts. Pure; whether they may is asked elsewhere.

import type { PeerView } from "../call/state.ts";
import type { Near } from "../home/near.ts";
import type { ContactView, HomeStore } from "../home/store.ts";
import { hasPicture, roomOf } from "../screens/drop_in_home.ts";
import { peerOf } from "./buttons.ts";
import type { DeviceId } from "../protocol.ts";

/** Each is a question to the server: far fewer than it takes of one session at once. Others are found by their name. */
export const PLACES_MAX = 32;

export interface Place {
  /** The device's, or the contact's. */
  id: string;
  peer: PeerView;
  /** There may be one of it. */
  picture: boolean;
  /** How long ago somebody was near there, in rounded minutes. */
  near: number | undefined;
}

export interface Around {
  readonly store: Pick<HomeStore, "devices" | "members" | "sortedContacts">;
  readonly ownGenesis: string | undefined;
  readonly self: DeviceId | undefined;
  readonly near: Pick<Near, "at" | "atDevice"> | undefined;
  /** A contact whose household came with another key. */
  keyChanged(contact: string): boolean;
}

export function places(around: Around, typed: string): { shown: Place[]; more: boolean } {
  const all = [...rooms(around), ...people(around)];
  const wanted = typed.trim().toLowerCase();
  const fitting = wanted === "" ? all : all.filter(({ peer }) => peer.name.toLowerCase().includes(wanted));
  return { shown: fitting.slice(0, PLACES_MAX), more: all.length > PLACES_MAX };
}

function rooms(around: Around): Place[] {
  return around.store.devices.flatMap((device) => {
    const peer = device.id === around.self ? undefined : roomOf(around, device);
    return peer === undefined ? [] : [{ id: device.id, peer, picture: hasPicture(device), near: around.near?.atDevice(device.id) }];
  });
}

/** Those whose household was met: it is meant by its key. The own household is dropped in on by its rooms. */
function people(around: Around): Place[] {
  const met = ({ id, theirGenesis, pin, trouble }: ContactView): boolean =>
    theirGenesis !== undefined && theirGenesis !== around.ownGenesis && pin !== 3 && trouble === undefined && !around.keyChanged(id);
  return around.store.sortedContacts().filter(met).map((contact) => ({ id: contact.id, peer: peerOf(contact), picture: true, near: around.near?.at(contact.handle) }));
}
