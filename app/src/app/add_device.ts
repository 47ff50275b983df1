//! Pairing from the household's side: an app that stands at "Add a device" certifies what shows the right six digits.

import type { E2ee } from "../e2ee/page.ts";
import type { AccountId, DeviceKind, Event, PairingId } from "../protocol.ts";
import type { Session } from "../session/client.ts";

export type AddDeviceView =
  | { at: "listening" }
  | { at: "exchanging" }
  | { at: "digits"; kind: DeviceKind; label: string; deviceKey: string; busy: boolean }
  | { at: "done"; label: string }
  | { at: "failed"; why: string };

export class AddDevice {
  view: AddDeviceView = { at: "listening" };
  readonly #e2ee: E2ee;
  readonly #session: Session;
  readonly #changed: () => void;
  #pairing: PairingId | undefined;

  constructor(e2ee: E2ee, session: Session, changed: () => void) {
    this.#e2ee = e2ee;
    this.#session = session;
    this.#changed = changed;
  }

  async start(): Promise<void> {
    this.#show({ at: "listening" });
    await this.#session.done({ type: "listen_for_pairing", on: true }).catch((error: unknown) => this.#fail(error));
  }

  stop(): void {
    if (this.#pairing !== undefined && this.view.at !== "done") {
      void this.#session.done({ type: "refuse_pairing", pairing: this.#pairing }).catch(() => undefined);
    }
    this.#pairing = undefined;
    void this.#e2ee.request("pair.cancel", {}).catch(() => undefined);
    void this.#session.done({ type: "listen_for_pairing", on: false }).catch(() => undefined);
  }

  async handle(event: Event): Promise<void> {
    try {
      if (event.type === "pairing_offered") await this.#offered(event.pairing, event.commit);
      if (event.type === "pairing_revealed" && event.pairing === this.#pairing) await this.#revealed(event);
      if (event.type === "pairing_ended" && event.pairing === this.#pairing && this.view.at !== "done") {
        this.#pairing = undefined;
        this.#show({ at: "failed", why: "The device gave up or took too long. Start again on the device." });
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  /** One try: wrong digits end the pairing. */
  async certify(digits: string, person: AccountId, adult: boolean): Promise<void> {
    const view = this.view;
    const pairing = this.#pairing;
    if (view.at !== "digits" || view.busy || pairing === undefined) return;
    this.#show({ ...view, busy: true });
    try {
      const isAdult = adult && view.kind === "app";
      const { entry, chain } = await this.#e2ee.request("pair.certify", { digits, person, adult: isAdult });
      const { device } = await this.#e2ee.request("chain.inspect", { chain });
      await this.#session.done({
        type: "certify_pairing", pairing, device, account: person, kind: view.kind, label: view.label, adult: isAdult, entry, chain,
      });
      this.#pairing = undefined;
      this.#show({ at: "done", label: view.label });
    } catch (error) {
      void this.#session.done({ type: "refuse_pairing", pairing }).catch(() => undefined);
      this.#fail(error);
    }
  }

  async #offered(pairing: PairingId, commit: string): Promise<void> {
    if (this.#pairing !== undefined) return;
    this.#pairing = pairing;
    this.#show({ at: "exchanging" });
    const accepted = await this.#e2ee.request("pair.accept", { commit });
    await this.#session.done({ type: "accept_pairing", pairing, commit: accepted.commit });
  }

  async #revealed(event: Extract<Event, { type: "pairing_revealed" }>): Promise<void> {
    const { pairing, device_key, nonce, kind, label } = event;
    const { genesis, app_key, nonce: ours } = await this.#e2ee.request("pair.reveal", { device_key, nonce, kind, label });
    await this.#session.done({ type: "reveal_pairing", pairing, genesis, app_key, nonce: ours });
    this.#show({ at: "digits", kind, label, deviceKey: device_key, busy: false });
  }

  #fail(error: unknown): void {
    this.#pairing = undefined;
    const code = (error as { code?: string }).code;
    const why = code === "wrong_digits"
      ? "Those are not the digits that the device shows. For safety this pairing is over: start again on the device."
      : code === "pairing_mismatch"
        ? "Stopped: the device showed other keys than it had committed to. Somebody may be standing in between."
        : error instanceof Error ? error.message : "Something went wrong. Start again on the device.";
    this.#show({ at: "failed", why });
  }

  #show(view: AddDeviceView): void {
    this.view = view;
    this.#changed();
  }
}
