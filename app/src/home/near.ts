//! Near which home devices somebody was lately, as the server tells those who may drop in there. Nothing of it is kept.

import type { DeviceId, Event, Handle, NearDevice } from "../protocol.ts";
import type { Session } from "../session/client.ts";

/** What is older is no news, should the server not say so. */
const LASTS_MS = 10 * 60_000;
/** As many devices as households of contacts have. */
const NEAR_MAX = 1_000;

export class Near {
  readonly #session: Pick<Session, "request">;
  readonly #changed: () => void;
  readonly #now: () => number;
  #told: readonly NearDevice[] = [];
  #toldAtMs = 0;

  constructor(session: Pick<Session, "request">, changed: () => void, now: () => number = Date.now) {
    this.#session = session;
    this.#changed = changed;
    this.#now = now;
  }

  async load(): Promise<void> {
    const { devices } = await this.#session.request({ type: "get_recently_active" }, "recently_active");
    this.#take(devices);
  }

  handle(event: Event): void {
    if (event.type === "recently_active") this.#take(event.devices);
  }

  /** How long ago in rounded minutes, 0 or 5; undefined: not lately, or it is not told. */
  atDevice(device: DeviceId): number | undefined {
    return this.#newest((one) => one.device === device);
  }

  /** At any device of this person. */
  at(handle: Handle): number | undefined {
    return this.#newest((one) => one.handle === handle);
  }

  #newest(fits: (one: NearDevice) => boolean): number | undefined {
    const since = this.#now() - this.#toldAtMs;
    const ages = this.#told.filter(fits).map(({ minutes_ago: minutes }) => minutes).filter((minutes) => minutes * 60_000 + since < LASTS_MS);
    return ages.length === 0 ? undefined : Math.min(...ages);
  }

  #take(devices: readonly NearDevice[]): void {
    this.#told = devices.slice(0, NEAR_MAX);
    this.#toldAtMs = this.#now();
    this.#changed();
  }
}
