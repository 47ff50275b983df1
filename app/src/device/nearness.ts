//! That somebody is near this home device, as it tells the server: touches, and what its camera sees move, if somebody switched that on here.

import { html, nothing, type TemplateResult } from "lit-html";
import type { Activity as Noticed } from "../protocol.ts";
import { Activity, MOTION_EVERY_MS, SAY_EVERY_MS } from "./activity.ts";
import type { DeviceModel } from "./model.ts";
import { mayLook } from "./motion.ts";
import { MotionWatch, openEye } from "./motion_watch.ts";

const SETTING = "motion";

export class Nearness {
  readonly #device: DeviceModel;
  readonly #touches = new Activity(() => this.#say("interaction"), SAY_EVERY_MS);
  readonly #motions = new Activity(() => this.#say("motion"), MOTION_EVERY_MS);
  readonly watch = new MotionWatch({
    may: () => this.#mayLook(),
    open: openEye,
    moved: () => this.#motions.noticed(performance.now()),
    changed: () => this.#device.changed(),
  });

  constructor(device: DeviceModel) {
    this.#device = device;
  }

  get looksForMotion(): boolean {
    return this.#device.memory.setting(SETTING) === "on";
  }

  touched(): void {
    this.#touches.noticed(performance.now());
  }

  lookForMotion(on: boolean): void {
    this.#device.memory.keepSetting(SETTING, on ? "on" : undefined);
    this.#device.changed();
  }

  #mayLook(): boolean {
    const { shape, buttons, linkUp, self, visits } = this.#device;
    const { at } = linkUp?.calls.state ?? { at: "idle" };
    const settings = self === undefined ? undefined : linkUp?.store.device(self)?.settings;
    return mayLook({
      on: this.looksForMotion,
      camera: shape === "display" && buttons.switches.maySend("camera"),
      visible: !document.hidden,
      idle: at === "idle" || at === "ended",
      told: settings?.recently_active === true && !visits.switchedOff && (linkUp?.store.grants.active().length ?? 0) > 0,
    });
  }

  #say(activity: Noticed): boolean {
    const { link, linkUp } = this.#device;
    if (link.state !== "online" || linkUp === undefined) return false;
    void linkUp.session.done({ type: "report_activity", activity }).catch(() => undefined);
    return true;
  }
}

/** Beside the switches for drop-ins: those who may drop in see it. */
export function motionSwitch({ nearness, shape }: DeviceModel): TemplateResult | typeof nothing {
  if (shape !== "display") return nothing;
  const { at } = nearness.watch;
  return html`<label class="switch device-motion"><input type="checkbox" role="switch" data-testid="motion" .checked=${nearness.looksForMotion}
      @change=${(event: Event) => nearness.lookForMotion((event.currentTarget as HTMLInputElement).checked)} />
    <span><strong>Notice movement</strong><small>Whoever may drop in here sees that somebody was here. The camera is on for it, and its light is lit. Once a second it is looked whether something moved; no picture is sent or kept.
      Never while the camera is covered or off.</small>
      ${nearness.looksForMotion ? html`<small role="status" data-testid="motion-state" data-watch=${at}>${at === "looking" ? "The camera looks for movement now." : at === "failed" ? "The browser gives no camera." : "The camera is off now."}</small>` : nothing}</span></label>`;
}
