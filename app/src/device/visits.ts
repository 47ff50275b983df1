//! Drop-ins on this home device: its own settings for them, and what it gives of tone and light.

import type { DropInAsked } from "../call/controller.ts";
import { DropInTarget } from "../call/drop_in_target.ts";
import type { LinkUp } from "../app/link_up.ts";
import type { E2ee } from "../e2ee/page.ts";
import type { DropInInput, IdentityStatus } from "../e2ee/port.ts";
import type { LocalMemory } from "../home/local.ts";
import type { Tones } from "../media/tones.ts";
import type { CallId, Event } from "../protocol.ts";
import type { Buttons } from "./buttons.ts";
import { LedgerCourier } from "./ledger.ts";
import type { Shape } from "./model.ts";
import { painted } from "./painted.ts";

/** How long the picture may be frosted; 0 counts for the own household alone. */
export const FROSTED_SECONDS = [0, 5, 10, 15, 20, 30] as const;
const FROSTED_DEFAULT = 10;
const SETTING = "drop-in.frosted";

/** The device around it. */
export interface VisitsHost {
  readonly e2ee: E2ee;
  readonly memory: LocalMemory;
  readonly tones: Tones;
  readonly buttons: Buttons;
  readonly shape: Shape;
  readonly label: string;
  readonly identity: IdentityStatus;
  readonly linkUp: LinkUp | undefined;
  say(text: string): void;
  changed(): void;
}

export class Visits {
  readonly #host: VisitsHost;
  #target: DropInTarget | undefined;
  #courier: LedgerCourier | undefined;
  /** By its own switch, which needs no server. */
  #off = false;

  constructor(host: VisitsHost) {
    this.#host = host;
  }

  get frostedSeconds(): number {
    return Number(this.#host.memory.setting(SETTING) ?? FROSTED_DEFAULT);
  }

  /** Here, or by an adult's app. */
  get switchedOff(): boolean {
    return this.#off || this.#offInHousehold();
  }

  begin(linkUp: LinkUp): void {
    this.end();
    const { e2ee, buttons, tones } = this.#host;
    this.#courier = new LedgerCourier(e2ee, linkUp.session, (text) => this.#host.say(text));
    this.#target = new DropInTarget({
      e2ee, session: linkUp.session, store: linkUp.store, calls: linkUp.calls,
      quiet: () => buttons.silent,
      off: () => this.#offInHousehold(),
      maySend: (source) => buttons.switches.maySend(source),
      hasCamera: () => this.#host.shape === "display",
      frostedMs: () => this.frostedSeconds * 1_000,
      label: () => this.#host.label,
      tone: () => tones.dropIn(),
      light: () => painted(() => document.querySelector('[data-testid="drop-in-indicator"]')),
      remind: () => tones.stillThere(),
    });
  }

  end(): void {
    this.#target?.stop();
    this.#courier?.stop();
    this.#target = this.#courier = undefined;
  }

  async loaded(): Promise<void> {
    await this.#target?.loaded();
    const { identity } = this.#host;
    if (identity.state === "ready") this.#courier?.begin(identity.who.device);
    this.#off = (await this.#host.e2ee.request("drop_in.status", {})).off;
    // What was switched off here while there was no server, or is on there all the same.
    if (this.#off && !this.#offInHousehold()) await this.#tell(false);
    this.#host.changed();
  }

  asked(event: DropInAsked): void {
    void this.#target?.asked(event).catch(() => undefined);
  }

  ended(call: CallId): void {
    this.#target?.ended(call);
  }

  handle(event: Event): void {
    this.#target?.handle(event);
    if (event.type === "device_settings_changed" && this.#off && !this.#offInHousehold()) void this.#tell(false);
  }

  /** After every change. */
  look(): void {
    if (this.#host.linkUp?.loaded === true) this.#target?.look();
  }

  say(input: DropInInput): void {
    void this.#target?.say(input);
  }

  camera(on: boolean): void {
    this.#host.linkUp?.calls.input({ on: "toggle", source: "camera", to: on });
  }

  keepFrosted(seconds: number): void {
    this.#host.memory.keepSetting(SETTING, String(seconds));
    this.#host.changed();
  }

  /** Here first; then the household hears of it. */
  async switchOff(off: boolean): Promise<void> {
    this.#off = (await this.#host.e2ee.request("drop_in.switch", { off })).off;
    this.#host.changed();
    await this.#tell(!off);
  }

  async everyoneOut(): Promise<void> {
    await this.#host.e2ee.request("drop_in.everyone_out", {});
    this.#host.say("Everyone is out. Nobody drops in here until an adult lets them anew.");
  }

  async #tell(on: boolean): Promise<void> {
    const { identity, linkUp } = this.#host;
    if (identity.state !== "ready") return;
    await linkUp?.store.rules.allowDropIn(identity.who.device, on).catch(() => undefined);
    this.#host.changed();
  }

  #offInHousehold(): boolean {
    const { identity, linkUp } = this.#host;
    return identity.state === "ready" && linkUp?.store.device(identity.who.device)?.settings.drop_in === false;
  }
}
