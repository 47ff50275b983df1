//! The ring of light, and what it says in words for those who do not see it.

import { html, type nothing, type TemplateResult } from "lit-html";
import type { DeviceModel } from "./model.ts";

export function ring(device: DeviceModel, inner: TemplateResult | typeof nothing): TemplateResult {
  return html`<div class="ring" data-testid="light" data-light=${device.light} data-microphone=${device.buttons.switches.now.microphone ? "on" : "off"} role="img" aria-label=${lightWords(device)}><div class="ring-inner">${inner}</div></div>`;
}

export function lightWords(device: DeviceModel): string {
  const words = { off: "off", waiting: "blue, waiting", ringing: "green, ringing", call: "green, in a call", announcement: "blue, somebody announces", muted: "red", trouble: "amber, no connection" }[device.light];
  return `Light: ${words}${device.buttons.switches.now.microphone ? "" : ", microphone off"}`;
}
