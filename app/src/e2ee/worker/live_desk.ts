//! Requests about live announcements: who may be in the group of one is said by the signed list of its devices.

import { type Bytes, compareBytes, equalBytes, fromBase64Url, toBase64Url } from "../bytes.ts";
import { AnnouncementError, Heard } from "../identity/announcement.ts";
import { KIND } from "../identity/certificate.ts";
import type { Identity } from "../identity/chain.ts";
import { LIVE_DEVICES_MAX, type LiveAnnouncement, liveCountsUntil, openLive, signLive } from "../identity/live.ts";
import { equalKeys, keyText } from "../identity/keytext.ts";
import type { Reply } from "../port.ts";
import type { Calls } from "./calls.ts";
import { DeskError } from "./errors.ts";
import { type Handlers, type Prefixed, readId } from "./handlers.ts";
import type { Home } from "./home.ts";

/** Those that this device was told of and does not hear yet; the oldest goes. */
const TAKEN_MAX = 4;

export class LiveDesk {
  readonly #home: Home;
  readonly #calls: Calls;
  #heard = new Heard();
  readonly #taken = new Map<string, { live: LiveAnnouncement; from: Identity }>();

  constructor(home: Home, calls: Calls) {
    this.#home = home;
    this.#calls = calls;
  }

  /** With the keys of this device. */
  forgetAll(): void {
    this.#heard = new Heard();
    this.#taken.clear();
  }

  handlers(): Handlers<Prefixed<"live">> {
    return {
      "live.announce": ({ call, devices }) => this.#announce(readId(call), devices.map(readId)),
      "live.take": ({ call, device, statement }) => this.#take(readId(call), readId(device), statement),
      "live.hear": ({ call }) => this.#hear(readId(call)),
    };
  }

  /** Signs for those of the devices that the roster has as home devices, and makes the group, alone in it. */
  async #announce(call: string, wanted: readonly string[]): Promise<Reply<"live.announce">> {
    const { pair, home } = this.#home.ready();
    const listed = this.#home.roster().devices.filter(({ id, kind, key }) => kind === KIND.device && wanted.includes(id) && !equalBytes(key, pair.publicKey));
    if (listed.length === 0) throw new AnnouncementError("no_devices");
    if (listed.length > LIVE_DEVICES_MAX) throw new AnnouncementError("too_many");
    const devices = listed.map(({ key }) => key).sort(compareBytes);
    const live = { genesis: home.genesis, call, atMs: this.#home.now(), devices, chain: this.#home.chain() };
    await this.#calls.speakLive(call, members(pair.publicKey, devices));
    return { statement: toBase64Url(signLive(live, pair)), devices: listed.map(({ id }) => id) };
  }

  #take(call: string, device: string, statement: string): Reply<"live.take"> {
    const now = this.#home.now();
    const { live, from } = openLive(fromBase64Url(statement), this.#home.roster(), now);
    if (live.call !== call || from.device !== device) throw new DeskError("bad_signature", "the server tells of another announcement than was signed");
    const { pair } = this.#home.ready();
    if (!live.devices.some((one) => equalKeys(one, pair.publicKey))) throw new AnnouncementError("not_for_us");
    this.#heard.take(live.call, liveCountsUntil(live), now);
    const oldest = [...this.#taken.keys()].at(-TAKEN_MAX);
    if (oldest !== undefined) this.#taken.delete(oldest);
    this.#taken.set(call, { live, from });
    return { who: this.#home.whoIs(from) };
  }

  /** A key package for its welcome: into a group of the named devices and the announcing one alone. */
  #hear(call: string): Promise<Reply<"live.hear">> {
    const taken = this.#taken.get(call);
    if (taken === undefined) throw new DeskError("not_for_me", "there is no such announcement");
    this.#taken.delete(call);
    return this.#calls.hearLive(call, members(taken.from.deviceKey, taken.live.devices));
  }
}

/** The one that speaks, and those that it named; that they are of the household is checked besides. */
function members(speaker: Bytes, devices: readonly Bytes[]): (identity: Identity) => boolean {
  const keys = new Set([speaker, ...devices].map(keyText));
  return ({ deviceKey, kind }) => keys.has(keyText(deviceKey)) && (kind === KIND.device || equalKeys(deviceKey, speaker));
}
