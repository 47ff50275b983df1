//! The buttons of a home device itself: microphone, camera, do not disturb, and the big one for the top contact.

import { html, nothing, type TemplateResult } from "lit-html";
import { icons } from "../ui/icons.ts";
import type { DeviceModel } from "./model.ts";

interface Button {
  id: string;
  label: string;
  /** What it does or says beside its label. */
  state: string;
  icon: TemplateResult;
  off: boolean;
  press(): void;
}

/** `small`: beside a call, which has buttons of its own. */
export function hardSwitches(device: DeviceModel, small: boolean): TemplateResult {
  const { microphone, camera } = device.buttons.switches.now;
  const display = device.shape === "display";
  const buttons: Button[] = [{
    id: "switch-microphone", label: display ? "Mic and camera" : "Microphone", state: microphone ? "On" : "Off", icon: microphone ? icons.mic : icons.micOff, off: !microphone,
    press: () => device.buttons.flipMicrophone(),
  }];
  if (display) {
    buttons.push({
      id: "switch-camera", label: "Camera cover", state: device.buttons.switches.covered ? "Closed" : camera === "off" ? "Off" : "Open", icon: camera === "on" ? icons.video : icons.videoOff,
      off: camera !== "on", press: () => device.buttons.flipCover(),
    });
  }
  if (!small) {
    buttons.push({
      id: "switch-quiet", label: "Do not disturb", state: device.buttons.silent ? "On" : "Off", icon: icons.moon, off: device.buttons.silent, press: () => void device.buttons.flipSilence(),
    });
  }
  return html`<div class=${small ? "hard-switches hard-small" : "hard-switches"} role="group" aria-label="Switches of this device">${buttons.map(button)}</div>`;
}

function button({ id, label, state, icon, off, press }: Button): TemplateResult {
  return html`<button class="hard" data-testid=${id} data-off=${String(off)} @click=${press}>
    <span class="hard-face">${icon}</span><span class="hard-label">${label}<small>${state}</small></span></button>`;
}

/** Two presses call; while a call is on, its own red button is the one press that hangs up. */
export function topButton(device: DeviceModel): TemplateResult | typeof nothing {
  const top = device.buttons.topContact;
  if (top === undefined) return nothing;
  return html`<button class="top-button" data-testid="top-button" @click=${() => device.buttons.pressTop()}>
    ${icons.phone}<span><strong>${top.name}</strong><small>Press twice to call</small></span></button>`;
}

/** Said once above the buttons, so that nobody wonders. */
export function quietWords(device: DeviceModel): TemplateResult | typeof nothing {
  if (!device.buttons.silent) return nothing;
  return html`<p class="device-words" role="status" data-testid="silent">This device does not ring. Callers are not told.</p>`;
}
