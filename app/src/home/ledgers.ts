//! What happened at the household's home devices, as each has signed it, checked against the longest end that this app remembers.
//!
//! At each start the newest entries of every ledger are read, up to the remembered end and beyond it; the whole of it from the first
//! entry when somebody looks at the page, and once a day. What does not fit is said loudly, until an adult has decided to go on.

import type { E2ee } from "../e2ee/page.ts";
import type { LedgerPoint, LedgerRead, LedgerTrouble } from "../e2ee/port_ledger.ts";
import type { Blob, DeviceId, Event } from "../protocol.ts";
import type { Session } from "../session/client.ts";
import { type Happened, merged } from "./ledger_lines.ts";

/** As the server bounds an answer. */
const PAGE = 200;
/** Entries of one device that are kept to be shown; older ones are checked and forgotten. */
const SHOWN_MAX = 1_000;
/** As the server bounds them; of further devices nothing is remembered. */
const LEDGERS_MAX = 256;
const DAY_MS = 24 * 60 * 60 * 1_000;
/** After one that was not answered. */
const AGAIN_AFTER_MS = 30_000;

/** What is remembered of one ledger. */
export interface KeptLedger {
  /** Of which household: who moves to another one knows nothing of its ledgers. */
  genesis: string;
  length: number;
  hash: Blob;
  /** What the device was called, for when it is gone. */
  label: string;
  /** When the whole of it was read. */
  wholeAtMs: number;
}

export interface LedgerMemory {
  ledgers(): Record<DeviceId, KeptLedger> | undefined;
  keepLedgers(kept: Record<DeviceId, KeptLedger>): void;
}

export interface LedgerView {
  /** In order, the newest of them. */
  entries: LedgerRead[];
  trouble: LedgerTrouble | undefined;
}

export interface LedgersHost {
  memory: LedgerMemory;
  /** The own household; undefined while it is not known. */
  genesis(): string | undefined;
  /** What a device is called now; undefined: it is gone. */
  label(device: DeviceId): string | undefined;
  changed(): void;
  now?: () => number;
}

export class Ledgers {
  readonly #e2ee: Pick<E2ee, "request">;
  readonly #session: Pick<Session, "request">;
  readonly #host: LedgersHost;
  readonly #views = new Map<DeviceId, LedgerView>();
  #happened: Happened[] | undefined;
  #work: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(e2ee: Pick<E2ee, "request">, session: Pick<Session, "request">, host: LedgersHost) {
    this.#e2ee = e2ee;
    this.#session = session;
    this.#host = host;
  }

  get views(): ReadonlyMap<DeviceId, LedgerView> {
    return this.#views;
  }

  /** All of it by time, newest first. */
  get happened(): readonly Happened[] {
    return (this.#happened ??= merged([...this.#views].map(([device, { entries }]) => [device, entries] as const)));
  }

  /** Devices with whose ledger something is wrong. */
  get troubles(): { device: DeviceId; trouble: LedgerTrouble }[] {
    return [...this.#views].flatMap(([device, { trouble }]) => (trouble === undefined ? [] : [{ device, trouble }]));
  }

  label(device: DeviceId): string {
    return this.#host.label(device) ?? this.#kept()[device]?.label ?? "A device that is gone";
  }

  /** All of them; `whole`: from the first entry on. */
  load(whole = false): Promise<void> {
    return this.#next(async () => {
      const { heads } = await this.#session.request({ type: "get_ledger_heads" }, "ledger_heads");
      const devices = new Set([...Object.keys(this.#kept()), ...heads.map(({ device }) => device)]);
      const failed: unknown[] = [];
      // One that is not answered keeps no other from being looked at.
      for (const device of [...devices].slice(0, LEDGERS_MAX)) await this.#check(device, whole).catch((error: unknown) => failed.push(error));
      if (failed.length > 0) throw failed[0];
    });
  }

  /** At the beginning of a session, and again until the server has answered for each. */
  begin(): void {
    clearTimeout(this.#timer);
    void this.load().catch(() => {
      this.#timer = setTimeout(() => this.begin(), AGAIN_AFTER_MS);
    });
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  handle(event: Event): void {
    if (event.type !== "ledger_grew") return;
    const { device, index, entry } = event;
    // What fails is found again at the next start.
    void this.#next(() => this.#grew(device, index, entry)).catch(() => undefined);
  }

  /** An adult goes on from what the server has now. Fails when that is no sound ledger. */
  accept(device: DeviceId): Promise<void> {
    return this.#next(async () => {
      const { entries, end, trouble } = await this.#read(device, undefined, 0);
      if (trouble !== undefined) throw new Error("What the server has is no sound record of that device. Remove the device and pair it anew.");
      this.#keep(device, end, this.#now());
      this.#show(device, { entries, trouble: undefined });
    });
  }

  async #check(device: DeviceId, asked: boolean): Promise<void> {
    const known = this.#kept()[device];
    const whole = asked || known === undefined || this.#now() - known.wholeAtMs >= DAY_MS || known.wholeAtMs > this.#now();
    const { entries, end, trouble } = await this.#read(device, known, whole ? 0 : Math.max(0, known.length - PAGE));
    if (trouble === undefined) this.#keep(device, end, whole ? this.#now() : known.wholeAtMs);
    this.#show(device, { entries, trouble });
  }

  async #read(device: DeviceId, remembered: LedgerPoint | undefined, began: number): Promise<LedgerView & { end: { length: number; hash: Blob } }> {
    let at: LedgerPoint = { length: began };
    let entries: LedgerRead[] = [];
    for (;;) {
      const page = await this.#page(device, at.length);
      // A page without entries has none after it, whatever the server says.
      const more = page.more && page.entries.length > 0;
      const point = remembered && { length: remembered.length, hash: remembered.hash };
      const read = await this.#e2ee.request("ledgers.read", { device, entries: page.entries, more, remembered: point, began, at });
      entries = [...entries, ...read.entries].slice(-SHOWN_MAX);
      if (read.trouble !== undefined || !more) return { entries, end: read.end, trouble: read.trouble };
      at = read.end;
    }
  }

  async #page(device: DeviceId, from: number): Promise<{ entries: Blob[]; more: boolean }> {
    try {
      return await this.#session.request({ type: "list_ledger", device, from, limit: PAGE }, "ledger");
    } catch (error) {
      // A ledger that the server does not know any more is one that became shorter.
      if ((error as { code?: string }).code === "not_found") return { entries: [], more: false };
      throw error;
    }
  }

  async #grew(device: DeviceId, index: number, entry: Blob): Promise<void> {
    const known = this.#kept()[device];
    const view = this.#views.get(device);
    if (view?.trouble !== undefined || index < (known?.length ?? 0)) return;
    if (view === undefined || known === undefined || index > known.length) return this.#check(device, false);
    const remembered = { length: known.length, hash: known.hash };
    const read = await this.#e2ee.request("ledgers.read", { device, entries: [entry], more: false, remembered, began: known.length, at: remembered });
    if (read.trouble === undefined) this.#keep(device, read.end, known.wholeAtMs);
    this.#show(device, { entries: [...view.entries, ...read.entries].slice(-SHOWN_MAX), trouble: read.trouble });
  }

  #show(device: DeviceId, view: LedgerView): void {
    this.#views.set(device, view);
    this.#happened = undefined;
  }

  #kept(): Record<DeviceId, KeptLedger> {
    const genesis = this.#host.genesis();
    return Object.fromEntries(Object.entries(this.#host.memory.ledgers() ?? {}).filter(([, kept]) => kept.genesis === genesis));
  }

  #keep(device: DeviceId, { length, hash }: { length: number; hash: Blob }, wholeAtMs: number): void {
    const { [device]: before, ...others } = this.#kept();
    const genesis = this.#host.genesis();
    if (length === 0 || genesis === undefined) return this.#host.memory.keepLedgers(others);
    if (before === undefined && Object.keys(others).length >= LEDGERS_MAX) return;
    const label = this.#host.label(device) ?? before?.label ?? "A device that is gone";
    this.#host.memory.keepLedgers({ ...others, [device]: { genesis, length, hash, label, wholeAtMs } });
  }

  #now(): number {
    return (this.#host.now ?? Date.now)();
  }

  #next(work: () => Promise<void>): Promise<void> {
    const result = this.#work.then(work).finally(() => this.#host.changed());
    this.#work = result.catch(() => undefined);
    return result;
  }
}
