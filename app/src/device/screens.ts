//! What a home device shows: setting up, the ring of light, the clock, people to call, and its calls.

import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import { parseHandle } from "../home/links.ts";
import { callScreen, type CallScreenHost } from "../screens/call.ts";
import { spaced } from "../screens/door.ts";
import { speakingLive } from "../screens/live.ts";
import { elsewhere } from "../screens/elsewhere.ts";
import { icons } from "../ui/icons.ts";
import { avatar, field, form } from "../ui/parts.ts";
import { announce, justAnnounced, toAnnounce } from "./announce.ts";
import { announced } from "./announced.ts";
import { hardSwitches, quietWords, topButton } from "./controls.ts";
import { dropInControls, dropInScreen, droppedInOn } from "./drop_in.ts";
import { dropInFrom } from "./drop_in_from.ts";
import { ring } from "./light.ts";
import { hearingLive } from "./live.ts";
import { type DeviceModel, GONE, type Shape } from "./model.ts";
import { inCall, speakerCall } from "./speaker.ts";

export function screen(device: DeviceModel): TemplateResult {
  return html`<div class="device device-${device.shape}" data-testid="device-root" data-shape=${device.shape} data-stage=${device.stage.at}>
    ${content(device)}
    ${bar(device)}
    ${device.answering === undefined ? nothing : html`<p class="device-answering" role="status" data-testid="answering">${device.answering}</p>`}
    <p class="spoken" aria-live="assertive" data-testid="spoken">${device.voice.text}</p>
    ${device.notice === undefined ? nothing : html`<p class="device-notice" role="alert" data-testid="notice">${device.notice}</p>`}
  </div>`;
}

function content(device: DeviceModel): TemplateResult {
  switch (device.stage.at) {
    case "opening": return html`<div class="loading"><div class="spinner"></div></div>`;
    case "setup": return setup(device);
    case "pairing": return pairing(device);
    case "stopped": return stopped(device);
    case "ready": return ready(device);
  }
}

/** A display shows its picture edge to edge; the bar of light stays on top of it. */
function bar(device: DeviceModel): TemplateResult | typeof nothing {
  if (device.shape !== "display" || device.stage.at !== "ready") return nothing;
  const on = device.light === "ringing" || device.light === "call" || device.light === "announcement";
  return on ? html`<div class="light-bar" data-testid="light-bar" data-light=${device.light} data-microphone=${device.buttons.switches.now.microphone ? "on" : "off"}><span>${barWords(device)}${device.buttons.switches.now.microphone ? "" : " · microphone off"}</span></div>` : nothing;
}

function barWords(device: DeviceModel): string {
  const state = device.linkUp?.calls.state;
  if (device.light === "ringing") return "Incoming call";
  if (state?.at === "running" && state.live !== undefined) return state.live.side === "hears" ? "Announcement" : "Announcing live";
  return state !== undefined && droppedInOn(state) !== undefined ? "Drop-in" : "Call in progress";
}

function setup(device: DeviceModel): TemplateResult {
  return html`<main class="door"><section class="door-card">
    <h1>A home device</h1>
    <p class="lead">Put this screen somewhere in your home. It rings for the household and calls your contacts.</p>
    ${form(device, {
      name: "device-setup", submit: "Continue",
      fields: html`
        <fieldset class="shapes"><legend class="field-label">What is it?</legend>
          ${shape("display", "Display", "Picture and sound", icons.display, true)}${shape("speaker", "Speaker", "Sound only, no camera", icons.speaker, false)}</fieldset>
        ${field({ name: "label", label: "Its name", hint: "As \"Kitchen\".", maxlength: 64, capitalize: "words" })}
        ${field({ name: "handle", label: "Handle of a member of your household", capitalize: "off", maxlength: 33 })}`,
      run: async (value) => {
        const handle = parseHandle(value("handle"));
        if (handle === undefined) throw new Error("That can't be a handle: 3 to 32 letters, digits, dots or dashes.");
        const kind: Shape = value("shape") === "speaker" ? "speaker" : "display";
        void device.pair(handle, value("label"), kind);
      },
    })}
    <a class="text-button" href="/">To the app</a>
  </section></main>`;
}

function shape(value: Shape, label: string, hint: string, icon: TemplateResult, checked: boolean): TemplateResult {
  return html`<label class="shape"><input type="radio" name="shape" value=${value} ?checked=${checked} data-testid=${`shape-${value}`} />
    ${icon}<span><strong>${label}</strong><small>${hint}</small></span></label>`;
}

function pairing(device: DeviceModel): TemplateResult {
  if (device.stage.at !== "pairing") return html``;
  const { view } = device.stage;
  const digits = view.at === "digits";
  return html`<main class="device-center">
    ${ring(device, digits
      ? html`<p class="digits" data-testid="pairing-digits">${spaced(view.digits)}</p>`
      : view.at === "failed" ? html`<span class="alarm-sign">${icons.alarm}</span>` : html`<div class="spinner"></div>`)}
    ${view.at === "failed"
      ? html`<p class="error" role="alert" data-testid="pairing-failed">${view.why}</p><button class="button primary" data-testid="pairing-again" @click=${() => device.cancelPairing()}>Try again</button>`
      : html`<p class="device-words" data-testid="pairing-waiting">${digits ? "Type these digits into the app." : "In the app: Household, then Add a device."}</p>
        <button class="text-button" data-testid="pairing-cancel" @click=${() => device.cancelPairing()}>Cancel</button>`}
  </main>`;
}

function stopped(device: DeviceModel): TemplateResult {
  if (device.stage.at !== "stopped") return html``;
  const { code, text } = device.stage;
  const elsewhere = code === "session_replaced";
  const gone = GONE.has(code);
  return html`<main class="device-center" data-testid="stopped" data-code=${code}>
    ${ring(device, icons.alarm)}
    <p class="device-words">${elsewhere ? "This device is open in another tab." : text}</p>
    ${elsewhere ? html`<button class="button primary" data-testid="use-here" @click=${() => device.useHere()}>Use it here</button>`
      : gone ? html`<button class="button primary" data-testid="start-over" @click=${() => void device.startOver()}>Set it up again</button>`
        : html`<button class="button primary" data-testid="reload" @click=${() => location.reload()}>Reload</button>`}
  </main>`;
}

function ready(device: DeviceModel): TemplateResult {
  const state = device.calls.state;
  const visit = droppedInOn(state);
  if (visit !== undefined) return html`${dropInScreen(device, hostOf(device), visit)}${hardSwitches(device, true)}`;
  if (state.at === "running" && state.live !== undefined) {
    return state.live.side === "hears" ? hearingLive(device, hostOf(device), state) : html`${speakingLive(hostOf(device), state)}${hardSwitches(device, true)}`;
  }
  if (device.shape === "display" && state.at !== "idle") return html`${callScreen(hostOf(device))}${inCall(device) ? hardSwitches(device, true) : nothing}`;
  if (state.at !== "idle") return speakerCall(device, hostOf(device));
  const speaking = device.speaking.state;
  if (speaking.at === "asking") return announce(device, speaking);
  return html`<main class="device-home">
    <div class="device-clock">${ring(device, clock(device))}
      <p class="device-label" data-testid="device-label">${device.label}</p>
      ${device.link.state === "online" ? nothing : html`<p class="device-words" role="status" data-testid="offline">No connection to the server</p>`}
      ${device.touched ? nothing : html`<button class="button primary" data-testid="unlock" @click=${() => void device.unlock()}>Touch once, so that it may ring</button>`}
    </div>
    <div class="device-people">${announced(device)}${justAnnounced(device)}${device.linkUp?.loaded === true ? elsewhere(device.calls, device.store) : nothing}${quietWords(device)}${toAnnounce(device)}${topButton(device)}${people(device)}${dropInFrom(device)}${dropInControls(device)}</div>
    ${hardSwitches(device, false)}
  </main>`;
}

function clock(device: DeviceModel): TemplateResult {
  if (device.linkUp?.loaded !== true) return html`<div class="spinner"></div>`;
  const now = new Date();
  return html`<time>${now.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" })}</time>
    <small>${now.toLocaleDateString(undefined, { weekday: "long", day: "numeric", month: "long" })}</small>`;
}

function people(device: DeviceModel): TemplateResult | typeof nothing {
  const contacts = device.store.sortedContacts().filter((contact) => contact.trouble === undefined && device.memory.changedKey(contact.id) === undefined);
  if (contacts.length === 0) return nothing;
  const video = device.shape === "display";
  return html`<ul class="tiles" data-testid="contacts">${repeat(contacts, ({ id }) => id, (contact) => html`<li data-testid="contact" data-handle=${contact.handle}>
    <button class="tile" data-testid="call-contact" @click=${() => device.call(contact, video)}>
      ${avatar(contact.name, "large")}<span><span class="unseen">Call </span>${contact.name}</span></button></li>`)}</ul>`;
}

function hostOf(device: DeviceModel): CallScreenHost {
  return {
    calls: device.calls,
    store: device.store,
    drafts: device.drafts,
    self: device.identity.state === "ready" ? device.identity.who.device : undefined,
    keyChanged: (contact) => device.memory.changedKey(contact) !== undefined,
    codeOpen: device.codeOpen,
    setCodeOpen: (open) => {
      device.codeOpen = open;
      device.changed();
    },
    adult: false,
    hasCamera: device.shape === "display",
    originalSound: device.calls.media?.original ?? false,
    setOriginalSound: (on) => {
      device.memory.keepSetting("original", on ? "on" : undefined);
      void device.calls.media?.setOriginal(on);
    },
    soundIsBlocked: device.soundBlocked,
    soundBlocked: (blocked) => {
      device.soundBlocked = blocked;
      device.changed();
    },
    changed: () => device.changed(),
  };
}
