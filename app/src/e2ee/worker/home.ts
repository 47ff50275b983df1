//! The identity that this worker holds, with the roster it has checked, and what both may be used for.

import { type Bytes, equalBytes, toBase64Url } from "../bytes.ts";
import { Expect } from "../call/expect.ts";
import type { Me } from "../call/group.ts";
import type { Expected } from "../keys/expected.ts";
import type { Authority, GuestLink, KeyStore, Slot, Vault } from "../keys/keystore.ts";
import { type Certificate, CLOCK_SKEW_MS, decodeCertificate, isAdult, KIND, type Kind, LIFETIME_MS, RENEW_BELOW_MS, signCertificate } from "../identity/certificate.ts";
import { type Chain, CHAIN_LENGTH_MAX, ChainError, decodeChain, type Identity, verifyChain } from "../identity/chain.ts";
import { equalKeys } from "../identity/keytext.ts";
import { fingerprintOf } from "../identity/ids.ts";
import type { KeyPair } from "../identity/keys.ts";
import { type Change, type Device, type DeviceKindCode, Roster, type Seen } from "../identity/roster.ts";
import { decodeSigned } from "../identity/signed.ts";
import type { DeviceKind, IdentityStatus, RosterView, WhoIs, WhoKind } from "../port.ts";
import { DeskError } from "./errors.ts";

/** Revisions remembered: one for each contact and device of a household. */
const REVISIONS_MAX = 10_000;
const INVITATIONS_MAX = 100;
/** Far more than the server lets a person have at once; the oldest goes. */
const GUEST_LINKS_MAX = 100;

/** A visit as a guest: a key that is never stored, and whose link was opened. */
export interface Visit {
  pair: KeyPair;
  chain: Chain;
  /** Of the household that made the link. */
  fingerprint: Bytes;
}

export type ReadyVault = Vault & { home: { type: "ready" } };

export class Home {
  readonly now: () => number;
  readonly #keyStore: KeyStore;
  readonly #expected: Expected;
  #slot: Slot = "app";
  #vault: Vault | undefined;
  #roster: Roster | undefined;
  #visit: Visit | undefined;

  constructor(keyStore: KeyStore, expected: Expected, now: () => number) {
    this.#keyStore = keyStore;
    this.#expected = expected;
    this.now = now;
  }

  /** The roster stays when the same household is opened again: running calls need it. */
  async open(slot: Slot): Promise<void> {
    this.#slot = slot;
    if (this.#visit !== undefined) throw new DeskError("exists", "this page is a guest's");
    this.#vault = await this.#keyStore.load(slot);
    const home = this.#vault?.home;
    const same = home?.type === "ready" && this.#roster !== undefined && equalBytes(home.genesis, this.#roster.genesis);
    if (!same) this.#roster = undefined;
  }

  async forget(): Promise<void> {
    await this.#keyStore.delete(this.#slot);
    await this.#expected.forgetAll(this.#slot);
    this.#vault = undefined;
    this.#roster = undefined;
  }

  get slot(): Slot {
    return this.#slot;
  }

  get vault(): Vault | undefined {
    return this.#vault;
  }

  /** Replaces the identity; refuses to overwrite one that a server knows. */
  async become(vault: Vault, roster?: Roster): Promise<void> {
    this.refuseExisting();
    this.#vault = vault;
    this.#roster = roster;
    await this.save();
  }

  refuseExisting(): void {
    if (this.#visit !== undefined) throw new DeskError("exists", "this page is a guest's");
    const home = this.#vault?.home;
    if (home?.type === "ready" && home.confirmed) throw new DeskError("exists", "this browser holds an identity already");
  }

  /** A worker is a guest's or an account's, never both; every knock has a key of its own. */
  visitAs(visit: Visit): void {
    if (this.#vault !== undefined) throw new DeskError("exists", "this page is an account's");
    this.#visit = visit;
  }

  save(): Promise<void> {
    if (this.#vault === undefined) throw new DeskError("no_identity", "there is nothing to save");
    return this.#keyStore.save(this.#slot, this.#vault);
  }

  ready(): ReadyVault {
    if (this.#vault?.home.type !== "ready") throw new DeskError("no_identity", "this browser is of no household yet");
    return this.#vault as ReadyVault;
  }

  chain(): Chain {
    return decodeChain(this.ready().home.chain);
  }

  roster(): Roster {
    if (this.#roster === undefined) throw new DeskError("no_roster", "the household's roster was not loaded yet");
    return this.#roster;
  }

  /** Who this worker is in calls. */
  me(): Me {
    if (this.#visit !== undefined) return { pair: this.#visit.pair, chain: this.#visit.chain };
    return { pair: this.ready().pair, chain: this.chain() };
  }

  /** What this worker expects in every call: its own household. A guest is all of its own. */
  expect(): Expect {
    if (this.#visit !== undefined) {
      const self = new Expect(() => undefined);
      self.allow(this.#visit.pair.publicKey, "guest");
      return self;
    }
    this.roster();
    return new Expect(() => this.roster());
  }

  /** A guest can call nobody, and is called by the household of its link alone. */
  refuseCaller(caller: Identity): void {
    if (caller.kind === KIND.guest) throw new DeskError("refused_member", "a guest can call nobody");
    const wanted = this.#visit?.fingerprint;
    if (wanted !== undefined && !equalBytes(fingerprintOf(caller.genesis), wanted)) {
      throw new DeskError("wrong_household", "this is another household than the one whose link was opened");
    }
  }

  /** Checks the whole roster against the pinned household and the highest version seen, and remembers it. */
  async loadRoster(entries: readonly Bytes[]): Promise<Roster> {
    const vault = this.ready();
    const roster = Roster.load(entries, this.#newestSeen(vault.seen));
    if (!equalBytes(roster.genesis, vault.home.genesis)) {
      throw new DeskError("wrong_household", "the server shows the roster of another household");
    }
    vault.seen = { seq: roster.seq, head: roster.head };
    this.#roster = roster;
    await this.save();
    return roster;
  }

  /** An adult app of the household, by the roster. */
  adult(): { vault: ReadyVault; roster: Roster } {
    const vault = this.ready();
    const roster = this.roster();
    if (!roster.isAdultApp(vault.pair.publicKey)) throw new DeskError("not_adult", "only an adult's app may do that");
    return { vault, roster };
  }

  /** The next roster entry, signed by this app. */
  entry(change: Change): Bytes {
    const { vault, roster } = this.adult();
    return roster.next(change, this.now(), vault.pair);
  }

  /** The next roster entries, in order, signed by this app. */
  entries(changes: readonly Change[]): Bytes[] {
    const { vault, roster } = this.adult();
    return roster.nextAll(changes, this.now(), vault.pair);
  }

  /** A chain for a device: as short as this app can make it. */
  certify(device: Omit<Device, "id">, rosterSeq: number): Chain {
    const { vault } = this.adult();
    const [signer, rest] = this.#issuer(vault.authority, vault.pair);
    if (rest.length >= CHAIN_LENGTH_MAX) throw new ChainError("the chain would be too long");
    return [signCertificate(certificateOf(device, vault.home.genesis, rosterSeq, this.now()), signer), ...rest];
  }

  /** True when the number is news or the same; remembers it. */
  async acceptRevision(name: string, revision: number): Promise<void> {
    const { revisions } = this.ready();
    const seen = revisions.get(name);
    if (seen !== undefined && revision < seen) throw new DeskError("rollback", "a newer version was seen before");
    if (seen === revision) return;
    if (seen === undefined && revisions.size >= REVISIONS_MAX) throw new DeskError("too_many", "too many cards and policies");
    revisions.set(name, revision);
    await this.save();
  }

  async keepInvitation(id: string, secret: Bytes): Promise<void> {
    const { invitations } = this.ready();
    const oldest = [...invitations.keys()].at(-INVITATIONS_MAX);
    if (oldest !== undefined) invitations.delete(oldest);
    invitations.set(id, secret);
    await this.save();
  }

  async keepGuestLink(id: string, link: GuestLink): Promise<void> {
    const { guestLinks } = this.ready();
    const oldest = [...guestLinks.keys()].at(-GUEST_LINKS_MAX);
    if (oldest !== undefined) guestLinks.delete(oldest);
    guestLinks.set(id, link);
    await this.save();
  }

  /** Those that have not ended; the others are forgotten now. */
  async guestLinks(): Promise<ReadonlyMap<string, GuestLink>> {
    const { guestLinks } = this.ready();
    const ended = [...guestLinks].filter(([, { endsAtMs }]) => endsAtMs + CLOCK_SKEW_MS < this.now());
    for (const [id] of ended) guestLinks.delete(id);
    if (ended.length > 0) await this.save();
    return guestLinks;
  }

  async forgetGuestLink(id: string): Promise<void> {
    if (this.ready().guestLinks.delete(id)) await this.save();
  }

  /** The households that a call of this slot may hold, as a page before this one knew them. */
  expectedIn(call: string): Promise<Bytes[]> {
    return this.#visit === undefined ? this.#expected.of(this.#slot, call, this.now()) : Promise.resolve([]);
  }

  /** A guest's page keeps nothing. */
  async keepExpected(call: string, households: Bytes[]): Promise<void> {
    if (this.#visit === undefined) await this.#expected.keep(this.#slot, call, households, this.now());
  }

  async forgetExpected(call: string): Promise<void> {
    if (this.#visit === undefined) await this.#expected.forget(this.#slot, call);
  }

  status(): IdentityStatus {
    const vault = this.#vault;
    if (vault === undefined) return { state: "none" };
    if (vault.home.type === "waiting") {
      const deviceKey = toBase64Url(vault.pair.publicKey);
      return { state: "waiting", deviceKey, person: vault.home.person, fingerprint: toBase64Url(vault.home.fingerprint) };
    }
    const identity = describe(decodeChain(vault.home.chain));
    return {
      state: "ready",
      confirmed: vault.home.confirmed,
      who: this.whoIs(identity),
      chain: toBase64Url(vault.home.chain),
      notAfterMs: identity.notAfterMs,
      renewalDue: identity.notAfterMs - this.now() < RENEW_BELOW_MS,
      certifies: vault.authority !== undefined,
    };
  }

  whoIs(identity: Identity): WhoIs {
    const home = this.#vault?.home;
    const own = this.#visit?.pair.publicKey ?? (home?.type === "ready" ? home.genesis : undefined);
    return {
      genesis: toBase64Url(identity.genesis),
      household: identity.household,
      fingerprint: toBase64Url(fingerprintOf(identity.genesis)),
      device: identity.device,
      deviceKey: toBase64Url(identity.deviceKey),
      kind: whoKind(identity.kind),
      adult: isAdult(identity.rights),
      person: identity.person,
      label: identity.label,
      own: own !== undefined && equalKeys(identity.genesis, own),
    };
  }

  #issuer(authority: Authority | undefined, own: KeyPair): [KeyPair, Chain] {
    if (authority?.type === "genesis") return [authority.pair, []];
    if (authority?.type === "recovery") return [authority.pair, [decodeSigned(authority.certificate)]];
    return [own, this.chain()];
  }

  /** What this worker has in memory may be newer than what it had stored. */
  #newestSeen(stored: Seen | undefined): Seen | undefined {
    const held = this.#roster;
    return held !== undefined && held.seq > (stored?.seq ?? -1) ? { seq: held.seq, head: held.head } : stored;
  }
}

export function certificateOf(device: Omit<Device, "id">, genesis: Bytes, rosterSeq: number, now: number): Certificate {
  const { key, kind, rights, person, label } = device;
  return { genesis, subject: key, kind, rights, person, label, notBeforeMs: now, notAfterMs: now + LIFETIME_MS, rosterSeq };
}

/** Verifies everything but the time: an expired identity still knows who it is. */
export function describe(chain: Chain): Identity {
  const ends = chain.map((signed) => decodeCertificate(signed.body));
  const from = Math.max(...ends.map((certificate) => certificate.notBeforeMs));
  return verifyChain(chain, from);
}

export function viewOf(roster: Roster): RosterView {
  return {
    household: roster.household,
    name: roster.name,
    fingerprint: toBase64Url(fingerprintOf(roster.genesis)),
    seq: roster.seq,
    head: toBase64Url(roster.head),
    devices: roster.devices.map((device) => ({
      device: device.id,
      deviceKey: toBase64Url(device.key),
      kind: kindName(device.kind),
      adult: isAdult(device.rights),
      person: device.person,
      label: device.label,
    })),
  };
}

function whoKind(kind: Kind): WhoKind {
  return kind === KIND.guest ? "guest" : kindName(kind === KIND.device ? KIND.device : KIND.app);
}

export function kindName(kind: DeviceKindCode): DeviceKind {
  return kind === KIND.app ? "app" : "home_device";
}

export function kindCode(kind: DeviceKind): DeviceKindCode {
  return kind === "app" ? KIND.app : KIND.device;
}
