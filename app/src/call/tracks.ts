//! The tracks of calls as they were last told: a call that this page connects to later has had its own told before.

import type { CallId, Track } from "../protocol.ts";

/** The call that runs, one that rings or waits, and one that is on its way out. */
const CALLS_MAX = 4;

export class Tracks {
  readonly #tracks = new Map<CallId, readonly Track[]>();

  told(call: CallId, tracks: readonly Track[]): void {
    this.#tracks.delete(call);
    this.#tracks.set(call, tracks);
    const oldest = [...this.#tracks.keys()].at(-CALLS_MAX - 1);
    if (oldest !== undefined) this.#tracks.delete(oldest);
  }

  of(call: CallId): readonly Track[] {
    return this.#tracks.get(call) ?? [];
  }

  forget(call: CallId): void {
    this.#tracks.delete(call);
  }
}
