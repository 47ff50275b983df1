//! What a home device shows: setting up, the ring of light, the clock, people to call, and its calls.

import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import { parseHandle } from "../home/links.ts";
import { callScreen, type CallScreenHost } from "../screens/call.ts";
import { spaced } from "../screens/door.ts";
import { sink } from "../screens/sink.ts";
import { icons } from "../ui/icons.ts";
import { avatar, field, form } from "../ui/parts.ts";
import { endingWords, problemWords, theirSwitchWords, warningWords } from "../ui/words.ts";
import type { CallState } from "../call/state.ts";
import type { DeviceId } from "../protocol.ts";
import { hardSwitches, quietWords, topButton } from "./controls.ts";
import { type DeviceModel, GONE, type Shape } from "./model.ts";

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

function ring(device: DeviceModel, inner: TemplateResult | typeof nothing): TemplateResult {
  return html`<div class="ring" data-testid="light" data-light=${device.light} data-microphone=${device.buttons.switches.now.microphone ? "on" : "off"} role="img" aria-label=${lightWords(device)}><div class="ring-inner">${inner}</div></div>`;
}

function lightWords(device: DeviceModel): string {
  const words = { off: "off", waiting: "blue, waiting", ringing: "green, ringing", call: "green, in a call", muted: "red", trouble: "amber, no connection" }[device.light];
  return `Light: ${words}${device.buttons.switches.now.microphone ? "" : ", microphone off"}`;
}

/** A display shows its picture edge to edge; the bar of light stays on top of it. */
function bar(device: DeviceModel): TemplateResult | typeof nothing {
  if (device.shape !== "display" || device.stage.at !== "ready") return nothing;
  const on = device.light === "ringing" || device.light === "call";
  return on ? html`<div class="light-bar" data-testid="light-bar" data-light=${device.light} data-microphone=${device.buttons.switches.now.microphone ? "on" : "off"}><span>${device.light === "ringing" ? "Incoming call" : "Call in progress"}${device.buttons.switches.now.microphone ? "" : " · microphone off"}</span></div>` : nothing;
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
  if (device.shape === "display" && state.at !== "idle") return html`${callScreen(hostOf(device))}${inCall(device) ? hardSwitches(device, true) : nothing}`;
  if (state.at !== "idle") return speakerCall(device);
  return html`<main class="device-home">
    <div class="device-clock">${ring(device, clock(device))}
      <p class="device-label" data-testid="device-label">${device.label}</p>
      ${device.link.state === "online" ? nothing : html`<p class="device-words" role="status" data-testid="offline">No connection to the server</p>`}
      ${device.touched ? nothing : html`<button class="button primary" data-testid="unlock" @click=${() => void device.unlock()}>Touch once, so that it may ring</button>`}
    </div>
    <div class="device-people">${quietWords(device)}${topButton(device)}${people(device)}</div>
    ${hardSwitches(device, false)}
  </main>`;
}

function inCall(device: DeviceModel): boolean {
  const { at } = device.calls.state;
  return at === "incoming" || at === "outgoing" || at === "running";
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

/** A speaker has no picture: its light, its voice, and few large buttons. */
function speakerCall(device: DeviceModel): TemplateResult {
  const { calls } = device;
  const state = calls.state;
  if (state.at === "idle") return html``;
  const face = html`<strong class="ring-name" data-testid=${state.at === "incoming" ? "caller-name" : "peer-name"}>${state.peer.name}</strong>`;
  const microphone = state.at === "running" || state.at === "outgoing" ? state.microphone : undefined;
  return html`<main class="device-center call-dark" data-testid=${testIdOf(state.at)} data-call-state=${callStateOf(device)} data-reason=${state.at === "ended" ? state.reason : nothing}>
    ${ring(device, face)}
    <p class="device-words" role="status" data-testid="call-status">${statusOf(device)}</p>
    ${microphone?.problem === undefined ? nothing : html`<p class="call-problem" role="alert" data-testid="microphone-problem" data-problem=${microphone.problem}>${problemWords("microphone", microphone.problem)}</p>`}
    ${theirSound(device)}
    ${state.at !== "running" ? nothing : state.warnings.map((warning) => html`<p class="call-alarm" role="alert" data-testid="call-warning" data-warning=${warning}>${icons.alarm}${warningWords(warning)}</p>`)}
    ${state.at !== "running" || state.code === undefined ? nothing : html`<details class="speaker-code"><summary data-testid="encryption-state" data-keys=${state.keys}>${icons.lock} Encrypted: call code</summary><p data-testid="call-code" data-code=${state.code}>${state.code}</p></details>`}
    <div class="device-buttons">${speakerButtons(device)}</div>
    ${inCall(device) ? hardSwitches(device, true) : nothing}
    ${devicesHeard(state).map((heard, nth) => html`<audio data-testid=${nth === 0 ? "remote-audio" : "other-audio"} ${sink(calls.media?.of(heard).audio, (blocked) => {
      device.soundBlocked = blocked;
      device.changed();
    })}></audio>`)}
  </main>`;
}

/** The other participants, the first one first: each has an element of its own. */
function devicesHeard(state: CallState): (DeviceId | undefined)[] {
  return state.at === "running" ? [state.theirDevice, ...state.others.map(({ device }) => device)] : [undefined];
}

/** Why nothing is heard of them, or will be. */
function theirSound(device: DeviceModel): TemplateResult | typeof nothing {
  const state = device.calls.state;
  if (state.at === "running") return state.theirMedia.microphone ? nothing : html`<p class="call-note" role="status" data-testid="peer-muted">${icons.micOff}${state.peer.name}'s microphone is off</p>`;
  const words = state.at === "incoming" || state.at === "outgoing" ? theirSwitchWords(state.theirSwitches, state.peer.name, state.at === "outgoing", false) : undefined;
  return words === undefined ? nothing : html`<p class="call-note" role="status" data-testid="peer-switched-off">${icons.micOff}${words}</p>`;
}

function testIdOf(at: string): string {
  return at === "incoming" ? "incoming-call" : at === "outgoing" ? "outgoing-call" : at === "running" ? "call-screen" : "call-ended";
}

function callStateOf(device: DeviceModel): string {
  const state = device.calls.state;
  if (state.at === "outgoing") return state.ringing ? "ringing" : "inviting";
  if (state.at === "running") return state.path === "connected" && state.keys === "sending" ? "connected" : state.path;
  return state.at;
}

function statusOf(device: DeviceModel): string {
  const state = device.calls.state;
  switch (state.at) {
    case "incoming": return state.video ? "Incoming video call" : "Incoming call";
    case "outgoing": return state.ringing ? "Ringing…" : "Calling…";
    case "running": return state.path === "connected" && state.keys === "sending" ? "In a call" : state.path === "reconnecting" ? "Reconnecting…" : "Connecting…";
    case "ended": return endingWords(state.reason, state.peer.name, state.outgoing);
    case "idle": return "";
  }
}

function speakerButtons(device: DeviceModel): TemplateResult {
  const { calls } = device;
  const state = calls.state;
  const button = (id: string, label: string, icon: TemplateResult, look: string, press: () => void): TemplateResult =>
    html`<button class="round round-${look}" data-testid=${id} @click=${press}><span class="round-face">${icon}</span><span class="round-label">${label}</span></button>`;
  switch (state.at) {
    case "incoming": return html`${button("decline", "Decline", icons.hangUp, "red", () => calls.input({ on: "decline" }))}${button("answer", "Answer", icons.phone, "green", () => calls.answer(false))}`;
    case "outgoing": return button("cancel-call", "Cancel", icons.hangUp, "red", () => device.buttons.hangUp());
    case "running": return html`${button("mute", state.microphone.on ? "Mute" : "Unmute", state.microphone.on ? icons.mic : icons.micOff, state.microphone.on ? "plain" : "off",
      () => calls.input({ on: "toggle", source: "microphone", to: !state.microphone.on }))}${button("hang-up", "Hang up", icons.hangUp, "red", () => device.buttons.hangUp())}`;
    case "ended": return button("end-close", "Close", icons.close, "plain", () => calls.input({ on: "dismiss" }));
    case "idle": return html``;
  }
}

function hostOf(device: DeviceModel): CallScreenHost {
  return {
    calls: device.calls,
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
