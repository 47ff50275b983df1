//! Drop-in grants (docs/drop-in.md): an adult's signed word on who may drop in, where, when and how.

import { type Bytes, compareBytes, equalBytes, fromHex, toHex, utf8 } from "../bytes.ts";
import { decode, KEY_LENGTH, MalformedError, type Reader, readVersion, Writer } from "./encoding.ts";
import type { KeyPair } from "./keys.ts";
import type { Roster } from "./roster.ts";
import { decodeSigned, encodeSigned, SignatureError, sign, verifySigned } from "./signed.ts";

const CONTEXT = "homeline drop-in grant v1";
const ID_LENGTH = 16;
export const GRANT_DEVICES_MAX = 64;
export const GRANT_WINDOWS_MAX = 32;
export const GRANT_PEOPLE_MAX = 32;
const ZONE_BYTES_MAX = 64;
const PERSON_BYTES_MAX = 64;
const DAY_MS = 24 * 60 * 60 * 1_000;
/** How long a grant lasts at most. */
export const GRANT_LIFETIME_MS_MAX = 30 * DAY_MS;
/** What lasts less long is renewed by an adult's app that is open. */
export const GRANT_RENEW_BELOW_MS = 23 * DAY_MS;
const DAY_MINUTES = 24 * 60;

/** To whom: the own household, one person of a contact's household, or that household. */
export const GRANT_TO = { home: 1, person: 2, household: 3 } as const;
export const OPENING = { atOnce: 0, knockUntilYes: 1, knockUnlessNo: 2 } as const;

export interface GrantWindow {
  /** A sum of bits: Monday 1 to Sunday 64. */
  days: number;
  fromMinute: number;
  toMinute: number;
}

export interface GrantHours {
  timeZone: string;
  windows: GrantWindow[];
}

export interface DropInGrant {
  genesis: Bytes;
  id: string;
  revision: number;
  to: (typeof GRANT_TO)[keyof typeof GRANT_TO];
  /** Absent for the own household. */
  contact: { id: string; genesis: Bytes } | undefined;
  /** The account id in words; empty unless it is to one person. */
  person: string;
  /** Whom of a contact's household it names, in ascending order, none twice, at least one; empty unless it is to a household. */
  people: string[];
  /** In ascending order, none twice; none: every home device of the household. */
  devices: Bytes[];
  /** Absent: always. */
  hours: GrantHours | undefined;
  picture: boolean;
  opening: (typeof OPENING)[keyof typeof OPENING];
  signedAtMs: number;
  expiresAtMs: number;
  revoked: boolean;
}

/** A genuine statement that is no grant here: the one or the other of it. */
export class GrantError extends SignatureError {
  readonly reason: "other_household" | "signer_may_not";
  constructor(reason: GrantError["reason"]) {
    super("drop-in grant");
    this.name = "GrantError";
    this.reason = reason;
  }
}

/** Fails as malformed with what nobody could open. */
export function signGrant(grant: DropInGrant, signer: KeyPair): Bytes {
  const body = encodeGrant(grant);
  decodeGrant(body);
  return encodeSigned(sign(CONTEXT, body, signer));
}

export function openGrant(blob: Uint8Array, roster: Roster): DropInGrant {
  const signed = decodeSigned(blob);
  verifySigned(CONTEXT, signed);
  const grant = decodeGrant(signed.body);
  if (!equalBytes(grant.genesis, roster.genesis)) throw new GrantError("other_household");
  if (!roster.isAdultApp(signed.signer)) throw new GrantError("signer_may_not");
  return grant;
}

export function encodeGrant(grant: DropInGrant): Bytes {
  const devices = [...grant.devices].sort(compareBytes);
  const people = [...new Set(grant.people)].map(utf8).sort(compareBytes);
  return new Writer()
    .u8(1).key(grant.genesis).opaque(fromHex(grant.id), ID_LENGTH).u64(grant.revision)
    .u8(grant.to).opaque(grant.contact === undefined ? new Uint8Array(ID_LENGTH) : fromHex(grant.contact.id), ID_LENGTH)
    .key(grant.contact?.genesis ?? grant.genesis).string(grant.person)
    .list16(people, (writer, person) => writer.vec16(person))
    .list16(devices, (writer, device) => writer.key(device))
    .string(grant.hours?.timeZone ?? "")
    .list16(grant.hours?.windows ?? [], (writer, window) => writer.u8(window.days).u16(window.fromMinute).u16(window.toMinute))
    .u8(grant.picture ? 1 : 0).u8(grant.opening).u64(grant.signedAtMs).u64(grant.expiresAtMs).u8(grant.revoked ? 1 : 0)
    .bytes();
}

export function decodeGrant(body: Uint8Array): DropInGrant {
  return decode(body, (reader) => {
    readVersion(reader);
    const genesis = reader.key();
    const id = toHex(reader.opaque(ID_LENGTH));
    const revision = reader.u64();
    const whom = readWhom(reader, genesis);
    const devices = reader.list16(GRANT_DEVICES_MAX, (item) => item.key());
    if (devices.some((device, at) => at > 0 && compareBytes(devices[at - 1] as Bytes, device) >= 0)) throw new MalformedError("devices out of order");
    const grant: DropInGrant = {
      genesis, id, revision, ...whom, devices, hours: readHours(reader), picture: readFlag(reader), opening: readOpening(reader),
      signedAtMs: reader.u64(), expiresAtMs: reader.u64(), revoked: readFlag(reader),
    };
    const lasts = grant.expiresAtMs - grant.signedAtMs;
    if (lasts <= 0 || lasts > GRANT_LIFETIME_MS_MAX) throw new MalformedError("a grant that lasts too long, or not at all");
    return grant;
  });
}

function readWhom(reader: Reader, own: Bytes): Pick<DropInGrant, "to" | "contact" | "person" | "people"> {
  const to = reader.u8();
  const id = reader.opaque(ID_LENGTH);
  const genesis = reader.key();
  const person = reader.string();
  const people = readPeople(reader);
  const theirs = !isZero(id) && !equalBytes(genesis, own) && !equalBytes(genesis, new Uint8Array(KEY_LENGTH));
  const contact = { id: toHex(id), genesis };
  const nobody = person === "" && people.length === 0;
  if (to === GRANT_TO.home && isZero(id) && equalBytes(genesis, own) && nobody) return { to, contact: undefined, person, people };
  if (to === GRANT_TO.person && theirs && isPerson(person) && people.length === 0) return { to, contact, person, people };
  if (to === GRANT_TO.household && theirs && person === "" && people.length > 0) return { to, contact, person, people };
  throw new MalformedError("a grant to nobody known here");
}

function readPeople(reader: Reader): string[] {
  const people = reader.list16(GRANT_PEOPLE_MAX, (item) => item.string());
  const ordered = people.every((person, at) => at === 0 || compareBytes(utf8(people[at - 1] as string), utf8(person)) < 0);
  if (!ordered || !people.every(isPerson)) throw new MalformedError("people out of order");
  return people;
}

function isPerson(text: string): boolean {
  return text !== "" && utf8(text).length <= PERSON_BYTES_MAX;
}

function readHours(reader: Reader): GrantHours | undefined {
  const timeZone = reader.string();
  const windows = reader.list16(GRANT_WINDOWS_MAX, (item) => ({ days: item.u8(), fromMinute: item.u16(), toMinute: item.u16() }));
  if (timeZone === "" && windows.length === 0) return undefined;
  const fits = windows.every(({ days, fromMinute, toMinute }) => days > 0 && days < 128 && fromMinute < DAY_MINUTES && toMinute < DAY_MINUTES);
  const zoned = timeZone !== "" && utf8(timeZone).length <= ZONE_BYTES_MAX;
  if (!fits || !zoned || windows.length === 0) throw new MalformedError("hours that are none");
  return { timeZone, windows };
}

function readOpening(reader: Reader): DropInGrant["opening"] {
  const value = reader.u8();
  const opening = Object.values(OPENING).find((known) => known === value);
  if (opening === undefined) throw new MalformedError("a way to begin that is not known here");
  return opening;
}

function readFlag(reader: Reader): boolean {
  const value = reader.u8();
  if (value > 1) throw new MalformedError("neither yes nor no");
  return value === 1;
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
