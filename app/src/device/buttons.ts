//! What the buttons of a home device itself do: microphone, camera cover, do not disturb, and the top contact.

import type { LinkUp } from "../app/link_up.ts";
import type { PeerView } from "../call/state.ts";
import type { IdentityStatus } from "../e2ee/port.ts";
import type { LocalMemory } from "../home/local.ts";
import { QuietTimes } from "../home/quiet.ts";
import type { ContactView } from "../home/store.ts";
import type { Tones } from "../media/tones.ts";
import { capabilities, HardSwitches } from "./hard_switches.ts";
import type { Shape } from "./model.ts";
import { DOUBLE_PRESS_MS, TopButton } from "./top_button.ts";
import type { Voice } from "./voice.ts";

const NONE = { everywhere: false, schedule: null };

/** The device around them. */
export interface ButtonsHost {
  readonly memory: LocalMemory;
  readonly tones: Tones;
  readonly voice: Voice;
  readonly shape: Shape;
  readonly identity: IdentityStatus;
  readonly linkUp: LinkUp | undefined;
  say(text: string): void;
  changed(): void;
}

export class Buttons {
  readonly switches: HardSwitches;
  readonly #host: ButtonsHost;
  readonly #top = new TopButton();
  readonly #times = new QuietTimes();

  constructor(host: ButtonsHost) {
    this.#host = host;
    this.switches = new HardSwitches(host.memory, () => host.shape);
  }

  /** By this device's own switch. */
  get silent(): boolean {
    const { identity, linkUp } = this.#host;
    return identity.state === "ready" && linkUp?.store.device(identity.who.device)?.settings.do_not_disturb === true;
  }

  /** By its own switch, everywhere, or by the weekly times of its default person. */
  quiet(nowMs: number): boolean {
    const { everywhere, schedule } = this.#host.linkUp?.store.rules.mine.do_not_disturb ?? NONE;
    const byTheClock = this.#times.look(schedule, nowMs);
    return this.silent || everywhere || byTheClock;
  }

  /** In so many milliseconds the weekly times may begin or end; undefined: there are none. */
  quietChangesInMs(nowMs: number): number | undefined {
    this.quiet(nowMs);
    const { untilMs } = this.#times;
    return untilMs === undefined ? undefined : untilMs - nowMs;
  }

  /** Whom two presses call: of this device's default person. A contact whose key has changed is not called. */
  get topContact(): PeerView | undefined {
    const { identity, linkUp, memory } = this.#host;
    const top = linkUp?.store.rules.mine.top_contact;
    if (linkUp === undefined || top === undefined || top === null) return undefined;
    const { store } = linkUp;
    const contact = top.type === "contact" ? store.contacts.get(top.contact) : store.contactByHandle(top.handle);
    if (contact !== undefined) return contact.pin === 3 || contact.trouble !== undefined || memory.changedKey(contact.id) !== undefined ? undefined : peerOf(contact);
    const member = top.type === "person" ? store.members.find(({ handle }) => handle === top.handle) : undefined;
    if (member === undefined || identity.state !== "ready") return undefined;
    return { handle: member.handle, name: member.display_name, contact: undefined, genesis: identity.who.genesis, verdict: "own" };
  }

  pressTop(): void {
    const { linkUp, tones, voice, shape } = this.#host;
    const top = this.topContact;
    if (top === undefined || linkUp === undefined) return;
    const press = this.#top.press(performance.now(), false);
    if (press === "first") setTimeout(() => linkUp.calls.state.at === "idle" && voice.say(`Press twice to call ${top.name}.`), DOUBLE_PRESS_MS);
    if (press !== "call") return;
    linkUp.calls.dial(top, shape === "display");
    // Felt and heard, so that nobody has to look whether the two presses were taken.
    navigator.vibrate?.(120);
    tones.play("confirm");
    voice.say(`Calling ${top.name}.`);
  }

  /** The one press in a call. */
  hangUp(): void {
    this.#top.press(performance.now(), true);
    const calls = this.#host.linkUp?.calls;
    if (calls?.state.at === "outgoing") calls.input({ on: "cancel" });
    else calls?.hangUp();
  }

  flipMicrophone(): void {
    this.switches.flipMicrophone();
    this.#switched(this.switches.now.microphone ? "Microphone on." : "Microphone off.");
  }

  flipCover(): void {
    this.switches.flipCover();
    this.#switched(this.switches.covered ? "Camera covered." : "Camera open.");
  }

  async flipSilence(): Promise<void> {
    const { identity, linkUp, voice } = this.#host;
    if (identity.state !== "ready" || linkUp === undefined) return;
    const on = !this.silent;
    try {
      await linkUp.store.rules.silence(identity.who.device, on);
      voice.say(on ? "Do not disturb is on." : "Do not disturb is off.");
    } catch (error) {
      this.#host.say(error instanceof Error ? error.message : String(error));
    }
  }

  /** Whenever there is a session: the server knows what this device can do, and where its switches stand. */
  async tell(): Promise<void> {
    const rules = this.#host.linkUp?.store.rules;
    await rules?.tellSwitches(this.switches.now).catch(() => undefined);
    await rules?.tellCapabilities(await capabilities(this.#host.shape)).catch(() => undefined);
  }

  /** Cut here first; then the server and whoever is in the call hear of it. */
  #switched(words: string): void {
    const { linkUp, voice } = this.#host;
    linkUp?.calls.switchesChanged();
    void linkUp?.store.rules.tellSwitches(this.switches.now).catch(() => undefined);
    if (linkUp?.calls.state.at === "idle") voice.say(words);
    this.#host.changed();
  }
}

export function peerOf({ handle, name, id, theirGenesis, pin }: ContactView): PeerView {
  return { handle, name, contact: id, genesis: theirGenesis, verdict: pin === 2 ? "verified" : pin === 1 ? "unverified" : undefined };
}
