//! One member's epoch machine: when to commit, which frame keys to hold, what to warn about (docs/call-keys.md).
//!
//! `step(now, input)` returns what is to be done; nothing is sent, timed or shown here. It is a promise only because
//! WebCrypto is: the caller makes one step at a time. The Rust twin is `e2ee/src/member`.

import { type Bytes, equalBytes, toBase64Url } from "../bytes.ts";
import { KIND } from "../identity/certificate.ts";
import type { Identity } from "../identity/chain.ts";
import { sha256 } from "../identity/keys.ts";
import { callCode } from "./code.ts";
import { comparison, readComparison } from "./comparison.ts";
import type { Expect } from "./expect.ts";
import { type CommitResult, Group, GroupError, type Me, type Member, type OwnKeyPackage } from "./group.ts";
import type { Input, Output, State, StopReason } from "./message.ts";
import { Silence } from "./silence.ts";
import { readVouching, VOUCHED_MAX, vouching } from "./vouching.ts";

/** After a prepare, the sending key is switched even when nobody says `execute`. */
export const EXECUTE_AFTER_MS = 2_000;
/** How long frames of an epoch may still arrive after the switch. */
export const KEEP_OLD_KEY_MS = 10_000;
export const COMPARE_EVERY_MS = 10_000;
/** A removal that the server does not echo in this time is being withheld. */
export const REMOVE_ECHO_MAX_MS = 2_000;
/** Epochs remembered for comparison: messages arrive a few epochs late at most. */
const EPOCHS_MAX = 8;
/** Key packages are used once: so many used ones are remembered. */
const USED_MAX = 256;
/** A commit that the server could not take is made again after a moment. */
const RETRY_AFTER_MS = 1_000;
/** Wishes that wait for their commit; a home's call never has more people. */
const WISHES_MAX = 64;

interface SendKey {
  epoch: number;
  leaf: number;
  baseKey: Bytes;
}

/** What an epoch of the past or present is remembered by. */
interface EpochRecord {
  hash: Bytes;
  members: ReadonlyMap<number, string>;
}

export class CallCrypto {
  readonly #call: string;
  readonly #me: Me;
  readonly #expect: Expect;
  #state: State = { type: "idle" };
  #group: Group | undefined;
  #nextKey: SendKey | undefined;
  /** The epoch for which a commit of ours is on its way, and whom it adds. */
  #pending: { epoch: number; adding: string | undefined } | undefined;
  #retryAt = 0;
  readonly #adds = new Map<string, Uint8Array>();
  /** Which device an added one takes the place of, in the same commit. */
  readonly #replaces = new Map<string, string>();
  readonly #removes = new Set<string>();
  readonly #used = new Set<string>();
  #update = false;
  #vouched = 0;
  /** When the oldest removal that is not echoed yet was sent. */
  #removingSince: number | undefined;
  #withheld = false;
  readonly #drops = new Map<number, number>();
  readonly #epochs = new Map<number, EpochRecord>();
  #compareAt = 0;
  readonly #silence = new Silence();

  constructor(call: string, me: Me, expect: Expect) {
    this.#call = call;
    this.#me = me;
    this.#expect = expect;
  }

  get state(): State {
    return this.#state;
  }

  get members(): Member[] {
    return this.#group?.members ?? [];
  }

  async step(now: number, input: Input): Promise<Output[]> {
    const out: Output[] = [];
    switch (input.type) {
      case "create":
        await this.#create(now, out);
        break;
      case "welcome":
        await this.#join(now, input.welcome, input.keyPackage, out);
        break;
      case "add":
        this.#wishAdd(now, input, out);
        break;
      case "replace":
        this.#wishAdd(now, { ...input, type: "add" }, out, input.device);
        break;
      case "forget":
        this.#forget(now, input.device);
        break;
      case "remove":
        this.#wishRemove(input.device);
        break;
      case "update":
        this.#update = true;
        break;
      case "commit":
        await this.#commit(now, input.epoch, input.commit, out);
        break;
      case "epoch_taken":
        // The winner is on its way; until it is applied nothing can be made in this epoch.
        if (this.#pending?.epoch === input.epoch) this.#group?.discardStaged();
        break;
      case "commit_failed":
        if (this.#pending?.epoch === input.epoch) {
          this.#forgetPending();
          this.#retryAt = now + RETRY_AFTER_MS;
        }
        break;
      case "execute":
        if (this.#state.type === "preparing" && input.epoch >= this.#state.next) this.#execute(now, out);
        break;
      case "message":
        await this.#message(now, input.message, out);
        break;
      case "connection":
        this.#silence.connection(now, input.device, input.connected);
        break;
      case "tick":
        await this.#tick(now, out);
    }
    await this.#commitWishes(now, out);
    return out;
  }

  async #create(now: number, out: Output[]): Promise<void> {
    this.#clear();
    try {
      this.#group = await Group.create(this.#call, this.#me, this.#expect, now);
    } catch (error) {
      reportRefusal(error, out);
      throw error;
    }
    out.push({ type: "reset_keys" });
    this.#state = { type: "lone" };
    this.#compareAt = now + COMPARE_EVERY_MS;
  }

  async #join(now: number, welcome: Uint8Array, own: OwnKeyPackage, out: Output[]): Promise<void> {
    if (this.#state.type !== "idle") return;
    let group: Group;
    try {
      group = await Group.join(this.#call, welcome, own, this.#expect, now);
    } catch (error) {
      reportRefusal(error, out);
      out.push({ type: "warn", reason: "invalid_welcome" });
      return;
    }
    this.#clear();
    this.#group = group;
    this.#compareAt = now + COMPARE_EVERY_MS;
    this.#state = { type: "active", epoch: group.epoch };
    out.push({ type: "reset_keys" });
    for (const member of group.members) this.#meet(now, member, out);
    const key = await this.#enterEpoch(out);
    out.push({ type: "send_ready", epoch: key.epoch }, { type: "switch_send_key", ...key });
  }

  /** `old`: whose place it takes, which only another device of the same household can. */
  #wishAdd(now: number, { keyPackage, deviceKey }: Input & { type: "add" }, out: Output[], old?: string): void {
    if (this.#group === undefined || this.#adds.size >= WISHES_MAX) return;
    const name = toBase64Url(sha256(keyPackage));
    if (this.#used.has(name)) return;
    try {
      const identity = this.#group.inspect(keyPackage, now);
      if (!equalBytes(identity.deviceKey, deviceKey)) throw new GroupError("introduced by another", { reason: "wrong_key", identity });
      if (old !== undefined) {
        const replaced = this.members.find((member) => member.identity.device === old);
        const guests = [replaced?.identity.kind, identity.kind].includes(KIND.guest);
        if (replaced === undefined || guests || !equalBytes(replaced.identity.genesis, identity.genesis)) {
          throw new GroupError("takes the place of another household's device", { reason: "bad_key_package", identity });
        }
        if (old !== identity.device) this.#replaces.set(identity.device, old);
      }
      this.#adds.set(identity.device, keyPackage);
      this.#used.add(name);
      const oldest = [...this.#used].at(-USED_MAX - 1);
      if (oldest !== undefined) this.#used.delete(oldest);
    } catch (error) {
      if (!(error instanceof GroupError)) throw error;
      reportBadAdd(error, out);
    }
  }

  #forget(now: number, device: string): void {
    this.#adds.delete(device);
    this.#replaces.delete(device);
    if (this.#pending?.adding === device) {
      this.#forgetPending();
      this.#retryAt = now;
    }
    if (this.#removes.size === 0) {
      this.#removingSince = undefined;
      this.#withheld = false;
    }
  }

  #wishRemove(device: string): void {
    this.#adds.delete(device);
    this.#replaces.delete(device);
    const present = this.members.some((member) => member.identity.device === device) || this.#pending?.adding === device;
    if (present && this.#removes.size < WISHES_MAX) this.#removes.add(device);
  }

  async #commit(now: number, epoch: number, commit: Uint8Array, out: Output[]): Promise<void> {
    const group = this.#group;
    if (group === undefined || epoch < group.epoch) return;
    const wasLone = this.#state.type === "lone";
    let result: CommitResult;
    try {
      if (epoch > group.epoch) throw new GroupError("a commit is missing");
      result = await group.apply(commit, now);
    } catch (error) {
      if (!(error instanceof GroupError)) throw error;
      reportRefusal(error, out);
      this.#end("invalid_commit", out);
      out.push({ type: "warn", reason: "invalid_commit" });
      return;
    }
    if (result.type === "removed") {
      this.#end("removed", out);
      out.push({ type: "left", reason: "removed" });
      return;
    }
    this.#forgetPending();
    if (result.own) this.#update = false;
    await this.#enter(now, result, wasLone, out);
  }

  async #enter(now: number, result: CommitResult & { type: "applied" }, wasLone: boolean, out: Output[]): Promise<void> {
    for (const member of result.left) this.#part(member, out);
    for (const member of result.joined) this.#meet(now, member, out);
    this.#settleWishes();
    if (this.members.length === 1) {
      // Alone again. Who is wished for (a reloaded page) still finds the group.
      if (this.#state.type !== "lone" && this.#state.type !== "idle") this.#drops.set(this.#state.epoch, now + KEEP_OLD_KEY_MS);
      this.#state = { type: "lone" };
      if (this.#adds.size > 0) return;
      this.#clear();
      out.push({ type: "left", reason: "alone" });
      return;
    }
    if (this.#state.type === "preparing") this.#execute(now, out);
    const previous = this.#state.type === "active" ? this.#state.epoch : undefined;
    const key = await this.#enterEpoch(out);
    if (wasLone || previous === undefined) {
      this.#state = { type: "active", epoch: key.epoch };
      out.push({ type: "switch_send_key", ...key });
      return;
    }
    this.#nextKey = key;
    this.#state = { type: "preparing", epoch: previous, next: key.epoch, executeAt: now + EXECUTE_AFTER_MS };
    out.push({ type: "send_ready", epoch: key.epoch });
  }

  /** Installs the receive key of the group's epoch and shows its code. */
  async #enterEpoch(out: Output[]): Promise<SendKey> {
    const group = this.#requireGroup();
    const { epoch, ownLeaf: leaf } = group;
    const baseKey = await group.frameBaseKey();
    const members = new Map(group.members.map((member) => [member.leaf, member.identity.device]));
    this.#epochs.set(epoch, { hash: sha256(group.epochAuthenticator), members });
    const oldest = [...this.#epochs.keys()].at(-EPOCHS_MAX - 1);
    if (oldest !== undefined) this.#epochs.delete(oldest);
    out.push({ type: "install_receive_key", key: { epoch, baseKey, members } });
    out.push({ type: "call_code", epoch, code: callCode(group.epochAuthenticator) });
    return { epoch, leaf, baseKey };
  }

  #execute(now: number, out: Output[]): void {
    if (this.#state.type !== "preparing" || this.#nextKey === undefined) return;
    this.#drops.set(this.#state.epoch, now + KEEP_OLD_KEY_MS);
    out.push({ type: "switch_send_key", ...this.#nextKey });
    this.#state = { type: "active", epoch: this.#state.next };
    this.#nextKey = undefined;
  }

  async #message(now: number, encoded: Uint8Array, out: Output[]): Promise<void> {
    const group = this.#group;
    if (group === undefined) return;
    let message: { leaf: number; epoch: number; data: Uint8Array };
    try {
      message = await group.decrypt(encoded, now);
    } catch (error) {
      // Of an epoch that is not here yet, or garbage. A member that is never understood is noticed by its silence.
      if (error instanceof GroupError) return;
      throw error;
    }
    const vouched = readVouching(message.data);
    if (vouched !== undefined) {
      if (this.#vouched++ < VOUCHED_MAX) this.#expect.allow(vouched, "whoever");
      return;
    }
    const said = readComparison(message.data);
    const own = this.#epochs.get(message.epoch);
    if (own === undefined || said === undefined || said.epoch !== message.epoch) return;
    const sender = own.members.get(message.leaf);
    if (!equalBytes(own.hash, said.hash)) out.push({ type: "warn", reason: "fork" });
    else if (sender !== undefined) this.#silence.heard(now, sender);
  }

  async #tick(now: number, out: Output[]): Promise<void> {
    const silent = this.#silence.tick(now);
    if (this.#state.type === "preparing" && now >= this.#state.executeAt) this.#execute(now, out);
    for (const [epoch, at] of this.#drops) {
      if (now < at) continue;
      this.#drops.delete(epoch);
      out.push({ type: "drop_receive_key", epoch });
    }
    if (!this.#withheld && this.#removingSince !== undefined && now - this.#removingSince >= REMOVE_ECHO_MAX_MS) {
      this.#withheld = true;
      out.push({ type: "stop_sending", reason: "remove_withheld" }, { type: "warn", reason: "remove_withheld" });
    }
    if (this.#state.type !== "active" && this.#state.type !== "preparing") return;
    if (now >= this.#compareAt) await this.#compare(now, out);
    for (let i = 0; i < silent; i++) out.push({ type: "warn", reason: "fork" });
  }

  async #compare(now: number, out: Output[]): Promise<void> {
    this.#compareAt = now + COMPARE_EVERY_MS;
    const group = this.#requireGroup();
    const body = comparison(group.epoch, sha256(group.epochAuthenticator));
    out.push({ type: "send_message", message: await group.encrypt(body) });
  }

  /**
   * One commit at a time, removals first; a device that comes back under its own key is removed before it is added. With
   * an added device goes the one whose place it takes.
   */
  async #commitWishes(now: number, out: Output[]): Promise<void> {
    const group = this.#group;
    const ready = this.#state.type === "lone" || this.#state.type === "active";
    if (group === undefined || !ready || this.#pending !== undefined || now < this.#retryAt) return;
    const members = group.members.filter((member) => member.leaf !== group.ownLeaf);
    let leaving = members.filter(({ identity }) => this.#removes.has(identity.device) || this.#adds.has(identity.device));
    const adding = leaving.length === 0 ? [...this.#adds][0] : undefined;
    const replaced = adding && this.#replaces.get(adding[0]);
    if (replaced !== undefined) leaving = members.filter(({ identity }) => identity.device === replaced);
    if (leaving.length === 0 && adding === undefined && !(this.#update && members.length > 0)) return;
    const change = { remove: leaving.map((member) => member.leaf), add: adding?.[1] };
    try {
      if (adding !== undefined) await this.#vouch(group, group.inspect(adding[1], now), members.length, out);
      const { commit, welcome } = await group.stage(change, now);
      const removed = leaving.map((member) => member.identity.device);
      this.#pending = { epoch: group.epoch, adding: adding?.[0] };
      if (removed.length > 0) this.#removingSince ??= now;
      const invited = adding === undefined || welcome === undefined ? undefined : { device: adding[0], welcome };
      out.push({ type: "send_commit", epoch: group.epoch, commit, welcome: invited, removed });
    } catch (error) {
      if (!(error instanceof GroupError)) throw error;
      if (adding === undefined) throw error;
      this.#adds.delete(adding[0]);
      reportBadAdd(error, out);
    }
  }

  /** A household that no member belongs to yet is vouched for before its first device is added. */
  async #vouch(group: Group, identity: Identity, others: number, out: Output[]): Promise<void> {
    const known = group.members.some((member) => equalBytes(member.identity.genesis, identity.genesis));
    if (known || others === 0) return;
    out.push({ type: "send_message", message: await group.encrypt(vouching(identity.genesis)) });
  }

  /** After an applied commit: wishes that it fulfilled, whoever made it. */
  #settleWishes(): void {
    const present = new Set(this.members.map((member) => member.identity.device));
    for (const device of this.#removes) if (!present.has(device)) this.#removes.delete(device);
    if (this.#removes.size === 0 && ![...this.#adds.keys()].some((device) => present.has(device))) {
      this.#removingSince = undefined;
      this.#withheld = false;
    }
  }

  #meet(now: number, member: Member, out: Output[]): void {
    if (member.leaf === this.#group?.ownLeaf) return;
    this.#adds.delete(member.identity.device);
    this.#replaces.delete(member.identity.device);
    this.#silence.met(now, member.identity.device);
    // A vouching names a key and not what it is: who came as a guest is nothing else in this call.
    if (member.identity.kind === KIND.guest) this.#expect.allow(member.identity.genesis, "guest");
    out.push({ type: "member_joined", member });
  }

  #part(member: Member, out: Output[]): void {
    this.#silence.parted(member.identity.device);
    out.push({ type: "member_left", member });
  }

  #forgetPending(): void {
    this.#pending = undefined;
    this.#group?.discardStaged();
  }

  #end(reason: StopReason, out: Output[]): void {
    this.#clear();
    out.push({ type: "stop_sending", reason });
  }

  #clear(): void {
    this.#state = { type: "idle" };
    this.#group = undefined;
    this.#nextKey = undefined;
    this.#pending = undefined;
    this.#update = this.#withheld = false;
    this.#removingSince = undefined;
    this.#retryAt = 0;
    for (const all of [this.#adds, this.#replaces, this.#removes, this.#used, this.#drops, this.#epochs, this.#silence]) {
      all.clear();
    }
  }

  #requireGroup(): Group {
    if (this.#group === undefined) throw new Error("a step that needs a group was made without one");
    return this.#group;
  }
}

function reportRefusal(error: unknown, out: Output[]): void {
  if (error instanceof GroupError && error.refused !== undefined) {
    out.push({ type: "refused", refused: error.refused });
  }
}

/** An add never fails in silence. */
function reportBadAdd(error: GroupError, out: Output[]): void {
  out.push({ type: "refused", refused: error.refused ?? { reason: "bad_key_package", identity: undefined } });
}
