//! A server for member tests: orders commits, relays, and withholds what a test tells it to.

import type { Bytes } from "../../src/e2ee/bytes.ts";
import { CallCrypto } from "../../src/e2ee/call/member.ts";
import type { Input, Output } from "../../src/e2ee/call/message.ts";
import { Expect } from "../../src/e2ee/call/expect.ts";
import { makeKeyPackage, type Me, type OwnKeyPackage } from "../../src/e2ee/call/group.ts";
import { Keyring } from "../../src/e2ee/frames/keyring.ts";
import { signRinging } from "../../src/e2ee/identity/introduction.ts";
import type { Roster } from "../../src/e2ee/identity/roster.ts";
import { deviceIdOf } from "../../src/e2ee/identity/ids.ts";
import { sha256 } from "../../src/e2ee/identity/keys.ts";

export const CALL = "000102030405060708090a0b0c0d0e0f";

/** Outputs of either implementation: those that the server reads look alike. */
export type Logged = Output;

export type SeatInput =
  | Exclude<Input, { type: "add" } | { type: "replace" } | { type: "welcome" }>
  | { type: "replace"; device: string; keyPackage: Bytes; deviceKey: Bytes; statement: Bytes }
  | { type: "add"; keyPackage: Bytes; deviceKey: Bytes; statement: Bytes }
  | { type: "welcome"; welcome: Bytes };

/** A member of the call, in whatever language. */
export interface Seat {
  device: string;
  me: Me;
  log: Logged[];
  keyPackage: Bytes;
  statement: Bytes;
  /** The call code that it shows. */
  readonly code: string;
  step(now: number, input: SeatInput): Promise<Logged[]>;
  encrypt(frame: Bytes): Promise<Bytes | undefined>;
  decrypt(owner: string, frame: Bytes): Promise<Bytes | undefined>;
}

/** A member that runs here. */
export class LocalSeat implements Seat {
  readonly device: string;
  readonly me: Me;
  readonly crypto: CallCrypto;
  readonly expect: Expect;
  readonly keyring = new Keyring();
  readonly log: Logged[] = [];
  code = "";
  #own: OwnKeyPackage;
  statement: Bytes;

  private constructor(me: Me, expect: Expect, own: OwnKeyPackage) {
    this.device = deviceIdOf(me.pair.publicKey);
    this.me = me;
    this.expect = expect;
    this.crypto = new CallCrypto(CALL, me, expect);
    this.#own = own;
    this.statement = introduce(me, own);
  }

  static async make(now: number, me: Me, expect: Expect): Promise<LocalSeat> {
    return new LocalSeat(me, expect, await makeKeyPackage(me, now));
  }

  get keyPackage(): Bytes {
    return this.#own.encoded;
  }

  /** A key package is used once. */
  async freshKeyPackage(now: number): Promise<void> {
    this.#own = await makeKeyPackage(this.me, now);
    this.statement = introduce(this.me, this.#own);
  }

  async step(now: number, input: SeatInput): Promise<Logged[]> {
    const full = input.type === "welcome" ? { ...input, keyPackage: this.#own } : input;
    const outputs = await this.crypto.step(now, full);
    for (const output of outputs) this.#useKeys(output);
    return outputs;
  }

  encrypt(frame: Bytes): Promise<Bytes | undefined> {
    return this.keyring.encrypt(frame);
  }

  async decrypt(owner: string, frame: Bytes): Promise<Bytes | undefined> {
    const result = await this.keyring.decrypt(frame, owner);
    return result.type === "frame" ? new Uint8Array(result.data) : undefined;
  }

  #useKeys(output: Output): void {
    if (output.type === "reset_keys") this.keyring.reset();
    if (output.type === "install_receive_key") this.keyring.installReceiveKey(output.key);
    if (output.type === "switch_send_key") this.keyring.switchSendKey(output.epoch, output.leaf, output.baseKey);
    if (output.type === "drop_receive_key") this.keyring.dropReceiveKey(output.epoch);
    if (output.type === "stop_sending") this.keyring.stopSending();
    if (output.type === "call_code") this.code = output.code;
  }
}

export class Server {
  now: number;
  readonly seats = new Map<string, Seat>();
  /** Members as the server knows them. */
  readonly inside = new Set<string>();
  #epoch = 0;
  readonly #queue: [Seat, SeatInput][] = [];
  readonly #readies = new Set<string>();
  /** Everybody ready switches the epoch; a test may hold that back. */
  executes = true;
  echoes = true;
  relays = true;

  constructor(now: number) {
    this.now = now;
  }

  async seat(me: Me, roster: () => Roster | undefined, others: readonly Uint8Array[]): Promise<LocalSeat> {
    const seat = await LocalSeat.make(this.now, me, new Expect(roster, others));
    this.seats.set(seat.device, seat);
    return seat;
  }

  async create(seat: Seat): Promise<void> {
    this.#epoch = 0;
    this.inside.add(seat.device);
    await this.step(seat, { type: "create" });
  }

  add(by: Seat, { keyPackage, statement, me }: Seat): Promise<void> {
    return this.step(by, { type: "add", keyPackage, statement, deviceKey: me.pair.publicKey });
  }

  /** `who` takes the place of another device of its household. */
  replace(by: Seat, { keyPackage, statement, me }: Seat, device: string): Promise<void> {
    return this.step(by, { type: "replace", device, keyPackage, statement, deviceKey: me.pair.publicKey });
  }

  /** Gives a member its input, then carries out what everybody asks for, in order, until nobody asks for more. */
  async step(seat: Seat, input: SeatInput): Promise<void> {
    this.#queue.push([seat, input]);
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const [whose, what] = next;
      const outputs = await whose.step(this.now, what);
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

  #carry(seat: Seat, output: Logged): void {
    const others = [...this.inside].filter((device) => device !== seat.device);
    if (output.type === "send_commit" && this.echoes) this.#order(seat, output);
    if (output.type === "send_message" && this.relays) this.#to(others, { type: "message", message: output.message });
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
    if (!sent.welcome) return;
    this.inside.add(sent.welcome.device);
    this.#to([sent.welcome.device], { type: "welcome", welcome: sent.welcome.welcome });
  }

  #to(devices: readonly string[], input: SeatInput): void {
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

function introduce(me: Me, own: OwnKeyPackage): Bytes {
  return signRinging({ call: CALL, keyPackageHash: sha256(own.encoded), chain: me.chain }, me.pair);
}
