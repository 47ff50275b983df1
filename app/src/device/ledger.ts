//! Brings this device's ledger to the server: entry by entry, in order, and again until each is stored.

import type { E2ee } from "../e2ee/page.ts";
import type { DeviceId } from "../protocol.ts";
import type { Session } from "../session/client.ts";

const PAGE = 200;
/** After a failure that no new session heals. */
const AGAIN_AFTER_MS = 30_000;

export class LedgerCourier {
  readonly #e2ee: Pick<E2ee, "request" | "on">;
  readonly #session: Pick<Session, "done" | "request">;
  readonly #alert: (text: string) => void;
  readonly #unlisten: () => void;
  #met = false;
  #device: DeviceId | undefined;
  #work: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(e2ee: Pick<E2ee, "request" | "on">, session: Pick<Session, "done" | "request">, alert: (text: string) => void) {
    this.#e2ee = e2ee;
    this.#session = session;
    this.#alert = alert;
    this.#unlisten = e2ee.on("ledger_wrote", () => this.#bring());
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#unlisten();
  }

  /** A new session: the server's end of it is compared with what was written here before anything is added. */
  begin(device: DeviceId): void {
    this.#device = device;
    this.#work = this.#work.then(() => {
      this.#met = false;
    });
    this.#bring();
  }

  async #meet(device: DeviceId): Promise<void> {
    const { heads } = await this.#session.request({ type: "get_ledger_heads" }, "ledger_heads");
    const length = heads.find((head) => head.device === device)?.length ?? 0;
    const [last] = length === 0 ? [] : (await this.#page(device, length - 1, 1)).entries;
    const { same } = await this.#e2ee.request("own_ledger.meet", { length, last });
    if (!same) await this.#readWhole(device);
    this.#met = true;
  }

  async #readWhole(device: DeviceId): Promise<void> {
    this.#alert("The server shows another record of drop-ins on this device than the device has written. It goes on from there, and says so in it.");
    for (let from = 0, more = true; more;) {
      const page = await this.#page(device, from, PAGE);
      await this.#e2ee.request("own_ledger.read", { entries: page.entries, more: page.more });
      from += page.entries.length;
      more = page.more && page.entries.length > 0;
    }
  }

  #page(device: DeviceId, from: number, limit: number): Promise<{ entries: string[]; more: boolean }> {
    return this.#session.request({ type: "list_ledger", device, from, limit }, "ledger");
  }

  #bring(): void {
    this.#work = this.#work.then(() => this.#bringAll()).catch(() => {
      // Whatever failed, the server may have another end by now.
      this.#met = false;
      this.#again();
    });
  }

  async #bringAll(): Promise<void> {
    if (this.#device === undefined) return;
    if (!this.#met) await this.#meet(this.#device);
    for (;;) {
      const { next } = await this.#e2ee.request("own_ledger.next", {});
      if (next === undefined) return;
      await this.#session.done({ type: "append_ledger", index: next.index, entry: next.entry });
      await this.#e2ee.request("own_ledger.stored", { index: next.index });
    }
  }

  #again(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#bring(), AGAIN_AFTER_MS);
  }
}
