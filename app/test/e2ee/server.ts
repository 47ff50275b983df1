//! A server for member tests: orders commits, relays, and withholds what a test tells it to.

import { CallCrypto, type Input, type Output } from "../../src/e2ee/call/member.ts";
import { Expect } from "../../src/e2ee/call/expect.ts";
import { makeKeyPackage, type Me, type OwnKeyPackage } from "../../src/e2ee/call/group.ts";
import type { Roster } from "../../src/e2ee/identity/roster.ts";
import { deviceIdOf } from "../../src/e2ee/identity/ids.ts";

export const CALL = "000102030405060708090a0b0c0d0e0f";

export interface Seat {
  device: string;
  me: Me;
  crypto: CallCrypto;
  own: OwnKeyPackage;
  log: Output[];
}

export class Server {
  now: number;
  readonly seats = new Map<string, Seat>();
  /** Members as the server knows them. */
  readonly inside = new Set<string>();
  #epoch = 0;
  readonly #queue: [Seat, Input][] = [];
  readonly #readies = new Set<string>();
  /** Everybody ready switches the epoch; a test may hold that back. */
  executes = true;
  echoes = true;

  constructor(now: number) {
    this.now = now;
  }

  async seat(me: Me, roster: () => Roster, others: readonly Uint8Array[]): Promise<Seat> {
    const own = await makeKeyPackage(me, this.now);
    const seat = { device: deviceIdOf(me.pair.publicKey), me, crypto: new CallCrypto(CALL, me, new Expect(roster, others)), own, log: [] };
    this.seats.set(seat.device, seat);
    return seat;
  }

  async create(seat: Seat): Promise<void> {
    this.#epoch = 0;
    this.inside.add(seat.device);
    await this.step(seat, { type: "create" });
  }

  add(by: Seat, whom: Seat): Promise<void> {
    return this.step(by, { type: "add", keyPackage: whom.own.encoded, deviceKey: whom.me.pair.publicKey });
  }

  /** Gives a member its input, then carries out what everybody asks for, in order, until nobody asks for more. */
  async step(seat: Seat, input: Input): Promise<void> {
    this.#queue.push([seat, input]);
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const [whose, what] = next;
      const outputs = await whose.crypto.step(this.now, what);
      whose.log.push(...outputs);
      for (const output of outputs) this.#carry(whose, output);
    }
  }

  async tick(milliseconds: number): Promise<void> {
    for (const end = this.now + milliseconds; this.now < end; ) {
      this.now = Math.min(end, this.now + 250);
      for (const device of [...this.inside]) await this.step(this.#seat(device), { type: "tick" });
    }
  }

  #carry(seat: Seat, output: Output): void {
    const others = [...this.inside].filter((device) => device !== seat.device);
    if (output.type === "send_commit" && this.echoes) this.#order(seat, output);
    if (output.type === "send_message") this.#to(others, { type: "message", message: output.message });
    if (output.type === "send_ready" && this.executes) this.#ready(seat, output.epoch);
  }

  #ready(seat: Seat, epoch: number): void {
    this.#readies.add(`${epoch} ${seat.device}`);
    if (![...this.inside].every((device) => this.#readies.has(`${epoch} ${device}`))) return;
    this.#to([...this.inside], { type: "execute", epoch });
  }

  #order(seat: Seat, sent: Output & { type: "send_commit" }): void {
    if (sent.epoch !== this.#epoch) return this.#to([seat.device], { type: "epoch_taken", epoch: sent.epoch });
    this.#epoch++;
    this.#to([...this.inside], { type: "commit", epoch: sent.epoch, commit: sent.commit });
    for (const device of sent.removed) this.inside.delete(device);
    if (sent.welcome === undefined) return;
    const joining = this.#seat(sent.welcome.device);
    this.inside.add(joining.device);
    this.#to([joining.device], { type: "welcome", welcome: sent.welcome.welcome, keyPackage: joining.own });
  }

  #to(devices: readonly string[], input: Input): void {
    for (const device of devices) this.#queue.push([this.#seat(device), input]);
  }

  #seat(device: string): Seat {
    const seat = this.seats.get(device);
    if (seat === undefined) throw new Error("nobody sits there");
    return seat;
  }
}

export function last<T extends Output["type"]>(seat: Seat, type: T): (Output & { type: T }) | undefined {
  return seat.log.findLast((output): output is Output & { type: T } => output.type === type);
}

export function types(seat: Seat): string[] {
  return seat.log.map((output) => output.type);
}
