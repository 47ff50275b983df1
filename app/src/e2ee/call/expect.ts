//! Who may be a member of a call's group, and the authentication service that asks for every leaf.
//!
//! The default service of ts-mls accepts everything. This one verifies the chain in the credential, that the leaf's
//! key is the certified one, and that the household is expected: a genuine certificate of the wrong household is refused.

import type { AuthenticationService, Credential } from "ts-mls";
import { type Bytes, equalBytes, toBase64Url } from "../bytes.ts";
import { KIND } from "../identity/certificate.ts";
import { ChainError, decodeChain, type Identity, verifyChain } from "../identity/chain.ts";
import { MalformedError } from "../identity/encoding.ts";
import { equalKeys, type KeyText, keyText } from "../identity/keytext.ts";
import { isUsableKey } from "../identity/keys.ts";
import type { Roster } from "../identity/roster.ts";

export type RefusalReason = "bad_key_package" | "bad_credential" | "wrong_key" | "unknown_household" | "not_in_roster";

export interface RefusedMember {
  reason: RefusalReason;
  /** Absent when the credential proves nothing. */
  identity: Identity | undefined;
}

/** What may stand behind a key: a household by any of its devices; exactly this guest; or, where whoever named the key did not say, either. */
export type Sort = "household" | "guest" | "whoever";

/** The own household, by its roster (a guest has none), and who was invited or accepted in this call, by genesis keys. */
export class Expect {
  readonly #own: () => Roster | undefined;
  readonly #others = new Map<KeyText, { genesis: Bytes; sort: Sort }>();
  #fits: (identity: Identity) => boolean = () => true;

  /** The roster is asked for anew each time: a device removed in mid-call is refused from then on. */
  constructor(own: () => Roster | undefined, genesis: readonly Uint8Array[] = []) {
    this.#own = own;
    for (const key of genesis) this.allow(key);
  }

  /** What is known of a key stays; that it is a guest's outranks the rest. */
  allow(genesis: Uint8Array, sort: Sort = "household"): void {
    const key = keyText(genesis);
    if (sort === "guest" || !this.#others.has(key)) this.#others.set(key, { genesis: Uint8Array.from(genesis), sort });
  }

  /** Besides, only who fits, whatever is allowed later: a drop-in is between two, a live announcement among those whom it names. */
  restrict(fits: (identity: Identity) => boolean): void {
    this.#fits = fits;
  }

  /** Those besides the own household, in the order in which they came. */
  get households(): Bytes[] {
    return [...this.#others.values()].map(({ genesis }) => genesis);
  }

  check(identity: Identity): RefusalReason | undefined {
    if (!this.#fits(identity)) return "unknown_household";
    const own = this.#own();
    if (own !== undefined && equalKeys(identity.genesis, own.genesis)) return own.admits(identity) ? undefined : "not_in_roster";
    const sort = this.#others.get(keyText(identity.genesis))?.sort;
    const fits = sort === "whoever" || (sort !== undefined && (sort === "guest") === (identity.kind === KIND.guest));
    return fits ? undefined : "unknown_household";
  }
}

/** Chains that were accepted in one call: members, their renewals, and those that came and went. */
const KNOWN_MAX = 4_096;

export class MemberAuthentication implements AuthenticationService {
  readonly expect: Expect;
  /** Accepted chains by their bytes: they stay who they are in this call when a certificate ends in the middle of it. */
  readonly #known = new Map<string, Identity>();
  /** What was refused since the last `takeRefused`; a group operation refuses one member and stops. */
  #refused: RefusedMember | undefined;
  /** Set before every group operation: this crate of code is told the time. */
  now = 0;

  constructor(expect: Expect) {
    this.expect = expect;
  }

  validateCredential(credential: Credential, signaturePublicKey: Uint8Array): Promise<boolean> {
    const result = this.authenticate(credential, signaturePublicKey);
    if ("reason" in result) this.#refused = result;
    return Promise.resolve(!("reason" in result));
  }

  authenticate(credential: Credential, signatureKey: Uint8Array): Identity | RefusedMember {
    const identity = readCredential(credential, this.now);
    if (identity === undefined) return { reason: "bad_credential", identity };
    const certified = equalBytes(identity.deviceKey, signatureKey) && isUsableKey(signatureKey);
    if (!certified) return { reason: "wrong_key", identity };
    const reason = this.expect.check(identity);
    if (reason !== undefined) return { reason, identity };
    if (this.#known.size >= KNOWN_MAX) return { reason: "bad_credential", identity };
    this.#known.set(nameOf(credential), identity);
    return identity;
  }

  /** Who an accepted leaf is. No leaf is in the group without having been accepted. */
  identityOf(credential: Credential): Identity | undefined {
    return this.#known.get(nameOf(credential));
  }

  takeRefused(): RefusedMember | undefined {
    const refused = this.#refused;
    this.#refused = undefined;
    return refused;
  }
}

function nameOf(credential: Credential): string {
  return credential.credentialType === "basic" ? toBase64Url(credential.identity) : "";
}

function readCredential(credential: Credential, now: number): Identity | undefined {
  if (credential.credentialType !== "basic") return undefined;
  try {
    return verifyChain(decodeChain(credential.identity), now);
  } catch (error) {
    if (error instanceof ChainError || error instanceof MalformedError) return undefined;
    throw error;
  }
}
