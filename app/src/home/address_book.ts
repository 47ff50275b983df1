//! The own imported entries, the numbers typed for contacts and the own number, as the server keeps them.

import type {
  AddressBook, BroughtEntry, ContactId, ContactNumbers, EntryId, Event, Handle, ImportedEntry, ImportResult, NumberKind, PhoneNumber, WrittenNumber,
} from "../protocol.ts";
import type { Session } from "../session/client.ts";
import { randomId } from "./local.ts";

/** Half of what the server takes in one batch, so that a batch of long names stays below the longest frame. */
const BATCH = 100;
/** More pages than the server can have. */
const PAGES_MAX = 40;

export const KINDS: readonly { kind: NumberKind; label: string }[] = [
  { kind: "mobile", label: "Mobile" }, { kind: "home", label: "Home" }, { kind: "work", label: "Work" }, { kind: "other", label: "Other" },
];

export function kindLabel(kind: NumberKind): string {
  return KINDS.find((one) => one.kind === kind)?.label ?? "Other";
}

export class AddressBookStore {
  /** Undefined until it was loaded. */
  settings: AddressBook | undefined;
  entries: ImportedEntry[] = [];
  typed = new Map<ContactId, PhoneNumber[]>();
  /** Who is registered here with a number that was typed for a contact. */
  registered = new Map<ContactId, Handle>();
  readonly #session: Session;
  readonly #changed: () => void;
  #fresh = false;
  #loading = false;

  constructor(session: Session, changed: () => void) {
    this.#session = session;
    this.#changed = changed;
  }

  /** Loads what is not known yet, or may be known wrongly: called by screens that show it. */
  want(): void {
    if (this.#fresh || this.#loading) return;
    this.#loading = true;
    this.#fresh = true;
    this.#load().catch(() => {
      // The next event, connection or visit tries again.
      this.#fresh = false;
    }).finally(() => {
      this.#loading = false;
      if (this.settings !== undefined) this.#changed();
    });
  }

  /** A new connection may have missed events. */
  stale(): void {
    this.#fresh = false;
  }

  handle(event: Event): void {
    if (event.type === "address_book_changed") {
      this.stale();
      this.#changed();
    }
    if (event.type === "contact_numbers_put") {
      this.typed.set(event.contact, event.numbers);
      if (event.registered === null) this.registered.delete(event.contact);
      else this.registered.set(event.contact, event.registered);
      this.#changed();
    }
  }

  async setImport(on: boolean): Promise<void> {
    await this.#session.done({ type: "set_import", on });
    if (this.settings !== undefined) this.settings.import = on;
    if (!on) this.entries = [];
    this.stale();
  }

  /** Brings a whole address book; it takes the place of what this source brought before. */
  async bring(source: string, entries: readonly BroughtEntry[]): Promise<ImportResult> {
    const id = randomId();
    await this.#session.done({ type: "begin_import", import: id, source });
    for (let at = 0; at < entries.length; at += BATCH) {
      await this.#session.done({ type: "import_batch", import: id, entries: entries.slice(at, at + BATCH) });
    }
    const result = await this.#session.request({ type: "finish_import", import: id }, "imported");
    this.stale();
    return result;
  }

  async hide(entry: EntryId, hidden: boolean): Promise<void> {
    await this.#session.done({ type: "hide_entry", entry, hidden });
    this.entries = this.entries.map((one) => (one.id === entry ? { ...one, hidden } : one));
  }

  async setRegion(region: string): Promise<void> {
    await this.#session.done({ type: "set_phone_region", region });
    if (this.settings !== undefined) this.settings.region = region;
  }

  async setNumbers(contact: ContactId, numbers: WrittenNumber[]): Promise<void> {
    await this.#session.done({ type: "set_contact_numbers", contact, numbers });
  }

  /** Returns the number that the code goes to. */
  async startVerification(number: string): Promise<string> {
    const sent = await this.#session.request({ type: "start_number_verification", number }, "number_verification");
    return sent.number;
  }

  async confirm(code: string): Promise<void> {
    await this.#session.done({ type: "confirm_number", code });
    this.stale();
  }

  async forgetNumber(): Promise<void> {
    await this.#session.done({ type: "forget_number" });
    if (this.settings !== undefined) this.settings.number = null;
  }

  async setDiscoverable(on: boolean): Promise<void> {
    await this.#session.done({ type: "set_discoverable", on });
    if (this.settings?.number != null) this.settings.number.discoverable = on;
  }

  async #load(): Promise<void> {
    const settings = await this.#session.request({ type: "get_address_book" }, "address_book");
    const entries: ImportedEntry[] = [];
    for (let page = 0, more = true; more && page < PAGES_MAX; page++) {
      const reply = await this.#session.request({ type: "list_imported", after: entries.at(-1)?.id ?? null }, "imported_entries");
      entries.push(...reply.entries);
      more = reply.more;
    }
    const typed = new Map<ContactId, PhoneNumber[]>();
    const registered = new Map<ContactId, Handle>();
    let after: ContactId | null = null;
    for (let page = 0, more = true; more && page < PAGES_MAX; page++) {
      const reply: { contacts: ContactNumbers[]; more: boolean } = await this.#session.request({ type: "list_contact_numbers", after }, "contact_numbers");
      for (const one of reply.contacts) {
        typed.set(one.contact, one.numbers);
        if (one.registered !== null) registered.set(one.contact, one.registered);
      }
      after = reply.contacts.at(-1)?.contact ?? after;
      more = reply.more;
    }
    this.settings = settings;
    this.entries = entries.sort((one, other) => one.name.localeCompare(other.name));
    this.typed = typed;
    this.registered = registered;
  }
}
