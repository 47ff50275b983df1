//! What is asked of the key worker for the rooms: drop-ins, announcements, and the record that a home device keeps (docs/drop-in.md, docs/announcements.md).

import type { DropInRefusal, DropInStage } from "../protocol.ts";
import type { Blob64, HexId, WhoIs } from "./port.ts";

export interface PinnedContact {
  contact: HexId;
  theirGenesis: Blob64;
}

/** What a device that is asked for a drop-in knows of itself. */
export interface DropInHere {
  /** In a call. */
  busy: boolean;
  /** On do not disturb. */
  quiet: boolean;
  /** Switched off for it in the household. */
  off: boolean;
  /** Its camera is there and neither off nor covered. */
  camera: boolean;
  /** How long its picture is frosted. */
  frostedMs: number;
  pinned: PinnedContact[];
}

/** What is announced: Opus in Ogg and how long it lasts, or a text. */
export type AnnouncedContent = { kind: "sound"; ogg: Blob64; lengthMs: number } | { kind: "text"; text: string };

export type DropInInput = "signalled" | "not_signalled" | "yes" | "no" | "hush" | "unhush" | "end" | "over" | "lost";

/** What a device does about a drop-in: in this order, and at once. */
export type DropInOutput =
  | { do: "signal" }
  | { do: "open"; stage: DropInStage; frosted: boolean }
  | { do: "stage"; stage: DropInStage; frosted: boolean }
  | { do: "refuse"; refusal: DropInRefusal }
  | { do: "close"; by: "target" | "initiator" | "grant" | "put_out" | "connection" }
  | { do: "remind" };

/** The requests: what goes in, and what comes back. */
export interface RoomRequests {
  /**
   * The initiator's side: a fresh key package for this drop-in alone, and what this device signs. Afterwards nobody comes into
   * the call but a home device of the household that was meant.
   */
  "drop_in.asking": [{ call: HexId; targetGenesis: Blob64; picture: boolean }, { asking: Blob64; keyPackage: Blob64 }];
  /** A home device takes what it is shown; what does not hold is left aside and counted. It outlives a reload. `told`: by an event of its own. */
  "drop_in.take": [{ statements: Blob64[]; told?: boolean }, { refused: number }];
  /** The server says that a grant is gone. */
  "drop_in.forget": [{ grant: HexId }, Record<string, never>];
  /** Somebody wants to drop in: checked and judged. If it may begin, a `drop_in` event with `signal` follows. */
  "drop_in.asked": [
    { call: HexId; picture: boolean; asking: Blob64; keyPackage: Blob64; grant: Blob64; here: DropInHere },
    { permitted: true; who: WhoIs; knocks: boolean; picture: boolean } | { permitted: false; refusal: DropInRefusal; who?: WhoIs | undefined },
  ];
  /** What somebody at the device does, or what became of tone and light. */
  "drop_in.input": [{ call: HexId; input: DropInInput }, Record<string, never>];
  /** The server says that the initiator is there: it comes into the group, by the key package that was asked with. */
  "drop_in.admit": [{ call: HexId }, Record<string, never>];
  /** The contacts' pinned keys as they are now; a drop-in that may not go on ends. */
  "drop_in.pinned": [{ pinned: PinnedContact[]; off: boolean }, Record<string, never>];
  /** Whether drop-in is off at this device, by its own switch. */
  "drop_in.switch": [{ off: boolean }, { off: boolean }];
  "drop_in.status": [Record<string, never>, { off: boolean }];
  /** Ends what runs, all that is held, and all that was signed until now and did not arrive. */
  "drop_in.everyone_out": [Record<string, never>, Record<string, never>];

  /** This device's word on the key with which it takes what is sealed to it. */
  "announcement.sealing_key": [Record<string, never>, { statement: Blob64 }];
  /** To the home devices `to`, each with its own word on its key; what does not hold is left out. */
  "announcement.seal": [
    { to: { device: HexId; statement: Blob64 }[]; content: AnnouncedContent; replyTo?: HexId | undefined },
    { announcement: HexId; statement: Blob64; content: Blob64 },
  ];
  /** Verifies what this device is told of: signed in the household, fresh, for this device. Fails with `heard_before` the second time, and with `heard_earlier` if it was heard before this page. */
  "announcement.take": [{ announcement: HexId; statement: Blob64 }, { who: WhoIs; kind: AnnouncedContent["kind"]; replyTo?: HexId | undefined }];
  /** One that was taken was played, shown or put aside: no page of this device takes it again. */
  "announcement.heard": [{ announcement: HexId }, Record<string, never>];
  /** The content of one that was taken, once. */
  "announcement.open": [{ announcement: HexId; content: Blob64 }, AnnouncedContent];

  /**
   * Announces live to those of these devices that the roster has as home devices: what this device signs, and the call's group, alone
   * in it. Whoever hears it comes in by `call.add`, if they are one of them.
   */
  "live.announce": [{ call: HexId; devices: HexId[] }, { statement: Blob64; devices: HexId[] }];
  /** Verifies what this device is told of, as `announcement.take`: signed in the household by `device`, of now, for this device, once. */
  "live.take": [{ call: HexId; device: HexId; statement: Blob64 }, { who: WhoIs }];
  /** Hears one that was taken: a key package for it, as `call.ringing`. Nobody but its devices and the one that speaks is in its group. */
  "live.hear": [{ call: HexId }, { keyPackage: Blob64; ringing: Blob64 }];

  /** The next entry of this device's ledger that the server has not stored. An event `ledger_wrote` says that there is one. */
  "own_ledger.next": [Record<string, never>, { next?: { index: number; entry: Blob64 } | undefined }];
  "own_ledger.stored": [{ index: number }, Record<string, never>];
  /** What the server has, at the beginning of a session. `same` is false when that is not what was written: then it is read whole. */
  "own_ledger.meet": [{ length: number; last?: Blob64 | undefined }, { same: boolean }];
  /** After `same: false`, from the first entry on. Fails when that is no sound ledger of this device. */
  "own_ledger.read": [{ entries: Blob64[]; more: boolean }, Record<string, never>];
}
