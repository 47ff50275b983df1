//! A new session asks which calls still run: what the list is taken to say of the call at hand.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { type CallHost, CallController } from "../../src/call/controller.ts";
import { step } from "../../src/call/machine.ts";
import type { CallState } from "../../src/call/state.ts";
import type { RunningCall } from "../../src/protocol.ts";

const CALL = "a".repeat(32);
const OUTGOING: CallState = step({ at: "idle" }, {
  on: "dial", call: CALL, peer: { handle: "anna", name: "Mum", contact: "c1", genesis: undefined, verdict: undefined }, video: false,
}).state;

// What the controller listens to of a page.
const page = { hidden: false, addEventListener: () => undefined, removeEventListener: () => undefined };
Object.assign(globalThis, { document: page, addEventListener: page.addEventListener, removeEventListener: page.removeEventListener });

let controller: CallController;
afterEach(() => controller.elsewhere.stop());

/** A controller that recovers, and how to answer what it asks the server. */
function recovering(before: CallState): { over: Promise<void>; answer(calls: RunningCall[]): void } {
  let answer: (calls: RunningCall[]) => void = () => assert.fail("nothing was asked");
  const host = {
    e2ee: { on: () => () => undefined, request: () => Promise.resolve({}) },
    session: { request: ({ type }: { type: string }) => type === "list_calls" ? new Promise((resolve) => { answer = (calls) => resolve({ calls }); }) : Promise.reject(new Error(type)) },
    memory: { call: () => undefined, keepCall: () => undefined },
    tone: () => undefined, changed: () => undefined, unannounce: () => undefined,
  };
  controller = new CallController(host as unknown as CallHost);
  controller.state = before;
  const over = controller.recover();
  return { over, answer: (calls) => answer(calls) };
}

test("a call that the server no longer has was ended by its restart", async () => {
  const { over, answer } = recovering(OUTGOING);
  answer([]);
  await over;
  assert.ok(controller.state.at === "ended" && controller.state.reason === "server_restarted");
});

test("a call that is begun before the list comes is missing from it, and goes on", async () => {
  const { over, answer } = recovering({ at: "idle" });
  controller.state = OUTGOING;
  answer([]);
  await over;
  assert.equal(controller.state.at, "outgoing");
});
