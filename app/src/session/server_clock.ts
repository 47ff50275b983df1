//! The server's clock, as a device estimates it, so that rooms start together. The twin of client/src/announcements/clock.rs.
//!
//! Of all exchanges the one with the shortest way there and back says most: the server read its clock somewhere in between,
//! and nothing is known of where. It is told the time, in milliseconds of a clock that only goes on.

import type { Session } from "./client.ts";

/** Exchanges that are remembered; the oldest goes. */
const EXCHANGES_MAX = 16;
/** How far two clocks may drift apart, in millionths: more than any quartz in a home does. */
const DRIFT_PPM = 100;
/** The server tells whole milliseconds, rounded down; on average it is half of one later. */
const ROUNDED_MS = 0.5;
/** Exchanges by which the clock is estimated, for each announcement. */
const EXCHANGES = 4;

interface Exchange {
  localMs: number;
  serverMs: number;
  roundTripMs: number;
}

export class ServerClock {
  #exchanges: Exchange[] = [];

  /** Takes in an exchange: sent and answered by the own steady clock. */
  exchanged(sentMs: number, serverMs: number, receivedMs: number): void {
    const roundTripMs = Math.max(0, receivedMs - sentMs);
    const exchange = { localMs: sentMs + roundTripMs / 2, serverMs: serverMs + ROUNDED_MS, roundTripMs };
    this.#exchanges = [...this.#exchanges, exchange].slice(-EXCHANGES_MAX);
  }

  /** When it is `serverMs` there, by the own steady clock as it is now. Undefined without any exchange. */
  when(serverMs: number, nowMs: number): number | undefined {
    const uncertain = ({ localMs, roundTripMs }: Exchange): number => roundTripMs / 2 + (Math.max(0, nowMs - localMs) * DRIFT_PPM) / 1e6;
    const [first, ...rest] = this.#exchanges;
    if (first === undefined) return undefined;
    const best = rest.reduce((one, other) => (uncertain(other) < uncertain(one) ? other : one), first);
    return best.localMs + serverMs - best.serverMs;
  }

  async ask(session: Pick<Session, "request">, now: () => number = () => performance.now()): Promise<void> {
    for (let nth = 0; nth < EXCHANGES; nth++) {
      const sent = now();
      const { server_time_ms: time } = await session.request({ type: "get_time" }, "time");
      this.exchanged(sent, time, now());
    }
  }
}
