//! The rules of reaching people, as this app's session asks for them and hears of them. The server decides; here is what was last told.

import type {
  AccountId, Capabilities, Child, ChildLimits, Device, DeviceId, DoNotDisturb, Event, Handle, Home, Member, PersonSettings, Request, Role, Switches, TopContact,
} from "../protocol.ts";
import type { Session } from "../session/client.ts";

/** A person who is nobody's child yet, by the server's defaults. */
const NOTHING_SET: PersonSettings = { do_not_disturb: { everywhere: false, schedule: null, exceptions: [] }, blocked: [], top_contact: null };

export class Rules {
  readonly #session: Pick<Session, "done">;
  readonly #home: () => Home | undefined;
  readonly #changed: () => void;
  #limits: Promise<void> = Promise.resolve();

  constructor(session: Pick<Session, "done">, home: () => Home | undefined, changed: () => void) {
    this.#session = session;
    this.#home = home;
    this.#changed = changed;
  }

  /** What the signed-in person has set for themself. */
  get mine(): PersonSettings {
    return this.#home()?.settings ?? NOTHING_SET;
  }

  get children(): readonly Child[] {
    return this.#home()?.children ?? [];
  }

  child(account: AccountId): Child | undefined {
    return this.children.find((child) => child.account === account);
  }

  get leaveRequests(): readonly AccountId[] {
    return this.#home()?.leave_requests ?? [];
  }

  blocks(handle: Handle): boolean {
    return this.mine.blocked.includes(handle);
  }

  setRole(account: AccountId, role: Role): Promise<void> {
    return this.#ask({ type: "set_role", account, role });
  }

  /** The owner makes another adult the owner. */
  handOverOwnership(to: AccountId): Promise<void> {
    return this.#ask({ type: "hand_over_ownership", to });
  }

  setDevice(device: DeviceId, change: { label: string | null; room: string | null }): Promise<void> {
    return this.#ask({ type: "set_device", device, ...change }, (home) => {
      const found = deviceOf(home, device);
      if (found === undefined) return;
      found.label = change.label ?? found.label;
      found.settings = { ...found.settings, room: change.room ?? found.settings.room };
    });
  }

  silence(device: DeviceId, on: boolean): Promise<void> {
    return this.#ask({ type: "set_device_do_not_disturb", device, on }, (home) => {
      const found = deviceOf(home, device);
      if (found !== undefined) found.settings = { ...found.settings, do_not_disturb: on };
    });
  }

  /** Whether anybody may drop in on a device, whatever the grants. */
  allowDropIn(device: DeviceId, on: boolean): Promise<void> {
    return this.#ask({ type: "set_drop_in", device, on }, (home) => {
      const found = deviceOf(home, device);
      if (found !== undefined) found.settings = { ...found.settings, drop_in: on };
    });
  }

  /** Whether a home device says that somebody is near it. */
  allowNear(device: DeviceId, on: boolean): Promise<void> {
    return this.#ask({ type: "set_recently_active", device, on }, (home) => {
      const found = deviceOf(home, device);
      if (found !== undefined) found.settings = { ...found.settings, recently_active: on };
    });
  }

  silenceEverything(on: boolean): Promise<void> {
    return this.#ask({ type: "set_do_not_disturb_everywhere", on }, (home) => {
      home.settings.do_not_disturb = { ...home.settings.do_not_disturb, everywhere: on };
    });
  }

  setDoNotDisturb(wanted: DoNotDisturb): Promise<void> {
    return this.#ask({ type: "set_do_not_disturb", do_not_disturb: wanted }, (home) => {
      home.settings.do_not_disturb = wanted;
    });
  }

  block(handle: Handle): Promise<void> {
    return this.#ask({ type: "block", handle }, (home) => {
      home.settings.blocked = [...home.settings.blocked.filter((other) => other !== handle), handle];
    });
  }

  unblock(handle: Handle): Promise<void> {
    return this.#ask({ type: "unblock", handle }, (home) => {
      home.settings.blocked = home.settings.blocked.filter((other) => other !== handle);
    });
  }

  setTopContact(wanted: TopContact | null): Promise<void> {
    return this.#ask({ type: "set_top_contact", top_contact: wanted }, (home) => {
      home.settings.top_contact = wanted;
    });
  }

  /** One after the other: the server takes them whole, and two quick changes must not undo each other. */
  setLimits(account: AccountId, change: Partial<ChildLimits>): Promise<void> {
    const asked = this.#limits.then(async () => {
      const before = this.child(account)?.limits;
      if (before === undefined) return;
      const limits = { ...before, ...change };
      await this.#ask({ type: "set_child_limits", account, limits }, (home) => {
        home.children = home.children.map((child) => (child.account === account ? { ...child, limits } : child));
      });
    });
    this.#limits = asked.catch(() => undefined);
    return asked;
  }

  tellCapabilities(capabilities: Capabilities): Promise<void> {
    return this.#session.done({ type: "set_capabilities", capabilities });
  }

  tellSwitches(switches: Switches): Promise<void> {
    return this.#session.done({ type: "set_switches", switches });
  }

  /** Asks, and takes over here what the server has acknowledged: it may tell the other sessions only. */
  async #ask(request: Request, take: (home: Home) => void = () => undefined): Promise<void> {
    await this.#session.done(request);
    const home = this.#home();
    if (home !== undefined) take(home);
    this.#changed();
  }
}

/** Takes in an event about the rules; others are left alone. */
export function applyRule(home: Home, event: Event): void {
  switch (event.type) {
    case "device_settings_changed": {
      const device = deviceOf(home, event.device);
      if (device !== undefined) Object.assign(device, { label: event.label, settings: event.settings });
      return;
    }
    case "do_not_disturb_changed": {
      const { type: _, ...now } = event;
      home.settings.do_not_disturb = now;
      return;
    }
    case "blocks_changed":
      home.settings.blocked = event.blocked;
      return;
    case "top_contact_changed":
      home.settings.top_contact = event.top_contact;
      return;
    case "child_changed": {
      const { type: _, ...child } = event;
      home.children = [...home.children.filter(({ account }) => account !== child.account), child];
      return;
    }
    case "leave_requested":
      if (!home.leave_requests.includes(event.account)) home.leave_requests = [...home.leave_requests, event.account];
      return;
    default:
      return;
  }
}

/** Who is no member or no child any more leaves nothing behind. */
export function forgetGone(home: Home, members: readonly Member[]): void {
  const here = new Map(members.map(({ id, role }) => [id, role]));
  home.children = home.children.filter(({ account }) => here.get(account) === "child");
  home.leave_requests = home.leave_requests.filter((account) => here.has(account));
}

function deviceOf(home: Home, id: DeviceId): Device | undefined {
  return home.household?.devices.find((device) => device.id === id);
}
