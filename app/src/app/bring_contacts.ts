//! Bringing contacts into the app: from a file, or from the phone's own picker where the browser has one.

import type { AddressBookStore } from "../home/address_book.ts";
import { readCards } from "../home/vcard.ts";
import type { BroughtEntry } from "../protocol.ts";
import { REGIONS } from "../ui/regions.ts";
import type { App } from "./app.ts";

/** Sources are told apart by these names: what one brings takes the place of what it brought before. */
const FILE = "vCard file";
const PICKER = "Picked on a phone";
/** What the server takes. */
const NAME_CHARS_MAX = 64;
const NUMBERS_MAX = 10;

/** https://developer.mozilla.org/docs/Web/API/Contact_Picker_API: phones with Chrome; the person picks whom to show. */
interface ContactPicker {
  select(properties: readonly string[], options: { multiple: boolean }): Promise<{ name?: string[]; tel?: string[] }[]>;
}

function picker(): ContactPicker | undefined {
  return (navigator as Navigator & { contacts?: ContactPicker }).contacts;
}

export function hasPicker(): boolean {
  return picker() !== undefined;
}

/** Throws what should be shown; then nothing was changed. */
export async function bringFile(app: App, file: File): Promise<void> {
  const { entries, skipped } = readCards(new Uint8Array(await file.arrayBuffer()));
  await bring(app, FILE, entries, skipped);
}

export async function bringPicked(app: App): Promise<void> {
  const picked = await picker()?.select(["name", "tel"], { multiple: true }) ?? [];
  const taken = new Map<string, number>();
  const entries: BroughtEntry[] = [];
  for (const { name = [], tel = [] } of picked) {
    const called = [...(name[0] ?? "").trim()].slice(0, NAME_CHARS_MAX).join("");
    const texts = [...new Set(tel.map((text) => text.trim()))].filter((text) => text !== "" && text.length <= 64);
    if (called === "" || texts.length === 0) continue;
    // 64 characters of 4 bytes each would be too long an id.
    const base = [...called].slice(0, 28).join("");
    const before = taken.get(base) ?? 0;
    taken.set(base, before + 1);
    entries.push({ source_id: `${base}#${before}`, name: called, numbers: texts.slice(0, NUMBERS_MAX).map((text) => ({ kind: "other", text })) });
  }
  if (entries.length > 0) await bring(app, PICKER, entries, picked.length - entries.length);
}

/** At the first import: numbers without a country code are most likely of where the browser's language is from. */
async function setHomeRegion(book: AddressBookStore): Promise<void> {
  const region = new Intl.Locale(navigator.language).region;
  if (region === undefined || region === book.settings?.region || !REGIONS.includes(region)) return;
  // The import goes on in the server's region; the settings show which it is.
  await book.setRegion(region).catch(() => undefined);
}

async function bring(app: App, source: string, entries: readonly BroughtEntry[], skipped: number): Promise<void> {
  const book = app.book;
  if (book === undefined) return;
  if (book.settings?.import !== true) {
    await book.setImport(true);
    await setHomeRegion(book);
  }
  const { entries: count, removed } = await book.bring(source, entries);
  const gone = removed === 0 ? "" : ` ${removed} went, since they are not in it any more.`;
  const left = skipped === 0 ? "" : ` ${skipped} without a name or a number were left out.`;
  app.say(`${count} contacts are here.${gone}${left}`);
}
