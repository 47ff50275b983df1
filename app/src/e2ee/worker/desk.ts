//! All requests of the page, one after another, each to its handler.

import { Expected } from "../keys/expected.ts";
import { KeyStore } from "../keys/keystore.ts";
import type { Records } from "../keys/records.ts";
import type { EventName, Events, RequestMessage, RequestName, WorkerMessage } from "../port.ts";
import { AnnouncementDesk } from "./announcement_desk.ts";
import { Calls } from "./calls.ts";
import { DropInDesk } from "./drop_in_desk.ts";
import { codeOf } from "./errors.ts";
import { grantDesk } from "./grant_desk.ts";
import { guestDesk } from "./guest_desk.ts";
import { type Handlers } from "./handlers.ts";
import { Home } from "./home.ts";
import { householdDesk } from "./household_desk.ts";
import { identityDesk } from "./identity_desk.ts";
import { ledgersDesk } from "./ledgers_desk.ts";
import { LiveDesk } from "./live_desk.ts";
import { PairingDesk } from "./pairing_desk.ts";

export class Desk {
  readonly calls: Calls;
  readonly #dropIn: DropInDesk;
  readonly #handlers: Handlers<RequestName>;
  readonly #post: (message: WorkerMessage) => void;
  #last: Promise<void> = Promise.resolve();
  #ticking = false;

  constructor(records: Records, now: () => number, post: (message: WorkerMessage) => void) {
    this.#post = post;
    const home = new Home(new KeyStore(records), new Expected(records), now);
    const pairing = new PairingDesk(home);
    const emit = <K extends EventName>(name: K, value: Events[K]) => post({ type: "event", name, value });
    this.calls = new Calls(home, emit);
    const dropIn = new DropInDesk(home, this.calls, records, emit);
    this.#dropIn = dropIn;
    const announcements = new AnnouncementDesk(home, records);
    const live = new LiveDesk(home, this.calls);
    const identity = identityDesk(home, pairing.takeRevealed);
    this.#handlers = {
      ...identity, ...dropIn.handlers(),
      forget: async (args) => {
        await dropIn.forgetAll();
        await announcements.forgetAll();
        live.forgetAll();
        return identity.forget(args);
      },
      ...householdDesk(home), ...grantDesk(home), ...ledgersDesk(home), ...pairing.handlers(), ...guestDesk(home), ...announcements.handlers(), ...live.handlers(),
      ...this.calls.handlers(),
    };
  }

  /** Answers every request once, in order. */
  receive(message: RequestMessage): Promise<void> {
    return this.#inOrder(() => this.#answer(message));
  }

  /** Called every quarter of a second; skipped while the one before is not done. */
  async tick(): Promise<void> {
    if (this.#ticking || !(this.calls.running || this.#dropIn.running)) return;
    this.#ticking = true;
    try {
      await this.#inOrder(async () => {
        await this.#dropIn.tick();
        await this.calls.tick();
      });
    } finally {
      this.#ticking = false;
    }
  }

  async #answer({ id, name, args }: RequestMessage): Promise<void> {
    try {
      const handler = this.#handlers[name] as ((args: unknown) => unknown) | undefined;
      if (handler === undefined || !Object.hasOwn(this.#handlers, name)) throw new RangeError(`no such request: ${name}`);
      this.#post({ type: "reply", id, value: await handler(args) });
    } catch (error) {
      const text = error instanceof Error ? error.message : "the request failed";
      this.#post({ type: "error", id, code: codeOf(error), message: text });
    }
  }

  #inOrder(run: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(run, run);
    return this.#last;
  }
}

