//! How good the connection is, in one of four words, from the server's figures and the browser's own. Pure.

import type { Quality } from "../protocol.ts";

export type Rating = "unknown" | "good" | "fair" | "poor";

export interface Figures {
  lossUpPercent: number;
  lossDownPercent: number;
  roundTripMs: number | undefined;
}

/** Above these a listener notices (fair) or suffers (poor); conversational delay after ITU-T G.114. */
const FAIR = { loss: 3, roundTripMs: 250 };
const POOR = { loss: 10, roundTripMs: 500 };

export function rate({ lossUpPercent, lossDownPercent, roundTripMs }: Figures): Rating {
  const loss = Math.max(lossUpPercent, lossDownPercent);
  const roundTrip = roundTripMs ?? 0;
  if (loss >= POOR.loss || roundTrip >= POOR.roundTripMs) return "poor";
  return loss >= FAIR.loss || roundTrip >= FAIR.roundTripMs ? "fair" : "good";
}

interface Inbound {
  lost: number;
  received: number;
}

/** Loss between two looks at the browser's statistics. */
export class LossMeter {
  #before: Inbound | undefined;

  percent(report: RTCStatsReport): number {
    const now: Inbound = { lost: 0, received: 0 };
    report.forEach((entry: { type: string; packetsLost?: number; packetsReceived?: number }) => {
      if (entry.type !== "inbound-rtp") return;
      now.lost += entry.packetsLost ?? 0;
      now.received += entry.packetsReceived ?? 0;
    });
    const lost = Math.max(0, now.lost - (this.#before?.lost ?? 0));
    const received = Math.max(0, now.received - (this.#before?.received ?? 0));
    this.#before = now;
    return lost + received === 0 ? 0 : Math.round((lost * 100) / (lost + received));
  }
}

export function roundTripMs(report: RTCStatsReport): number | undefined {
  let best: number | undefined;
  report.forEach((entry: { type: string; nominated?: boolean; state?: string; currentRoundTripTime?: number }) => {
    if (entry.type === "candidate-pair" && entry.nominated === true && entry.currentRoundTripTime !== undefined) {
      best = Math.round(entry.currentRoundTripTime * 1_000);
    }
  });
  return best;
}

export function figures(server: Quality | undefined, report: RTCStatsReport, meter: LossMeter): Figures {
  return {
    lossUpPercent: server?.loss_up_percent ?? 0,
    lossDownPercent: Math.max(server?.loss_down_percent ?? 0, meter.percent(report)),
    roundTripMs: server?.round_trip_ms ?? roundTripMs(report),
  };
}
