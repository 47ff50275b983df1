//! One entry of a target device's ledger (docs/drop-in.md). Every meaning has one encoding.

import type { DropInRefusal } from "../../protocol.ts";
import { type Bytes, fromHex, toHex, utf8 } from "../bytes.ts";
import { OPENING } from "./drop_in.ts";
import { decode, HASH_LENGTH, KEY_LENGTH, MalformedError, type Reader, readVersion, Writer } from "./encoding.ts";
import type { KeyPair } from "./keys.ts";
import { type Signed, sign } from "./signed.ts";

export const LEDGER_CONTEXT = "homeline drop-in ledger v1";
const ID_LENGTH = 16;
const PERSON_BYTES_MAX = 64;
/** What an initiator's device is called; a longer label is cut when it is written, and refused when read. */
export const LEDGER_LABEL_BYTES_MAX = 160;

/** The refusals in the order of their numbers, from 1. */
const REFUSALS = [
  "off", "initiator", "not_in_household", "no_grant", "forged", "other_household", "signer_may_not", "replayed", "revoked", "ended_here",
  "not_yet", "expired", "not_a_contact", "other_device", "outside_hours", "sound_only", "busy", "quiet", "turned_away", "no_signal",
  "unavailable", "new_member",
] as const satisfies readonly DropInRefusal[];

export const ENDED_BY = { target: 1, initiator: 2, grant: 3, everyonePutOut: 4, connection: 5 } as const;
export const GRANT_CHANGE = { given: 1, changed: 2, revoked: 3 } as const;
const KIND = { opened: 1, ended: 2, refused: 3, grant_taken: 4, put_out: 5, switched: 6, grant_refused: 7, resumed: 8 } as const;

/** Who dropped in, or wanted to. Zeros and empty words where that could not be verified. */
export interface LedgerWho {
  genesis: Bytes;
  device: Bytes;
  /** The account id in words. */
  person: string;
  label: string;
}

export type LedgerWhat =
  /** A drop-in began: tone and light were given. */
  | {
      kind: "opened"; call: string; who: LedgerWho; grant: string; revision: number; picture: boolean;
      opening: (typeof OPENING)[keyof typeof OPENING];
    }
  | { kind: "ended"; call: string; lastedMs: number; by: (typeof ENDED_BY)[keyof typeof ENDED_BY] }
  /** Nothing was heard or seen. */
  | { kind: "refused"; call: string; who: LedgerWho; refusal: DropInRefusal }
  /** An adult's word arrived. `statement`: SHA-256 of the whole envelope. */
  | { kind: "grant_taken"; grant: string; revision: number; statement: Bytes; change: (typeof GRANT_CHANGE)[keyof typeof GRANT_CHANGE] }
  /** Somebody at the device put everyone out. */
  | { kind: "put_out" }
  | { kind: "switched"; on: boolean }
  /** The server handed over what is no grant to go by. */
  | { kind: "grant_refused"; statement: Bytes; refusal: DropInRefusal }
  /** The server has another end of this ledger than the device remembered, and the device went on from it. */
  | { kind: "resumed"; length: number; hash: Bytes };

export interface LedgerEntry {
  /** The household of the target. */
  genesis: Bytes;
  /** Its place, from 0. */
  index: number;
  /** SHA-256 of the whole entry before; zeros for the first. */
  prev: Bytes;
  /** By the device's clock. */
  atMs: number;
  what: LedgerWhat;
}

/** Somebody of whom nothing could be verified. */
export function unverifiedWho(): LedgerWho {
  return { genesis: new Uint8Array(KEY_LENGTH), device: new Uint8Array(KEY_LENGTH), person: "", label: "" };
}

export function signEntry(entry: LedgerEntry, signer: KeyPair): Signed {
  return sign(LEDGER_CONTEXT, encodeEntry(entry), signer);
}

export function encodeEntry({ genesis, index, prev, atMs, what }: LedgerEntry): Bytes {
  const writer = new Writer().u8(1).key(genesis).u64(index).opaque(prev, HASH_LENGTH).u64(atMs).u8(KIND[what.kind]);
  writeWhat(writer, what);
  return writer.bytes();
}

/** Says nothing about signature or place: `LedgerReader` does. */
export function decodeEntry(body: Uint8Array): LedgerEntry {
  return decode(body, (reader) => {
    readVersion(reader);
    return { genesis: reader.key(), index: reader.u64(), prev: reader.opaque(HASH_LENGTH), atMs: reader.u64(), what: readWhat(reader) };
  });
}

function writeWhat(writer: Writer, what: LedgerWhat): void {
  switch (what.kind) {
    case "opened":
      writeId(writer, what.call);
      writeWho(writer, what.who);
      writeId(writer, what.grant).u64(what.revision).u8(what.picture ? 1 : 0).u8(what.opening);
      break;
    case "ended": writeId(writer, what.call).u64(what.lastedMs).u8(what.by); break;
    case "refused":
      writeId(writer, what.call);
      writeWho(writer, what.who).u8(refusalNumber(what.refusal));
      break;
    case "grant_taken": writeId(writer, what.grant).u64(what.revision).opaque(what.statement, HASH_LENGTH).u8(what.change); break;
    case "put_out": break;
    case "switched": writer.u8(what.on ? 1 : 0); break;
    case "grant_refused": writer.opaque(what.statement, HASH_LENGTH).u8(refusalNumber(what.refusal)); break;
    case "resumed": writer.u64(what.length).opaque(what.hash, HASH_LENGTH); break;
  }
}

function readWhat(reader: Reader): LedgerWhat {
  const number = reader.u8();
  switch (number) {
    case KIND.opened:
      return {
        kind: "opened", call: readId(reader), who: readWho(reader), grant: readId(reader), revision: reader.u64(), picture: readFlag(reader),
        opening: readOne(reader, OPENING),
      };
    case KIND.ended: return { kind: "ended", call: readId(reader), lastedMs: reader.u64(), by: readOne(reader, ENDED_BY) };
    case KIND.refused: return { kind: "refused", call: readId(reader), who: readWho(reader), refusal: readRefusal(reader) };
    case KIND.grant_taken:
      return {
        kind: "grant_taken", grant: readId(reader), revision: reader.u64(), statement: reader.opaque(HASH_LENGTH),
        change: readOne(reader, GRANT_CHANGE),
      };
    case KIND.put_out: return { kind: "put_out" };
    case KIND.switched: return { kind: "switched", on: readFlag(reader) };
    case KIND.grant_refused: return { kind: "grant_refused", statement: reader.opaque(HASH_LENGTH), refusal: readRefusal(reader) };
    case KIND.resumed: return { kind: "resumed", length: reader.u64(), hash: reader.opaque(HASH_LENGTH) };
    default: throw new MalformedError("an entry of an unknown kind");
  }
}

function writeWho(writer: Writer, who: LedgerWho): Writer {
  return writer.key(who.genesis).key(who.device).string(cut(who.person, PERSON_BYTES_MAX)).string(cut(who.label, LEDGER_LABEL_BYTES_MAX));
}

function readWho(reader: Reader): LedgerWho {
  const who = { genesis: reader.key(), device: reader.key(), person: reader.string(), label: reader.string() };
  if (utf8(who.person).length > PERSON_BYTES_MAX || utf8(who.label).length > LEDGER_LABEL_BYTES_MAX) throw new MalformedError("a name is too long");
  return who;
}

function writeId(writer: Writer, id: string): Writer {
  return writer.opaque(fromHex(id), ID_LENGTH);
}

function readId(reader: Reader): string {
  return toHex(reader.opaque(ID_LENGTH));
}

function readOne<T extends number>(reader: Reader, known: Record<string, T>): T {
  const value = reader.u8();
  const found = Object.values(known).find((one) => one === value);
  if (found === undefined) throw new MalformedError("a value that is not known here");
  return found;
}

function readFlag(reader: Reader): boolean {
  return readOne(reader, { no: 0, yes: 1 }) === 1;
}

function refusalNumber(refusal: DropInRefusal): number {
  return REFUSALS.indexOf(refusal) + 1;
}

function readRefusal(reader: Reader): DropInRefusal {
  const refusal = REFUSALS[reader.u8() - 1];
  if (refusal === undefined) throw new MalformedError("a refusal that is not known here");
  return refusal;
}

/** At most so many bytes of a text, whole characters. */
function cut(text: string, max: number): string {
  let kept = "";
  let length = 0;
  for (const character of text) {
    length += utf8(character).length;
    if (length > max) break;
    kept += character;
  }
  return kept;
}
