//! What a call needs of the page around it, for a guest: no contacts, no household, no storage.

import type { CallHost } from "../call/controller.ts";
import type { PeerView, Tone } from "../call/state.ts";
import type { E2ee } from "../e2ee/page.ts";
import type { IdentityStatus, Reply } from "../e2ee/port.ts";
import type { HomeStore } from "../home/store.ts";
import type { Session, Welcome } from "../session/client.ts";

export type GuestKey = Reply<"guest.begin">;

export const NO_HOUSEHOLD: Pick<HomeStore, "home" | "contacts" | "members" | "devices" | "device" | "contactByHandle" | "sortedContacts" | "putContact"> = {
  home: undefined, contacts: new Map(), members: [], devices: [], device: () => undefined, contactByHandle: () => undefined, sortedContacts: () => [],
  putContact: () => Promise.reject(new Error("a guest keeps no contacts")),
};

export interface Around {
  tone(tone: Tone): void;
  rings(): void;
  alert(text: string): void;
  changed(): void;
}

export class Hosting implements CallHost {
  readonly e2ee: E2ee;
  readonly session: Session;
  readonly visitor = true;
  readonly store = NO_HOUSEHOLD;
  /** Remembers nothing: a page that is reloaded knocks again. */
  readonly memory: CallHost["memory"] = {
    linkFingerprint: () => undefined, keepLinkFingerprint: () => undefined, keepChangedKey: () => undefined, call: () => undefined,
    keepCall: () => undefined, setting: () => undefined,
  };
  readonly #identity: IdentityStatus;
  readonly #around: Around;
  #clockOffsetMs = 0;

  constructor(e2ee: E2ee, session: Session, { who, chain }: GuestKey, around: Around) {
    this.e2ee = e2ee;
    this.session = session;
    this.#around = around;
    this.#identity = { state: "ready", confirmed: true, who, chain, notAfterMs: Number.MAX_SAFE_INTEGER, renewalDue: false, certifies: false };
  }

  begun(welcome: Welcome): void {
    this.#clockOffsetMs = welcome.server_time_ms - Date.now();
  }

  identity(): IdentityStatus {
    return this.#identity;
  }
  clockOffsetMs(): number {
    return this.#clockOffsetMs;
  }
  mayUseCamera(): boolean {
    return true;
  }
  maySend(): boolean {
    return true;
  }
  tone(tone: Tone): void {
    this.#around.tone(tone);
  }
  rings(): void {
    // Announced once the machine rings: it can be answered then.
  }
  announce(_peer: PeerView, _video: boolean): void {
    this.#around.rings();
  }
  unannounce(): void {
    // Nothing stands outside this page.
  }
  alert(text: string): void {
    this.#around.alert(text);
  }
  changed(): void {
    this.#around.changed();
  }
}
