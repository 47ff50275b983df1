//! Answer policies of home devices: which of them hold, and how a device answers somebody.
//!
//! A policy counts only when an adult of the pinned household signed it for that very device, and never an older one than
//! seen before. What does not hold is left out, and whoever is not named is asked about: the device rings and waits.

import type { E2ee } from "../e2ee/page.ts";
import type { PolicyRule, RosterDevice, RosterView } from "../e2ee/port.ts";
import type { AnswerPolicy, Blob, DeviceId } from "../protocol.ts";

export type AnswerMode = "ask" | PolicyRule["mode"];

interface Policy {
  revision: number;
  rules: readonly PolicyRule[];
}

/** A rule that names the person outranks one for everybody of the household. */
export function modeFor(rules: readonly PolicyRule[], genesis: string, person: string): AnswerMode {
  const of = (wanted: string): PolicyRule | undefined => rules.find((rule) => rule.theirGenesis === genesis && rule.person === wanted);
  return (of(person) ?? of(""))?.mode ?? "ask";
}

export class Policies {
  readonly #e2ee: Pick<E2ee, "request">;
  #known = new Map<DeviceId, Policy>();

  constructor(e2ee: Pick<E2ee, "request">) {
    this.#e2ee = e2ee;
  }

  /** Whether a policy of this device holds. */
  knows(device: DeviceId): boolean {
    return this.#known.has(device);
  }

  rules(device: DeviceId): readonly PolicyRule[] {
    return this.#known.get(device)?.rules ?? [];
  }

  /** All anew: a signer may have left the household since, so what was known counts no more by itself. */
  async load(shown: readonly AnswerPolicy[], roster: RosterView | undefined): Promise<void> {
    this.#known = new Map();
    for (const policy of shown) await this.take(policy, roster);
  }

  async take(shown: AnswerPolicy, roster: RosterView | undefined): Promise<void> {
    const listed = homeDevice(roster, shown.device);
    if (listed === undefined) return;
    try {
      const { deviceKey, revision, rules } = await this.#e2ee.request("policy.open", { policy: shown.policy });
      const known = this.#known.get(shown.device);
      if (deviceKey !== listed.deviceKey || (known !== undefined && known.revision >= revision)) return;
      this.#known.set(shown.device, { revision, rules });
    } catch {
      // Not signed by an adult of this household, or older than one that was seen.
    }
  }

  /** Its revision is the time, which grows whichever adult's app signs, and whether or not the last policy can be read. */
  async sign(device: DeviceId, rules: PolicyRule[], roster: RosterView | undefined): Promise<Blob> {
    const listed = homeDevice(roster, device);
    if (listed === undefined) throw new Error("This device is not in the signed roster of your household.");
    const revision = Math.max(Date.now(), (this.#known.get(device)?.revision ?? 0) + 1);
    const { policy } = await this.#e2ee.request("policy.sign", { deviceKey: listed.deviceKey, revision, rules });
    return policy;
  }
}

function homeDevice(roster: RosterView | undefined, id: DeviceId): RosterDevice | undefined {
  return roster?.devices.find(({ device, kind }) => device === id && kind === "home_device");
}
