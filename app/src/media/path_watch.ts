//! Notices within a second that a connection is dead, long before ICE does: what we send brings nothing back. Pure.
//!
//! The server answers whatever is sent to it with feedback several times a second. A browser calls a connection disconnected
//! only after five seconds, which is too long for a voice whose phone leaves the house.

/** How often to look, in milliseconds. */
export const LOOK_EVERY_MS = 100;
/** Nothing came for this long: more than what a bad Wi-Fi loses in one go. */
const SILENT_MS = 500;
/** Packets sent meanwhile; with fewer, nothing need have come. */
const SENT_MIN = 10;
/** A restart takes its time before the next is of use. Each that brings nothing is followed by a longer wait, so that a server that stalls gets fewer of them. */
const AGAIN_MS = 4_000;
const AGAIN_MAX_MS = 30_000;

export class PathWatch {
  #received = -1;
  #heardAtMs = 0;
  #sentThen = 0;
  #alarmAtMs = -Infinity;
  #againMs = AGAIN_MS;

  /** Packets sent and received in total, now; true when the connection seems dead. */
  look(nowMs: number, sent: number, received: number): boolean {
    // Other counts than before are those of another transport.
    if (received !== this.#received || sent < this.#sentThen) {
      this.#received = received;
      this.#heardAtMs = nowMs;
      this.#sentThen = sent;
      this.#againMs = AGAIN_MS;
      return false;
    }
    const dead = nowMs - this.#heardAtMs >= SILENT_MS && sent - this.#sentThen >= SENT_MIN;
    if (!dead || nowMs - this.#alarmAtMs < this.#againMs) return false;
    if (this.#alarmAtMs > this.#heardAtMs) this.#againMs = Math.min(2 * this.#againMs, AGAIN_MAX_MS);
    this.#alarmAtMs = nowMs;
    return true;
  }
}

/** Packets of all transports. */
export function packets(report: RTCStatsReport): { sent: number; received: number } {
  const total = { sent: 0, received: 0 };
  report.forEach((entry: { type: string; packetsSent?: number; packetsReceived?: number }) => {
    if (entry.type !== "transport") return;
    total.sent += entry.packetsSent ?? 0;
    total.received += entry.packetsReceived ?? 0;
  });
  return total;
}
