//! The key worker: the one place in the browser that holds private keys, group state and frame keys.
//!
//! The page speaks to it as port.ts says; the browser hands it the frames of every track.

import { IndexedDbRecords } from "./keys/records.ts";
import type { RequestMessage } from "./port.ts";
import { TICK_MS } from "./worker/calls.ts";
import { Desk } from "./worker/desk.ts";
import { attach, type Transformer } from "./worker/transform.ts";

/** What a dedicated worker's global scope has, as far as it is used here. */
interface Scope {
  onmessage: ((event: MessageEvent<RequestMessage>) => void) | null;
  onrtctransform: ((event: { transformer: Transformer }) => void) | null;
  postMessage(message: unknown): void;
}

const scope = globalThis as unknown as Scope;
const now = () => Date.now();
const desk = new Desk(new IndexedDbRecords(), now, (message) => scope.postMessage(message));

scope.onmessage = (event) => void desk.receive(event.data);
scope.onrtctransform = (event) => attach(event.transformer, desk.calls, now);
setInterval(() => void desk.tick(), TICK_MS);
