//! The household as this app knows it: what the server tells, trusted only where a signature says so.
//!
//! Names, handles and pinned keys of contacts come from their signed cards. A roster that the key worker refuses
//! (shorter or different than seen before) raises an alarm and stops everything that relies on it.

import type { E2ee } from "../e2ee/page.ts";
import type { Card, Grant, Pin, PolicyRule, RosterView, WhoIs } from "../e2ee/port.ts";
import type { AnswerPolicy, Blob, Contact, ContactId, Device, DeviceId, Event, Home, Household, Member } from "../protocol.ts";
import type { Session } from "../session/client.ts";
import { type Choice, type GrantMemory, Grants } from "./grants.ts";
import { bounded, type HeldMemory, NOTHING_HELD } from "./held.ts";
import { type AnswerMode, modeFor, Policies } from "./policies.ts";
import { applyRule, forgetGone, Rules } from "./rules.ts";
import { keysGone, signerOf } from "./signers.ts";

/** A contact as its card says; `trouble` when the card can't be trusted: it is shown, and can't be called. */
export interface ContactView {
  id: ContactId;
  name: string;
  handle: string;
  pin: Pin;
  theirGenesis: string | undefined;
  revision: number;
  trouble: "forged" | "rollback" | undefined;
}

interface ContactChange {
  id: ContactId;
  name: string;
  handle: string;
  pin: Pin;
  theirGenesis?: string | undefined;
}

/** After these, other cards and policies may hold than before. */
const HOLDS: ReadonlySet<Event["type"]> = new Set(["roster_grew", "contact_put", "contact_deleted", "answer_policy_put"]);

/** Longest list kept from the server: a household's address book is far smaller. */
const CONTACTS_MAX = 5_000;

export class HomeStore {
  home: Home | undefined;
  roster: RosterView | undefined;
  contacts = new Map<ContactId, ContactView>();
  /** In words; the server shows this household another history than before. */
  alarm: string | undefined;
  readonly policies: Policies;
  readonly rules: Rules;
  /** Who may drop in. */
  readonly grants: Grants;
  readonly #e2ee: E2ee;
  readonly #session: Session;
  readonly #changed: () => void;
  #work: Promise<void> = Promise.resolve();
  /** The cards as they came, to find who signed them. */
  readonly #cards = new Map<ContactId, Blob>();

  /** The cards as the server shows them, whether they hold or not. */
  readonly #shown = new Map<ContactId, Blob>();
  readonly #memory: HeldMemory | undefined;

  constructor(e2ee: E2ee, session: Session, changed: () => void, memory?: HeldMemory & Partial<GrantMemory>) {
    this.#e2ee = e2ee;
    this.#memory = memory;
    this.policies = new Policies(e2ee);
    this.grants = new Grants(e2ee, session, memory);
    this.rules = new Rules(session, () => this.home, changed);
    this.#session = session;
    this.#changed = changed;
  }

  /** Everything anew from the server. */
  load(): Promise<void> {
    return this.#next(async () => {
      const home = await this.#session.request({ type: "get_home" }, "home");
      this.home = home;
      if (home.household !== null) await this.#loadRoster(home.household.roster);
      const contacts = new Map<ContactId, ContactView>();
      for (const contact of home.contacts.slice(0, CONTACTS_MAX)) contacts.set(contact.id, await this.#open(contact));
      this.contacts = contacts;
      await this.policies.load(home.answer_policies, this.roster);
      await this.grants.load(home.drop_in_grants ?? []);
      await this.#adoptHeld();
      this.#hold();
    });
  }

  /** Takes in an event about the household; others are left alone. */
  apply(event: Event): Promise<void> {
    return this.#next(async () => {
      await this.#apply(event);
      if (HOLDS.has(event.type)) this.#hold();
    });
  }

  get members(): Member[] {
    return this.home?.household?.members ?? [];
  }

  get devices(): Device[] {
    return this.home?.household?.devices ?? [];
  }

  /** The signed-in person, with their role. */
  get me(): Member | undefined {
    return this.members.find(({ id }) => id === this.home?.account.id);
  }

  device(id: DeviceId): Device | undefined {
    return this.devices.find((device) => device.id === id);
  }

  /** Contacts in the order that people look for them. */
  sortedContacts(): ContactView[] {
    return [...this.contacts.values()].filter((contact) => contact.pin !== 3).sort((a, b) => a.name.localeCompare(b.name));
  }

  contactByHandle(handle: string): ContactView | undefined {
    return [...this.contacts.values()].find((contact) => contact.handle === handle && contact.pin !== 3);
  }

  /** How a home device answers somebody; besides the policy, a contact with their pinned key must still be there. */
  answerMode(device: DeviceId, { genesis, person, own }: Pick<WhoIs, "genesis" | "person" | "own">): AnswerMode {
    const pinned = [...this.contacts.values()].some(({ pin, theirGenesis, trouble }) => pin !== 3 && theirGenesis === genesis && trouble === undefined);
    if (this.alarm !== undefined || !(own || pinned)) return "ask";
    return modeFor(this.policies.rules(device), genesis, person);
  }

  /** Signs how a home device answers and stores it. */
  putPolicy(device: DeviceId, rules: PolicyRule[]): Promise<void> {
    return this.#next(() => this.#putPolicy(device, rules));
  }

  /** Signs the card anew and stores it. */
  putContact(change: ContactChange): Promise<void> {
    return this.#next(() => this.#putContact(change));
  }

  /** Signs who may drop in and stores it. */
  giveDropIn(choice: Choice): Promise<void> {
    return this.#next(() => this.grants.give(choice));
  }

  /** Lets in somebody who is new in a contact's household. */
  allowDropIn(grant: Grant, person: string): Promise<void> {
    return this.#next(() => this.grants.allow(grant, person));
  }

  takeDropInBack(grant: Grant): Promise<void> {
    return this.#next(() => this.grants.takeBack(grant));
  }

  everyoneOut(): Promise<void> {
    return this.#next(() => this.grants.takeAllBack());
  }

  /** Renews what ends soon; for adults' apps. */
  renewDropIn(): Promise<void> {
    return this.#next(() => this.grants.renew());
  }

  deleteContact(contact: ContactView): Promise<void> {
    return this.#next(async () => {
      const { id, name, handle, revision } = contact;
      await this.#unname(contact);
      const granted = this.grants.ofContact(id);
      if (granted !== undefined) await this.grants.takeBack(granted);
      const signed = await this.#e2ee.request("contact.sign", { contactId: id, revision: revision + 1, name, handle, pin: 3 });
      await this.#session.done({ type: "delete_contact", contact: id, card: signed.card });
      this.contacts.delete(id);
    });
  }

  async #putContact(change: ContactChange): Promise<void> {
    const before = this.contacts.get(change.id);
    const card: Card = {
      contactId: change.id, revision: (before?.revision ?? 0) + 1, name: change.name, handle: change.handle, pin: change.pin,
      theirGenesis: change.theirGenesis,
    };
    const signed = await this.#e2ee.request("contact.sign", card);
    const { id, name, handle } = change;
    await this.#session.done({ type: "put_contact", contact: id, name, handle, card: signed.card });
    this.contacts.set(id, await this.#open({ id, name, handle, card: signed.card }));
    this.#hold();
  }

  async #putPolicy(device: DeviceId, rules: PolicyRule[]): Promise<void> {
    const policy = await this.policies.sign(device, rules, this.roster);
    await this.#session.done({ type: "put_answer_policy", device, policy });
    await this.#takePolicy({ device, policy });
  }

  async #takePolicy(policy: AnswerPolicy): Promise<void> {
    if (this.home !== undefined) {
      this.home.answer_policies = [...this.home.answer_policies.filter((other) => other.device !== policy.device), policy];
    }
    await this.policies.take(policy, this.roster);
  }

  /** Whoever leaves the contacts is answered by no device any more, unless another contact is of the same household. */
  async #unname({ id, theirGenesis }: ContactView): Promise<void> {
    const others = [...this.contacts.values()].filter((other) => other.id !== id && other.pin !== 3);
    if (theirGenesis === undefined || others.some((other) => other.theirGenesis === theirGenesis)) return;
    for (const { id: device } of this.devices) {
      const rules = this.policies.rules(device);
      const rest = rules.filter((rule) => rule.theirGenesis !== theirGenesis);
      if (rest.length < rules.length) await this.#putPolicy(device, rest);
    }
  }

  #next(work: () => Promise<void>): Promise<void> {
    const result = this.#work.then(work).finally(this.#changed);
    this.#work = result.catch(() => undefined);
    return result;
  }

  async #loadRoster(entries: string[]): Promise<void> {
    try {
      this.roster = await this.#e2ee.request("roster.load", { entries });
      this.alarm = undefined;
    } catch (error) {
      this.alarm = "The server shows another history of your household than before. Devices and keys can't be trusted until this is "
        + `cleared up with whoever runs the server. (${error instanceof Error ? error.message : "unknown"})`;
    }
  }

  async #open(contact: Contact): Promise<ContactView> {
    this.#shown.set(contact.id, contact.card);
    try {
      const card = await this.#e2ee.request("contact.open", { card: contact.card });
      if (card.contactId.replaceAll("-", "") !== contact.id) throw new Error("the card is another contact's");
      this.#cards.set(contact.id, contact.card);
      return {
        id: contact.id, name: card.name, handle: card.handle, pin: card.pin, theirGenesis: card.theirGenesis,
        revision: card.revision, trouble: undefined,
      };
    } catch (error) {
      const known = this.contacts.get(contact.id);
      const trouble = (error as { code?: string }).code === "rollback" ? "rollback" : "forged";
      return known !== undefined
        ? { ...known, trouble }
        : { id: contact.id, name: contact.name, handle: contact.handle, pin: 0, theirGenesis: undefined, revision: 0, trouble };
    }
  }

  async #apply(event: Event): Promise<void> {
    const home = this.home;
    if (home === undefined) return;
    switch (event.type) {
      case "roster_grew": return this.#grew(home.household, event);
      case "certificate_renewed": {
        const device = this.device(event.device);
        if (device !== undefined) device.chain = event.chain;
        return;
      }
      case "presence_changed": {
        const device = this.device(event.device);
        if (device !== undefined) device.presence = event.presence;
        return;
      }
      case "member_changed": {
        const { type: _, ...changed } = event;
        const { id, handle, display_name } = changed;
        if (home.account.id === id) home.account = { id, handle, display_name };
        if (home.household !== null) {
          home.household.members = home.household.members.map((member) => (member.id === id ? changed : member));
          forgetGone(home, home.household.members);
        }
        return;
      }
      case "child_changed": {
        const { type: _, ...child } = event;
        home.children = [...home.children.filter((other) => other.account !== child.account), child];
        return;
      }
      case "contact_put": {
        if (this.contacts.size >= CONTACTS_MAX && !this.contacts.has(event.id)) return;
        this.contacts.set(event.id, await this.#open(event));
        return;
      }
      case "contact_deleted":
        this.contacts.delete(event.contact);
        return;
      case "answer_policy_put": {
        const { type: _, ...policy } = event;
        return this.#takePolicy(policy);
      }
      case "drop_in_grant_put":
        return this.grants.take(event);
      case "drop_in_grant_ended":
        this.grants.end(event.grant);
        return;
      case "invitation_made": {
        const { type: _, ...invitation } = event;
        home.invitations = [...home.invitations.filter((other) => other.id !== invitation.id), invitation];
        return;
      }
      case "invitation_ended":
        home.invitations = home.invitations.filter((other) => other.id !== event.invitation);
        return;
      case "join_requested": {
        const { type: _, ...request } = event;
        home.join_requests = [...home.join_requests.filter((other) => other.account.id !== request.account.id), request];
        return;
      }
      default:
        applyRule(home, event);
    }
  }

  async #grew(household: Household | null, event: Extract<Event, { type: "roster_grew" }>): Promise<void> {
    if (household === null) return;
    const known = new Set(household.roster);
    household.roster = [...household.roster, ...event.entries.filter((entry) => !known.has(entry))];
    household.members = event.members;
    household.devices = event.devices;
    if (this.home !== undefined) {
      const members = new Set(event.members.map((member) => member.id));
      const inside = new Set(event.devices.map((device) => device.account));
      this.home.join_requests = this.home.join_requests.filter(({ account }) => !members.has(account.id) || !inside.has(account.id));
      forgetGone(this.home, event.members);
    }
    const before = this.roster;
    await this.#loadRoster(household.roster);
    await this.#inherit(keysGone(before, this.roster));
  }

  /** What a removed device had signed counts no more: whoever may sign it anew does, as it was known while it counted. */
  async #inherit(gone: ReadonlySet<Blob>): Promise<void> {
    const policies = this.home?.answer_policies ?? [];
    const orphaned = policies.filter(({ policy }) => gone.has(signerOf(policy) ?? "")).map(({ device }) => ({ device, rules: [...this.policies.rules(device)] }));
    await this.policies.load(policies, this.roster);
    if (gone.size === 0) return;
    await this.grants.renew(gone);
    await this.grants.recheck();
    try {
      for (const { id, name, handle, pin, theirGenesis, trouble } of this.sortedContacts()) {
        if (trouble === undefined && gone.has(signerOf(this.#cards.get(id) ?? "") ?? "")) await this.#putContact({ id, name, handle, pin, theirGenesis });
      }
      for (const { device, rules } of orphaned) if (this.device(device) !== undefined) await this.#putPolicy(device, rules);
    } catch {
      // This app may not sign; an adult's does.
    }
  }

  /** The same for what held when this app was last open: whoever signed it may have left meanwhile. */
  async #adoptHeld(): Promise<void> {
    const { cards, policies } = this.#memory?.held() ?? NOTHING_HELD;
    if (this.alarm !== undefined) return;
    try {
      for (const { id, trouble } of [...this.contacts.values()]) {
        const held = cards[id];
        if (trouble !== "forged" || held === undefined || held.card !== this.#shown.get(id)) continue;
        this.contacts.set(id, { ...held, id, trouble });
        await this.#putContact({ id, name: held.name, handle: held.handle, pin: held.pin, theirGenesis: held.theirGenesis });
      }
      for (const { device, policy } of [...this.home?.answer_policies ?? []]) {
        const held = policies[device];
        if (held?.policy === policy && !this.policies.knows(device) && this.device(device) !== undefined) await this.#putPolicy(device, held.rules);
      }
    } catch {
      // This app may not sign; an adult's does.
    }
  }

  /** What is in trouble is kept as it held, until somebody has signed it anew. */
  #hold(): void {
    if (this.alarm !== undefined || this.#memory === undefined) return;
    const before = this.#memory.held() ?? NOTHING_HELD;
    const cards = this.sortedContacts().flatMap(({ id, name, handle, pin, theirGenesis, revision, trouble }) => {
      const card = this.#cards.get(id);
      const held = trouble === undefined && card !== undefined ? { card, name, handle, pin, theirGenesis, revision } : before.cards[id];
      return held === undefined ? [] : [[id, held] as const];
    });
    const policies = (this.home?.answer_policies ?? []).flatMap(({ device, policy }) => {
      const held = this.policies.knows(device) ? { policy, rules: [...this.policies.rules(device)] } : before.policies[device];
      return held === undefined ? [] : [[device, held] as const];
    });
    this.#memory.keepHeld({ cards: bounded(cards), policies: Object.fromEntries(policies) });
  }
}
