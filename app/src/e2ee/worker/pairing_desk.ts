//! Pairing, both sides: one at a time, in memory only.

import { type Bytes, toBase64Url } from "../bytes.ts";
import { KIND, RIGHTS } from "../identity/certificate.ts";
import { HASH_LENGTH } from "../identity/encoding.ts";
import { generateKeyPair, type KeyPair } from "../identity/keys.ts";
import {
  appCommitment, type AppReveal, checkAppReveal, checkDeviceReveal, deviceCommitment, type DeviceReveal, NONCE_LENGTH,
  pairingDigits,
} from "../identity/pairing.ts";
import type { PairAppReveal, PairReveal } from "../port.ts";
import { DeskError } from "./errors.ts";
import { type Handlers, NOTHING, type Prefixed, randomBytes, readBytes, readKey } from "./handlers.ts";
import { type Home, kindCode, kindName } from "./home.ts";
import { admit } from "./household_desk.ts";
import type { Revealed } from "./identity_desk.ts";

type DeviceSide =
  | { step: "offered"; pair: KeyPair; reveal: DeviceReveal }
  | { step: "accepted"; pair: KeyPair; reveal: DeviceReveal; commitment: Bytes }
  | { step: "revealed"; pair: KeyPair; genesis: Bytes };

type AppSide =
  | { step: "accepted"; commitment: Bytes; reveal: AppReveal }
  | { step: "revealed"; device: DeviceReveal; reveal: AppReveal }
  /** The digits were right: certifying may be done again when the roster moved meanwhile. */
  | { step: "verified"; device: DeviceReveal };

export class PairingDesk {
  readonly #home: Home;
  #device: DeviceSide | undefined;
  #app: AppSide | undefined;

  constructor(home: Home) {
    this.#home = home;
  }

  /** What `adopt` checks the household's answer against. */
  readonly takeRevealed = (): Revealed | undefined => (this.#device?.step === "revealed" ? this.#device : undefined);

  handlers(): Handlers<Prefixed<"pair">> {
    return {
      "pair.offer": ({ kind, label }) => {
        this.#home.refuseExisting();
        const pair = generateKeyPair();
        const reveal = { deviceKey: pair.publicKey, nonce: randomBytes(NONCE_LENGTH), kind: kindCode(kind), label };
        this.#device = { step: "offered", pair, reveal };
        return { commit: toBase64Url(deviceCommitment(reveal)) };
      },
      "pair.accepted": ({ commit }) => this.#accepted(readBytes(commit, HASH_LENGTH)),
      "pair.revealed": (reveal) => ({ digits: this.#revealed(reveal) }),
      "pair.accept": ({ commit }) => this.#accept(readBytes(commit, HASH_LENGTH)),
      "pair.reveal": (reveal) => this.#reveal(reveal),
      "pair.certify": ({ digits, person, adult }) => this.#certify(digits, person, adult),
      "pair.cancel": () => {
        this.#device = this.#app = undefined;
        return NOTHING;
      },
    };
  }

  #accepted(commitment: Bytes): PairReveal {
    const side = this.#device;
    if (side?.step !== "offered") throw notNow();
    this.#device = { ...side, step: "accepted", commitment };
    const { deviceKey, nonce, kind, label } = side.reveal;
    return { device_key: toBase64Url(deviceKey), nonce: toBase64Url(nonce), kind: kindName(kind), label };
  }

  #revealed(shown: PairAppReveal): string {
    const side = this.#device;
    if (side?.step !== "accepted") throw notNow();
    this.#device = undefined;
    const app = { genesis: readKey(shown.genesis), appKey: readKey(shown.app_key), nonce: readBytes(shown.nonce, NONCE_LENGTH) };
    checkAppReveal(side.commitment, app);
    this.#device = { step: "revealed", pair: side.pair, genesis: app.genesis };
    return pairingDigits(side.reveal, app);
  }

  #accept(commitment: Bytes): { commit: string } {
    const { vault, roster } = this.#home.adult();
    const reveal = { genesis: roster.genesis, appKey: vault.pair.publicKey, nonce: randomBytes(NONCE_LENGTH) };
    this.#app = { step: "accepted", commitment, reveal };
    return { commit: toBase64Url(appCommitment(reveal)) };
  }

  #reveal(shown: PairReveal): PairAppReveal {
    const side = this.#app;
    if (side?.step !== "accepted") throw notNow();
    this.#app = undefined;
    const device = {
      deviceKey: readKey(shown.device_key), nonce: readBytes(shown.nonce, NONCE_LENGTH), kind: kindCode(shown.kind), label: shown.label,
    };
    checkDeviceReveal(side.commitment, device);
    this.#app = { step: "revealed", device, reveal: side.reveal };
    const { genesis, appKey, nonce } = side.reveal;
    return { genesis: toBase64Url(genesis), app_key: toBase64Url(appKey), nonce: toBase64Url(nonce) };
  }

  /** One try: a server in between has one chance in a million. */
  #certify(digits: string, person: string, adult: boolean): { entry: string; chain: string } {
    const side = this.#app;
    if (side === undefined || side.step === "accepted") throw notNow();
    if (side.step === "revealed") {
      this.#app = undefined;
      if (digits.replace(/\s/g, "") !== pairingDigits(side.device, side.reveal)) {
        throw new DeskError("wrong_digits", "these are not the digits that the device shows");
      }
      this.#app = { step: "verified", device: side.device };
    }
    const { deviceKey, kind, label } = side.device;
    const rights = adult && kind === KIND.app ? RIGHTS.adult : RIGHTS.none;
    return admit(this.#home, { key: deviceKey, kind, rights, person, label });
  }
}

function notNow(): DeskError {
  return new DeskError("no_pairing", "no pairing is at this step");
}
