//! What a session has sent and taken in: request numbers, unanswered requests, event numbers, acknowledgements.
//!
//! Pure: it owns no socket and no timer. A resumed session sends every unanswered request again under its old number
//! (the server does nothing twice); a new session sends again only what has the same effect when done twice.

import type { ApiError, ClientFrame, Event, Reply, Request, Resume, ServerFrame } from "../protocol.ts";

/** Requests without an answer: past this the app is told instead of piling up. */
export const UNANSWERED_MAX = 256;
/** Events taken in before an acknowledgement is due at once. */
const UNACKNOWLEDGED_MAX = 16;

/** Done twice, these have the effect of being done once. */
const REPEATABLE: ReadonlySet<Request["type"]> = new Set<Request["type"]>([
  "get_home", "set_display_name", "set_presence", "put_answer_policy", "listen_for_pairing", "put_contact", "delete_contact",
  "start_call", "ringing", "refuse_invitation", "answer", "decline", "cancel", "hang_up", "set_media", "list_calls", "list_history",
  "get_quality", "get_relays", "get_outside", "test_from_outside", "set_views", "epoch_ready", "make_call_link", "list_call_links", "revoke_call_link", "refuse_guest", "remove_guest",
  "get_time", "put_sealing_key", "get_sealing_keys", "announce", "list_announcements", "get_announcement", "heard_announcement",
  "may_drop_in", "get_recently_active", "list_ledger", "get_ledger_heads", "contact_people", "list_contact_numbers", "list_imported", "list_missed",
  "get_address_book", "get_consent", "list_child_calls",
]);

export type Answer = { ok: Reply } | { error: ApiError } | { lost: true };

interface Unanswered {
  body: Request;
  settle: (answer: Answer) => void;
}

export class Ledger {
  #session: string | undefined;
  #nextId = 1;
  #unanswered = new Map<number, Unanswered>();
  #lastEvent = 0;
  #ackedEvent = 0;
  #ackedReply = 0;

  /** What to ask for in `hello`. */
  resume(): Resume | null {
    return this.#session === undefined ? null : { session: this.#session, last_event: this.#lastEvent };
  }

  get full(): boolean {
    return this.#unanswered.size >= UNANSWERED_MAX;
  }

  /** The frame to send, when there is a connection; without one it goes out after the next `welcome`. */
  request(body: Request, settle: (answer: Answer) => void): ClientFrame {
    const id = this.#nextId++;
    this.#unanswered.set(id, { body, settle });
    return { type: "request", id, body };
  }

  /** The frames to send after `welcome`, in order. */
  welcomed(frame: Extract<ServerFrame, { type: "welcome" }>): ClientFrame[] {
    const waiting = [...this.#unanswered].sort(([a], [b]) => a - b);
    if (frame.resumed && frame.session === this.#session) {
      return waiting.map(([id, { body }]) => ({ type: "request", id, body }));
    }
    const first = this.#session === undefined;
    this.#session = frame.session;
    this.#nextId = 1;
    this.#lastEvent = this.#ackedEvent = this.#ackedReply = 0;
    this.#unanswered = new Map();
    const frames: ClientFrame[] = [];
    for (const [, { body, settle }] of waiting) {
      if (first || REPEATABLE.has(body.type)) frames.push(this.request(body, settle));
      else settle({ lost: true });
    }
    return frames;
  }

  /** Settles the request. An answer to one that is not waiting was taken in before: nothing happens. */
  replied(frame: Extract<ServerFrame, { type: "reply" }>): void {
    const waiting = this.#unanswered.get(frame.id);
    this.#unanswered.delete(frame.id);
    waiting?.settle(frame.result);
  }

  /** The event, if it is new; a gap is a fault and ends the session. */
  event(frame: Extract<ServerFrame, { type: "event" }>): Event | "seen" | "gap" {
    if (frame.seq <= this.#lastEvent) return "seen";
    if (frame.seq !== this.#lastEvent + 1) return "gap";
    this.#lastEvent = frame.seq;
    return frame.body;
  }

  /** Many events wait for their acknowledgement: send it now, not at the next tick. */
  get ackDue(): boolean {
    return this.#lastEvent - this.#ackedEvent >= UNACKNOWLEDGED_MAX;
  }

  /** The acknowledgement, if it says anything new. */
  ack(): ClientFrame | undefined {
    const oldest = Math.min(this.#nextId, ...this.#unanswered.keys());
    const reply = oldest - 1;
    if (this.#lastEvent === this.#ackedEvent && reply === this.#ackedReply) return undefined;
    this.#ackedEvent = this.#lastEvent;
    this.#ackedReply = reply;
    return { type: "ack", event: this.#lastEvent, reply };
  }

  /** The session is over for good: everything that waits is lost. */
  close(): void {
    const waiting = [...this.#unanswered.values()];
    this.#unanswered = new Map();
    this.#session = undefined;
    for (const { settle } of waiting) settle({ lost: true });
  }
}
