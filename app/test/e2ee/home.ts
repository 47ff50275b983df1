//! Households for tests: fixed seeds, a founder's app, certified devices.

import type { Bytes } from "../../src/e2ee/bytes.ts";
import type { Me } from "../../src/e2ee/call/group.ts";
import { KIND, LIFETIME_MS, RIGHTS, type Rights, signCertificate } from "../../src/e2ee/identity/certificate.ts";
import type { Chain } from "../../src/e2ee/identity/chain.ts";
import { deviceIdOf } from "../../src/e2ee/identity/ids.ts";
import { type KeyPair, keyPairFromSeed } from "../../src/e2ee/identity/keys.ts";
import { type DeviceKindCode, genesisEntry, Roster } from "../../src/e2ee/identity/roster.ts";

/** ts-mls asks the real clock about a key package's lifetime, so the tests' time starts there. */
export const NOW = Date.now();

export function key(fill: number): KeyPair {
  return keyPairFromSeed(new Uint8Array(32).fill(fill));
}

/** Seeds `first`, `first + 1` and so on: genesis, recovery, the founder's app. */
export class House {
  readonly genesis: KeyPair;
  readonly recovery: KeyPair;
  readonly app: KeyPair;
  readonly entries: Bytes[];

  constructor(first: number) {
    [this.genesis, this.recovery, this.app] = [key(first), key(first + 1), key(first + 2)];
    this.entries = [genesisEntry("House", this.recovery.publicKey, NOW, this.genesis)];
    this.add(this.app, KIND.app, RIGHTS.adult, this.genesis);
  }

  get roster(): Roster {
    return Roster.load(this.entries);
  }

  add(pair: KeyPair, kind: DeviceKindCode, rights: Rights, signer: KeyPair = this.app): void {
    const change = {
      kind: "add_device" as const, device: pair.publicKey, deviceKind: kind, rights, person: "anna", label: "Device",
    };
    this.entries.push(this.roster.next(change, NOW, signer));
  }

  remove(pair: KeyPair): void {
    this.entries.push(this.roster.next({ kind: "remove_device", device: pair.publicKey }, NOW, this.app));
  }

  chain(pair: KeyPair = this.app, kind: DeviceKindCode = KIND.app, rights: Rights = RIGHTS.adult): Chain {
    const founder = this.certificate(this.app, KIND.app, RIGHTS.adult, this.genesis);
    return pair === this.app ? [founder] : [this.certificate(pair, kind, rights, this.app), founder];
  }

  me(pair: KeyPair = this.app, kind: DeviceKindCode = KIND.app, rights: Rights = RIGHTS.adult): Me {
    return { pair, chain: this.chain(pair, kind, rights) };
  }

  certificate(pair: KeyPair, kind: DeviceKindCode, rights: Rights, signer: KeyPair) {
    const body = {
      genesis: this.genesis.publicKey, subject: pair.publicKey, kind, rights, person: "anna", label: "Device",
      notBeforeMs: NOW, notAfterMs: NOW + LIFETIME_MS, rosterSeq: 1,
    };
    return signCertificate(body, signer);
  }
}

export function idOf(pair: KeyPair): string {
  return deviceIdOf(pair.publicKey);
}
