//! The page's end of the key worker: requests as promises, events as listeners, transforms for tracks.

import type {
  Args, E2eeErrorCode, EventName, Events, Reply, RequestMessage, RequestName, TransformOptions, WorkerMessage,
} from "./port.ts";

/** A request that the worker refused, with a stable code. */
export class E2eeError extends Error {
  readonly code: E2eeErrorCode;
  constructor(code: E2eeErrorCode, message: string) {
    super(message);
    this.name = "E2eeError";
    this.code = code;
  }
}

/** Requests in flight: a worker that stops answering is noticed, not fed for ever. */
const WAITING_MAX = 1_000;

interface Waiting {
  resolve: (value: never) => void;
  reject: (error: Error) => void;
}

export class E2ee {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Map<EventName, Set<(value: never) => void>>();
  #nextId = 1;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.onmessage = (event: MessageEvent<WorkerMessage>) => this.#receive(event.data);
    worker.onerror = () => this.#fail("the key worker stopped");
  }

  request<K extends RequestName>(name: K, args: Args<K>): Promise<Reply<K>> {
    if (this.#waiting.size >= WAITING_MAX) {
      return Promise.reject(new E2eeError("too_many", "the key worker does not answer"));
    }
    const id = this.#nextId++;
    const message: RequestMessage<K> = { id, name, args };
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: never) => void, reject });
      this.#worker.postMessage(message);
    });
  }

  /** Returns the function that takes the listener off again. */
  on<K extends EventName>(name: K, listener: (value: Events[K]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    listeners.add(listener as (value: never) => void);
    return () => listeners.delete(listener as (value: never) => void);
  }

  /** Set on the sender in the same task that made the transceiver: a frame sent before would be lost, or worse, plain. */
  sendTransform(options: Omit<TransformOptions & { direction: "send" }, "direction">): RTCRtpScriptTransform {
    return new RTCRtpScriptTransform(this.#worker, { ...options, direction: "send" } satisfies TransformOptions);
  }

  /** Set on the receiver inside `ontrack`. */
  receiveTransform(options: Omit<TransformOptions & { direction: "receive" }, "direction">): RTCRtpScriptTransform {
    return new RTCRtpScriptTransform(this.#worker, { ...options, direction: "receive" } satisfies TransformOptions);
  }

  #receive(message: WorkerMessage): void {
    if (message.type === "event") {
      for (const listener of this.#listeners.get(message.name) ?? []) listener(message.value as never);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.type === "reply") waiting?.resolve(message.value as never);
    else waiting?.reject(new E2eeError(message.code, message.message));
  }

  #fail(reason: string): void {
    for (const waiting of this.#waiting.values()) waiting.reject(new E2eeError("internal", reason));
    this.#waiting.clear();
  }
}
