//! A session over WebSocket: hello, requests, events, heartbeats, and coming back after a lost connection.

import { PROTOCOL_VERSION, type ApiError, type ClientFrame, type Event, type Reply, type Request, type ServerFrame } from "../protocol.ts";
import { backoffMs } from "./backoff.ts";
import { RequestError } from "./errors.ts";
import { Ledger } from "./ledger.ts";

/** Past this without a `welcome` the connection is given up and tried anew. */
const WELCOME_MS_MAX = 10_000;
/** After a change of network: no answer to a ping within this time means that the connection is dead. */
const PROBE_MS = 1_000;
/** The same when there are other signs of it: coming back costs less than waiting. */
const SUSPECT_MS = 300;
const TICK_MS = 1_000;

export type Link =
  | { state: "connecting"; failures: number }
  | { state: "online" }
  /** Gone for good, with the reason: reload, sign in again, or "use here". */
  | { state: "ended"; error: ApiError };

export type Welcome = Extract<ServerFrame, { type: "welcome" }>;
type ReplyOf<T extends Reply["type"]> = Extract<Reply, { type: T }>;

export interface SessionListener {
  link(link: Link): void;
  /** A new session (or the first): ask for the state anew. A resumed one missed nothing. */
  welcome(welcome: Welcome): void;
  event(event: Event): void;
  /** The network changed under us: media transports should restart ICE. */
  networkChanged(): void;
}

/** Ends that no reconnecting mends. */
const FINAL: ReadonlySet<ApiError["code"]> = new Set<ApiError["code"]>([
  "protocol_version", "unauthorized", "device_revoked", "session_replaced", "forbidden", "not_registered",
]);

export class Session {
  readonly #url: string;
  readonly #token: string;
  readonly #listener: SessionListener;
  readonly #ledger = new Ledger();
  #socket: WebSocket | undefined;
  #link: Link = { state: "connecting", failures: 0 };
  #welcomed = false;
  #failures = 0;
  #heartbeatMs = 20_000;
  #heardAt = 0;
  #sentAt = 0;
  #openedAt = 0;
  #probeUntil = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #tickTimer: ReturnType<typeof setInterval> | undefined;
  readonly #abort = new AbortController();

  constructor(url: string, token: string, listener: SessionListener) {
    this.#url = url;
    this.#token = token;
    this.#listener = listener;
  }

  get link(): Link {
    return this.#link;
  }

  start(): void {
    const { signal } = this.#abort;
    addEventListener("online", () => this.#hint(true), { signal });
    addEventListener("pageshow", () => this.#hint(false), { signal });
    document.addEventListener("visibilitychange", () => document.hidden || this.#hint(false), { signal });
    const connection = (navigator as { connection?: EventTarget }).connection;
    connection?.addEventListener("change", () => this.#hint(true), { signal });
    this.#tickTimer = setInterval(() => this.#tick(), TICK_MS);
    this.#connect();
  }

  /** Leaves for good, on this side's wish. */
  close(): void {
    this.#abort.abort();
    clearInterval(this.#tickTimer);
    clearTimeout(this.#retryTimer);
    this.#drop();
    this.#ledger.close();
  }

  /** Rejects with `RequestError`. Survives a lost connection; is sent once it is back. */
  request<T extends Reply["type"]>(body: Request, expected: T): Promise<ReplyOf<T>> {
    if (this.#link.state === "ended") {
      return Promise.reject(new RequestError(this.#link.error.code, this.#link.error.message));
    }
    if (this.#ledger.full) return Promise.reject(new RequestError("too_many", "The server does not answer. Try again in a moment."));
    return new Promise((resolve, reject) => {
      const frame = this.#ledger.request(body, (answer) => {
        if ("ok" in answer && answer.ok.type === expected) resolve(answer.ok as ReplyOf<T>);
        else if ("ok" in answer) reject(new RequestError("internal", "The server gave an answer that does not fit the question."));
        else if ("error" in answer) reject(new RequestError(answer.error.code, answer.error.message, answer.error.retry_after_secs));
        else reject(new RequestError("session_lost", "The connection was lost. Check whether it was done, and try again."));
      });
      if (this.#welcomed) this.#send(frame);
    });
  }

  async done(body: Request): Promise<void> {
    await this.request(body, "done");
  }

  #connect(): void {
    clearTimeout(this.#retryTimer);
    this.#drop();
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    this.#openedAt = Date.now();
    socket.onopen = () => {
      this.#send({ type: "hello", protocol: PROTOCOL_VERSION, token: this.#token, resume: this.#ledger.resume() });
    };
    socket.onmessage = (message) => {
      if (socket === this.#socket) this.#receive(message.data);
    };
    socket.onclose = () => {
      if (socket === this.#socket) this.#lost();
    };
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#welcomed = false;
    this.#probeUntil = 0;
    socket?.close();
  }

  #lost(): void {
    if (this.#link.state === "ended") return;
    this.#drop();
    const wait = backoffMs(this.#failures++);
    this.#setLink({ state: "connecting", failures: this.#failures });
    this.#retryTimer = setTimeout(() => this.#connect(), wait);
  }

  #receive(data: unknown): void {
    this.#heardAt = Date.now();
    this.#probeUntil = 0;
    let frame: ServerFrame;
    try {
      frame = JSON.parse(String(data)) as ServerFrame;
    } catch {
      this.#lost();
      return;
    }
    switch (frame.type) {
      case "welcome": return this.#onWelcome(frame);
      case "reply": return this.#ledger.replied(frame);
      case "event": return this.#onEvent(frame);
      case "pong": return;
      case "goodbye": return this.#onGoodbye(frame.error);
    }
  }

  #onWelcome(frame: Welcome): void {
    const fresh = !frame.resumed;
    this.#failures = 0;
    this.#welcomed = true;
    this.#heartbeatMs = Math.max(1, frame.heartbeat_secs) * 1_000;
    for (const waiting of this.#ledger.welcomed(frame)) this.#send(waiting);
    this.#setLink({ state: "online" });
    if (fresh) this.#listener.welcome(frame);
    else this.#listener.networkChanged();
  }

  #onEvent(frame: Extract<ServerFrame, { type: "event" }>): void {
    const event = this.#ledger.event(frame);
    if (event === "seen") return;
    if (event === "gap") {
      // A server that skipped a number would make us lose an event: begin a session anew and ask for the state.
      this.#ledger.close();
      this.#lost();
      return;
    }
    if (this.#ledger.ackDue) this.#sendAck();
    this.#listener.event(event);
  }

  #onGoodbye(error: ApiError): void {
    if (!FINAL.has(error.code)) {
      this.#lost();
      return;
    }
    clearInterval(this.#tickTimer);
    clearTimeout(this.#retryTimer);
    this.#drop();
    this.#setLink({ state: "ended", error });
    this.#ledger.close();
  }

  #tick(): void {
    const now = Date.now();
    if (this.#socket === undefined) return;
    if (!this.#welcomed) {
      if (now - this.#openedAt > WELCOME_MS_MAX) this.#lost();
      return;
    }
    const silent = now - this.#heardAt > 2 * this.#heartbeatMs;
    if (silent || (this.#probeUntil !== 0 && now > this.#probeUntil)) {
      this.#lost();
      return;
    }
    this.#sendAck();
    if (now - this.#sentAt >= this.#heartbeatMs / 2) this.#send({ type: "ping" });
  }

  /** Something else found the network dead: without an answer very soon, the connection is made anew. */
  suspect(): void {
    if (this.#socket === undefined || !this.#welcomed) return;
    const asked = Date.now();
    const socket = this.#socket;
    this.#send({ type: "ping" });
    setTimeout(() => {
      if (socket !== this.#socket || this.#heardAt >= asked) return;
      this.#failures = 0;
      this.#setLink({ state: "connecting", failures: 0 });
      this.#connect();
    }, SUSPECT_MS);
  }

  /** The network or the tab came back: try at once, or find out whether the connection still lives. */
  #hint(networkChanged: boolean): void {
    if (this.#link.state === "ended") return;
    if (this.#socket === undefined) {
      this.#failures = 0;
      this.#connect();
    } else if (this.#welcomed) {
      this.#probeUntil = Date.now() + PROBE_MS;
      this.#send({ type: "ping" });
      // The tick may come late by its whole length, and the call waits for it.
      setTimeout(() => this.#tick(), PROBE_MS + 20);
    }
    if (networkChanged) this.#listener.networkChanged();
  }

  #sendAck(): void {
    const ack = this.#ledger.ack();
    if (ack !== undefined) this.#send(ack);
  }

  #send(frame: ClientFrame): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#sentAt = Date.now();
    this.#socket.send(JSON.stringify(frame));
  }

  #setLink(link: Link): void {
    this.#link = link;
    this.#listener.link(link);
  }
}

export function sessionUrl(): string {
  const url = new URL("/v1/session", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}
