//! What the key worker says about calls: its messages go to the server, its news to the call machine.

import type { CallSend, Events } from "../e2ee/port.ts";
import type { CallId, DeviceId } from "../protocol.ts";
import { RequestError } from "../session/errors.ts";
import type { CallHost } from "./controller.ts";
import type { Input } from "./state.ts";

export class Relay {
  readonly #host: CallHost;
  readonly #input: (input: Input) => void;
  /** Devices that are let in again after a reload: their old leaf goes, they stay. */
  readonly #returning = new Map<CallId, Set<DeviceId>>();
  readonly #unlisten: (() => void)[];

  constructor(host: CallHost, input: (input: Input) => void) {
    this.#host = host;
    this.#input = input;
    const { e2ee } = host;
    this.#unlisten = [
      e2ee.on("send", (message) => void this.#send(message)),
      e2ee.on("call_code", ({ call, code }) => input({ on: "code", call, code })),
      e2ee.on("member_joined", ({ call, who: { device, genesis, own, person, kind, label } }) => input({ on: "member", call, device, known: { genesis, own, person, kind, label } })),
      e2ee.on("sending", ({ call }) => input({ on: "sending", call })),
      e2ee.on("warning", ({ call, reason }) => input({ on: "warning", call, warning: reason })),
      e2ee.on("refused_member", ({ call }) => input({ on: "warning", call, warning: "refused_member" })),
      e2ee.on("stop_sending", ({ call, reason }) => input({ on: "stopped", call, reason })),
      e2ee.on("decrypt_failures", (failures) => this.#decryptFailures(failures)),
      e2ee.on("left", ({ call, reason }) => reason === "removed" && input({ on: "stopped", call, reason: "removed" })),
    ];
  }

  returns(call: CallId, device: DeviceId): void {
    this.#returning.set(call, (this.#returning.get(call) ?? new Set()).add(device));
  }

  /** The call is over. */
  close(call: CallId): void {
    this.#returning.delete(call);
  }

  dispose(): void {
    for (const unlisten of this.#unlisten) unlisten();
  }

  #decryptFailures({ call, counters }: Events["decrypt_failures"]): void {
    // Frames of a key that is still on its way are no alarm; frames that fail under a known key are.
    if (counters.authentication + counters.wrongSender + counters.malformed === 0) return;
    this.#input({ on: "warning", call, warning: "decrypt_failures" });
  }

  async #send(message: CallSend): Promise<void> {
    const { e2ee, session } = this.#host;
    const returning = this.#returning.get(message.call);
    const request = message.type !== "send_commit" ? message
      // The server stops forwarding to whom it is told is removed, and between two that ends the call.
      : { ...message, removed: message.removed.filter((device) => returning?.has(device) !== true) };
    if (message.type === "send_commit" && message.welcome !== null) returning?.delete(message.welcome.device);
    try {
      await session.done(request);
    } catch (error) {
      if (message.type !== "send_commit") return;
      if (error instanceof RequestError && error.code === "bad_request" && message.welcome !== null) {
        // Who was to be added went away meanwhile, or takes the call over no more.
        await e2ee.request("call.forget", { call: message.call, device: message.welcome.device }).catch(() => undefined);
        return;
      }
      const type = error instanceof RequestError && error.code === "epoch_taken" ? "epoch_taken" : "commit_failed";
      await e2ee.request("call.deliver", { type, call: message.call, epoch: message.epoch }).catch(() => undefined);
    }
  }
}
