//! What the page and the key worker say to each other: every request, its reply, and every event.
//!
//! The worker alone holds private keys, MLS state and frame keys; nothing that crosses here is secret except the
//! recovery code and an invitation's secret, which a person must see or send. Blobs are base64url without padding,
//! household, device, call and contact ids are lowercase hex (a UUID with dashes is taken too), times are Unix milliseconds.
//!
//! Use, from the page (class `E2ee` in `page.ts`):
//! ```ts
//! const e2ee = new E2ee(new Worker("/e2ee-worker.js", { type: "module" }));
//! let status = await e2ee.request("open", { slot: "app" });
//! e2ee.on("call_code", ({ call, code }) => show(code));
//! transceiver.sender.transform = e2ee.sendTransform({ call, kind: "audio", track: "mic" });      // at once after addTransceiver
//! pc.ontrack = (e) => { e.receiver.transform = e2ee.receiveTransform({ call, kind, track, owner }); };  // at once in ontrack
//! ```
//!
//! Order of things
//! - Sign up:   `found` -> server -> `confirm`.     Sign out: `forget`.
//! - Start:     `open` -> `roster.load` with the entries the server serves (verifies, pins the highest version, needed before anything
//!              that signs or checks for the household: pairing, contacts, policies, calls).
//! - Invite:    `invite.make` -> server gives an id -> `invite.keep`; a joiner appears -> `invite.admit` -> server stores entry and chain.
//! - Join:      `join.begin` -> sign up with the proof -> (wait) -> `adopt` with chain and roster.
//! - Recover:   `recovery.secret` -> server -> `recovery.restore` -> server stores entry and chain -> `confirm`.
//! - Pair, new: `pair.offer` -> `pair.accepted` -> `pair.revealed` (show the digits) -> `adopt` with chain and roster.
//! - Pair, app: `pair.accept` -> `pair.reveal` -> digits typed -> `pair.certify` -> server stores entry and chain.
//! - Caller:    `call.invitation` -> server; `call.create`; on answer `call.add` with the answerer's key package and `ringing` blob.
//! - Callee:    `call.check_invitation` -> `call.ringing` (one fresh key package) -> answer -> `call.deliver` with the welcome.
//! - Link:      `guest.make` -> server gives an id -> `guest.keep`; somebody knocks -> `guest.check` -> a call to the guest's device.
//! - Guest:     `guest.begin` in a worker of its own -> knock -> as a callee; `check_invitation` takes the link's household alone.
//! - Drop in:   `drop_in.asking` -> server; the welcome comes as in every call.   Target: `drop_in.take` with all grants; `drop_in.asked` -> `signal`:
//!              tone to its end and light -> `signalled` -> `open`: microphone, camera, server -> on `call_answered` `drop_in.admit`.
//! - Announce: `get_sealing_keys` -> `announcement.seal` -> server.   Home device: `announcement.sealing_key` -> server; told of one: `announcement.take`
//!              (verified, once) -> its content from the server -> `announcement.open`.
//! - Live:      `live.announce` -> server; on `call_answered` `call.add`.   Home device: told of one: `live.take` -> `live.hear` -> server -> the welcome.
//! - In a call: every `send` event goes to the server as it is; a `send_commit` that fails comes back as `epoch_taken` or `commit_failed`.
//!              Every group event of the server goes to `call.deliver`. Somebody left: `call.remove`. Hang up: `call.leave`.
//!              After `warning: invalid_commit` or `refused_member` the call cannot go on: hang up with `encryption_refused`.
//! - New group: (both sides lost theirs) `call.leave` first, then as at the start: a welcome is taken only while there is no group.
//! - Reload:    the reloaded page is a new leaf: `call.expect`, `call.ringing`; another member says `call.add` with what it made.

import type { DropInOutput, RoomRequests } from "./port_rooms.ts";
import type { LedgerReadArgs, LedgerReadReply } from "./port_ledger.ts";

export type * from "./port_rooms.ts";

export type Blob64 = string;
export type HexId = string;

/** As in the session protocol. */
export type DeviceKind = "app" | "home_device";
/** A guest came by a call link (docs/guests.md): its kind is its own certificate's word, whatever a server says. */
export type WhoKind = DeviceKind | "guest";
/** 0 none yet, 1 unverified (first contact), 2 verified, 3 deleted (docs/identity.md, contact card). */
export type Pin = 0 | 1 | 2 | 3;

/** Who a chain of certificates proves somebody to be. */
export interface WhoIs {
  /** The genesis key of the household. */
  genesis: Blob64;
  household: HexId;
  /** All 32 bytes, as in links. */
  fingerprint: Blob64;
  device: HexId;
  deviceKey: Blob64;
  kind: WhoKind;
  adult: boolean;
  person: string;
  /** A guest's: the name that they said. */
  label: string;
  /** Of the same household as this app. */
  own: boolean;
}

export type IdentityStatus =
  | { state: "none" }
  /** Joined by invitation, waiting for the inviter's app to certify this one. */
  | { state: "waiting"; deviceKey: Blob64; person: string; fingerprint: Blob64 }
  /**
   * `confirmed` is false until the page has said `confirm`: the server may not know this identity. `certifies`: this app
   * founded or recovered the household, so it can renew certificates for good, its own too.
   */
  | { state: "ready"; confirmed: boolean; who: WhoIs; chain: Blob64; notAfterMs: number; renewalDue: boolean; certifies: boolean };

export interface RosterDevice {
  device: HexId;
  deviceKey: Blob64;
  kind: DeviceKind;
  adult: boolean;
  person: string;
  label: string;
}

export interface RosterView {
  household: HexId;
  name: string;
  fingerprint: Blob64;
  seq: number;
  head: Blob64;
  devices: RosterDevice[];
}

export interface Card {
  contactId: HexId;
  revision: number;
  name: string;
  handle: string;
  pin: Pin;
  /** Genesis key of the other household; absent unless pinned. */
  theirGenesis?: Blob64 | undefined;
}

export interface PolicyRule {
  theirGenesis: Blob64;
  /** Empty: everybody of that household. */
  person: string;
  mode: "auto" | "echo";
}

/** Who may drop in, where, when and how (docs/drop-in.md). */
export interface Grant {
  id: HexId;
  revision: number;
  to:
    | { type: "home" }
    /** One person of a contact's household, by their account id. */
    | { type: "person"; contact: HexId; theirGenesis: Blob64; person: string }
    /** Those of that household whom an adult here has agreed to, by their account ids. */
    | { type: "household"; contact: HexId; theirGenesis: Blob64; people: string[] };
  /** Keys of home devices; none: all of the household. */
  devices: Blob64[];
  /** Absent: always. `days` is a sum of bits, Monday 1 to Sunday 64. */
  hours?: { timeZone: string; windows: { days: number; fromMinute: number; toMinute: number }[] } | undefined;
  picture: boolean;
  opening: "at_once" | "knock_until_yes" | "knock_unless_no";
  signedAtMs: number;
  expiresAtMs: number;
  revoked: boolean;
}

/** Who may take part in a call, by genesis key. One's own household always may, if the roster lists the device. */
export interface Expect {
  /** Households, by any of their devices. */
  genesis: Blob64[];
  /** Guests who were let in, and nobody else with these keys. */
  guests?: Blob64[];
  /** Named by an invitation, which does not say what they are. */
  whoever?: Blob64[];
}

/** Field names as in the session protocol: both reveals pass through as they are. */
export interface PairReveal {
  device_key: Blob64;
  nonce: Blob64;
  kind: DeviceKind;
  label: string;
}

export interface PairAppReveal {
  genesis: Blob64;
  app_key: Blob64;
  nonce: Blob64;
}

/** What the server relays to this member: the session protocol's events as they are, and two things the page learns otherwise. */
export type CallDelivery =
  | { type: "group_welcome"; call: HexId; welcome: Blob64 }
  /** The commit that won the epoch it ends; one's own included. */
  | { type: "group_commit"; call: HexId; epoch: number; commit: Blob64 }
  /** Everybody is ready, or waited long enough: send under `epoch` now. */
  | { type: "epoch_execute"; call: HexId; epoch: number }
  | { type: "group_message"; call: HexId; message: Blob64 }
  /** Silence of a member without a connection is no alarm. */
  | { type: "participant_connection"; call: HexId; device: HexId; connected: boolean }
  /** `send_commit` failed with this code: another commit won. Any other failure of `send_commit`: `commit_failed`, it is tried again. */
  | { type: "epoch_taken"; call: HexId; epoch: number }
  | { type: "commit_failed"; call: HexId; epoch: number };

/** What this member asks the server to relay: the session protocol's requests as they are. */
export type CallSend =
  | {
      type: "send_commit";
      call: HexId;
      /** The epoch that the commit ends. */
      epoch: number;
      commit: Blob64;
      welcome: { device: HexId; welcome: Blob64 } | null;
      removed: HexId[];
    }
  /** The receive key of the new `epoch` is installed. */
  | { type: "epoch_ready"; call: HexId; epoch: number }
  | { type: "send_group_message"; call: HexId; message: Blob64 };

/** Requests: `[arguments, reply]`. */
export interface Requests extends RoomRequests {
  /** Loads this slot's identity. An app tab and a `/device` tab of one browser have a slot each. */
  open: [{ slot: "app" | "device" }, IdentityStatus];
  /** A new household with this app as its first adult. Show `recoveryCode` once; send the rest to the server. */
  found: [
    /** `person`: the account id, random, chosen by the page. */
    { householdName: string; person: string; label: string },
    {
      recoveryCode: string;
      recoverySecret: Blob64;
      recoveryCertificate: Blob64;
      genesis: Blob64;
      appKey: Blob64;
      chain: Blob64;
      /** Entries 0 (genesis) and 1 (this app). */
      roster: Blob64[];
      who: WhoIs;
    },
  ];
  /** Shows the server that this app holds its key (protocol: `AppProof`). */
  "sign_in.prove": [{ handle: string }, { device: HexId; at_ms: number; signature: Blob64 }];
  /** The server has stored what `found` or `recovery.restore` made. */
  confirm: [Record<string, never>, IdentityStatus];
  /** Deletes every key of this slot. */
  forget: [Record<string, never>, IdentityStatus];
  /** A chain and a roster for this app or device, after `join.begin` or a pairing. Checks both against the pinned household. */
  adopt: [{ chain: Blob64; roster: Blob64[] }, IdentityStatus];
  /** Who a chain is, by its own word: verified, but whether its household is the expected one is the caller's question. */
  "chain.inspect": [{ chain: Blob64 }, WhoIs];
  /**
   * Fresh 30-day chains for those devices of the roster whose chains end within ten days (or have ended). Every adult app
   * asks this after `roster.load` with all devices of its home, its own included, and sends what it gets to the server.
   */
  "chain.renew_due": [
    { devices: { device: HexId; chain: Blob64 }[] },
    { renewed: { device: HexId; chain: Blob64 }[] },
  ];
  /** A renewed chain for this app or device, from the server. */
  "chain.renewed": [{ chain: Blob64 }, IdentityStatus];

  /** Verifies and remembers; fails with `rollback` when it is shorter or different than seen before. */
  "roster.load": [{ entries: Blob64[] }, RosterView];
  /** The next entry, signed; send it to the server, then `roster.load` the whole again. */
  "roster.remove_device": [{ deviceKey: Blob64 }, { entry: Blob64 }];
  /** The same for all devices of a person who goes, in this order: an app that removes itself comes last. */
  "roster.remove_devices": [{ deviceKeys: Blob64[] }, { entries: Blob64[] }];
  "roster.set_adult": [{ deviceKey: Blob64; adult: boolean }, { entry: Blob64 }];

  /** What the server asks for before it hands out the roster and the recovery certificate. */
  "recovery.secret": [{ code: string }, { recoverySecret: Blob64 }];
  /**
   * Fails with `wrong_household`, loudly, when the server shows another household than the one that the code's own key
   * names. `recoveryCertificate` is that key's certificate and binding, as `found` made them.
   */
  "recovery.restore": [
    { code: string; recoveryCertificate: Blob64; roster: Blob64[]; person: string; label: string },
    { entry: Blob64; chain: Blob64; appKey: Blob64; who: WhoIs },
  ];
  /** A new code (the old one stops working once the server has stored all of this). Needs the genesis key in this app. */
  "recovery.renew": [
    Record<string, never>,
    { recoveryCode: string; recoverySecret: Blob64; recoveryCertificate: Blob64; entry: Blob64 },
  ];

  /** The secret and the fingerprint of `/#join/<invitation id>/<secret>/<fingerprint>`. */
  "invite.make": [Record<string, never>, { secret: Blob64; fingerprint: Blob64 }];
  /** Remembers the secret under the id that the server gave. */
  "invite.keep": [{ invitation: string; secret: Blob64 }, Record<string, never>];
  /** Checks the joiner's proof; then certifies its app. Fails with `unknown_invitation` in an app that did not make it. */
  "invite.admit": [
    { invitation: string; appKey: Blob64; person: string; label: string; proof: Blob64; adult: boolean },
    { entry: Blob64; chain: Blob64 },
  ];
  "join.begin": [{ secret: Blob64; fingerprint: Blob64; person: string }, { appKey: Blob64; proof: Blob64 }];

  /** The secret and the fingerprint of a new `/#guest/<link id>/<secret>/<fingerprint>`. */
  "guest.make": [Record<string, never>, { secret: Blob64; fingerprint: Blob64 }];
  /** Remembers the secret under the id that the server gave, until the link ends. */
  "guest.keep": [{ link: HexId; secret: Blob64; endsAtMs: number }, Record<string, never>];
  /** The links that this app made and that have not ended: it alone can show them again and admit by them. */
  "guest.kept": [Record<string, never>, { links: { link: HexId; secret: Blob64 }[]; fingerprint: Blob64 }];
  /** The link was revoked. */
  "guest.forget": [{ link: HexId }, Record<string, never>];
  /** Who knocks. Fails with `unknown_link`, `bad_chain` or `bad_proof`: then nobody hears of it. */
  "guest.check": [{ link: HexId; chain: Blob64; proof: Blob64 }, WhoIs];
  /** A guest's page, instead of `open`: a fresh key in memory, its chain, and the proof that it has the link. */
  "guest.begin": [{ link: HexId; secret: Blob64; fingerprint: Blob64; name: string }, { who: WhoIs; chain: Blob64; proof: Blob64 }];

  "pair.offer": [{ kind: DeviceKind; label: string }, { commit: Blob64 }];
  "pair.accepted": [{ commit: Blob64 }, PairReveal];
  /** Fails with `pairing_mismatch`, loudly, when the app reveals other keys than it committed to. */
  "pair.revealed": [PairAppReveal, { digits: string }];
  "pair.accept": [{ commit: Blob64 }, { commit: Blob64 }];
  "pair.reveal": [PairReveal, PairAppReveal];
  /** One try: wrong digits end the pairing with `wrong_digits`. `person` and `adult` are the household's choice. */
  "pair.certify": [{ digits: string; person: string; adult: boolean }, { entry: Blob64; chain: Blob64 }];
  "pair.cancel": [Record<string, never>, Record<string, never>];

  "contact.sign": [Card, { card: Blob64 }];
  /** Checks the signature against the roster, and refuses a lower revision than seen (`rollback`). */
  "contact.open": [{ card: Blob64 }, Card];
  /** The value of `fingerprint` in `/#contact/<handle>/<fingerprint>` that a genesis key has. */
  "contact.fingerprint": [{ genesis: Blob64 }, { fingerprint: Blob64; household: HexId }];
  "policy.sign": [{ deviceKey: Blob64; revision: number; rules: PolicyRule[] }, { policy: Blob64 }];
  "policy.open": [{ policy: Blob64 }, { deviceKey: Blob64; revision: number; rules: PolicyRule[] }];

  "grant.sign": [Grant, { statement: Blob64 }];
  /** Checks the signature against the roster, and refuses a lower revision than seen (`rollback`). */
  "grant.open": [{ statement: Blob64 }, Grant];

  /** A part of a device's ledger, checked from where reading began; finished when there is no more. */
  "ledgers.read": [LedgerReadArgs, LedgerReadReply];

  /** `running`: into a call that runs; whoever comes learns which households are in it. */
  "call.invitation": [{ call: HexId; toHandle: string; displayName: string; video: boolean; running?: boolean }, { invitation: Blob64 }];
  /** Fails with `stale`, `not_for_me`, `bad_signature` or `bad_chain`. Compare `who.genesis` with the pinned contact before ringing. */
  "call.check_invitation": [
    { call: HexId; handle: string; invitation: Blob64 },
    /** `households`: those that are in the call already, by genesis key, when it is one that runs. */
    { who: WhoIs; displayName: string; video: boolean; households: Blob64[] },
  ];
  /** A key package used once, bound to this call; `ringing` signs it. */
  "call.ringing": [{ call: HexId }, { keyPackage: Blob64; ringing: Blob64 }];
  /** Who rings there: the caller looks before it adds. */
  "call.check_ringing": [{ call: HexId; keyPackage: Blob64; ringing: Blob64 }, WhoIs];
  /** Starts the group, alone in it. */
  "call.create": [{ call: HexId; expect: Expect }, Record<string, never>];
  /** The callee's expectations, before the welcome is delivered. `again`: and those that this page had before it was reloaded. */
  "call.expect": [{ call: HexId; expect: Expect; again?: boolean }, Record<string, never>];
  /** Adds the device that answered; checks `ringing` first. A device that is in the group already (a reload) is removed before. */
  "call.add": [{ call: HexId; keyPackage: Blob64; ringing: Blob64 }, Record<string, never>];
  /** Adds a device in the place of `device`, another one of its household, in one commit. */
  "call.replace": [{ call: HexId; device: HexId; keyPackage: Blob64; ringing: Blob64 }, Record<string, never>];
  /** The server does not take this device: it is no longer to be added. */
  "call.forget": [{ call: HexId; device: HexId }, Record<string, never>];
  "call.remove": [{ call: HexId; device: HexId }, Record<string, never>];
  /** New keys for everybody (post-compromise security). */
  "call.update": [{ call: HexId }, Record<string, never>];
  "call.deliver": [CallDelivery, Record<string, never>];
  /** Forgets everything of the call. Pending ringing key packages are dropped as well. */
  "call.leave": [{ call: HexId }, Record<string, never>];
  /** Frame counters of a call since its start. */
  "call.counters": [{ call: HexId }, FrameCounters];
}

/** Frames that did not pass are counted by reason, always; events about them are throttled. */
export interface FrameCounters {
  encrypted: number;
  decrypted: number;
  /** No sending key yet, or sending was stopped. */
  noSendKey: number;
  unknownKey: number;
  wrongSender: number;
  authentication: number;
  replay: number;
  malformed: number;
}

export type WarnReason =
  /** Epoch authenticators differ, or a connected member has been silent for 35 s: somebody may be in another group. */
  | "fork"
  /** Our removal of a member was not echoed within two seconds. */
  | "remove_withheld"
  /** The commit that the server chose is not valid: the group must be made anew. */
  | "invalid_commit"
  | "invalid_welcome";

export type StopReason = "remove_withheld" | "invalid_commit" | "removed";

/** Events, by name. */
export interface Events {
  /** Goes to the server as it is. If a `send_commit` fails, tell the worker by `call.deliver`. */
  send: CallSend;
  /** Six groups of five digits, separated by spaces. */
  call_code: { call: HexId; epoch: number; code: string };
  member_joined: { call: HexId; leaf: number; who: WhoIs };
  member_left: { call: HexId; leaf: number; who: WhoIs };
  /** A genuine or forged member that nobody invited was refused. Tell the user. */
  refused_member: { call: HexId; reason: string; who?: WhoIs | undefined };
  warning: { call: HexId; reason: WarnReason };
  /** Media is being dropped until a new epoch is in force. Tell the user. */
  stop_sending: { call: HexId; reason: StopReason };
  /** Frames may flow (again): the sending key of `epoch` is in use. */
  sending: { call: HexId; epoch: number };
  /** This member was removed, or the last other one is gone. */
  left: { call: HexId; reason: "removed" | "alone" };
  /** A drop-in on this device goes on. */
  drop_in: { call: HexId; output: DropInOutput };
  /** This device's ledger has an entry that the server has not stored. */
  ledger_wrote: Record<string, never>;
  /** At most one a second for each call; the counters tell all. A few at a change of epoch are normal, a growing number is not. */
  decrypt_failures: { call: HexId; counters: FrameCounters };
}

export type E2eeErrorCode =
  | "bad_request"
  | "no_identity"
  | "exists"
  | "no_roster"
  | "not_adult"
  | "no_genesis"
  | "malformed"
  | "bad_signature"
  | "bad_chain"
  | "bad_roster"
  | "wrong_household"
  | "rollback"
  | "unknown_device"
  | "unknown_invitation"
  | "unknown_link"
  | "bad_proof"
  | "bad_code"
  | "no_pairing"
  | "pairing_mismatch"
  | "wrong_digits"
  | "stale"
  | "not_for_me"
  | "unknown_call"
  | "refused_member"
  | "too_many"
  | "too_long"
  | "no_devices"
  | "heard_before"
  | "heard_earlier"
  | "internal";

export type RequestName = keyof Requests;
export type Args<K extends RequestName> = Requests[K][0];
export type Reply<K extends RequestName> = Requests[K][1];
export type EventName = keyof Events;

/** Page to worker. */
export interface RequestMessage<K extends RequestName = RequestName> {
  id: number;
  name: K;
  args: Args<K>;
}

/** Worker to page. */
export type WorkerMessage =
  | { type: "reply"; id: number; value: unknown }
  | { type: "error"; id: number; code: E2eeErrorCode; message: string }
  | { type: "event"; name: EventName; value: Events[EventName] };

/** Options of an `RTCRtpScriptTransform` that is handled by the worker. */
export type TransformOptions =
  | { direction: "send"; call: HexId; kind: "audio" | "video"; track: string }
  /** `owner`: the device that the server says the track is of; the key proves it. */
  | { direction: "receive"; call: HexId; kind: "audio" | "video"; track: string; owner: HexId };
