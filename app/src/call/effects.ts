//! Does what the call machine asks for: keys, media, and requests to the server.

import type { CallId } from "../protocol.ts";
import { receivers } from "../home/announcing.ts";
import { Relays } from "../media/relays.ts";
import { RequestError } from "../session/errors.ts";
import { CallMedia } from "./call_media.ts";
import type { CallHost } from "./controller.ts";
import { expecting } from "./guests.ts";
import { Relay } from "./relay.ts";
import type { Effect, Ending, Input, OneWay } from "./state.ts";
import { Tracks } from "./tracks.ts";

type Do<K extends Effect["do"]> = Extract<Effect, { do: K }>;

/** What the controller does itself: it knows the state. */
export interface EffectsHost {
  input(input: Input): void;
  /** The path to media is lost for good. */
  mediaFailed(): void;
  keyChanged(contact: string, genesis: string): void;
}

export class Effects {
  media: CallMedia | undefined;
  /** Why the last call could not be started, in the server's words. */
  failure: string | undefined;
  /** Until the server knows of the call, it takes no offer. */
  started: Promise<void> = Promise.resolve();
  readonly tracks = new Tracks();
  readonly #host: CallHost;
  readonly #control: EffectsHost;
  readonly #relay: Relay;
  readonly #mediaRelays: Relays;
  /** The own answer is taken: only then does the server listen to this device's switches. */
  #joined: Promise<void> = Promise.resolve();
  /** Households that a call's invitation named, besides the one that invites. */
  readonly #invited = new Map<CallId, readonly string[]>();

  constructor(host: CallHost, control: EffectsHost) {
    this.#host = host;
    this.#control = control;
    this.#relay = new Relay(host, (input) => control.input(input));
    this.#mediaRelays = new Relays(() => host.session.request({ type: "get_relays" }, "relays"), () => location.hostname);
  }

  invited(call: CallId, households: readonly string[]): void {
    this.#invited.set(call, households);
  }

  /** The server may have been started anew. */
  newSession(): void {
    this.#mediaRelays.forget();
  }

  dispose(): void {
    this.#relay.dispose();
  }

  run(effect: Effect): void {
    const { session, memory } = this.#host;
    const ignore = (): undefined => undefined;
    switch (effect.do) {
      case "start":
        this.#joined = Promise.resolve();
        this.started = this.#start(effect);
        this.started.catch(ignore);
        return;
      case "connect_media": return this.#connectMedia(effect.call, effect.camera && this.#host.mayUseCamera(), effect.only);
      case "open_media":
        if (this.media?.call !== effect.call) this.#connectMedia(effect.call, effect.camera, effect.only);
        return this.media?.open(effect.camera);
      case "answer":
        this.#joined = this.#answer(effect).then(ignore, (error: unknown) => this.#control.input({ on: "answer_failed", call: effect.call, reason: endingOf(error) }));
        return;
      case "answer_waiting": return void this.#answerWaiting(effect);
      case "drop_in": return void this.#dropIn(effect);
      case "open_drop_in":
        this.#joined = Promise.resolve();
        this.started = session.done({ type: "open_drop_in", call: effect.call, media: effect.media, stage: effect.stage });
        this.started.catch(() => this.#control.input({ on: "over", call: effect.call, reason: "cancelled", nowMs: Date.now() }));
        return;
      case "admit_drop_in":
        return void this.#host.e2ee.request("drop_in.admit", { call: effect.call }).catch(() => this.#control.input({ on: "not_admitted", call: effect.call, nowMs: Date.now() }));
      case "drop_in_media": return this.media?.dropIn(effect.microphone, effect.frosted);
      case "remember_drop_in": return memory.keepCall({ call: effect.call, handle: "", name: "", genesis: "", video: false, dropIn: true });
      case "announce_live":
        this.#joined = Promise.resolve();
        this.started = this.#announceLive(effect);
        this.started.catch(ignore);
        return;
      case "hear_live":
        this.started = this.#hearLive(effect);
        this.started.catch(ignore);
        return;
      case "admit_live": return void this.#admitLive(effect);
      case "live_over": return this.#host.liveOver?.(effect);
      case "rejoin":
        // The server drops the old transport when it hears of the new member: the offer waits for that.
        this.started = this.#comeBack(effect);
        return;
      case "admit": return void this.#admit(effect);
      case "admit_again": {
        const { call, device, keyPackage, statement } = effect;
        this.#relay.returns(call, device);
        return void this.#host.e2ee.request("call.add", { call, keyPackage, ringing: statement }).catch(ignore);
      }
      case "decline": return void session.done({ type: "decline", call: effect.call }).catch(ignore);
      case "cancel": return void session.done({ type: "cancel", call: effect.call }).catch(ignore);
      case "hang_up": return void session.done({ type: "hang_up", call: effect.call, reason: effect.reason }).catch(ignore);
      case "end_for_everyone": return void session.done({ type: "end_for_everyone", call: effect.call }).catch(ignore);
      case "add": return void this.#add(effect);
      case "stop_adding": return void session.done({ type: "cancel_adding", call: effect.call }).catch(ignore);
      case "let_in": return void this.#letIn(effect);
      case "move": return void this.#move(effect);
      case "tell_media":
        return void this.#joined.then(() => session.done({ type: "set_media", call: effect.call, media: effect.media })).catch(ignore);
      case "close": return this.#close(effect.call);
      case "tone": return this.#host.tone(effect.tone);
      case "announce": return this.#host.announce(effect.peer, effect.video, effect.moves);
      case "unannounce": return this.#host.unannounce();
      case "switch": return this.media?.switch(effect.source, effect.on);
      case "pin": return void this.#pin(effect);
      case "changed_key": return this.#control.keyChanged(effect.contact, effect.genesis);
      case "remember": {
        const { handle, name, genesis = "" } = effect.peer;
        return memory.keepCall({ call: effect.call, handle, name, genesis, video: effect.video });
      }
      case "forget": return memory.keepCall(undefined);
    }
    effect satisfies never;
  }

  /** While it only rings, answering tries anew. */
  dropMedia(): void {
    this.media?.close();
    this.media = undefined;
  }

  /** Signs for somebody who comes into a call that runs: they learn which households are in it. */
  async #invitation(call: CallId, toHandle: string, video: boolean): Promise<string> {
    const displayName = this.#host.store.home?.account.display_name ?? "";
    return (await this.#host.e2ee.request("call.invitation", { call, toHandle, displayName, video, running: true })).invitation;
  }

  async #add({ call, handle, video }: Do<"add">): Promise<void> {
    try {
      const invitation = await this.#invitation(call, handle, video);
      await this.#host.session.done({ type: "add_to_call", call, to: { handle }, invitation });
    } catch (error) {
      this.#control.input({ on: "not_added", call, why: { words: wordsOf(error) } });
    }
  }

  async #letIn({ call, device, genesis, keyPackage, statement }: Do<"let_in">): Promise<void> {
    const { e2ee, session } = this.#host;
    try {
      await e2ee.request("call.expect", { call, expect: { genesis: [genesis] } });
      await e2ee.request("call.add", { call, keyPackage, ringing: statement });
    } catch {
      // Never in the group, so never heard: the server turns them away.
      await session.done({ type: "cancel_adding", call }).catch(() => undefined);
      await e2ee.request("call.forget", { call, device }).catch(() => undefined);
    }
  }

  /** Offered with an invitation to the own person's handle, which nothing else is signed for. */
  async #move({ call, device, video }: Do<"move">): Promise<void> {
    try {
      const invitation = await this.#invitation(call, this.#host.store.home?.account.handle ?? "", video);
      await this.#host.session.done({ type: "move_call", call, to: device, invitation });
    } catch (error) {
      this.#control.input({ on: "not_moved", call, device, why: { words: wordsOf(error) } });
    }
  }

  async #start({ call, peer, video }: Do<"start">): Promise<void> {
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
      this.#control.input({ on: "start_failed", call, reason: endingOf(error) });
      throw error;
    }
  }

  /** To whom it is, is said by the key that the household or the contact's card has, never by the server. */
  async #dropIn({ call, peer, picture }: Do<"drop_in">): Promise<void> {
    const { e2ee, session } = this.#host;
    this.#joined = Promise.resolve();
    this.started = Promise.resolve();
    try {
      if (peer.genesis === undefined) throw new Error(`${peer.name}'s household has not been met yet.`);
      const { asking, keyPackage } = await e2ee.request("drop_in.asking", { call, targetGenesis: peer.genesis, picture });
      await session.done({ type: "drop_in", call, to: peer.target ?? { handle: peer.handle }, picture, asking, key_package: keyPackage });
    } catch (error) {
      this.failure = wordsOf(error);
      this.#control.input({ on: "start_failed", call, reason: "failed_to_start" });
    }
  }

  /** To the home devices that stand there now; the server says which of them are told. */
  async #announceLive({ call, to }: Do<"announce_live">): Promise<void> {
    const { e2ee, session, store } = this.#host;
    try {
      const meant = receivers(store.devices, to).map(({ id }) => id);
      const { statement } = await e2ee.request("live.announce", { call, devices: meant });
      const { receivers: told } = await session.request({ type: "announce_live", call, to, statement }, "announced");
      this.#control.input({ on: "live_announced", call, receivers: told, nowMs: Date.now() });
    } catch (error) {
      this.failure = wordsOf(error);
      this.#control.input({ on: "start_failed", call, reason: "failed_to_start" });
      throw error;
    }
  }

  async #hearLive({ call }: Do<"hear_live">): Promise<void> {
    const { e2ee, session } = this.#host;
    try {
      const { keyPackage, ringing } = await e2ee.request("live.hear", { call });
      await session.done({ type: "hear_live", call, key_package: keyPackage, statement: ringing });
    } catch (error) {
      this.#control.input({ on: "over", call, reason: endingOf(error), nowMs: Date.now() });
      throw error;
    }
  }

  /** Whoever comes in another's name ends it, loudly; so does whoever was not named, in the key worker. */
  async #admitLive({ call, device, keyPackage, statement }: Do<"admit_live">): Promise<void> {
    const { e2ee } = this.#host;
    try {
      const who = await e2ee.request("call.check_ringing", { call, keyPackage, ringing: statement });
      if (!who.own || who.device !== device) throw new Error("another device than the server says");
      await e2ee.request("call.add", { call, keyPackage, ringing: statement });
    } catch {
      this.#control.input({ on: "not_admitted", call, nowMs: Date.now() });
    }
  }

  #connectMedia(call: CallId, camera: boolean, only?: OneWay): void {
    const { e2ee, session, memory } = this.#host;
    const here = (): boolean => this.media?.call === call;
    this.media?.close();
    this.media = new CallMedia(call, e2ee, {
      offer: async (offer) => {
        await this.started;
        return session.request(offer, "media_answer");
      },
      relays: () => this.#mediaRelays.servers(),
      show: (views) => session.done({ type: "set_views", call, views }),
      captured: (source, problem) => here() && this.#control.input({ on: "captured", source, problem }),
      silent: () => session.suspect(),
      path: (path) => here() && this.#control.input({ on: "path", path }),
      failed: () => here() && this.#control.mediaFailed(),
      changed: () => this.#host.changed(),
    }, {
      original: memory.setting("original") === "on",
      pictures: memory.setting("pictures") === "layered" ? "layered" : "simulcast",
      maySend: (source) => this.#host.maySend(source),
      only,
    });
    this.media.connect(camera);
    this.media.subscribe(this.tracks.of(call));
  }

  async #answer({ call, genesis, media }: Do<"answer"> | Do<"answer_waiting">): Promise<void> {
    const { e2ee, session } = this.#host;
    const invited = this.#invited.get(call) ?? [];
    // A call that is handed over may be one with a guest: an invitation names keys and not what they are.
    const household = genesis === undefined || invited.includes(genesis) ? [] : [genesis];
    await e2ee.request("call.expect", { call, expect: { genesis: household, whoever: [...invited] } });
    await session.done({ type: "answer", call, media });
  }

  async #answerWaiting(effect: Do<"answer_waiting">): Promise<void> {
    const { call } = effect;
    try {
      await this.#answer(effect);
      this.#joined = Promise.resolve();
      this.#control.input({ on: "waiting_answered", call, nowMs: Date.now() });
    } catch (error) {
      this.#control.input({ on: "answer_failed", call, reason: endingOf(error) });
    }
  }

  /** A fresh key package, as if it rang and were answered: the other side removes the old leaf and adds the new one. */
  async #comeBack({ call, genesis, media }: Do<"rejoin">): Promise<void> {
    const { e2ee, session } = this.#host;
    try {
      await e2ee.request("call.expect", { call, expect: { genesis: genesis === undefined ? [] : [genesis] }, again: true });
      const { keyPackage, ringing } = await e2ee.request("call.ringing", { call });
      await session.done({ type: "ringing", call, key_package: keyPackage, statement: ringing });
      await session.done({ type: "set_media", call, media });
    } catch (error) {
      this.#control.input({ on: "answer_failed", call, reason: endingOf(error) });
    }
  }

  async #admit({ call, device, genesis, guest, keyPackage, statement, create }: Do<"admit">): Promise<void> {
    const { e2ee } = this.#host;
    const expect = guest ? { genesis: [], guests: [genesis] } : { genesis: [genesis] };
    this.#relay.returns(call, device);
    try {
      await e2ee.request("call.expect", { call, expect });
      if (create) await e2ee.request("call.create", { call, expect });
      await e2ee.request("call.add", { call, keyPackage, ringing: statement });
    } catch {
      this.#control.input({ on: "not_admitted", call, nowMs: Date.now() });
    }
  }

  #close(call: CallId): void {
    this.#relay.close(call);
    this.#invited.delete(call);
    this.tracks.forget(call);
    if (this.media?.call === call) this.dropMedia();
    void this.#host.e2ee.request("call.leave", { call }).catch(() => undefined);
  }

  async #pin({ contact: id, genesis, verdict }: Do<"pin">): Promise<void> {
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
      this.#control.input({ on: "peer_pinned", contact: id, verdict: verified ? "verified" : "unverified" });
    } catch {
      this.#host.alert(`${name}'s key could not be kept. The next call will try again.`);
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

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
