//! What this browser remembers outside the key worker: the session token, link fingerprints, keys seen changed.

import type { AccountId, ContactId, DeviceId, GrantId } from "../protocol.ts";
import type { Held } from "./held.ts";
import type { KeptLedger } from "./ledgers.ts";

export interface StoredSession {
  token: string;
  account: AccountId;
  handle: string;
}

/** Where a running call was, so that a reload finds back. No keys. */
export interface StoredCall {
  call: string;
  handle: string;
  genesis: string;
  name: string;
  video: boolean;
  /** A drop-in: a reload ends it. */
  dropIn?: true;
}

export class LocalMemory {
  readonly #prefix: string;

  /** An app tab and a `/device` tab of one browser have a slot each. */
  constructor(slot: "app" | "device") {
    this.#prefix = `homeline.${slot}.`;
  }

  session(): StoredSession | undefined {
    return this.#read<StoredSession>("session");
  }

  keepSession(session: StoredSession | undefined): void {
    this.#write("session", session);
  }

  /** The fingerprint that a contact link carried: the first call must fit it. */
  linkFingerprint(contact: ContactId): string | undefined {
    return this.#read<Record<string, string>>("fingerprints")?.[contact];
  }

  keepLinkFingerprint(contact: ContactId, fingerprint: string | undefined): void {
    this.#entry("fingerprints", contact, fingerprint);
  }

  /** The new key that a contact's household came with, until somebody decides. */
  changedKey(contact: ContactId): string | undefined {
    return this.#read<Record<string, string>>("changed")?.[contact];
  }

  keepChangedKey(contact: ContactId, genesis: string | undefined): void {
    this.#entry("changed", contact, genesis);
  }

  held(): Held | undefined {
    return this.#read<Held>("held");
  }

  keepHeld(held: Held): void {
    this.#write("held", held);
  }

  /** Grants to drop in that were told here. */
  toldGrants(): GrantId[] | undefined {
    return this.#read<GrantId[]>("told-grants");
  }

  keepToldGrants(grants: readonly GrantId[]): void {
    this.#write("told-grants", grants);
  }

  /** How far the ledgers of home devices were seen. */
  ledgers(): Record<DeviceId, KeptLedger> | undefined {
    return this.#read<Record<DeviceId, KeptLedger>>("ledgers");
  }

  keepLedgers(kept: Record<DeviceId, KeptLedger>): void {
    this.#write("ledgers", kept);
  }

  setting(name: string): string | undefined {
    return this.#read<string>(`setting.${name}`);
  }

  keepSetting(name: string, value: string | undefined): void {
    this.#write(`setting.${name}`, value);
  }

  call(): StoredCall | undefined {
    const text = sessionStorage.getItem(`${this.#prefix}call`);
    return text === null ? undefined : (JSON.parse(text) as StoredCall);
  }

  keepCall(call: StoredCall | undefined): void {
    if (call === undefined) sessionStorage.removeItem(`${this.#prefix}call`);
    else sessionStorage.setItem(`${this.#prefix}call`, JSON.stringify(call));
  }

  /** Guests who came by a link of this person, so that they can be taken out of a call after a reload. */
  guests(): string[] {
    const text = sessionStorage.getItem(`${this.#prefix}guests`);
    return text === null ? [] : (JSON.parse(text) as string[]);
  }

  keepGuests(guests: readonly string[]): void {
    if (guests.length === 0) sessionStorage.removeItem(`${this.#prefix}guests`);
    else sessionStorage.setItem(`${this.#prefix}guests`, JSON.stringify(guests));
  }

  forgetAll(): void {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(this.#prefix)) localStorage.removeItem(key);
    }
    this.keepCall(undefined);
    this.keepGuests([]);
  }

  #entry(name: string, key: string, value: string | undefined): void {
    const all = this.#read<Record<string, string>>(name) ?? {};
    if (value === undefined) delete all[key];
    else all[key] = value;
    this.#write(name, all);
  }

  #read<T>(name: string): T | undefined {
    const text = localStorage.getItem(this.#prefix + name);
    if (text === null) return undefined;
    try {
      return JSON.parse(text) as T;
    } catch {
      return undefined;
    }
  }

  #write(name: string, value: unknown): void {
    if (value === undefined) localStorage.removeItem(this.#prefix + name);
    else localStorage.setItem(this.#prefix + name, JSON.stringify(value));
  }
}

export function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
