//! Pairing from the new side: a home device, or a person's second app, asks for a person by handle.
//!
//! Both sides commit to their keys before either reveals; the six digits come from both, so no server can stand between.

import type { E2ee } from "../e2ee/page.ts";
import type { IdentityStatus } from "../e2ee/port.ts";
import type { AccountId, DeviceKind } from "../protocol.ts";
import { RequestError } from "../session/errors.ts";
import { api } from "../session/http.ts";

export type PairingView =
  | { at: "asking" }
  /** Nobody has taken it up yet: the person opens "Add a device". */
  | { at: "waiting"; handle: string }
  | { at: "digits"; digits: string }
  | { at: "failed"; why: string };

export interface Paired {
  token: string;
  account: AccountId;
  identity: IdentityStatus;
}

const RETRY_MS = 1_500;
const ENDED = "Not added: the digits did not match, somebody said no, or it took too long. Try again.";

export class Pairing {
  view: PairingView = { at: "asking" };
  readonly #e2ee: E2ee;
  readonly #changed: (view: PairingView) => void;
  #stopped = false;

  constructor(e2ee: E2ee, changed: (view: PairingView) => void) {
    this.#e2ee = e2ee;
    this.#changed = changed;
  }

  stop(): void {
    this.#stopped = true;
    void this.#e2ee.request("pair.cancel", {}).catch(() => undefined);
  }

  /** Undefined when it was stopped or failed; the view says which. */
  async run(handle: string, kind: DeviceKind, label: string): Promise<Paired | undefined> {
    try {
      const { commit } = await this.#e2ee.request("pair.offer", { kind, label });
      const opened = await api.pairingOpen({ handle, commit });
      this.#show({ at: "waiting", handle });
      return await this.#follow(opened.pairing, opened.secret, opened.expires_at_ms);
    } catch (error) {
      if (!this.#stopped) this.#show({ at: "failed", why: wordsOf(error) });
      return undefined;
    }
  }

  async #follow(pairing: string, secret: string, expiresAtMs: number): Promise<Paired | undefined> {
    let step = 0;
    while (!this.#stopped) {
      const state = await this.#poll(pairing, secret, step, expiresAtMs);
      switch (state.type) {
        case "waiting":
          break;
        case "accepted":
          if (step >= 1) break;
          step = 1;
          await api.pairingReveal(pairing, secret, await this.#e2ee.request("pair.accepted", { commit: state.commit }));
          break;
        case "revealed": {
          if (step >= 2) break;
          step = 2;
          const { genesis, app_key, nonce } = state;
          const { digits } = await this.#e2ee.request("pair.revealed", { genesis, app_key, nonce });
          this.#show({ at: "digits", digits });
          break;
        }
        case "certified": {
          const identity = await this.#e2ee.request("adopt", { chain: state.chain, roster: state.roster });
          return { token: state.token, account: state.account, identity };
        }
        case "refused":
          throw new RequestError("forbidden", ENDED);
      }
    }
    return undefined;
  }

  /** A poll that fails for want of a network is tried again while the pairing lasts. */
  async #poll(pairing: string, secret: string, step: number, expiresAtMs: number): ReturnType<typeof api.pairingState> {
    for (;;) {
      try {
        return await api.pairingState(pairing, secret, step);
      } catch (error) {
        const passing = error instanceof RequestError && error.code === "offline";
        if (!passing || this.#stopped || Date.now() > expiresAtMs) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  #show(view: PairingView): void {
    this.view = view;
    this.#changed(view);
  }
}

function wordsOf(error: unknown): string {
  const code = (error as { code?: string }).code;
  if (code === "pairing_mismatch") {
    return "Stopped: the other side showed other keys than it had committed to. Somebody may be standing in between. Tell whoever runs the server.";
  }
  if (code === "not_found") return ENDED;
  return error instanceof Error ? error.message : ENDED;
}
