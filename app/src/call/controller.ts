//! Runs the call machine: turns events into inputs after checking signatures, and does what the machine asks for.

import type { E2ee } from "../e2ee/page.ts";
import type { CallSend, Events, IdentityStatus, WhoIs } from "../e2ee/port.ts";
import type { ContactView, HomeStore } from "../home/store.ts";
import { type LocalMemory, randomId } from "../home/local.ts";
import type { CallId, DeviceId, Event, RunningCall } from "../protocol.ts";
import type { SourceKind } from "../media/capture.ts";
import type { Session } from "../session/client.ts";
import { RequestError } from "../session/errors.ts";
import { CallMedia } from "./call_media.ts";
import { expecting, Guests } from "./guests.ts";
import { step } from "./machine.ts";
import { judge, judgeGuest, type Verdict } from "./pins.ts";
import type { CallState, Effect, Ending, Input, PeerView, Tone } from "./state.ts";

export interface CallHost {
  readonly e2ee: E2ee;
  readonly session: Session;
  readonly store: Pick<HomeStore, "home" | "contacts" | "members" | "contactByHandle" | "device" | "putContact">;
  readonly memory: Pick<LocalMemory, "linkFingerprint" | "keepLinkFingerprint" | "keepChangedKey" | "call" | "keepCall" | "setting">;
  /** A guest's page: it is called under its device's id, by the household whose link was opened. */
  readonly visitor?: boolean;
  identity(): IdentityStatus;
  /** The server's clock minus this one's. */
  clockOffsetMs(): number;
  /** Devices that have no camera, or are speakers, say no. */
  mayUseCamera(): boolean;
  /** False while the device's own switch is off. */
  maySend(source: SourceKind): boolean;
  tone(tone: Tone): void;
  /** Said before it rings: who it is by their certificates, and no key of theirs has changed. */
  rings(call: CallId, who: WhoIs): void;
  /** Rings with words: a notification, a spoken name. */
  announce(peer: PeerView, video: boolean): void;
  unannounce(): void;
  /** Something that a person should read even without a call screen. */
  alert(text: string): void;
  changed(): void;
}

/** A call that was not put through, since the caller's key is not the pinned one. */
export interface BlockedCall {
  contact: ContactView;
  genesis: string;
}

export class CallController {
  state: CallState = { at: "idle" };
  media: CallMedia | undefined;
  blocked: BlockedCall | undefined;
  /** Why the last call could not be started, in the server's words. */
  failure: string | undefined;
  /** Guests in the running call, and those who are being let into it. */
  readonly guests: Guests;
  readonly #host: CallHost;
  #events: Promise<void> = Promise.resolve();
  #started: Promise<void> = Promise.resolve();
  /** The own answer is taken: only then does the server listen to this device's switches. */
  #joined: Promise<void> = Promise.resolve();
  #ringTimer: ReturnType<typeof setTimeout> | undefined;
  /** Devices that are let in again after a reload: their old leaf goes, they stay. */
  readonly #returning = new Set<DeviceId>();
  /** Households that a call's invitation named, besides the one that invites. */
  #invited: { call: CallId; households: string[] } | undefined;
  readonly #unlisten: (() => void)[];

  constructor(host: CallHost) {
    this.#host = host;
    this.guests = new Guests(host, () => (this.state.at === "running" ? this.state : undefined));
    this.#unlisten = [...this.#listen(host.e2ee), ...this.guests.listen()];
  }

  dial(peer: PeerView, video: boolean): void {
    this.failure = undefined;
    this.input({ on: "dial", call: randomId(), peer, video: video && this.#host.mayUseCamera() });
  }

  answer(video: boolean): void {
    const path = this.media?.path ?? "connecting";
    this.input({ on: "answer", video: video && this.#host.mayUseCamera(), nowMs: Date.now(), path });
  }

  hangUp(reason: "hung_up" | "encryption_refused" | "media_failed" = "hung_up"): void {
    this.input({ on: "hang_up", reason, nowMs: Date.now() });
  }

  input(input: Input): void {
    const next = step(this.state, input);
    this.state = next.state;
    for (const effect of next.effects) this.#run(effect);
    this.#host.changed();
  }

  /** Events of calls; checks that take time keep their order, what needs none is taken in at once. */
  handle(event: Event): void {
    switch (event.type) {
      case "tracks":
        if (this.media?.call === event.call) this.media.subscribe(event.tracks);
        return;
      case "participants":
        return this.input({ on: "participants", call: event.call, participants: event.participants, self: this.#self() });
      case "media_restart":
        if (this.media?.call === event.call) this.media.restart();
        return;
      default:
        this.#events = this.#events.then(() => this.#handle(event)).catch(() => undefined);
    }
  }

  /** The device's own switches were moved. */
  switchesChanged(): void {
    this.media?.switchesChanged();
  }

  networkChanged(): void {
    this.media?.restart();
  }

  /** A new session: what became of a running call meanwhile, and is there one that this tab had before a reload? */
  async recover(): Promise<void> {
    const { calls } = await this.#host.session.request({ type: "list_calls" }, "calls");
    const state = this.state;
    if (state.at === "idle" || state.at === "ended") return this.#rejoin(calls);
    const mine = calls.find(({ call }) => call === state.call);
    if (mine === undefined) this.input({ on: "over", call: state.call, reason: "server_restarted", nowMs: Date.now() });
    else this.media?.restart();
  }

  /** Both sides read the same digits: the contact is verified from now on. */
  async verify(): Promise<void> {
    if (this.state.at !== "running" || this.state.peer.contact === undefined || this.state.peer.genesis === undefined) return;
    const contact = this.#host.store.contacts.get(this.state.peer.contact);
    if (contact === undefined) return;
    const { id, name, handle } = contact;
    await this.#host.store.putContact({ id, name, handle, pin: 2, theirGenesis: this.state.peer.genesis });
    this.input({ on: "peer_pinned", verdict: "verified" });
  }

  /** This page has lost its session for good (another tab took over): media stops here, the call may go on there. */
  abandon(): void {
    const state = this.state;
    if (state.at === "idle") return;
    this.input({ on: "over", call: state.call, reason: "left_here", nowMs: Date.now() });
    this.input({ on: "dismiss" });
  }

  /** Ends a call on this side when the person signs out. */
  dispose(): void {
    if (this.state.at === "running" || this.state.at === "outgoing") this.hangUp();
    clearTimeout(this.#ringTimer);
    for (const unlisten of this.#unlisten) unlisten();
  }

  #self(): DeviceId {
    const identity = this.#host.identity();
    return identity.state === "ready" ? identity.who.device : "";
  }

  /** A call that this device has, though this page holds none: it was reloaded, or closed and opened again. */
  #rejoin(calls: readonly RunningCall[]): void {
    const stored = this.#host.memory.call();
    this.#host.memory.keepCall(undefined);
    const running = calls.find(({ here }) => here);
    if (running === undefined || (running.phase !== "answered" && running.direction === "incoming")) return;
    const { call } = running;
    if (running.phase !== "answered") return this.#run({ do: "cancel", call });
    const same = stored?.call === call ? stored : undefined;
    const contact = this.#host.store.contactByHandle(running.party.handle);
    const genesis = same?.genesis ?? contact?.theirGenesis;
    if (genesis === undefined) return this.#run({ do: "hang_up", call, reason: "hung_up" });
    const peer: PeerView = {
      handle: running.party.handle, name: contact?.name ?? same?.name ?? running.party.display_name, contact: contact?.id, genesis,
      verdict: running.party.guest === true ? "guest" : contact?.pin === 2 ? "verified" : contact === undefined ? "stranger" : "unverified",
    };
    const outgoing = running.direction === "outgoing";
    this.input({ on: "rejoin", call, peer, video: same?.video ?? false, outgoing, nowMs: Date.now() });
  }

  async #handle(event: Event): Promise<void> {
    const { e2ee } = this.#host;
    switch (event.type) {
      case "incoming_call": return this.#incoming(event);
      case "device_ringing": return this.#deviceRings(event);
      case "call_answered": return this.#answered(event);
      case "call_ended": return this.input({ on: "over", call: event.call, reason: event.reason, nowMs: Date.now() });
      case "call_switches": return this.input({ on: "their_switches", call: event.call, device: event.device, media: event.media });
      case "participant_connection":
        this.input({ on: "their_connection", call: event.call, device: event.device, connected: event.connected });
        await e2ee.request("call.deliver", event);
        return;
      case "member_left":
        await e2ee.request("call.remove", { call: event.call, device: event.device });
        return;
      case "move_accepted": {
        // The worker takes only another device of the household whose device goes.
        const { call, from, key_package: keyPackage, statement } = event;
        await e2ee.request("call.replace", { call, device: from, keyPackage, ringing: statement });
        return;
      }
      case "adding_answered":
      case "adding_ended":
        return this.guests.handle(event);
      case "group_welcome":
      case "group_commit":
      case "epoch_execute":
      case "group_message":
        await e2ee.request("call.deliver", event);
        return;
      default:
        return;
    }
  }

  async #incoming(event: Extract<Event, { type: "incoming_call" }>): Promise<void> {
    const { e2ee, session, store, memory } = this.#host;
    const { call } = event;
    const refuse = (): Promise<void> => session.done({ type: "refuse_invitation", call }).catch(() => undefined);
    const left = event.expires_at_ms - this.#host.clockOffsetMs() - Date.now();
    if (left <= 0) return;
    if (this.state.at !== "idle" && this.state.at !== "ended") return refuse();
    let checked;
    try {
      checked = await e2ee.request("call.check_invitation", { call, handle: this.#host.visitor === true ? this.#self() : event.to.handle, invitation: event.invitation });
    } catch (error) {
      const code = (error as { code?: string }).code;
      if (code !== "stale") this.#host.alert("A call was turned away: its invitation was not signed by a genuine device.");
      return refuse();
    }
    this.#invited = { call, households: checked.households };
    const contact = store.contactByHandle(event.from.handle);
    const verdict = this.#host.visitor === true ? "first_by_link" : judge(contact, checked.who, contact && memory.linkFingerprint(contact.id));
    if (verdict === "changed" && contact !== undefined) {
      this.#keyChanged(contact, checked.who.genesis);
      return refuse();
    }
    const member = verdict === "own" ? store.members.find(({ id }) => id === checked.who.person) : undefined;
    // A room calls by its own name.
    const room = verdict === "own" && checked.who.kind === "home_device" ? store.device(checked.who.device)?.label : undefined;
    const name = room ?? contact?.name ?? member?.display_name ?? checked.displayName;
    const peer: PeerView = { handle: event.from.handle, name, contact: contact?.id, genesis: checked.who.genesis, verdict };
    const rings = await e2ee.request("call.ringing", { call });
    this.#started = session.done({ type: "ringing", call, key_package: rings.keyPackage, statement: rings.ringing });
    this.#started.catch(() => this.input({ on: "over", call, reason: "cancelled", nowMs: Date.now() }));
    clearTimeout(this.#ringTimer);
    this.#ringTimer = setTimeout(() => this.input({ on: "ring_expired", call }), left);
    const expiresAtMs = Date.now() + left;
    this.#host.rings(call, checked.who);
    this.input({ on: "incoming", call, peer, video: checked.video, to: event.to.display_name, expiresAtMs });
  }

  async #deviceRings(event: Extract<Event, { type: "device_ringing" }>): Promise<void> {
    const who = await this.#checkRinging(event);
    if (who === undefined) return this.input({ on: "device_refused", call: event.call });
    this.input({ on: "device_rings", call: event.call, device: event.device, verdict: who.verdict, genesis: who.genesis });
  }

  async #answered(event: Extract<Event, { type: "call_answered" }>): Promise<void> {
    const { call, device, media, key_package: keyPackage, statement } = event;
    const who = await this.#checkRinging(event);
    if (who === undefined) return this.input({ on: "hang_up", reason: "encryption_refused", nowMs: Date.now() });
    const path = this.media?.path ?? "connecting";
    this.input({ on: "answered", call, nowMs: Date.now(), path, device, media, verdict: who.verdict, genesis: who.genesis, keyPackage, statement });
  }

  /** Who rings there, by their certificates; undefined when what the server sent is not genuine. */
  async #checkRinging(event: { call: CallId; device: DeviceId; key_package: string; statement: string }): Promise<{ genesis: string; verdict: Verdict } | undefined> {
    const { e2ee, memory, store } = this.#host;
    const state = this.state;
    if ((state.at !== "outgoing" && state.at !== "running") || state.call !== event.call) return undefined;
    try {
      const who = await e2ee.request("call.check_ringing", { call: event.call, keyPackage: event.key_package, ringing: event.statement });
      if (who.device !== event.device) return undefined;
      const guest = state.at === "outgoing" || who.kind === "guest" ? judgeGuest(state.peer, who) : undefined;
      if (guest !== undefined) return guest ? { genesis: who.genesis, verdict: "guest" } : undefined;
      const contact = state.peer.contact === undefined ? undefined : store.contacts.get(state.peer.contact);
      return { genesis: who.genesis, verdict: judge(contact, who, contact && memory.linkFingerprint(contact.id)) };
    } catch {
      return undefined;
    }
  }

  #keyChanged(contact: ContactView, genesis: string): void {
    this.#host.memory.keepChangedKey(contact.id, genesis);
    this.blocked = { contact, genesis };
    this.#host.changed();
  }

  #run(effect: Effect): void {
    const { session, memory, store } = this.#host;
    const ignore = (): undefined => undefined;
    switch (effect.do) {
      case "start":
        this.#joined = Promise.resolve();
        this.#started = this.#start(effect);
        this.#started.catch(ignore);
        return;
      case "connect_media": return this.#connectMedia(effect.call, effect.camera && this.#host.mayUseCamera());
      case "open_media":
        if (this.media?.call !== effect.call) this.#connectMedia(effect.call, effect.camera);
        return this.media?.open(effect.camera);
      case "answer":
        this.#joined = this.#answer(effect);
        return;
      case "rejoin":
        // The server drops the old transport when it hears of the new member: the offer waits for that.
        this.#started = this.#comeBack(effect);
        return;
      case "admit": return void this.#admit(effect);
      case "admit_again": {
        const { call, device, keyPackage, statement } = effect;
        this.#returning.add(device);
        return void this.#host.e2ee.request("call.add", { call, keyPackage, ringing: statement }).catch(ignore);
      }
      case "decline": return void session.done({ type: "decline", call: effect.call }).catch(ignore);
      case "cancel": return void session.done({ type: "cancel", call: effect.call }).catch(ignore);
      case "hang_up": return void session.done({ type: "hang_up", call: effect.call, reason: effect.reason }).catch(ignore);
      case "tell_media":
        return void this.#joined.then(() => session.done({ type: "set_media", call: effect.call, media: effect.media })).catch(ignore);
      case "close": return this.#close(effect.call);
      case "tone": return this.#host.tone(effect.tone);
      case "announce": return this.#host.announce(effect.peer, effect.video);
      case "unannounce": return this.#host.unannounce();
      case "switch": return this.media?.switch(effect.source, effect.on);
      case "pin": return void this.#pin(effect);
      case "changed_key": {
        const contact = store.contacts.get(effect.contact);
        if (contact !== undefined) this.#keyChanged(contact, effect.genesis);
        return;
      }
      case "remember": {
        const { handle, name, genesis = "" } = effect.peer;
        return memory.keepCall({ call: effect.call, handle, name, genesis, video: effect.video });
      }
      case "forget": return memory.keepCall(undefined);
    }
    effect satisfies never;
  }

  async #start({ call, peer, video }: Extract<Effect, { do: "start" }>): Promise<void> {
    const { e2ee, session, store } = this.#host;
    const account = store.home?.account;
    try {
      await e2ee.request("call.create", { call, expect: expecting(peer) });
      const { invitation } = await e2ee.request("call.invitation", {
        call, toHandle: peer.handle, displayName: account?.display_name ?? "", video,
      });
      await session.done({ type: "start_call", call, to: peer.target ?? { handle: peer.handle }, video, invitation });
    } catch (error) {
      this.failure = error instanceof Error ? error.message : undefined;
      this.input({ on: "start_failed", call, reason: endingOf(error) });
      throw error;
    }
  }

  #connectMedia(call: CallId, camera: boolean): void {
    const { e2ee, session, memory } = this.#host;
    const here = (): boolean => this.media?.call === call;
    this.media?.close();
    this.media = new CallMedia(call, e2ee, {
      offer: async (offer) => {
        await this.#started;
        return session.request(offer, "media_answer");
      },
      quality: (of) => session.request({ type: "get_quality", call: of }, "quality"),
      captured: (source, problem) => here() && this.input({ on: "captured", source, problem }),
      path: (path) => here() && this.input({ on: "path", path }),
      failed: () => here() && this.#mediaFailed(),
      changed: () => this.#host.changed(),
    }, memory.setting("original") === "on", (source) => this.#host.maySend(source));
    this.media.connect(camera);
  }

  /** While it only rings, answering tries anew. */
  #mediaFailed(): void {
    if (this.state.at !== "incoming") return this.hangUp("media_failed");
    this.media?.close();
    this.media = undefined;
  }

  async #answer({ call, genesis, media }: Extract<Effect, { do: "answer" }>): Promise<void> {
    const { e2ee, session } = this.#host;
    try {
      const invited = this.#invited?.call === call ? this.#invited.households : [];
      await e2ee.request("call.expect", { call, expect: { genesis: genesis === undefined ? [] : [genesis], whoever: invited } });
      await session.done({ type: "answer", call, media });
    } catch (error) {
      this.input({ on: "answer_failed", call, reason: endingOf(error) });
    }
  }

  /** A fresh key package, as if it rang and were answered: the other side removes the old leaf and adds the new one. */
  async #comeBack({ call, genesis, media }: Extract<Effect, { do: "rejoin" }>): Promise<void> {
    const { e2ee, session } = this.#host;
    try {
      await e2ee.request("call.expect", { call, expect: this.state.at === "running" ? expecting(this.state.peer, genesis) : { genesis: [] } });
      const { keyPackage, ringing } = await e2ee.request("call.ringing", { call });
      await session.done({ type: "ringing", call, key_package: keyPackage, statement: ringing });
      await session.done({ type: "set_media", call, media });
    } catch (error) {
      this.input({ on: "answer_failed", call, reason: endingOf(error) });
    }
  }

  async #admit({ call, device, genesis, keyPackage, statement, create }: Extract<Effect, { do: "admit" }>): Promise<void> {
    const { e2ee } = this.#host;
    const expect = this.state.at === "running" ? expecting(this.state.peer, genesis) : { genesis: [genesis] };
    this.#returning.add(device);
    try {
      await e2ee.request("call.expect", { call, expect });
      if (create) await e2ee.request("call.create", { call, expect });
      await e2ee.request("call.add", { call, keyPackage, ringing: statement });
    } catch {
      if (this.state.at === "running" && this.state.call === call) this.hangUp("encryption_refused");
    }
  }

  #close(call: CallId): void {
    clearTimeout(this.#ringTimer);
    this.#returning.clear();
    this.guests.clear();
    if (this.media?.call === call) {
      this.media.close();
      this.media = undefined;
    }
    void this.#host.e2ee.request("call.leave", { call }).catch(() => undefined);
  }

  async #pin({ contact: id, genesis, verdict }: Extract<Effect, { do: "pin" }>): Promise<void> {
    const { store, memory } = this.#host;
    const identity = this.#host.identity();
    const contact = store.contacts.get(id);
    // A home device can't sign cards; an app of the household pins at its own first call.
    if (contact === undefined || identity.state !== "ready" || !identity.who.adult) return;
    const { name, handle } = contact;
    const verified = verdict === "first_by_link";
    try {
      await store.putContact({ id, name, handle, pin: verified ? 2 : 1, theirGenesis: genesis });
      memory.keepLinkFingerprint(id, undefined);
      this.input({ on: "peer_pinned", verdict: verified ? "verified" : "unverified" });
    } catch {
      this.#host.alert(`${name}'s key could not be kept. The next call will try again.`);
    }
  }

  #listen(e2ee: E2ee): (() => void)[] {
    return [
      e2ee.on("send", (message) => void this.#relay(message)),
      e2ee.on("call_code", ({ call, code }) => this.input({ on: "code", call, code })),
      e2ee.on("sending", ({ call }) => this.input({ on: "sending", call })),
      e2ee.on("warning", ({ call, reason }) => this.input({ on: "warning", call, warning: reason })),
      e2ee.on("refused_member", ({ call }) => this.input({ on: "warning", call, warning: "refused_member" })),
      e2ee.on("stop_sending", ({ call, reason }) => this.input({ on: "stopped", call, reason })),
      e2ee.on("decrypt_failures", (failures) => this.#decryptFailures(failures)),
      e2ee.on("left", ({ call, reason }) => reason === "removed" && this.input({ on: "stopped", call, reason: "removed" })),
    ];
  }

  #decryptFailures({ call, counters }: Events["decrypt_failures"]): void {
    // Frames of a key that is still on its way are no alarm; frames that fail under a known key are.
    if (counters.authentication + counters.wrongSender + counters.malformed === 0) return;
    this.input({ on: "warning", call, warning: "decrypt_failures" });
  }

  async #relay(message: CallSend): Promise<void> {
    const { e2ee, session } = this.#host;
    const request = message.type !== "send_commit" ? message
      // The server stops forwarding to whom it is told is removed, and between two that ends the call.
      : { ...message, removed: message.removed.filter((device) => !this.#returning.has(device)) };
    if (message.type === "send_commit" && message.welcome !== null) this.#returning.delete(message.welcome.device);
    try {
      await session.done(request);
    } catch (error) {
      if (message.type !== "send_commit") return;
      if (error instanceof RequestError && error.code === "bad_request" && message.welcome !== null) {
        // Who was to be added went away meanwhile, or takes the call over no more.
        await e2ee.request("call.forget", { call: message.call, device: message.welcome.device }).catch(() => undefined);
        return;
      }
      const type = error instanceof RequestError && error.code === "epoch_taken" ? "epoch_taken" : "commit_failed";
      await e2ee.request("call.deliver", { type, call: message.call, epoch: message.epoch }).catch(() => undefined);
    }
  }
}

function endingOf(error: unknown): Ending {
  switch (error instanceof RequestError ? error.code : undefined) {
    case "answered_elsewhere": return "answered_elsewhere";
    case "call_ended": case "not_found": return "cancelled";
    default: return "failed_to_start";
  }
}
