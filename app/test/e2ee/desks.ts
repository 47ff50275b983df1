//! Key workers without a browser: a desk on records in memory, spoken to as the page does.

import { E2eeError } from "../../src/e2ee/page.ts";
import type { Args, EventName, Events, Reply, RequestName, WorkerMessage } from "../../src/e2ee/port.ts";
import type { Records } from "../../src/e2ee/keys/records.ts";
import { Desk } from "../../src/e2ee/worker/desk.ts";

/** What IndexedDB does, by structured clone, in memory. */
export class MemoryRecords implements Records {
  readonly map = new Map<string, unknown>();

  get(key: string): Promise<unknown> {
    return Promise.resolve(structuredClone(this.map.get(key)));
  }

  update(key: string, change: (old: unknown) => unknown): Promise<void> {
    this.map.set(key, structuredClone(change(structuredClone(this.map.get(key)))));
    return Promise.resolve();
  }

  delete(key: string): Promise<void> {
    this.map.delete(key);
    return Promise.resolve();
  }
}

export class Page {
  readonly records: MemoryRecords;
  readonly desk: Desk;
  readonly events: { name: EventName; value: unknown }[] = [];
  readonly #replies = new Map<number, WorkerMessage>();
  #next = 1;

  constructor(now: () => number, records = new MemoryRecords()) {
    this.records = records;
    this.desk = new Desk(records, now, (message) => {
      if (message.type === "event") this.events.push(message);
      else this.#replies.set(message.id, message);
    });
  }

  async ask<K extends RequestName>(name: K, args: Args<K>): Promise<Reply<K>> {
    const id = this.#next++;
    await this.desk.receive({ id, name, args });
    const reply = this.#replies.get(id);
    if (reply?.type === "reply") return structuredClone(reply.value) as Reply<K>;
    if (reply?.type === "error") throw new E2eeError(reply.code, reply.message);
    throw new Error("no reply");
  }

  /** The code of the error that a request ends in. */
  async fails<K extends RequestName>(name: K, args: Args<K>): Promise<string> {
    try {
      await this.ask(name, args);
    } catch (error) {
      if (error instanceof E2eeError) return error.code;
      throw error;
    }
    return "done";
  }

  take<K extends EventName>(name: K): Events[K][] {
    const taken = this.events.filter((event) => event.name === name).map((event) => event.value as Events[K]);
    const rest = this.events.filter((event) => event.name !== name);
    this.events.splice(0, this.events.length, ...rest);
    return taken;
  }
}
