//! The call in all its states: it rings, we ring, we talk, it is over.

import { html, nothing, type TemplateResult } from "lit-html";
import type { CallController } from "../call/controller.ts";
import type { CallState, PeerView, Running, Source, TheirSwitches } from "../call/state.ts";
import type { DeviceId } from "../protocol.ts";
import { icons } from "../ui/icons.ts";
import { avatar, guestMark } from "../ui/parts.ts";
import { durationWords, endingWords, problemWords, theirSwitchWords, warningWords } from "../ui/words.ts";
import { alarms, codePanel, quality, trust } from "./call_trust.ts";
import { sink } from "./sink.ts";

/** What a call screen needs of the page around it: the app and a home device both are one. */
export interface CallScreenHost {
  readonly calls: CallController;
  readonly codeOpen: boolean;
  setCodeOpen(open: boolean): void;
  readonly adult: boolean;
  readonly hasCamera: boolean;
  readonly originalSound: boolean;
  setOriginalSound(on: boolean): void;
  soundBlocked(blocked: boolean): void;
  /** Declines, and is never reached by them again; home devices can't. */
  block?(peer: PeerView): void;
  readonly soundIsBlocked: boolean;
  /** What a household can do about guests; a guest and a home device can do nothing. */
  readonly guests?: { mayRemove(device: DeviceId): boolean; remove(device: DeviceId): void; invite?(): void };
  changed(): void;
}

type At<K extends CallState["at"]> = Extract<CallState, { at: K }>;

export function callScreen(host: CallScreenHost): TemplateResult | typeof nothing {
  const state = host.calls.state;
  switch (state.at) {
    case "idle": return nothing;
    case "incoming": return incoming(host, state);
    case "outgoing": return outgoing(host, state);
    case "running": return running(host, state);
    case "ended": return ended(host, state);
  }
}

/** "unverified", "not in your contacts": what a ringing person should know before answering. */
function standing(verdict: At<"incoming">["peer"]["verdict"]): TemplateResult | typeof nothing {
  switch (verdict) {
    case "stranger": return html`<span class="mark" data-testid="caller-standing">Not in your contacts</span>`;
    case "first": case "unverified": return html`<span class="mark" data-testid="caller-standing">Unverified</span>`;
    case "verified": case "first_by_link": return html`<span class="mark mark-good" data-testid="caller-standing">${icons.shield}Verified</span>`;
    case "guest": return guestMark();
    case "own": return html`<span class="mark mark-good" data-testid="caller-standing">${icons.home}Your household</span>`;
    default: return nothing;
  }
}

/** The keyboard begins at the screen, not at a button: a key that was meant for a form must neither answer nor decline. */
function incoming(host: CallScreenHost, state: At<"incoming">): TemplateResult {
  const { peer, video } = state;
  return html`<section class="call call-ringing" tabindex="-1" autofocus aria-label=${`Incoming call from ${peer.name}`} data-testid="incoming-call" data-call-state="incoming">
    <div class="call-person">
      <div class="pulse">${avatar(peer.name, "huge")}</div>
      <p class="call-kind">${video ? "Incoming video call" : "Incoming call"}</p>
      <h1 data-testid="caller-name">${peer.name}</h1>
      <p class="call-handle">@${peer.handle} ${standing(peer.verdict)}</p>
      ${theirSwitches(state.theirSwitches, peer.name, false, video)}
    </div>
    <div class="call-buttons">
      ${round("decline", "Decline", icons.hangUp, "red", () => host.calls.input({ on: "decline" }))}
      ${video && host.hasCamera ? round("answer-video", "Video", icons.video, "green", () => host.calls.answer(true)) : nothing}
      ${round("answer", video && host.hasCamera ? "Voice only" : "Answer", icons.phone, "green", () => host.calls.answer(false))}
    </div>
    ${host.block === undefined || peer.verdict === "own" ? nothing : html`<button class="text-button call-block" data-testid="block-caller" @click=${() => host.block?.(peer)}>${icons.block}Decline and block</button>`}
  </section>`;
}

function outgoing(host: CallScreenHost, state: At<"outgoing">): TemplateResult {
  const { peer, ringing, video } = state;
  return html`<section class="call call-ringing" tabindex="-1" autofocus data-testid="outgoing-call" data-call-state=${ringing ? "ringing" : "inviting"} aria-label=${`Calling ${peer.name}`}>
    ${ownPicture(host, state.camera)}
    <div class="call-person">
      <div class=${ringing ? "pulse" : ""}>${avatar(peer.name, "huge")}</div>
      <p class="call-kind" role="status" data-testid="call-status">${ringing ? "Ringing…" : video ? "Video calling…" : "Calling…"}</p>
      <h1 data-testid="callee-name">${peer.name}</h1>
      <p class="call-handle">${peer.verdict === "guest" ? guestMark() : `@${peer.handle}`}</p>
    </div>
    <div class="call-messages">
      ${problems(state)}
      ${theirSwitches(state.theirSwitches, peer.name, true, video)}
      ${state.warnings.map((warning) => html`<p class="call-alarm" role="alert" data-testid="call-warning" data-warning=${warning}>${icons.alarm}${warningWords(warning)}</p>`)}
    </div>
    <div class="call-buttons">
      ${switches(host, state)}
      ${round("cancel-call", "Cancel", icons.hangUp, "red", () => host.calls.input({ on: "cancel" }))}
    </div>
  </section>`;
}

function running(host: CallScreenHost, state: At<"running">): TemplateResult {
  const media = host.calls.media;
  const theirs = media?.of(state.theirDevice);
  const picture = state.theirMedia.camera && theirs?.video !== undefined;
  return html`<section class="call call-running ${picture ? "with-picture" : ""}" data-testid="call-screen" data-call-state=${state.path === "connected" && state.keys === "sending" ? "connected" : state.path}
      aria-label=${`Call with ${state.peer.name}`}>
    <video class="remote ${picture ? "" : "hidden"}" data-testid="remote-video" playsinline muted ${sink(theirs?.video)}></video>
    <audio data-testid="remote-audio" ${sink(theirs?.audio, (blocked) => host.soundBlocked(blocked))}></audio>
    ${others(host, state)}
    ${picture ? nothing : html`<div class="call-person">${avatar(state.peer.name, "huge")}
      ${state.theirMedia.camera ? html`<p class="call-kind">Picture is coming…</p>` : nothing}</div>`}
    <header class="call-head">
      <div class="call-title"><h1><span data-testid="peer-name">${host.calls.guests.nameOf(state.theirDevice) ?? state.peer.name}</span> ${theirGuestMark(host, state)}</h1>
        <p role="status"><span data-testid="call-status">${statusWords(state)}</span> ${quality(host.calls)}</p>${removeTheirGuest(host, state)}</div>
      ${trust(host, state)}
    </header>
    ${ownPicture(host, state.camera)}
    <div class="call-messages">
      ${alarms(state)}
      ${problems(state)}
      ${state.theirMedia.microphone ? nothing : html`<p class="call-note" data-testid="peer-muted">${icons.micOff}${state.peer.name}'s microphone is off</p>`}
      ${state.theirMedia.camera || !state.video ? nothing : html`<p class="call-note" data-testid="peer-camera-off">${icons.videoOff}${state.peer.name}'s camera is off</p>`}
      ${state.theirConnected ? nothing : html`<p class="call-note" role="status" data-testid="peer-reconnecting">${state.peer.name}'s connection was lost. Waiting for them…</p>`}
      ${host.soundIsBlocked ? html`<button class="button primary" data-testid="allow-sound" @click=${() => allowSound(host)}>Tap to hear ${state.peer.name}</button>` : nothing}
    </div>
    ${host.codeOpen ? codePanel(host, state) : nothing}
    <div class="call-buttons">
      ${switches(host, state)}
      ${host.guests?.invite === undefined ? nothing : round("invite-guest", "Link", icons.link, "plain", host.guests.invite)}
      ${round("original-sound", "Original sound", icons.music, host.originalSound ? "on" : "plain", () => host.setOriginalSound(!host.originalSound), host.originalSound)}
      ${round("hang-up", "Hang up", icons.hangUp, "red", () => host.calls.hangUp())}
    </div>
  </section>`;
}

function theirGuestMark(host: CallScreenHost, { theirDevice, peer }: Running): TemplateResult | typeof nothing {
  const guest = host.calls.guests.nameOf(theirDevice);
  if (guest === undefined && peer.verdict !== "guest") return nothing;
  return guestMark();
}

/** Between two, hanging up does the same. */
function removeTheirGuest(host: CallScreenHost, { theirDevice, others: more }: Running): TemplateResult | typeof nothing {
  const guest = host.calls.guests.nameOf(theirDevice);
  return theirDevice === undefined || guest === undefined || more.length === 0 ? nothing : removeGuest(host, theirDevice, guest);
}

function removeGuest(host: CallScreenHost, device: DeviceId, name: string): TemplateResult | typeof nothing {
  if (host.guests?.mayRemove(device) !== true) return nothing;
  return html`<button class="text-button" data-testid="remove-guest" aria-label=${`Remove ${name} from the call`} @click=${() => host.guests?.remove(device)}>${icons.leave}Remove</button>`;
}

/** Further participants of a call with more than two. */
function others(host: CallScreenHost, state: At<"running">): TemplateResult | typeof nothing {
  if (state.others.length === 0) return nothing;
  return html`<ul class="call-others" data-testid="call-others">${state.others.map(({ device, party, media }) => {
    const theirs = host.calls.media?.of(device);
    const picture = media.camera && theirs?.video !== undefined;
    const guest = host.calls.guests.nameOf(device);
    const name = guest ?? party.display_name;
    return html`<li data-testid="call-other" data-device=${device}>
      ${picture ? html`<video playsinline muted ${sink(theirs.video)}></video>` : avatar(name, "large")}
      <audio ${sink(theirs?.audio, (blocked) => host.soundBlocked(blocked))}></audio>
      <span>${name}${media.microphone ? nothing : html` <span aria-label="muted">${icons.micOff}</span>`}</span>
      ${guest === undefined && party.guest !== true ? nothing : html`${guestMark()}${removeGuest(host, device, name)}`}
    </li>`;
  })}</ul>`;
}

function ended(host: CallScreenHost, state: At<"ended">): TemplateResult {
  const words = endingWords(state.reason, state.peer.name, state.outgoing);
  const again = (): void => {
    host.calls.input({ on: "dismiss" });
    host.calls.dial(state.peer, state.video);
  };
  const serious = state.reason === "encryption_refused";
  return html`<section class="call call-ended ${serious ? "call-refused" : ""}" aria-label="Call ended" data-testid="call-ended" data-call-state="ended" data-reason=${state.reason}>
    <div class="call-person">
      ${serious ? html`<div class="alarm-sign">${icons.alarm}</div>` : avatar(state.peer.name, "huge")}
      <h1>${state.peer.name}</h1>
      ${state.peer.verdict === "guest" ? guestMark() : nothing}
      <p class="call-kind" role=${serious ? "alert" : "status"} data-testid="end-reason">${words}</p>
      ${state.reason === "failed_to_start" && host.calls.failure !== undefined ? html`<p class="call-detail" data-testid="start-failure">${host.calls.failure}</p>` : nothing}
      ${state.changedKey === undefined ? nothing : html`<p class="call-detail">Their household's key is not the one you know. Open their card under Contacts to decide.</p>`}
      ${state.seconds === undefined ? nothing : html`<p class="call-detail">${durationWords(state.seconds)}</p>`}
    </div>
    <div class="call-buttons">
      ${round("end-close", "Close", icons.close, "plain", () => host.calls.input({ on: "dismiss" }))}
      ${serious || state.peer.verdict === "guest" ? nothing : round("end-call-again", "Call again", state.video ? icons.video : icons.phone, "green", again)}
    </div>
  </section>`;
}

/** A live region: it changes while it rings. */
function theirSwitches(theirs: TheirSwitches, name: string, mine: boolean, video: boolean): TemplateResult | typeof nothing {
  const words = theirSwitchWords(theirs, name, mine, video);
  return words === undefined ? nothing : html`<p class="call-note" role="status" data-testid="peer-switched-off">${icons.micOff}${words}</p>`;
}

function statusWords(state: Running): string {
  if (state.keys !== "sending" && state.keys !== "waiting") return "Stopped for safety";
  if (state.path === "reconnecting") return "Reconnecting…";
  if (state.path === "connecting" || state.keys === "waiting") return "Connecting…";
  return durationWords((Date.now() - state.sinceMs) / 1_000);
}

/** What is sent is always seen by who sends it. */
function ownPicture(host: CallScreenHost, camera: Source): TemplateResult | typeof nothing {
  const stream = host.calls.media?.localVideo;
  if (!camera.on || stream === undefined) return nothing;
  return html`<div class="own-picture" data-testid="own-picture">
    <video playsinline muted ${sink(stream)} aria-label="Your own picture"></video>
    <span class="camera-on" data-testid="camera-indicator"><span class="camera-dot"></span>Camera on</span>
  </div>`;
}

function switches(host: CallScreenHost, state: { microphone: Source; camera: Source }): TemplateResult {
  const { microphone, camera } = state;
  const flip = (source: "microphone" | "camera", on: boolean): void => host.calls.input({ on: "toggle", source, to: on });
  return html`
    ${round("mute", microphone.on ? "Mute" : "Unmute", microphone.on ? icons.mic : icons.micOff, microphone.on ? "plain" : "off", () => flip("microphone", !microphone.on), !microphone.on)}
    ${host.hasCamera ? round("toggle-video", camera.on ? "Video off" : "Video on", camera.on ? icons.video : icons.videoOff, camera.on ? "plain" : "off", () => flip("camera", !camera.on), camera.on) : nothing}`;
}

function problems(state: { microphone: Source; camera: Source }): TemplateResult {
  const { microphone, camera } = state;
  return html`${microphone.problem === undefined ? nothing : html`<p class="call-problem" role="alert" data-testid="microphone-problem" data-problem=${microphone.problem}>${icons.micOff}${problemWords("microphone", microphone.problem)}</p>`}
    ${camera.problem === undefined ? nothing : html`<p class="call-problem" role="alert" data-testid="camera-problem" data-problem=${camera.problem}>${icons.videoOff}${problemWords("camera", camera.problem)}</p>`}`;
}

function round(id: string, label: string, icon: TemplateResult, look: "red" | "green" | "plain" | "off" | "on", press: () => void, pressed?: boolean): TemplateResult {
  return html`<button class="round round-${look}" data-testid=${id} aria-pressed=${pressed === undefined ? nothing : String(pressed)} @click=${press}>
    <span class="round-face">${icon}</span><span class="round-label">${label}</span></button>`;
}

function allowSound(host: CallScreenHost): void {
  for (const element of document.querySelectorAll("audio")) void element.play().then(() => host.soundBlocked(false), () => undefined);
}
