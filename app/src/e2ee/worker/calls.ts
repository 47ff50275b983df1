//! The calls of this worker: an epoch machine and a keyring for each, and the tracks that use them.

import { type Bytes, equalBytes, fromBase64Url, toBase64Url } from "../bytes.ts";
import type { Expect, RefusedMember } from "../call/expect.ts";
import { makeKeyPackage, type OwnKeyPackage } from "../call/group.ts";
import { CallCrypto } from "../call/member.ts";
import type { Input, Output } from "../call/message.ts";
import { Keyring } from "../frames/keyring.ts";
import type { ReceiveTrack } from "../frames/receive.ts";
import type { Identity } from "../identity/chain.ts";
import { checkInvitation, checkRinging, signInvitation, signRinging } from "../identity/introduction.ts";
import { sha256 } from "../identity/keys.ts";
import type { CallDelivery, EventName, Events, Expect as Expected, FrameCounters } from "../port.ts";
import { DeskError } from "./errors.ts";
import { type Handlers, NOTHING, type Prefixed, readId, readKey } from "./handlers.ts";
import type { Home } from "./home.ts";

/** Ringing and running ones together; the oldest makes no room, a new one is refused. */
export const CALLS_MAX = 16;
export const TRACKS_MAX = 256;
export const TICK_MS = 250;
const REPORT_EVERY_MS = 1_000;

export type Emit = <K extends EventName>(name: K, value: Events[K]) => void;

/** Any of the frames that the browser hands to a transform. */
export type AnyReceiveTrack = Pick<ReceiveTrack<unknown>, "retry" | "expire">;

interface Session {
  crypto: CallCrypto;
  keyring: Keyring;
  expect: Expect;
  /** Made with `ringing`, used by the welcome, once. */
  keyPackage: OwnKeyPackage | undefined;
  reported: { failures: number; at: number };
  /** Households of `expect` that are kept for a page that is reloaded. */
  kept: number;
}

export class Calls {
  readonly #home: Home;
  readonly #emit: Emit;
  readonly #sessions = new Map<string, Session>();
  readonly #tracks = new Map<AnyReceiveTrack, string>();

  constructor(home: Home, emit: Emit) {
    this.#home = home;
    this.#emit = emit;
  }

  /** Asked for at every frame: a call's keys come and go while its tracks stay. */
  keyring(call: string): Keyring | undefined {
    return this.#sessions.get(call)?.keyring;
  }

  /** False when there are too many tracks: the frames of this one are dropped. */
  addTrack(call: string, track: AnyReceiveTrack): boolean {
    if (this.#tracks.size >= TRACKS_MAX) return false;
    this.#tracks.set(track, call);
    return true;
  }

  removeTrack(track: AnyReceiveTrack): void {
    this.#tracks.delete(track);
  }

  /** The initiator's side of a drop-in: nobody but who fits may come, and this key package is for its welcome alone. */
  async wantDropIn(call: string, genesis: Bytes, fits: (identity: Identity) => boolean): Promise<Bytes> {
    const session = this.#start(call);
    session.expect.allow(genesis);
    session.expect.restrict(fits);
    session.keyPackage = await makeKeyPackage(this.#home.me(), this.#home.now());
    return session.keyPackage.encoded;
  }

  /** The target's side: its group, alone in it, for this initiator alone. */
  async openDropIn(call: string, genesis: Bytes, fits: (identity: Identity) => boolean): Promise<void> {
    const session = this.#start(call);
    session.expect.allow(genesis);
    session.expect.restrict(fits);
    await this.#step(call, session, { type: "create" });
  }

  /** The one that announces live: its group, alone in it, for those whom it names. */
  async speakLive(call: string, fits: (identity: Identity) => boolean): Promise<void> {
    if (this.#sessions.has(call)) throw new DeskError("exists", "there is such a call already");
    const session = this.#start(call);
    session.expect.restrict(fits);
    await this.#step(call, session, { type: "create" });
  }

  /** One that hears it: in a group of nobody but whoever `fits`. */
  hearLive(call: string, fits: (identity: Identity) => boolean): Promise<{ keyPackage: string; ringing: string }> {
    if (this.#sessions.has(call)) throw new DeskError("exists", "there is such a call already");
    const session = this.#start(call);
    session.expect.restrict(fits);
    return this.#ringing(call);
  }

  /** The key package that the target was asked with. */
  async admit(call: string, keyPackage: Bytes, deviceKey: Bytes): Promise<void> {
    const [id, session] = this.#session(call);
    await this.#step(id, session, { type: "add", keyPackage, deviceKey });
  }

  async leave(call: string): Promise<void> {
    const session = this.#sessions.get(call);
    session?.keyring.reset();
    this.#sessions.delete(call);
    if (session !== undefined && session.kept > 0) await this.#home.forgetExpected(call);
  }

  get running(): boolean {
    return this.#sessions.size > 0;
  }

  async tick(): Promise<void> {
    for (const track of this.#tracks.keys()) track.expire(this.#home.now());
    for (const [call, session] of [...this.#sessions]) {
      await this.#step(call, session, { type: "tick" });
      this.#report(call, session);
    }
  }

  handlers(): Handlers<Prefixed<"call">> {
    return {
      "call.invitation": ({ call, toHandle, displayName, video, running = false }) => {
        const { pair, chain } = this.#home.me();
        const households = running ? this.#othersIn(call) : [];
        const invitation = { call: readId(call), atMs: this.#home.now(), toHandle, displayName, video, chain, households };
        return { invitation: toBase64Url(signInvitation(invitation, pair)) };
      },
      "call.check_invitation": ({ call, handle, invitation }) => {
        const expected = { call: readId(call), handle };
        const checked = checkInvitation(fromBase64Url(invitation), expected, this.#home.now());
        this.#home.refuseCaller(checked.caller);
        const { displayName, video, households = [] } = checked.invitation;
        return { who: this.#home.whoIs(checked.caller), displayName, video, households: households.map(toBase64Url) };
      },
      "call.ringing": ({ call }) => this.#ringing(readId(call)),
      "call.check_ringing": ({ call, keyPackage, ringing }) => {
        const expected = { call: readId(call), keyPackage: fromBase64Url(keyPackage) };
        return this.#home.whoIs(checkRinging(fromBase64Url(ringing), expected, this.#home.now()));
      },
      "call.create": async ({ call, expect }) => {
        const id = readId(call);
        const session = this.#start(id);
        allow(session.expect, expect);
        await this.#keepExpected(id, session);
        await this.#step(id, session, { type: "create" });
        return NOTHING;
      },
      "call.expect": async ({ call, expect, again = false }) => {
        const id = readId(call);
        const session = this.#start(id);
        if (again) for (const genesis of await this.#home.expectedIn(id)) session.expect.allow(genesis, "whoever");
        allow(session.expect, expect);
        await this.#keepExpected(id, session);
        return NOTHING;
      },
      "call.add": async ({ call, keyPackage, ringing }) => {
        const [id, session] = this.#session(call);
        const bytes = fromBase64Url(keyPackage);
        const introduced = checkRinging(fromBase64Url(ringing), { call: id, keyPackage: bytes }, this.#home.now());
        await this.#step(id, session, { type: "add", keyPackage: bytes, deviceKey: introduced.deviceKey });
        return NOTHING;
      },
      "call.replace": async ({ call, device, keyPackage, ringing }) => {
        const [id, session] = this.#session(call);
        const bytes = fromBase64Url(keyPackage);
        const introduced = checkRinging(fromBase64Url(ringing), { call: id, keyPackage: bytes }, this.#home.now());
        const input = { type: "replace" as const, device: readId(device), keyPackage: bytes, deviceKey: introduced.deviceKey };
        await this.#step(id, session, input);
        return NOTHING;
      },
      "call.forget": ({ call, device }) => this.#input(call, { type: "forget", device: readId(device) }),
      "call.remove": ({ call, device }) => this.#input(call, { type: "remove", device: readId(device) }),
      "call.update": ({ call }) => this.#input(call, { type: "update" }),
      "call.deliver": (delivery) => this.#deliver(delivery),
      "call.leave": async ({ call }) => {
        await this.leave(readId(call));
        return NOTHING;
      },
      "call.counters": ({ call }): FrameCounters => ({ ...this.#session(call)[1].keyring.counters }),
    };
  }

  async #ringing(call: string): Promise<{ keyPackage: string; ringing: string }> {
    const session = this.#start(call);
    const me = this.#home.me();
    const keyPackage = await makeKeyPackage(me, this.#home.now());
    session.keyPackage = keyPackage;
    const ringing = { call, keyPackageHash: sha256(keyPackage.encoded), chain: me.chain };
    return { keyPackage: toBase64Url(keyPackage.encoded), ringing: toBase64Url(signRinging(ringing, me.pair)) };
  }

  #start(call: string): Session {
    const found = this.#sessions.get(call);
    if (found !== undefined) return found;
    if (this.#sessions.size >= CALLS_MAX) throw new DeskError("too_many", "too many calls at once");
    const expect = this.#home.expect();
    const crypto = new CallCrypto(call, this.#home.me(), expect);
    const session = { crypto, keyring: new Keyring(), expect, keyPackage: undefined, reported: { failures: 0, at: 0 }, kept: 0 };
    this.#sessions.set(call, session);
    return session;
  }

  #session(call: string): [string, Session] {
    const id = readId(call);
    const session = this.#sessions.get(id);
    if (session === undefined) throw new DeskError("unknown_call", "this worker is in no such call");
    return [id, session];
  }

  async #input(call: string, input: Input): Promise<Record<string, never>> {
    const [id, session] = this.#session(call);
    await this.#step(id, session, input);
    return NOTHING;
  }

  async #deliver(delivery: CallDelivery): Promise<Record<string, never>> {
    const [id, session] = this.#session(delivery.call);
    const input = readDelivery(delivery, session);
    // A welcome that nothing here asked for; the key package is spent either way.
    if (input === undefined) throw new DeskError("bad_request", "no key package waits for this welcome");
    await this.#step(id, session, input);
    return NOTHING;
  }

  async #step(call: string, session: Session, input: Input): Promise<void> {
    for (const output of await session.crypto.step(this.#home.now(), input)) await this.#carry(call, session, output);
    await this.#keepExpected(call, session);
  }

  /** Whom this member expects outlives a reload of the page; the keys do not. */
  async #keepExpected(call: string, session: Session): Promise<void> {
    const { households } = session.expect;
    if (households.length === session.kept || this.#sessions.get(call) !== session) return;
    session.kept = households.length;
    // Without storage the call goes on all the same; only a reload of the page would drop out.
    await this.#home.keepExpected(call, households).catch(() => undefined);
  }

  /** The households in a call, the own one aside, as whoever comes into it must know them. */
  #othersIn(call: string): Bytes[] {
    const [, session] = this.#session(call);
    const own = this.#home.roster().genesis;
    const others = session.crypto.members.map(({ identity }) => identity.genesis).filter((genesis) => !equalBytes(genesis, own));
    return [...new Map(others.map((genesis) => [toBase64Url(genesis), genesis])).values()];
  }

  async #carry(call: string, session: Session, output: Output): Promise<void> {
    const { keyring } = session;
    switch (output.type) {
      case "send_commit":
        return this.#emit("send", showCommit(call, output));
      case "send_ready":
        return this.#emit("send", { type: "epoch_ready", call, epoch: output.epoch });
      case "send_message":
        return this.#emit("send", { type: "send_group_message", call, message: toBase64Url(output.message) });
      case "reset_keys":
        return keyring.reset();
      case "install_receive_key":
        keyring.installReceiveKey(output.key);
        for (const [track, of] of this.#tracks) if (of === call) void track.retry(this.#home.now());
        return;
      case "switch_send_key":
        keyring.switchSendKey(output.epoch, output.leaf, output.baseKey);
        return this.#emit("sending", { call, epoch: output.epoch });
      case "drop_receive_key":
        return keyring.dropReceiveKey(output.epoch);
      case "stop_sending":
        keyring.stopSending();
        return this.#emit("stop_sending", { call, reason: output.reason });
      case "left":
        keyring.reset();
        return this.#emit("left", { call, reason: output.reason });
      case "call_code":
        return this.#emit("call_code", { call, epoch: output.epoch, code: output.code });
      case "member_joined":
      case "member_left": {
        const { leaf, identity } = output.member;
        return this.#emit(output.type, { call, leaf, who: this.#home.whoIs(identity) });
      }
      case "refused":
        return this.#emit("refused_member", { call, ...this.#showRefused(output.refused) });
      case "warn":
        return this.#emit("warning", { call, reason: output.reason });
    }
  }

  #showRefused({ reason, identity }: RefusedMember) {
    return { reason, who: identity === undefined ? undefined : this.#home.whoIs(identity) };
  }

  /**
   * All failures are counted; the page hears of them once a second at most. Replays alone are no news: Chromium assembles
   * a frame twice when its only packet is sent again as padding.
   */
  #report(call: string, session: Session): void {
    const { counters } = session.keyring;
    const failures = counters.unknownKey + counters.wrongSender + counters.authentication + counters.malformed;
    const now = this.#home.now();
    if (failures === session.reported.failures || now - session.reported.at < REPORT_EVERY_MS) return;
    session.reported = { failures, at: now };
    this.#emit("decrypt_failures", { call, counters: { ...counters } });
  }
}

function allow(expect: Expect, { genesis, guests = [], whoever = [] }: Expected): void {
  for (const key of genesis) expect.allow(readKey(key));
  for (const key of guests) expect.allow(readKey(key), "guest");
  for (const key of whoever) expect.allow(readKey(key), "whoever");
}

function readDelivery(delivery: CallDelivery, session: Session): Input | undefined {
  switch (delivery.type) {
    case "group_welcome": {
      const keyPackage = session.keyPackage;
      session.keyPackage = undefined;
      return keyPackage && { type: "welcome", welcome: fromBase64Url(delivery.welcome), keyPackage };
    }
    case "group_commit":
      return { type: "commit", epoch: delivery.epoch, commit: fromBase64Url(delivery.commit) };
    case "epoch_execute":
      return { type: "execute", epoch: delivery.epoch };
    case "group_message":
      return { type: "message", message: fromBase64Url(delivery.message) };
    case "participant_connection":
      return { type: "connection", device: readId(delivery.device), connected: delivery.connected };
    case "epoch_taken":
    case "commit_failed":
      return { type: delivery.type, epoch: delivery.epoch };
  }
}

function showCommit(call: string, output: Output & { type: "send_commit" }): Events["send"] {
  const { epoch, commit, welcome, removed } = output;
  const shown = welcome === undefined ? null : { device: welcome.device, welcome: toBase64Url(welcome.welcome) };
  return { type: "send_commit", call, epoch, commit: toBase64Url(commit), welcome: shown, removed };
}

