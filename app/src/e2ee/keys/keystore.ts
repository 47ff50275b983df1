//! Private keys at rest: seeds wrapped by an AES-GCM key that the browser does not let out, not even to this worker.
//!
//! They are unwrapped only in the worker's memory (ts-mls needs bytes). A browser that lost its storage pairs again.

import { type Bytes, utf8 } from "../bytes.ts";
import { type KeyPair, keyPairFromSeed } from "../identity/keys.ts";
import type { Seen } from "../identity/roster.ts";
import type { Records } from "./records.ts";

export type Slot = "app" | "device";

/** What can sign certificates that last: the genesis key, or the recovery key with its certificate. */
export type Authority =
  | { type: "genesis"; pair: KeyPair }
  | { type: "recovery"; pair: KeyPair; certificate: Bytes };

export type Home =
  /** Signed up by invitation; the household with this fingerprint has not admitted it yet. */
  | { type: "waiting"; fingerprint: Bytes; person: string }
  | { type: "ready"; confirmed: boolean; genesis: Bytes; chain: Bytes };

/** A call link that this app made. */
export interface GuestLink {
  secret: Bytes;
  endsAtMs: number;
}

/** One identity, unwrapped. Never leaves the worker. */
export interface Vault {
  pair: KeyPair;
  authority: Authority | undefined;
  home: Home;
  /** The highest roster seen. */
  seen: Seen | undefined;
  /** The highest revision seen of each contact card and answer policy. */
  revisions: Map<string, number>;
  /** Secrets of invitations that this app made, by id. */
  invitations: Map<string, Bytes>;
  guestLinks: Map<string, GuestLink>;
}

interface Sealed {
  iv: Bytes;
  box: Bytes;
}

interface StoredVault {
  pair: Sealed;
  authority: { type: "genesis"; seed: Sealed } | { type: "recovery"; seed: Sealed; certificate: Bytes } | undefined;
  home: Home;
  seen: Seen | undefined;
  revisions: Map<string, number>;
  invitations: Map<string, Sealed>;
  /** Absent in what was stored before there were call links. */
  guestLinks?: Map<string, { secret: Sealed; endsAtMs: number }>;
}

const WRAPPING_KEY = "wrapping-key";

export class KeyStore {
  readonly #records: Records;

  constructor(records: Records) {
    this.#records = records;
  }

  async load(slot: Slot): Promise<Vault | undefined> {
    const stored = (await this.#records.get(slot)) as StoredVault | undefined;
    if (stored === undefined) return undefined;
    const wrapping = await this.#wrappingKey();
    const open = (sealed: Sealed, name: string) => unseal(wrapping, sealed, `${slot} ${name}`);
    const { pair, authority, invitations, guestLinks = new Map(), ...rest } = stored;
    return {
      ...rest,
      pair: keyPairFromSeed(await open(pair, "pair")),
      authority: authority && { ...authority, pair: keyPairFromSeed(await open(authority.seed, "authority")) },
      invitations: new Map(await eachValue(invitations, (sealed) => open(sealed, "invitation"))),
      guestLinks: new Map(await eachValue(guestLinks, async ({ secret, endsAtMs }) => ({ secret: await open(secret, "guest link"), endsAtMs }))),
    };
  }

  async save(slot: Slot, vault: Vault): Promise<void> {
    const wrapping = await this.#wrappingKey();
    const close = (plain: Bytes, name: string) => seal(wrapping, plain, `${slot} ${name}`);
    const { pair, authority, invitations, guestLinks, ...rest } = vault;
    const stored: StoredVault = {
      ...rest,
      pair: await close(pair.seed, "pair"),
      authority: await sealAuthority(authority, (seed) => close(seed, "authority")),
      invitations: new Map(await eachValue(invitations, (secret) => close(secret, "invitation"))),
      guestLinks: new Map(await eachValue(guestLinks, async ({ secret, endsAtMs }) => ({ secret: await close(secret, "guest link"), endsAtMs }))),
    };
    await this.#records.update(slot, (old) => mergeSeen(stored, vault, old as StoredVault | undefined));
  }

  delete(slot: Slot): Promise<void> {
    return this.#records.delete(slot);
  }

  async #wrappingKey(): Promise<CryptoKey> {
    const found = (await this.#records.get(WRAPPING_KEY)) as CryptoKey | undefined;
    if (found !== undefined) return found;
    const made = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
    // Another tab may have been first: whichever key stands there afterwards is the one.
    await this.#records.update(WRAPPING_KEY, (old) => old ?? made);
    return (await this.#records.get(WRAPPING_KEY)) as CryptoKey;
  }
}

/** Another tab may have seen more meanwhile: what was seen only grows. A new identity starts anew. */
function mergeSeen(stored: StoredVault, vault: Vault, old: StoredVault | undefined): StoredVault {
  const same = old?.home.type === "ready" && vault.home.type === "ready"
    && old.home.genesis.every((byte, index) => byte === (vault.home as Home & { type: "ready" }).genesis[index]);
  if (old === undefined || !same) return stored;
  const seen = (old.seen?.seq ?? -1) > (stored.seen?.seq ?? -1) ? old.seen : stored.seen;
  const revisions = new Map(old.revisions);
  for (const [name, revision] of stored.revisions) revisions.set(name, Math.max(revision, revisions.get(name) ?? 0));
  return { ...stored, seen, revisions };
}

async function sealAuthority(
  authority: Authority | undefined, close: (seed: Bytes) => Promise<Sealed>,
): Promise<StoredVault["authority"]> {
  if (authority === undefined) return undefined;
  const seed = await close(authority.pair.seed);
  return authority.type === "genesis"
    ? { type: "genesis", seed }
    : { type: "recovery", seed, certificate: authority.certificate };
}

async function eachValue<A, B>(map: ReadonlyMap<string, A>, change: (value: A) => Promise<B>): Promise<[string, B][]> {
  return Promise.all([...map].map(async ([key, value]): Promise<[string, B]> => [key, await change(value)]));
}

async function seal(key: CryptoKey, plain: Bytes, purpose: string): Promise<Sealed> {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const parameters = { name: "AES-GCM", iv, additionalData: utf8(purpose) };
  return { iv, box: new Uint8Array(await crypto.subtle.encrypt(parameters, key, plain)) };
}

async function unseal(key: CryptoKey, sealed: Sealed, purpose: string): Promise<Bytes> {
  const parameters = { name: "AES-GCM", iv: sealed.iv, additionalData: utf8(purpose) };
  return new Uint8Array(await crypto.subtle.decrypt(parameters, key, sealed.box));
}
