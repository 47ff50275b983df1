//! What a call can be, what can happen to it, and what is to be done about it: the words of the call machine.

import type { StopReason, WarnReason, WhoKind } from "../e2ee/port.ts";
import type { AnnouncementFate, AnnouncementReceiver, AnnounceTo, Blob, Callee, CallId, ContactId, DeviceId, DropInRefusal, DropInStage, EndReason, Grade, GradedDevice, MediaState, Participant, Party } from "../protocol.ts";
import type { Verdict } from "./pins.ts";

/** The person on the other end. */
export interface PeerView {
  handle: string;
  /** The own contact's name where there is one; it outranks what they call themselves. */
  name: string;
  contact: ContactId | undefined;
  /** Known once a certificate was seen or a key is pinned. */
  genesis: string | undefined;
  verdict: Verdict | undefined;
  /** What is called, where it is not the person: a room, or home. */
  target?: Callee;
}

export type DeviceProblem =
  /** Pages get devices only over HTTPS or on localhost. */
  | "insecure"
  | "missing"
  | "refused"
  | "busy"
  /** It was there and went away in mid-call. */
  | "lost"
  /** The device's own switch is off, or its shutter closed. */
  | "switched_off";

/** A switch and what stands behind it. */
export interface Source {
  on: boolean;
  problem: DeviceProblem | undefined;
}

export type Warning = WarnReason | "refused_member" | "decrypt_failures" | "refused_device";

/** Devices of the other side, before the answer, of which a switch is off. */
export type TheirSwitches = Readonly<Record<DeviceId, MediaState>>;

/** The path to the server that media takes. */
export type Path = "connecting" | "connected" | "reconnecting";

/** Whether frames are being encrypted and sent. */
export type Keys = "waiting" | "sending" | StopReason;

/** How far a call has come for whoever is in it: without keys nothing is said or heard, whatever the path. */
export function reached({ path, keys }: { path: Path; keys: Keys }): Path {
  return path === "connected" && keys !== "sending" ? "connecting" : path;
}

/** A member of the call's group, as their certificates say. */
export interface Known {
  genesis: string;
  own: boolean;
  person: string;
  kind: WhoKind;
  /** A guest's: the name that they said. */
  label: string;
}

/** Somebody who is being added. */
export interface Adding {
  handle: string;
  name: string;
  contact: ContactId | undefined;
  /** Their household, where it is pinned. */
  genesis: string | undefined;
  ringing: boolean;
}

/** Why somebody did not come, or the call did not move: the server's reason, or its words. */
export interface Refusal {
  name: string;
  why: EndReason | { words: string };
}

/** A second call, while the first goes on. */
export interface Waiting {
  call: CallId;
  peer: PeerView;
  video: boolean;
  to: string;
  expiresAtMs: number;
  /** The answer is on its way; the first call ends with it. */
  answering: boolean;
  /** What was told of them meanwhile. */
  participants: Participant[];
}

/** What a running call with more than two, or one that moves, has besides. */
export interface Company {
  /** By their certificates. */
  known: Readonly<Record<DeviceId, Known>>;
  /** Participants whose connection is lost. */
  lost: readonly DeviceId[];
  theirParty: Party | undefined;
  adding: Adding | undefined;
  notAdded: Refusal | undefined;
  /** Whoever was added last: pinned once they are in the group, if it is a first meeting. */
  joining: { device: DeviceId; contact: ContactId | undefined; genesis: string; verdict: Verdict } | undefined;
  /** The device that was asked to take the call over. */
  moving: { device: DeviceId; label: string } | undefined;
  notMoved: Refusal | undefined;
  waiting: Waiting | undefined;
  /** Who speaks now, loudest first. */
  speaking: readonly DeviceId[];
  /** Which of the others spoke last: the one to look at, also between two words. */
  lead: DeviceId | undefined;
  /** How good the others' connections are. */
  grades: Readonly<Record<DeviceId, Grade>>;
}

/** A drop-in: nobody answered it. */
export interface DropIn {
  /** The target is the device that is heard. */
  side: "target" | "initiator";
  stage: DropInStage;
  /** What the target sends of its picture; the initiator goes by the stage. */
  frosted: boolean;
  /** What the target is called. */
  room: string;
}

/** What became of a live announcement in a room: told and not there yet, hearing it, stopped there; or, once it is over, heard or not. */
export type LiveRoom = AnnouncementFate | "hears" | "left" | "declined" | "played" | "missed";

/** A live announcement: one speaks, everybody else only hears. */
export type Live =
  /** `rooms`: undefined until the server has said which devices it is for. */
  | { side: "speaks"; to: AnnounceTo; rooms: Readonly<Record<DeviceId, LiveRoom>> | undefined }
  /** `device`: the one that speaks. */
  | { side: "hears"; device: DeviceId };

export interface Running extends Company {
  dropIn: DropIn | undefined;
  live: Live | undefined;
  call: CallId;
  peer: PeerView;
  video: boolean;
  outgoing: boolean;
  /** This page was reloaded in mid-call and holds none of the call's keys until it is let in again. */
  rejoined: boolean;
  sinceMs: number;
  microphone: Source;
  camera: Source;
  path: Path;
  keys: Keys;
  code: string | undefined;
  warnings: Warning[];
  theirDevice: DeviceId | undefined;
  theirMedia: MediaState;
  theirConnected: boolean;
  /** Further participants, in a call with more than two. */
  others: Participant[];
}

export type CallState =
  | { at: "idle" }
  /** Calling: nothing rings yet, or it rings. `warnings`: a device that rang was refused. */
  | {
      at: "outgoing"; call: CallId; peer: PeerView; video: boolean; ringing: boolean; microphone: Source; camera: Source; warnings: Warning[];
      theirSwitches: TheirSwitches;
      /** No call: this device drops in. */
      dropIn?: { stage: DropInStage | undefined };
    }
  /** Somebody drops in on this device: its tone plays and its light is on, and nothing else is. */
  | { at: "arriving"; call: CallId; peer: PeerView; video: boolean; knocks: boolean }
  /** `moves`: no new call, but one of the household that would go on here; `outgoing`: the own person began it. */
  | {
      at: "incoming"; call: CallId; peer: PeerView; video: boolean; to: string; expiresAtMs: number; theirSwitches: TheirSwitches;
      moves: boolean; outgoing: boolean;
    }
  | ({ at: "running" } & Running)
  | {
      at: "ended"; call: CallId; peer: PeerView; video: boolean; outgoing: boolean; reason: Ending; changedKey: string | undefined; seconds: number | undefined;
      /** Where it goes on, by the device's label. */
      movedTo: string | undefined;
      /** It was no call; and if nothing opened, why. */
      dropIn?: { refusal: DropInRefusal | undefined };
    };

/** The server's reasons, and those that this side alone knows. */
export type Ending = EndReason | "failed_to_start" | "left_here" | "drop_in_refused";

export type Input =
  | { on: "dial"; call: CallId; peer: PeerView; video: boolean }
  | { on: "start_failed"; call: CallId; reason: Ending }
  | { on: "device_rings"; call: CallId; device: DeviceId; verdict: Verdict; genesis: string }
  | { on: "device_refused"; call: CallId }
  | { on: "answered"; call: CallId; nowMs: number; path: Path; device: DeviceId; media: MediaState; verdict: Verdict; genesis: string; keyPackage: Blob; statement: Blob }
  | { on: "incoming"; call: CallId; peer: PeerView; video: boolean; to: string; expiresAtMs: number; moves?: boolean; outgoing?: boolean }
  | { on: "ring_expired"; call: CallId }
  | { on: "answer"; video: boolean; nowMs: number; path: Path }
  | { on: "answer_failed"; call: CallId; reason: Ending }
  | { on: "decline" }
  | { on: "cancel" }
  | { on: "hang_up"; reason: "hung_up" | "encryption_refused" | "media_failed"; nowMs: number }
  | { on: "rejoin"; call: CallId; peer: PeerView; video: boolean; outgoing: boolean; nowMs: number }
  | { on: "over"; call: CallId; reason: Ending; nowMs: number }
  | { on: "dismiss" }
  | { on: "toggle"; source: "microphone" | "camera"; to: boolean }
  | { on: "captured"; source: "microphone" | "camera"; problem: DeviceProblem | undefined }
  | { on: "path"; path: Path }
  | { on: "participants"; call: CallId; participants: Participant[]; self: DeviceId }
  | { on: "their_connection"; call: CallId; device: DeviceId; connected: boolean }
  | { on: "their_switches"; call: CallId; device: DeviceId; media: MediaState }
  | { on: "sending"; call: CallId }
  | { on: "code"; call: CallId; code: string }
  | { on: "warning"; call: CallId; warning: Warning }
  | { on: "stopped"; call: CallId; reason: StopReason }
  /** The keys of whom was to be let in do not fit. */
  | { on: "not_admitted"; call: CallId; nowMs: number }
  | { on: "peer_pinned"; contact: ContactId; verdict: Verdict }
  | CompanyInput
  | DropInInput
  | LiveInput;

/** Of live announcements. */
export type LiveInput =
  | { on: "live_speaks"; call: CallId; peer: PeerView; to: AnnounceTo; nowMs: number }
  | { on: "live_announced"; call: CallId; receivers: readonly AnnouncementReceiver[]; nowMs: number }
  | { on: "live_declined"; call: CallId; device: DeviceId }
  | { on: "live_answered"; call: CallId; device: DeviceId; keyPackage: Blob; statement: Blob }
  | { on: "live_hears"; call: CallId; peer: PeerView; device: DeviceId; nowMs: number };

/** Of drop-ins: on the initiator's side and, from `drop_in_arrives` on, on the target's. */
export type DropInInput =
  | { on: "drop_in"; call: CallId; peer: PeerView; video: boolean }
  | { on: "drop_in_opened"; call: CallId; device: DeviceId; label: string; nowMs: number }
  | { on: "drop_in_refused"; call: CallId; refusal: DropInRefusal; nowMs: number }
  | { on: "drop_in_arrives"; call: CallId; peer: PeerView; video: boolean; knocks: boolean }
  | { on: "drop_in_opens"; call: CallId; stage: DropInStage; frosted: boolean; nowMs: number; media: MediaState; room: string }
  | { on: "drop_in_answered"; call: CallId; device: DeviceId; media: MediaState }
  /** On both sides. */
  | { on: "drop_in_stage"; call: CallId; stage: DropInStage; frosted: boolean }
  /** The target's keys are gone. */
  | { on: "drop_in_over"; call: CallId; nowMs: number };

/** More than two, moves, and a second call. */
export type CompanyInput =
  | { on: "member"; call: CallId; device: DeviceId; known: Known }
  | { on: "add"; handle: string; name: string; contact: ContactId | undefined; genesis: string | undefined }
  | { on: "stop_adding" }
  | { on: "adding_rings"; call: CallId }
  | { on: "adding_answered"; call: CallId; device: DeviceId; who: { genesis: string; verdict: Verdict } | undefined; keyPackage: Blob; statement: Blob }
  | { on: "not_added"; call: CallId; why: Refusal["why"] }
  | { on: "move"; device: DeviceId; label: string }
  | { on: "not_moved"; call: CallId; device: DeviceId; why: Refusal["why"] }
  | { on: "end_for_everyone"; nowMs: number }
  /** This device asked for the call and is offered it. */
  | { on: "take_over"; call: CallId; peer: PeerView; video: boolean; outgoing: boolean; nowMs: number }
  | { on: "waiting"; waiting: Waiting }
  | { on: "answer_waiting" }
  | { on: "decline_waiting" }
  /** The server has taken the answer. */
  | { on: "waiting_answered"; call: CallId; nowMs: number }
  | { on: "notes_read" }
  | { on: "speakers"; call: CallId; devices: readonly DeviceId[]; self: DeviceId }
  | { on: "connections"; call: CallId; others: readonly GradedDevice[] };

export type Tone = "ring" | "waiting" | "ringback" | "answered" | "ended" | "confirm" | "live" | "none";

/** One way alone: nothing is received, or nothing is captured and only this device's sound is received. */
export type OneWay = "speaks" | { hears: DeviceId };

export type Effect =
  /** Makes the group and starts the call. */
  | { do: "start"; call: CallId; peer: PeerView; video: boolean }
  /** Connects while it rings, microphone shut, so that an answer is heard at once. */
  | { do: "connect_media"; call: CallId; camera: boolean; only?: OneWay }
  /** Connects, unless it is connected, and opens the microphone (and camera). */
  | { do: "open_media"; call: CallId; camera: boolean; only?: OneWay }
  | { do: "answer"; call: CallId; genesis: string | undefined; media: MediaState }
  | { do: "rejoin"; call: CallId; genesis: string | undefined; media: MediaState }
  /** Adds the device that answered to the group; `guest`: exactly that guest. `create`: the group went with a reload and is made again first. */
  | { do: "admit"; call: CallId; device: DeviceId; genesis: string; guest?: true; keyPackage: Blob; statement: Blob; create: boolean }
  /** One of the further participants comes back after a reload: of a household that is in the call, or it is refused. */
  | { do: "admit_again"; call: CallId; device: DeviceId; keyPackage: Blob; statement: Blob }
  | { do: "decline"; call: CallId }
  | { do: "cancel"; call: CallId }
  | { do: "hang_up"; call: CallId; reason: "hung_up" | "encryption_refused" | "media_failed" }
  /** Forgets the call's keys and closes its media. */
  | { do: "close"; call: CallId }
  | { do: "tone"; tone: Tone }
  | { do: "announce"; call: CallId; peer: PeerView; video: boolean; moves: boolean }
  | { do: "unannounce" }
  | { do: "switch"; source: "microphone" | "camera"; on: boolean }
  | { do: "tell_media"; call: CallId; media: MediaState }
  | { do: "pin"; contact: ContactId; genesis: string; verdict: Verdict }
  | { do: "changed_key"; contact: ContactId; genesis: string }
  | { do: "remember"; call: CallId; peer: PeerView; video: boolean; outgoing: boolean }
  | { do: "forget" }
  | { do: "add"; call: CallId; handle: string; video: boolean }
  | { do: "stop_adding"; call: CallId }
  /** The added person's device comes into the group. */
  | { do: "let_in"; call: CallId; device: DeviceId; genesis: string; keyPackage: Blob; statement: Blob }
  | { do: "move"; call: CallId; device: DeviceId; video: boolean }
  | { do: "end_for_everyone"; call: CallId }
  | { do: "drop_in"; call: CallId; peer: PeerView; picture: boolean }
  | { do: "open_drop_in"; call: CallId; stage: DropInStage; media: MediaState }
  | { do: "admit_drop_in"; call: CallId }
  /** What the target captures and sends, by its stage. */
  | { do: "drop_in_media"; call: CallId; microphone: boolean; frosted: boolean }
  /** No reload takes it up again. */
  | { do: "remember_drop_in"; call: CallId }
  | { do: "announce_live"; call: CallId; to: AnnounceTo }
  | { do: "admit_live"; call: CallId; device: DeviceId; keyPackage: Blob; statement: Blob }
  | { do: "hear_live"; call: CallId }
  | { do: "live_over"; call: CallId; live: Live; reason: Ending; lengthMs: number }
  | { do: "answer_waiting"; call: CallId; genesis: string | undefined; media: MediaState };
