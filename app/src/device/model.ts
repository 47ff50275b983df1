//! The browser home device: a tab that pairs, rings, speaks the caller's name, and shows with its light what it does.

import { LinkUp } from "../app/link_up.ts";
import { Pairing, type PairingView } from "../app/pairing.ts";
import type { CallController, LiveOver } from "../call/controller.ts";
import type { PeerView, Tone } from "../call/state.ts";
import { E2ee } from "../e2ee/page.ts";
import type { IdentityStatus } from "../e2ee/port.ts";
import { LocalMemory } from "../home/local.ts";
import { Doors } from "../home/doors.ts";
import { Near } from "../home/near.ts";
import type { ContactView, HomeStore } from "../home/store.ts";
import { Recorder } from "../media/recorder.ts";
import { Tones } from "../media/tones.ts";
import { Drafts } from "../app/drafts.ts";
import type { Link } from "../session/client.ts";
import type { CallId, ContactId, DeviceId } from "../protocol.ts";
import { endingWords } from "../ui/words.ts";
import { announcedSound } from "./announced_sound.ts";
import { AutoAnswer } from "./auto_answer.ts";
import { Buttons, peerOf } from "./buttons.ts";
import { Hearing } from "./hearing.ts";
import { LiveHearing } from "./live_hearing.ts";
import { Nearness } from "./nearness.ts";
import { Speaking } from "./speaking.ts";
import { Visits } from "./visits.ts";
import { Voice } from "./voice.ts";

export type Shape = "speaker" | "display";

export type DeviceStage =
  | { at: "opening" }
  | { at: "setup" }
  | { at: "pairing"; view: PairingView }
  | { at: "ready" }
  | { at: "stopped"; code: string; text: string };

/** What the ring of light says; green: it rings, or a call is on; blue: somebody announces live; red: the microphone is switched off. */
export type Light = "off" | "waiting" | "ringing" | "call" | "announcement" | "muted" | "trouble";

/** Ends after which this device is no device of that household any more. */
export const GONE: ReadonlySet<string> = new Set(["unauthorized", "device_revoked", "not_registered"]);

const NOTICE_MS = 8_000;

export class DeviceModel {
  readonly e2ee: E2ee;
  readonly memory = new LocalMemory("device");
  readonly tones = new Tones();
  readonly voice = new Voice();
  readonly drafts = new Drafts();
  readonly autoAnswer = new AutoAnswer({
    mode: (who) => (this.identity.state === "ready" ? this.store.answerMode(this.identity.who.device, who) : "ask"),
    ringing: () => this.#ringing(),
    audible: () => this.tones.allowed,
    // Sound only: nobody is seen without having touched the device.
    answer: () => this.calls.answer(false),
  });
  readonly buttons = new Buttons(this);
  readonly visits = new Visits(this);
  readonly recorder = new Recorder(() => this.changed(), () => this.memory.setting("original") === "on");
  readonly hearing: Hearing;
  readonly liveHearing: LiveHearing;
  readonly speaking: Speaking;
  /** Where this device may drop in. */
  doors: Doors | undefined;
  /** Where somebody was lately. */
  near: Near | undefined;
  readonly nearness = new Nearness(this);
  stage: DeviceStage = { at: "opening" };
  identity: IdentityStatus = { state: "none" };
  link: Link = { state: "connecting", failures: 0 };
  linkUp: LinkUp | undefined;
  notice: string | undefined;
  soundBlocked = false;
  codeOpen = false;
  /** The browser lets it ring: somebody has touched the page since it was loaded. */
  touched = false;
  #pairing: Pairing | undefined;
  #wakeLock: WakeLockSentinel | undefined;
  #render: () => void = () => undefined;

  constructor(worker: Worker) {
    this.e2ee = new E2ee(worker);
    this.hearing = new Hearing({
      e2ee: this.e2ee,
      output: announcedSound(this.tones, this.voice),
      recorder: this.recorder,
      mayRecord: () => this.buttons.switches.maySend("microphone"),
      quiet: () => this.buttons.quiet(Date.now()),
      quietChangesInMs: () => this.buttons.quietChangesInMs(Date.now()),
      say: (text) => this.say(text),
      changed: () => this.changed(),
    });
    this.liveHearing = new LiveHearing({
      e2ee: this.e2ee,
      audible: () => this.tones.allowed,
      recording: () => this.recorder.open,
      quiet: () => this.buttons.quiet(Date.now()),
      say: (text) => this.say(text),
      changed: () => this.changed(),
    });
    this.speaking = new Speaking({
      recorder: this.recorder,
      hearing: this.hearing,
      mayRecord: () => this.buttons.switches.maySend("microphone"),
      inCall: () => this.linkUp !== undefined && this.calls.state.at !== "idle" && this.calls.state.at !== "ended" && this.liveHearing.hears === undefined,
      plays: () => this.hearing.queue.playing !== undefined || this.liveHearing.hears !== undefined,
      announceLive: (to, name) => this.calls.announceLive(to, name),
      devices: () => this.linkUp?.store.devices ?? [],
      self: () => (this.identity.state === "ready" ? this.identity.who.device : undefined),
      changed: () => this.changed(),
    });
  }

  async start(render: () => void): Promise<void> {
    this.#render = render;
    this.#watch();
    this.changed();
    try {
      this.identity = await this.e2ee.request("open", { slot: "device" });
    } catch {
      return this.#stop("internal", "This browser does not let the device keep its keys. Private windows can't be used.");
    }
    this.touched = this.tones.allowed;
    this.#enter();
  }

  get shape(): Shape {
    return this.memory.setting("shape") === "display" ? "display" : "speaker";
  }

  get label(): string {
    if (this.identity.state !== "ready") return this.memory.setting("label") ?? "";
    const { device, label } = this.identity.who;
    // Renamed since it was certified.
    return this.linkUp?.store.device(device)?.label ?? label;
  }

  get self(): DeviceId | undefined {
    return this.identity.state === "ready" ? this.identity.who.device : undefined;
  }

  get ownGenesis(): string | undefined {
    return this.identity.state === "ready" ? this.identity.who.genesis : undefined;
  }

  get calls(): CallController {
    if (this.linkUp === undefined) throw new Error("not paired");
    return this.linkUp.calls;
  }

  get store(): HomeStore {
    if (this.linkUp === undefined) throw new Error("not paired");
    return this.linkUp.store;
  }

  get light(): Light {
    if (this.stage.at === "pairing") return "waiting";
    if (this.stage.at !== "ready" || this.linkUp === undefined) return "off";
    const state = this.calls.state;
    if (state.at === "incoming") return "ringing";
    if (this.liveHearing.hears !== undefined) return "announcement";
    if (state.at === "outgoing" || state.at === "running" || state.at === "arriving") return "call";
    if (!this.buttons.switches.now.microphone) return "muted";
    return this.link.state === "connecting" && this.link.failures > 1 ? "trouble" : "off";
  }

  /** What people in the room should know of the call that rings, or was answered without them. */
  get answering(): string | undefined {
    const { last } = this.autoAnswer;
    const state = this.linkUp?.calls.state;
    if (last === undefined || state === undefined || !("call" in state) || state.call !== last.call) return undefined;
    if (state.at === "incoming" && last.mode === "auto") return this.tones.allowed ? "Answers by itself" : "It answers by itself only once this screen was touched.";
    if (state.at === "incoming" && last.mode === "echo") return "This screen can't play the echo. It asks instead.";
    return undefined;
  }

  changed(): void {
    this.visits.look();
    this.hearing.look();
    this.nearness.watch.look();
    this.liveHearing.look();
    this.speaking.look();
    this.#render();
  }

  say(text: string): void {
    this.notice = text;
    setTimeout(() => {
      if (this.notice === text) this.notice = undefined;
      this.changed();
    }, NOTICE_MS);
    this.changed();
  }

  async unlock(): Promise<void> {
    await this.tones.unlock();
    this.touched = this.tones.allowed;
    void this.#stayAwake();
    this.changed();
  }

  async pair(handle: string, label: string, shape: Shape): Promise<void> {
    await this.unlock();
    this.memory.keepSetting("shape", shape);
    this.memory.keepSetting("label", label);
    this.#pairing?.stop();
    if (this.identity.state !== "none") this.identity = await this.e2ee.request("forget", {});
    const pairing = new Pairing(this.e2ee, (view) => this.#paired(view));
    this.#pairing = pairing;
    const paired = await pairing.run(handle, "home_device", label);
    if (paired === undefined) return;
    this.memory.keepSession({ token: paired.token, account: paired.account, handle });
    this.identity = paired.identity;
    this.voice.say(`${label} is ready.`);
    this.#enter();
  }

  cancelPairing(): void {
    this.#pairing?.stop();
    this.#pairing = undefined;
    this.stage = { at: "setup" };
    this.changed();
  }

  keyChanged(contact: ContactId): boolean {
    return this.memory.changedKey(contact) !== undefined;
  }

  call(contact: ContactView, video: boolean): void {
    this.calls.dial(peerOf(contact), video);
  }

  /** The keys of a device that was taken out of its household are worth nothing: it begins anew. */
  async startOver(): Promise<void> {
    this.#leave();
    this.hearing.queue.clear();
    this.linkUp?.stop();
    this.linkUp = undefined;
    this.memory.forgetAll();
    this.identity = await this.e2ee.request("forget", {});
    this.#enter();
  }

  useHere(): void {
    this.#leave();
    this.linkUp?.stop();
    this.linkUp = undefined;
    this.#enter();
  }

  /** Nothing of the household goes on here. */
  #leave(): void {
    this.visits.end();
    this.hearing.end();
    this.nearness.watch.end();
    this.liveHearing.end();
    this.speaking.end();
    this.recorder.discard();
    this.doors = this.near = undefined;
  }

  #paired(view: PairingView): void {
    this.stage = { at: "pairing", view };
    if (view.at === "digits") this.voice.say(`The digits are ${[...view.digits].join(" ")}.`, 3);
    if (view.at === "failed") this.voice.say("The device was not added.");
    this.changed();
  }

  #enter(): void {
    const stored = this.memory.session();
    if (stored === undefined || this.identity.state !== "ready") {
      this.stage = { at: "setup" };
      this.changed();
      return;
    }
    this.stage = { at: "ready" };
    this.linkUp = new LinkUp(this.e2ee, this.memory, stored.token, {
      identity: () => this.identity,
      setIdentity: (identity) => {
        this.identity = identity;
      },
      mayUseCamera: () => this.shape === "display",
      maySend: (source) => this.buttons.switches.maySend(source),
      tone: (tone) => this.#tone(tone),
      rings: (call, who) => this.autoAnswer.rings(call, who),
      announce: (peer, video, moves) => this.#announce(peer, video, moves),
      unannounce: () => this.voice.stop(),
      alert: (text) => this.say(text),
      linkChanged: (link) => this.#linkChanged(link),
      event: (event) => {
        this.visits.handle(event);
        this.hearing.handle(event);
        this.liveHearing.handle(event);
        this.doors?.handle(event);
        this.near?.handle(event);
      },
      loaded: () => {
        void this.visits.loaded().catch(() => undefined);
        void this.hearing.loaded().catch(() => undefined);
        void this.near?.load().catch(() => undefined);
        this.doors?.forget();
      },
      dropInAsked: (event) => this.visits.asked(event),
      dropInEnded: (call) => this.visits.ended(call),
      liveAnnounced: (event) => this.liveHearing.announced(event),
      liveOver: (over) => this.#liveOver(over),
      changed: () => this.changed(),
    });
    this.visits.begin(this.linkUp);
    this.hearing.begin(this.linkUp);
    this.liveHearing.begin(this.linkUp);
    this.doors = new Doors(this.linkUp.session, () => this.changed());
    this.near = new Near(this.linkUp.session, () => this.changed());
    this.linkUp.start();
    void this.#stayAwake();
    this.changed();
  }

  /** What was spoken here is shown with its rooms; what reached nobody is said. */
  #liveOver(over: LiveOver): void {
    if (over.reason === "encryption_refused") this.say(endingWords(over.reason, "", true));
    if (over.live.side !== "speaks") return;
    if (this.hearing.announcing?.liveOver(over) === true) this.speaking.spoken(over.call);
    else if (over.reason !== "hung_up") this.say(this.linkUp?.calls.failure ?? endingWords(over.reason, "", true));
  }

  #ringing(): CallId | undefined {
    const state = this.linkUp?.calls.state;
    return state?.at === "incoming" ? state.call : undefined;
  }

  #tone(tone: Tone): void {
    this.tones.play(tone);
  }

  /** Says it again between the rings, until somebody answers or it stops. */
  #announce(peer: PeerView, video: boolean, moves: boolean): void {
    const standing = peer.verdict === "stranger" ? ", who is not in your contacts" : "";
    const itself = this.autoAnswer.last?.mode === "auto" && this.tones.allowed ? " Answering by itself." : "";
    if (moves) return this.voice.repeat(`Your call with ${peer.name} would go on here.${itself}`);
    this.voice.repeat(`Incoming ${video ? "video call" : "call"} from ${peer.name}${standing}.${itself}`);
  }

  #linkChanged(link: Link): void {
    this.link = link;
    if (link.state === "online") {
      this.#tellPresence();
      void this.buttons.tell();
    }
    if (link.state === "ended") {
      this.linkUp?.calls.abandon();
      const { code, message } = link.error;
      const gone = GONE.has(code);
      this.#stop(code, gone ? "This device no longer belongs to the household." : message);
    }
    this.changed();
  }

  #stop(code: string, text: string): void {
    this.#leave();
    this.linkUp?.stop();
    this.linkUp = undefined;
    this.stage = { at: "stopped", code, text };
    this.changed();
  }

  #watch(): void {
    document.addEventListener("visibilitychange", () => {
      this.#tellPresence();
      // Whoever drops in is shown for as long as they are there: a page that nobody sees ends it.
      if (document.hidden) this.visits.say("end");
      else void this.#stayAwake();
      // What is announced and can only be shown waits for somebody to look.
      this.changed();
    });
    document.addEventListener("freeze", () => this.#tell("asleep"));
    document.addEventListener("resume", () => this.#tellPresence());
    navigator.mediaDevices?.addEventListener("devicechange", () => void this.buttons.tell());
    for (const touch of ["pointerdown", "keydown"] as const) {
      addEventListener(touch, () => {
        if (!this.touched) void this.unlock();
        this.nearness.touched();
      });
    }
  }

  /** A hidden tab may be suspended at any moment without another word, so it says so at once. */
  #tellPresence(): void {
    this.#tell(document.hidden ? "asleep" : "online");
  }

  #tell(presence: "online" | "asleep"): void {
    void this.linkUp?.session.done({ type: "set_presence", presence }).catch(() => undefined);
  }

  async #stayAwake(): Promise<void> {
    if (!("wakeLock" in navigator) || document.hidden || this.#wakeLock?.released === false) return;
    this.#wakeLock = await navigator.wakeLock.request("screen").catch(() => undefined);
  }
}
