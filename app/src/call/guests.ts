//! Guests in a running call: letting one in beside the others, and taking one out.

import type { Expect, WhoIs } from "../e2ee/port.ts";
import type { CallId, DeviceId, Event } from "../protocol.ts";
import type { CallHost } from "./controller.ts";
import type { PeerView, Running } from "./state.ts";

type Adding = Extract<Event, { type: "adding_answered" | "adding_ended" }>;

/** Whom to expect of somebody's: a guest's key is that guest's and no household's. */
export function expecting({ genesis, verdict }: PeerView): Expect {
  if (genesis === undefined) return { genesis: [] };
  return verdict === "guest" ? { genesis: [], guests: [genesis] } : { genesis: [genesis] };
}

export class Guests {
  readonly #host: CallHost;
  readonly #running: () => Running | undefined;
  /** Let in by this page into the running call. */
  #adding: { call: CallId; who: WhoIs; ended: (failure?: Error) => void } | undefined;

  constructor(host: CallHost, running: () => Running | undefined) {
    this.#host = host;
    this.#running = running;
  }

  /** Whether the one who is being added to that call is a guest whom this page lets in. */
  adds(call: CallId): boolean {
    return this.#adding?.call === call;
  }

  /** Adds a guest whose knock was checked. Comes back once they are let into the group, or fails with words. */
  async letIn(who: WhoIs): Promise<void> {
    const running = this.#running();
    if (running === undefined) throw new Error("The call is over.");
    if (this.#adding !== undefined) throw new Error("Somebody is being let in just now. Try again in a moment.");
    const { e2ee, session, store } = this.#host;
    const { call } = running;
    const ends = new Promise<void>((resolve, reject) => {
      this.#adding = { call, who, ended: (failure) => (failure === undefined ? resolve() : reject(failure)) };
    });
    try {
      const displayName = store.home?.account.display_name ?? "";
      const { invitation } = await e2ee.request("call.invitation", { call, toHandle: who.device, displayName, video: running.video, running: true });
      await session.done({ type: "add_to_call", call, to: { guest: who.device }, invitation });
    } catch (error) {
      this.#end(error instanceof Error ? error : new Error(String(error)));
    }
    return ends;
  }

  remove(guest: DeviceId): Promise<void> {
    const running = this.#running();
    if (running === undefined) return Promise.resolve();
    return this.#host.session.done({ type: "remove_guest", call: running.call, guest });
  }

  async handle(event: Adding): Promise<void> {
    const adding = this.#adding;
    if (adding === undefined || adding.call !== event.call) return;
    if (event.type === "adding_ended") return this.#end(new Error(`${adding.who.label} went away meanwhile.`));
    const { e2ee, session } = this.#host;
    const { call, key_package: keyPackage, statement: ringing } = event;
    try {
      const who = await e2ee.request("call.check_ringing", { call, keyPackage, ringing });
      if (who.kind !== "guest" || who.genesis !== adding.who.genesis) throw new Error("Somebody else answered for the guest and was refused.");
      await e2ee.request("call.expect", { call, expect: { genesis: [], guests: [who.genesis] } });
      await e2ee.request("call.add", { call, keyPackage, ringing });
      this.#end();
    } catch (error) {
      // Never in the group, so never heard: the server turns them away.
      await session.done({ type: "cancel_adding", call }).catch(() => undefined);
      this.#end(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** The call is over. */
  over(): void {
    if (this.#adding !== undefined) this.#end(new Error("The call ended before the guest was in."));
  }

  #end(failure?: Error): void {
    const adding = this.#adding;
    this.#adding = undefined;
    adding?.ended(failure);
    this.#host.changed();
  }
}
