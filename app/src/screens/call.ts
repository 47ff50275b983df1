//! The call in all its states: it rings, we ring, we talk, it is over.

import { html, nothing, type TemplateResult } from "lit-html";
import type { CallController } from "../call/controller.ts";
import type { CallState, PeerView, Source, TheirSwitches } from "../call/state.ts";
import type { Drafts } from "../app/drafts.ts";
import type { HomeStore } from "../home/store.ts";
import type { DeviceId } from "../protocol.ts";
import { icons } from "../ui/icons.ts";
import { avatar, guestMark } from "../ui/parts.ts";
import { durationWords, endingWords, problemWords, theirSwitchWords, warningWords } from "../ui/words.ts";
import type { GuestButtons } from "./call_guests.ts";
import { PANEL_DRAFT } from "./call_panels.ts";
import { running } from "./call_running.ts";
import { askingWords, dropInEndWords } from "./drop_in_call.ts";
import { sink } from "./sink.ts";

/** What a call screen needs of the page around it: the app and a home device both are one. */
export interface CallScreenHost {
  readonly calls: CallController;
  readonly store: Pick<HomeStore, "home" | "members" | "devices" | "contactByHandle" | "sortedContacts">;
  readonly drafts: Drafts;
  /** This device, which is no place to move the call to. */
  readonly self: DeviceId | undefined;
  /** A contact whose household came with another key is not called. */
  keyChanged(contact: string): boolean;
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
  /** What a household can do about guests; home devices do nothing. */
  readonly guests?: GuestButtons;
  /** A guest's page: no household, nobody to add, nowhere to move to. */
  readonly visitor?: boolean;
  changed(): void;
}

type At<K extends CallState["at"]> = Extract<CallState, { at: K }>;

export function callScreen(host: CallScreenHost): TemplateResult | typeof nothing {
  const state = host.calls.state;
  // A panel belongs to the call over which it was opened.
  if (state.at !== "running") host.drafts.set(PANEL_DRAFT, undefined);
  switch (state.at) {
    // A home device has a screen of its own for it.
    case "idle": case "arriving": return nothing;
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
      <p class="call-kind" data-testid="call-kind">${state.moves ? "Your call would go on here" : video ? "Incoming video call" : "Incoming call"}</p>
      <h1 data-testid="caller-name">${peer.name}</h1>
      <p class="call-handle">@${peer.handle} ${standing(peer.verdict)}</p>
      ${theirSwitches(state.theirSwitches, peer.name, false, video)}
    </div>
    <div class="call-buttons">
      ${round("decline", state.moves ? "Not here" : "Decline", icons.hangUp, "red", () => host.calls.input({ on: "decline" }))}
      ${video && host.hasCamera ? round("answer-video", "Video", icons.video, "green", () => host.calls.answer(true)) : nothing}
      ${round("answer", video && host.hasCamera ? "Voice only" : "Answer", icons.phone, "green", () => host.calls.answer(false))}
    </div>
    ${host.block === undefined || peer.verdict === "own" || state.moves ? nothing : html`<button class="text-button call-block" data-testid="block-caller" @click=${() => host.block?.(peer)}>${icons.block}Decline and block</button>`}
  </section>`;
}

function outgoing(host: CallScreenHost, state: At<"outgoing">): TemplateResult {
  const { peer, ringing, video } = state;
  return html`<section class="call call-ringing" tabindex="-1" autofocus data-testid="outgoing-call" data-call-state=${ringing ? "ringing" : "inviting"} aria-label=${`Calling ${peer.name}`}>
    ${ownPicture(host, state.camera)}
    <div class="call-person">
      <div class=${ringing ? "pulse" : ""}>${avatar(peer.name, "huge")}</div>
      <p class="call-kind" role="status" data-testid="call-status">${askingWords(state) ?? (ringing ? "Ringing…" : video ? "Video calling…" : "Calling…")}</p>
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

function ended(host: CallScreenHost, state: At<"ended">): TemplateResult {
  const words = dropInEndWords(state) ?? (state.movedTo === undefined ? endingWords(state.reason, state.peer.name, state.outgoing) : `The call goes on at ${state.movedTo}`);
  const again = (): void => {
    host.calls.input({ on: "dismiss" });
    host.calls.dial(state.peer, state.video);
  };
  const serious = state.reason === "encryption_refused";
  return html`<section class="call call-ended ${serious ? "call-refused" : ""}" aria-label=${state.dropIn === undefined ? "Call ended" : "Drop-in ended"} data-testid="call-ended" data-call-state="ended" data-reason=${state.reason} data-refusal=${state.dropIn?.refusal ?? nothing}>
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
      ${serious || state.reason === "moved" || state.peer.verdict === "guest" ? nothing : round("end-call-again", state.dropIn === undefined ? "Call again" : "Call", state.video ? icons.video : icons.phone, "green", again)}
    </div>
  </section>`;
}

/** A live region: it changes while it rings. */
function theirSwitches(theirs: TheirSwitches, name: string, mine: boolean, video: boolean): TemplateResult | typeof nothing {
  const words = theirSwitchWords(theirs, name, mine, video);
  return words === undefined ? nothing : html`<p class="call-note" role="status" data-testid="peer-switched-off">${icons.micOff}${words}</p>`;
}

/** What is sent is always seen by who sends it. */
export function ownPicture(host: CallScreenHost, camera: Source): TemplateResult | typeof nothing {
  const stream = host.calls.media?.localVideo;
  if (!camera.on || stream === undefined) return nothing;
  return html`<div class="own-picture" data-testid="own-picture">
    <video playsinline muted ${sink(stream)} aria-label="Your own picture"></video>
    <span class="camera-on" data-testid="camera-indicator"><span class="camera-dot"></span>Camera on</span>
  </div>`;
}

export function switches(host: CallScreenHost, state: { microphone: Source; camera: Source }): TemplateResult {
  const { microphone, camera } = state;
  const flip = (source: "microphone" | "camera", on: boolean): void => host.calls.input({ on: "toggle", source, to: on });
  return html`
    ${round("mute", microphone.on ? "Mute" : "Unmute", microphone.on ? icons.mic : icons.micOff, microphone.on ? "plain" : "off", () => flip("microphone", !microphone.on), !microphone.on)}
    ${host.hasCamera ? round("toggle-video", camera.on ? "Video off" : "Video on", camera.on ? icons.video : icons.videoOff, camera.on ? "plain" : "off", () => flip("camera", !camera.on), camera.on) : nothing}`;
}

export function problems(state: { microphone: Source; camera: Source }): TemplateResult {
  const { microphone, camera } = state;
  return html`${microphone.problem === undefined ? nothing : html`<p class="call-problem" role="alert" data-testid="microphone-problem" data-problem=${microphone.problem}>${icons.micOff}${problemWords("microphone", microphone.problem)}</p>`}
    ${camera.problem === undefined ? nothing : html`<p class="call-problem" role="alert" data-testid="camera-problem" data-problem=${camera.problem}>${icons.videoOff}${problemWords("camera", camera.problem)}</p>`}`;
}

export function round(id: string, label: string, icon: TemplateResult, look: "red" | "green" | "plain" | "off" | "on", press: () => void, pressed?: boolean): TemplateResult {
  return html`<button class="round round-${look}" data-testid=${id} aria-pressed=${pressed === undefined ? nothing : String(pressed)} @click=${press}>
    <span class="round-face">${icon}</span><span class="round-label">${label}</span></button>`;
}
