//! Reads a file of vCards (2.1, 3.0 and 4.0) for its names and numbers; everything else in it is left where it is.
//!
//! Strict about the frame, so that a damaged file is refused whole, and lenient about single cards without a name or a
//! number, which are counted and left out.

import { sha256 } from "@noble/hashes/sha2.js";
import type { BroughtEntry, NumberKind, WrittenNumber } from "../protocol.ts";

/** Longest file. Pictures make address books long; more is no address book. */
export const FILE_BYTES_MAX = 64 * 1024 * 1024;
/** What an account may import. */
const CARDS_MAX = 5_000;
/** Bounds of the server. A longer name is shortened, further numbers are left out. */
const NAME_CHARS_MAX = 64;
const NUMBER_CHARS_MAX = 64;
const NUMBERS_MAX = 10;
const SOURCE_ID_BYTES_MAX = 128;

export interface CardFile {
  entries: BroughtEntry[];
  /** Cards without a name or a number that can be called. */
  skipped: number;
}

interface Property {
  name: string;
  /** Capital letters; the types of vCard 2.1 stand without a name. */
  types: string[];
  quoted: boolean;
  value: string;
}

/** Throws what should be shown. */
export function readCards(bytes: Uint8Array): CardFile {
  if (bytes.length > FILE_BYTES_MAX) throw new Error("This file is longer than 64 MB. Export the contacts without their pictures.");
  const taken = new Map<string, number>();
  const file: CardFile = { entries: [], skipped: 0 };
  let card: Property[] | undefined;
  for (const { text, number } of logicalLines(decode(bytes))) {
    if (text.trim() === "") continue;
    const property = parse(text);
    if (property === undefined) throw new Error(`Line ${number} is no line of a vCard. Nothing was imported.`);
    const value = property.value.trim().toUpperCase();
    if (property.name === "BEGIN" && value === "VCARD") {
      if (card !== undefined) throw new Error(`A card begins within another in line ${number}. Nothing was imported.`);
      card = [];
    } else if (card === undefined) {
      throw new Error("This is not a file of vCards: it does not begin with BEGIN:VCARD. Nothing was imported.");
    } else if (property.name === "END" && value === "VCARD") {
      take(file, card, taken);
      card = undefined;
      if (file.entries.length > CARDS_MAX) throw new Error(`There are more than ${CARDS_MAX} contacts in this file. Nothing was imported.`);
    } else {
      card.push(property);
    }
  }
  if (card !== undefined) throw new Error("The file is cut off: its last card has no end. Nothing was imported.");
  if (file.entries.length === 0) throw new Error("There is nobody with a name and a number in this file.");
  return file;
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Error("This file is not text in UTF-8. Export the contacts anew as vCard.");
  }
}

/** Lines with their continuations: by an indent (RFC 6350, 3.2), and of quoted-printable by "=" at the end. */
function* logicalLines(text: string): Generator<{ text: string; number: number }> {
  let held: { text: string; number: number } | undefined;
  let number = 0;
  for (const line of text.split(/\r\n|\n|\r/)) {
    number += 1;
    if (held !== undefined && /^[ \t]/.test(line)) held.text += line.slice(1);
    else if (held !== undefined && held.text.endsWith("=") && isQuoted(held.text)) held.text = held.text.slice(0, -1) + line;
    // Pictures of vCard 2.1 go on without an indent, until an empty line.
    else if (held !== undefined && line !== "" && !line.includes(":") && /^[^:]*(BASE64|ENCODING=B)\b/i.test(held.text)) continue;
    else {
      if (held !== undefined) yield held;
      held = { text: line, number };
    }
  }
  if (held !== undefined) yield held;
}

function isQuoted(line: string): boolean {
  return /^[^:]*QUOTED-PRINTABLE/i.test(line);
}

function parse(line: string): Property | undefined {
  const parts = [""];
  let inQuotes = false;
  let end = -1;
  for (let at = 0; at < line.length && end < 0; at++) {
    const character = line[at] ?? "";
    if (character === '"') inQuotes = !inQuotes;
    else if (character === ":" && !inQuotes) end = at;
    else if (character === ";" && !inQuotes) parts.push("");
    else parts[parts.length - 1] += character;
  }
  const name = (parts.shift() ?? "").replace(/^.*\./, "").trim().toUpperCase();
  if (end < 0 || !/^[A-Z0-9-]+$/.test(name)) return undefined;
  const types: string[] = [];
  for (const part of parts) {
    const [key = "", value] = part.toUpperCase().split("=", 2);
    if (value === undefined) types.push(key.trim());
    else if (key.trim() === "TYPE") types.push(...value.split(",").map((type) => type.trim()));
    else if (key.trim() === "ENCODING") types.push(value.trim());
  }
  return { name, types, quoted: types.includes("QUOTED-PRINTABLE"), value: line.slice(end + 1) };
}

function take(file: CardFile, card: readonly Property[], taken: Map<string, number>): void {
  const version = card.find((property) => property.name === "VERSION")?.value.trim();
  if (version === undefined || !["2.1", "3.0", "4.0"].includes(version)) throw new Error("A card in this file is of no version known here (2.1, 3.0, 4.0). Nothing was imported.");
  const name = nameOf(card);
  const numbers = numbersOf(card);
  if (name === "" || numbers.length === 0) {
    file.skipped += 1;
    return;
  }
  const base = sourceId(card, name);
  const before = taken.get(base) ?? 0;
  taken.set(base, before + 1);
  file.entries.push({ source_id: before === 0 ? base : `${base}#${before}`, name, numbers });
}

function nameOf(card: readonly Property[]): string {
  const first = (name: string): string[] => {
    const property = card.find((candidate) => candidate.name === name);
    return property === undefined ? [] : split(textOf(property)).map(clean);
  };
  const [family = "", given = ""] = first("N");
  const name = first("FN").join(" ") || [given, family].filter((part) => part !== "").join(" ") || (first("ORG")[0] ?? "");
  return [...name].slice(0, NAME_CHARS_MAX).join("").trim();
}

function numbersOf(card: readonly Property[]): WrittenNumber[] {
  const numbers: WrittenNumber[] = [];
  for (const property of card) {
    if (property.name !== "TEL" || property.types.some((type) => type === "FAX" || type === "PAGER")) continue;
    const text = clean(textOf(property).replace(/^tel:/i, "").replace(/;.*$/, ""));
    const known = numbers.some((number) => number.text === text);
    if (text !== "" && text.length <= NUMBER_CHARS_MAX && !known && numbers.length < NUMBERS_MAX) numbers.push({ kind: kindOf(property.types), text });
  }
  return numbers;
}

function kindOf(types: readonly string[]): NumberKind {
  if (types.some((type) => ["CELL", "MOBILE", "IPHONE"].includes(type))) return "mobile";
  if (types.includes("WORK")) return "work";
  return types.includes("HOME") ? "home" : "other";
}

/** The card's own id, else one of its name: it stays when a number changes. */
function sourceId(card: readonly Property[], name: string): string {
  const uid = clean(card.find((property) => property.name === "UID")?.value ?? "");
  const id = `uid:${uid}`;
  // Room for the count behind ids that come twice.
  if (uid !== "" && new TextEncoder().encode(id).length <= SOURCE_ID_BYTES_MAX - 8) return id;
  const hash = sha256(new TextEncoder().encode(uid === "" ? `name ${name}` : id));
  return `hash:${Array.from(hash.slice(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

function textOf({ quoted, value }: Property): string {
  if (!quoted) return value;
  const bytes: number[] = [];
  for (let at = 0; at < value.length; at++) {
    const code = /^=[0-9A-Fa-f]{2}/.test(value.slice(at, at + 3)) ? Number.parseInt(value.slice(at + 1, at + 3), 16) : undefined;
    if (code === undefined) bytes.push(...new TextEncoder().encode(value[at] ?? ""));
    else {
      bytes.push(code);
      at += 2;
    }
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

/** The parts between semicolons that are not escaped, each without its escapes. */
function split(value: string): string[] {
  const parts = [""];
  for (let at = 0; at < value.length; at++) {
    const character = value[at] ?? "";
    if (character === ";") parts.push("");
    else if (character === "\\") {
      at += 1;
      const escaped = value[at] ?? "";
      parts[parts.length - 1] += escaped === "n" || escaped === "N" ? " " : escaped;
    } else parts[parts.length - 1] += character;
  }
  return parts;
}

function clean(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ").replace(/\s+/g, " ").trim();
}
