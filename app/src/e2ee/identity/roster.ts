//! The roster: a household's append-only chain of signed entries, folded to its devices.

import { type Bytes, equalBytes } from "../bytes.ts";
import { isAdult, KIND, readRights, type Rights } from "./certificate.ts";
import type { Identity } from "./chain.ts";
import { decode, HASH_LENGTH, MalformedError, type Reader, readVersion, Writer } from "./encoding.ts";
import { deviceIdOf, householdIdOf } from "./ids.ts";
import { equalKeys, type KeyText, keyText } from "./keytext.ts";
import { type KeyPair, sha256 } from "./keys.ts";
import { decodeSigned, encodeSigned, type Signed, SignatureError, sign, verifySigned } from "./signed.ts";

/** Entries that a client reads; a household that reaches it makes a new genesis. */
export const ROSTER_ENTRIES_MAX = 4_096;

export type DeviceKindCode = typeof KIND.app | typeof KIND.device;

export type Change =
  | { kind: "genesis"; householdName: string; recovery: Bytes }
  | { kind: "add_device"; device: Bytes; deviceKind: DeviceKindCode; rights: Rights; person: string; label: string }
  | { kind: "remove_device"; device: Bytes }
  | { kind: "set_rights"; device: Bytes; rights: Rights }
  | { kind: "recovery_key"; recovery: Bytes };

export interface Entry {
  genesis: Bytes;
  seq: number;
  prev: Bytes;
  atMs: number;
  change: Change;
}

export interface Device {
  id: string;
  key: Bytes;
  kind: DeviceKindCode;
  rights: Rights;
  person: string;
  label: string;
}

/** What a client remembers of the highest roster it has seen. */
export interface Seen {
  seq: number;
  head: Bytes;
}

/** Why an entry or a roster is refused. */
export class RosterError extends Error {
  readonly rollback: boolean;
  constructor(message: string, rollback = false) {
    super(message);
    this.name = "RosterError";
    this.rollback = rollback;
  }
}

export class Roster {
  readonly genesis: Bytes;
  readonly household: string;
  name = "";
  recovery: Bytes = new Uint8Array(0);
  readonly #hashes: Bytes[] = [];
  readonly #devices = new Map<KeyText, Device>();
  readonly #removed = new Set<KeyText>();

  /** Starts with the signed genesis entry. */
  private constructor(genesis: Bytes) {
    this.genesis = genesis;
    this.household = householdIdOf(genesis);
  }

  /** Folds all entries; `seen` is checked against the result. */
  static load(entries: readonly Uint8Array[], seen?: Seen): Roster {
    const first = entries[0];
    if (first === undefined) throw new RosterError("the roster is empty");
    if (entries.length > ROSTER_ENTRIES_MAX) throw new RosterError("the roster is too long");
    const roster = new Roster(openEntry(decodeEntrySigned(first)).genesis);
    for (const entry of entries) roster.append(entry);
    if (seen !== undefined) roster.refuseRollback(seen);
    return roster;
  }

  get seq(): number {
    return this.#hashes.length - 1;
  }

  get head(): Bytes {
    return this.#hashes.at(-1) ?? new Uint8Array(HASH_LENGTH);
  }

  get devices(): Device[] {
    return [...this.#devices.values()];
  }

  device(key: Uint8Array): Device | undefined {
    return this.#devices.get(keyText(key));
  }

  wasRemoved(key: Uint8Array): boolean {
    return this.#removed.has(keyText(key));
  }

  /** One of the household's devices now: listed, and certified by nobody whom it has removed. */
  admits(identity: Identity): boolean {
    return equalKeys(identity.genesis, this.genesis)
      && this.device(identity.deviceKey) !== undefined
      && !identity.subjects.some((subject) => this.wasRemoved(subject));
  }

  /** May sign for the household now: contact cards, policies, further entries. */
  isAdultApp(key: Uint8Array): boolean {
    const device = this.device(key);
    return device !== undefined && device.kind === KIND.app && isAdult(device.rights);
  }

  /** Checks and applies one encoded entry; leaves the roster as it was when it throws. */
  append(encoded: Uint8Array): void {
    const signed = decodeEntrySigned(encoded);
    const entry = openEntry(signed);
    this.#checkPlace(entry);
    this.#checkSigner(entry, signed.signer);
    this.#apply(entry.change);
    this.#hashes.push(sha256(encoded));
  }

  /** The next entry, signed; the roster itself changes only when the entry comes back by `append`. */
  next(change: Change, atMs: number, signer: KeyPair): Bytes {
    return this.#sign(change, { seq: this.seq, head: this.head }, atMs, signer);
  }

  /** The same for several, each following the one before. */
  nextAll(changes: readonly Change[], atMs: number, signer: KeyPair): Bytes[] {
    let after: Seen = { seq: this.seq, head: this.head };
    return changes.map((change) => {
      const signed = this.#sign(change, after, atMs, signer);
      after = { seq: after.seq + 1, head: sha256(signed) };
      return signed;
    });
  }

  refuseRollback(seen: Seen): void {
    const hash = this.#hashes[seen.seq];
    if (hash === undefined || !equalBytes(hash, seen.head)) {
      throw new RosterError("the server shows an older or another roster than before", true);
    }
  }

  #sign(change: Change, after: Seen, atMs: number, signer: KeyPair): Bytes {
    return signEntry({ genesis: this.genesis, seq: after.seq + 1, prev: after.head, atMs, change }, signer);
  }

  #checkPlace(entry: Entry): void {
    if (!equalBytes(entry.genesis, this.genesis)) throw new RosterError("an entry is of another household");
    if (entry.seq !== this.seq + 1) throw new RosterError("an entry is out of sequence");
    if (!equalBytes(entry.prev, this.head)) throw new RosterError("an entry does not follow the one before");
    if ((entry.change.kind === "genesis") !== (entry.seq === 0)) throw new RosterError("the first entry alone is the genesis");
  }

  #checkSigner(entry: Entry, signer: Bytes): void {
    if (equalBytes(signer, this.genesis)) return;
    const allowed = entry.seq > 0 && (equalKeys(signer, this.recovery) || this.isAdultApp(signer));
    if (!allowed) throw new RosterError("an entry is signed by a key that may not");
  }

  #apply(change: Change): void {
    switch (change.kind) {
      case "genesis":
        this.name = change.householdName;
        this.recovery = change.recovery;
        return;
      case "add_device":
        return this.#add(change);
      case "remove_device":
        if (!this.#devices.delete(keyText(change.device))) throw new RosterError("an unknown device is removed");
        this.#removed.add(keyText(change.device));
        return;
      case "set_rights": {
        const device = this.device(change.device);
        if (device === undefined) throw new RosterError("rights of an unknown device");
        refuseAdultDevice(device.kind, change.rights);
        this.#devices.set(keyText(device.key), { ...device, rights: change.rights });
        return;
      }
      case "recovery_key":
        this.recovery = change.recovery;
    }
  }

  #add(change: Change & { kind: "add_device" }): void {
    const text = keyText(change.device);
    if (this.#devices.has(text)) throw new RosterError("a device is added twice");
    if (this.#removed.has(text)) throw new RosterError("a removed device comes back with its old key");
    refuseAdultDevice(change.deviceKind, change.rights);
    this.#devices.set(text, {
      id: deviceIdOf(change.device),
      key: change.device,
      kind: change.deviceKind,
      rights: change.rights,
      person: change.person,
      label: change.label,
    });
  }
}

/** The first entry of a household, signed by its genesis key. */
export function genesisEntry(householdName: string, recovery: Bytes, atMs: number, genesis: KeyPair): Bytes {
  const change: Change = { kind: "genesis", householdName, recovery };
  return signEntry({ genesis: genesis.publicKey, seq: 0, prev: new Uint8Array(HASH_LENGTH), atMs, change }, genesis);
}

export function encodeEntry(entry: Entry): Bytes {
  const writer = new Writer().u8(1).key(entry.genesis).u64(entry.seq).opaque(entry.prev, HASH_LENGTH).u64(entry.atMs);
  const change = entry.change;
  switch (change.kind) {
    case "genesis":
      return writer.u8(0).string(change.householdName).key(change.recovery).bytes();
    case "add_device":
      return writer.u8(1).key(change.device).u8(change.deviceKind).u8(change.rights)
        .string(change.person).string(change.label).bytes();
    case "remove_device":
      return writer.u8(2).key(change.device).bytes();
    case "set_rights":
      return writer.u8(3).key(change.device).u8(change.rights).bytes();
    case "recovery_key":
      return writer.u8(4).key(change.recovery).bytes();
  }
}

export function decodeEntry(body: Uint8Array): Entry {
  return decode(body, (reader) => {
    readVersion(reader);
    const head = { genesis: reader.key(), seq: reader.u64(), prev: reader.opaque(HASH_LENGTH), atMs: reader.u64() };
    return { ...head, change: readChange(reader) };
  });
}

function readChange(reader: Reader): Change {
  switch (reader.u8()) {
    case 0:
      return { kind: "genesis", householdName: reader.string(), recovery: reader.key() };
    case 1:
      return {
        kind: "add_device", device: reader.key(), deviceKind: readDeviceKind(reader), rights: readRights(reader),
        person: reader.string(), label: reader.string(),
      };
    case 2:
      return { kind: "remove_device", device: reader.key() };
    case 3:
      return { kind: "set_rights", device: reader.key(), rights: readRights(reader) };
    case 4:
      return { kind: "recovery_key", recovery: reader.key() };
    default:
      throw new MalformedError("a kind of roster entry that is not known here");
  }
}

function readDeviceKind(reader: Reader): DeviceKindCode {
  const kind = reader.u8();
  if (kind !== KIND.app && kind !== KIND.device) throw new MalformedError("a kind of device that is not known here");
  return kind;
}

function signEntry(entry: Entry, signer: KeyPair): Bytes {
  return encodeSigned(sign("homeline roster v1", encodeEntry(entry), signer));
}

function decodeEntrySigned(encoded: Uint8Array): Signed {
  return orRosterError(() => decodeSigned(encoded));
}

function openEntry(signed: Signed): Entry {
  return orRosterError(() => {
    verifySigned("homeline roster v1", signed);
    return decodeEntry(signed.body);
  });
}

function orRosterError<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof MalformedError || error instanceof SignatureError) throw new RosterError(error.message);
    throw error;
  }
}

function refuseAdultDevice(kind: DeviceKindCode, rights: Rights): void {
  if (kind === KIND.device && isAdult(rights)) throw new RosterError("a home device is never adult");
}
