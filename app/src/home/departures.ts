//! Devices and people who go: the signed removals, and the request that carries them.

import type { E2ee } from "../e2ee/page.ts";
import type { RosterDevice, RosterView } from "../e2ee/port.ts";
import type { AccountId, DeviceId } from "../protocol.ts";
import type { Session } from "../session/client.ts";

export interface Departing {
  readonly e2ee: Pick<E2ee, "request">;
  readonly session: Pick<Session, "done">;
  readonly roster: RosterView | undefined;
  /** Whether this app may sign. */
  readonly adult: boolean;
  /** This app's device. */
  readonly self: DeviceId;
}

/** Takes one device out. */
export async function removeDevice(by: Departing, device: DeviceId): Promise<void> {
  const known = by.roster?.devices.find((candidate) => candidate.device === device);
  if (known === undefined) throw new Error("This device is not in the signed roster of your household.");
  const { entry } = await by.e2ee.request("roster.remove_device", { deviceKey: known.deviceKey });
  await by.session.done({ type: "remove_device", device, entry });
}

/** Takes a member out and their devices. */
export async function removeMember(by: Departing, account: AccountId, devices: readonly DeviceId[]): Promise<void> {
  await by.session.done({ type: "remove_member", account, entries: await removals(by, devices) });
}

/** An app that may not sign sends none: an adult's app is asked to. */
export async function leaveHousehold(by: Departing, devices: readonly DeviceId[]): Promise<void> {
  await by.session.done({ type: "leave_household", entries: by.adult ? await removals(by, devices) : [] });
}

export async function deregister(by: Departing, password: string, devices: readonly DeviceId[], handOverTo: AccountId | null): Promise<void> {
  const entries = by.adult ? await removals(by, devices) : [];
  await by.session.done({ type: "deregister", password, hand_over_to: handOverTo, entries });
}

/** This app itself comes last: after its own removal it could sign nothing. */
async function removals({ e2ee, roster, self }: Departing, devices: readonly DeviceId[]): Promise<string[]> {
  const listed = (roster?.devices ?? []).filter(({ device }) => devices.includes(device));
  const last = (device: RosterDevice): number => (device.device === self ? 1 : 0);
  const deviceKeys = listed.sort((a, b) => last(a) - last(b)).map(({ deviceKey }) => deviceKey);
  const { entries } = await e2ee.request("roster.remove_devices", { deviceKeys });
  return entries;
}
