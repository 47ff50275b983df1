//! Runs the call machine: turns events into inputs after checking signatures. What the machine asks for, `effects.ts` does.

import type { E2ee } from "../e2ee/page.ts";
import type { IdentityStatus, WhoIs } from "../e2ee/port.ts";
import type { ContactView, HomeStore } from "../home/store.ts";
import { type LocalMemory, randomId } from "../home/local.ts";
import type { AnnounceTo, CallId, Device, DeviceId, Event, RunningCall } from "../protocol.ts";
import type { SourceKind } from "../media/capture.ts";
import type { Session } from "../session/client.ts";
import type { CallMedia } from "./call_media.ts";
import { Effects } from "./effects.ts";
import { Elsewhere } from "./elsewhere.ts";
import { Guests } from "./guests.ts";
import { type Called, type Introduced, type Offered, type Refused, whoCalls, whoHandsOver, whoRings } from "./introductions.ts";
import { step } from "./machine.ts";
import { judge, judgeGuest, type Verdict } from "./pins.ts";
import type { CallState, Effect, Input, PeerView, Tone } from "./state.ts";

export interface CallHost {
  readonly e2ee: E2ee;
  readonly session: Session;
  readonly store: Pick<HomeStore, "home" | "contacts" | "members" | "contactByHandle" | "device" | "devices" | "putContact">;
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
  /** Rings with words: a notification, a spoken name. `moves`: a call of the household that would go on here. */
  announce(peer: PeerView, video: boolean, moves: boolean): void;
  unannounce(): void;
  /** Something that a person should read even without a call screen. */
  alert(text: string): void;
  changed(): void;
  /** Home devices alone: somebody wants to drop in on this one. */
  dropInAsked?(event: DropInAsked): void;
  /** It is given up before it opened. */
  dropInEnded?(call: CallId): void;
  /** Home devices alone: somebody of the household speaks live. */
  liveAnnounced?(event: LiveAnnounced): void;
  /** A live announcement is over at this device. */
  liveOver?(over: LiveOver): void;
}

export type LiveAnnounced = Extract<Event, { type: "live_announcement" }>;
export type LiveOver = Extract<Effect, { do: "live_over" }>;

export type DropInAsked = Extract<Event, { type: "drop_in_asked" }>;

/** A call that was not put through, since the caller's key is not the pinned one. */
export interface BlockedCall {
  contact: ContactView;
  genesis: string;
}

export class CallController {
  state: CallState = { at: "idle" };
  blocked: BlockedCall | undefined;
  /** Calls of this person at their other devices. */
  readonly elsewhere: Elsewhere;
  /** Guests who are let into the running call, and taken out of it. */
  readonly guests: Guests;
  readonly #host: CallHost;
  readonly #effects: Effects;
  #events: Promise<void> = Promise.resolve();
  #ringTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: CallHost) {
    this.#host = host;
    this.#effects = new Effects(host, this.#control());
    this.guests = new Guests(host, () => (this.state.at === "running" ? this.state : undefined));
    // A guest has no other devices.
    this.elsewhere = new Elsewhere({ session: host.session, idle: () => host.visitor !== true && this.#free, changed: () => host.changed() });
  }

  get media(): CallMedia | undefined {
    return this.#effects.media;
  }

  /** Why the last call could not be started, in the server's words. */
  get failure(): string | undefined {
    return this.#effects.failure;
  }

  dial(peer: PeerView, video: boolean): void {
    this.#effects.failure = undefined;
    this.input({ on: "dial", call: randomId(), peer, video: video && this.#host.mayUseCamera() });
  }

  /** Nobody answers there. */
  dropIn(peer: PeerView, video: boolean): void {
    this.#effects.failure = undefined;
    this.input({ on: "drop_in", call: randomId(), peer, video: video && this.#host.mayUseCamera() });
  }

  /** Speaks to rooms as it is said, a minute at most. `name`: what is shown of where it goes. */
  announceLive(to: AnnounceTo, name: string): void {
    this.#effects.failure = undefined;
    this.input({ on: "live_speaks", call: randomId(), peer: this.#household(name), to, nowMs: Date.now() });
  }

  /** Plays what a device of the household speaks live; it was checked. */
  hearLive(call: CallId, device: DeviceId, name: string): void {
    this.input({ on: "live_hears", call, device, peer: this.#household(name), nowMs: Date.now() });
  }

  answer(video: boolean): void {
    const path = this.media?.path ?? "connecting";
    this.input({ on: "answer", video: video && this.#host.mayUseCamera(), nowMs: Date.now(), path });
  }

  hangUp(reason: "hung_up" | "encryption_refused" | "media_failed" = "hung_up"): void {
    this.input({ on: "hang_up", reason, nowMs: Date.now() });
  }

  /** Adds somebody to the running call: a contact with their pinned household, or a member of the own one. */
  add({ handle, name, genesis, contact }: PeerView): void {
    this.input({ on: "add", handle, name, genesis, contact });
  }

  /** Asks another device of the person, or a home device, to take the call over. */
  moveTo({ id, label }: Pick<Device, "id" | "label">): void {
    this.input({ on: "move", device: id, label });
  }

  takeOver(call: CallId): Promise<void> {
    return this.elsewhere.want(call, this.#self());
  }

  input(input: Input): void {
    const before = this.state;
    const next = step(before, input);
    this.state = next.state;
    for (const effect of next.effects) this.#effects.run(effect);
    if (before.at !== next.state.at) void this.elsewhere.look();
    if (next.state.at !== "running") this.guests.over();
    this.#host.changed();
  }

  /** Events of calls; checks that take time keep their order, what needs none is taken in at once. */
  handle(event: Event): void {
    switch (event.type) {
      case "tracks":
        this.#effects.tracks.told(event.call, event.tracks);
        if (this.media?.call === event.call) this.media.subscribe(event.tracks);
        return;
      case "participants":
        return this.input({ on: "participants", call: event.call, participants: event.participants, self: this.#self() });
      case "layers_wanted":
        if (this.media?.call === event.call && event.source === "camera") this.media.layersWanted(event.wanted);
        return;
      case "speakers":
        return this.input({ on: "speakers", call: event.call, devices: event.devices, self: this.#self() });
      case "call_connections":
        if (this.media?.call === event.call) this.media.connection(event.own ?? undefined);
        return this.input({ on: "connections", call: event.call, others: event.others });
      case "media_restart":
        if (this.media?.call === event.call) this.media.renew();
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
    this.#effects.newSession();
    // A call that begins meanwhile is missing from the list, and well.
    const asked = this.state;
    const { calls } = await this.#host.session.request({ type: "list_calls" }, "calls");
    if (this.#free) this.elsewhere.take(calls);
    const second = asked.at === "running" ? asked.waiting : undefined;
    if (second !== undefined && calls.every(({ call }) => call !== second.call)) this.input({ on: "over", call: second.call, reason: "cancelled", nowMs: Date.now() });
    const state = this.state;
    if (state.at === "idle" || state.at === "ended") return this.#rejoin(calls);
    if (asked.at === "idle" || asked.at === "ended" || asked.call !== state.call) return;
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
    this.input({ on: "peer_pinned", contact: id, verdict: "verified" });
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
    this.elsewhere.stop();
    this.#effects.dispose();
  }

  get #free(): boolean {
    return this.state.at === "idle" || this.state.at === "ended";
  }

  #household(name: string): PeerView {
    const identity = this.#host.identity();
    return { handle: "", name, contact: undefined, genesis: identity.state === "ready" ? identity.who.genesis : undefined, verdict: "own" };
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
    // Its keys went with the page, and nobody at the device has said that it may begin again.
    if (stored?.dropIn === true && stored.call === call) return this.#effects.run({ do: "hang_up", call, reason: "hung_up" });
    if (running.phase !== "answered") return this.#effects.run({ do: "cancel", call });
    const same = stored?.call === call ? stored : undefined;
    const contact = this.#host.store.contactByHandle(running.party.handle);
    const genesis = same?.genesis ?? contact?.theirGenesis;
    if (genesis === undefined) return this.#effects.run({ do: "hang_up", call, reason: "hung_up" });
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
      case "incoming_call": case "call_waiting": return this.#called(event);
      case "move_offered": return this.#offered(event);
      case "device_ringing": return this.#deviceRings(event);
      case "call_answered": return this.#answered(event);
      case "drop_in_opened": return this.input({ on: "drop_in_opened", call: event.call, device: event.device, label: event.label, nowMs: Date.now() });
      case "drop_in_stage": return this.input({ on: "drop_in_stage", call: event.call, stage: event.stage, frosted: event.stage === "frosted" });
      case "drop_in_refused": return this.input({ on: "drop_in_refused", call: event.call, refusal: event.refusal, nowMs: Date.now() });
      case "drop_in_asked":
        // Apps start drop-ins and are never their target.
        if (this.#host.dropInAsked === undefined) return this.#host.session.done({ type: "refuse_drop_in", call: event.call, refusal: "no_grant" }).catch(() => undefined);
        return this.#host.dropInAsked(event);
      case "live_declined": return this.input({ on: "live_declined", call: event.call, device: event.device });
      case "live_announcement": return this.#host.liveAnnounced?.(event);
      case "drop_in_ended": return this.#host.dropInEnded?.(event.call);
      case "call_ended": return this.input({ on: "over", call: event.call, reason: event.reason, nowMs: Date.now() });
      case "call_switches": return this.input({ on: "their_switches", call: event.call, device: event.device, media: event.media });
      case "participant_connection":
        this.input({ on: "their_connection", call: event.call, device: event.device, connected: event.connected });
        await e2ee.request("call.deliver", event);
        return;
      case "member_left":
        // Whoever speaks live says who is in its group.
        if (this.state.at === "running" && this.state.call === event.call && this.state.live?.side === "hears") return;
        await e2ee.request("call.remove", { call: event.call, device: event.device });
        return;
      case "adding_ringing": return this.input({ on: "adding_rings", call: event.call });
      case "adding_answered": {
        if (this.guests.adds(event.call)) return this.guests.handle(event);
        const { call, device, key_package: keyPackage, statement } = event;
        const who = await this.#whoIsAdded(event);
        return this.input({ on: "adding_answered", call, device, who, keyPackage, statement });
      }
      case "adding_ended":
        if (this.guests.adds(event.call)) return this.guests.handle(event);
        return this.input({ on: "not_added", call: event.call, why: event.reason });
      case "move_wanted": return this.#wanted(event.call, event.device);
      case "move_ended": return this.input({ on: "not_moved", call: event.call, device: event.device, why: event.reason });
      case "move_accepted": {
        // The worker takes only another device of the household whose device goes.
        const { call, from, key_package: keyPackage, statement } = event;
        await e2ee.request("call.replace", { call, device: from, keyPackage, ringing: statement });
        return;
      }
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

  /** Somebody calls: it rings, or waits beside the call that goes on. */
  async #called(event: Called): Promise<void> {
    const { call } = event;
    const left = this.#leftOf(event.expires_at_ms);
    const waits = this.state.at === "running" && this.state.waiting === undefined;
    if (left <= 0) return;
    if (!waits && !this.#free) return this.#refuse(call);
    const introduced = await whoCalls(this.#host, event);
    if ("refused" in introduced) return this.#refused(call, introduced);
    await this.#rings(call, introduced);
    const { peer, video, who } = introduced;
    const expiresAtMs = Date.now() + left;
    this.#ringUntil(call, left);
    if (this.state.at === "running") {
      return this.input({ on: "waiting", waiting: { call, peer, video, to: event.to.display_name, expiresAtMs, answering: false, participants: [] } });
    }
    this.#host.rings(call, who);
    this.input({ on: "incoming", call, peer, video, to: event.to.display_name, expiresAtMs });
  }

  /** A call of the household would go on here; at once if this device has asked for it. */
  async #offered(event: Offered): Promise<void> {
    const { call } = event;
    const left = this.#leftOf(event.expires_at_ms);
    if (left <= 0) return;
    if (!this.#free) return this.#refuse(call);
    const introduced = await whoHandsOver(this.#host, event);
    if ("refused" in introduced) return this.#refused(call, introduced);
    const { calls } = await this.#host.session.request({ type: "list_calls" }, "calls");
    const outgoing = calls.find((running) => running.call === call)?.direction === "outgoing";
    const wanted = this.elsewhere.arrives(call);
    await this.#rings(call, introduced);
    if (!this.#free) return;
    const { peer, video, who } = introduced;
    if (wanted) return this.input({ on: "take_over", call, peer, video, outgoing, nowMs: Date.now() });
    this.#ringUntil(call, left);
    this.#host.rings(call, who);
    this.input({ on: "incoming", call, peer, video, to: event.to.display_name, expiresAtMs: Date.now() + left, moves: true, outgoing });
  }

  /** Another device of this person wants the call: it is handed over if the roster has that device. */
  #wanted(call: CallId, id: DeviceId): void {
    const device = this.#host.store.device(id);
    if (device !== undefined && this.state.at === "running" && this.state.call === call) this.moveTo(device);
  }

  /** Offers a fresh key package, with which an answer is let in. */
  async #rings(call: CallId, { households }: Introduced): Promise<void> {
    const { e2ee, session } = this.#host;
    this.#effects.invited(call, households);
    const { keyPackage, ringing } = await e2ee.request("call.ringing", { call });
    const told = session.done({ type: "ringing", call, key_package: keyPackage, statement: ringing });
    if (this.state.at !== "running") this.#effects.started = told;
    told.catch(() => this.input({ on: "over", call, reason: "cancelled", nowMs: Date.now() }));
  }

  #ringUntil(call: CallId, left: number): void {
    clearTimeout(this.#ringTimer);
    this.#ringTimer = setTimeout(() => this.input({ on: "ring_expired", call }), left);
  }

  #leftOf(expiresAtMs: number): number {
    return expiresAtMs - this.#host.clockOffsetMs() - Date.now();
  }

  #refuse(call: CallId): Promise<void> {
    return this.#host.session.done({ type: "refuse_invitation", call }).catch(() => undefined);
  }

  #refused(call: CallId, why: Refused): Promise<void> {
    if (why.refused === "forged") this.#host.alert("A call was turned away: its invitation was not signed by a genuine device.");
    if (why.refused === "changed_key") this.#keyChanged(why.contact, why.genesis);
    return this.#refuse(call);
  }

  async #deviceRings(event: Extract<Event, { type: "device_ringing" }>): Promise<void> {
    const who = await this.#checkRinging(event);
    if (who === undefined) return this.input({ on: "device_refused", call: event.call });
    this.input({ on: "device_rings", call: event.call, device: event.device, verdict: who.verdict, genesis: who.genesis });
  }

  async #answered(event: Extract<Event, { type: "call_answered" }>): Promise<void> {
    const { call, device, media, key_package: keyPackage, statement } = event;
    // Whoever dropped in was judged before anything opened, and comes by the key package that was judged.
    if (this.state.at === "running" && this.state.dropIn !== undefined) return this.input({ on: "drop_in_answered", call, device, media });
    if (this.state.at === "running" && this.state.live !== undefined) return this.input({ on: "live_answered", call, device, keyPackage, statement });
    const who = await this.#checkRinging(event);
    if (who === undefined) return this.input({ on: "hang_up", reason: "encryption_refused", nowMs: Date.now() });
    const path = this.media?.path ?? "connecting";
    this.input({ on: "answered", call, nowMs: Date.now(), path, device, media, verdict: who.verdict, genesis: who.genesis, keyPackage, statement });
  }

  /** Who rings there, and whether they are the one who was called; undefined when what the server sent is not genuine. */
  async #checkRinging(event: { call: CallId; device: DeviceId; key_package: string; statement: string }): Promise<{ genesis: string; verdict: Verdict } | undefined> {
    const { memory, store } = this.#host;
    const state = this.state;
    if ((state.at !== "outgoing" && state.at !== "running") || state.call !== event.call) return undefined;
    const who = await whoRings(this.#host, event);
    if (who === undefined) return undefined;
    const guest = state.at === "outgoing" || who.kind === "guest" ? judgeGuest(state.peer, who) : undefined;
    if (guest !== undefined) return guest ? { genesis: who.genesis, verdict: "guest" } : undefined;
    const contact = state.peer.contact === undefined ? undefined : store.contacts.get(state.peer.contact);
    return { genesis: who.genesis, verdict: judge(contact, who, contact && memory.linkFingerprint(contact.id)) };
  }

  /** The same of somebody who is being added: their contact's pin and link count, as in a call of their own. */
  async #whoIsAdded(event: Extract<Event, { type: "adding_answered" }>): Promise<{ genesis: string; verdict: Verdict } | undefined> {
    const { memory, store } = this.#host;
    const adding = this.state.at === "running" ? this.state.adding : undefined;
    const who = adding && (await whoRings(this.#host, event));
    if (adding === undefined || who === undefined || who.kind === "guest") return undefined;
    const contact = adding.contact === undefined ? undefined : store.contacts.get(adding.contact);
    const verdict = judge(contact, who, contact && memory.linkFingerprint(contact.id));
    if (verdict === "changed" && contact !== undefined) this.#keyChanged(contact, who.genesis);
    return { genesis: who.genesis, verdict };
  }

  #keyChanged(contact: ContactView, genesis: string): void {
    this.#host.memory.keepChangedKey(contact.id, genesis);
    this.blocked = { contact, genesis };
    this.#host.changed();
  }

  #control() {
    return {
      input: (input: Input) => this.input(input),
      mediaFailed: () => (this.state.at === "incoming" ? this.#effects.dropMedia() : this.hangUp("media_failed")),
      keyChanged: (id: string, genesis: string) => {
        const contact = this.#host.store.contacts.get(id);
        if (contact !== undefined) this.#keyChanged(contact, genesis);
      },
    };
  }
}
