//! How good the connection is, in one of four words, and its figures: the server's and the browser's own. Pure.

import type { Grade, OwnConnection } from "../protocol.ts";

export type Rating = "unknown" | Grade;

export interface Figures {
  lossUpPercent: number;
  lossDownPercent: number;
  roundTripMs: number | undefined;
  jitterMs: number | undefined;
  /** What the way is estimated to carry, in 1,000 bits a second. */
  estimateUpKbit: number | undefined;
  estimateDownKbit: number | undefined;
  /** Pictures that are sent, the largest first: "1280 × 720, 30 a second". */
  sent: readonly Picture[];
  /** Pictures that arrive, the largest first. */
  received: readonly Picture[];
}

export interface Picture {
  width: number;
  height: number;
  framesPerSecond: number | undefined;
}

/** Above these a listener notices (fair) or suffers (poor); conversational delay after ITU-T G.114. The server has a score of its own. */
const FAIR = { loss: 3, roundTripMs: 250, jitterMs: 40 };
const POOR = { loss: 10, roundTripMs: 500, jitterMs: 100 };

/** The worse of what this side sees and of the server's word. */
export function rate({ lossUpPercent, lossDownPercent, roundTripMs = 0, jitterMs = 0 }: Pick<Figures, "lossUpPercent" | "lossDownPercent" | "roundTripMs"> & Partial<Figures>, word?: Grade): Grade {
  const loss = Math.max(lossUpPercent, lossDownPercent);
  const beyond = (bounds: typeof FAIR): boolean => loss >= bounds.loss || roundTripMs >= bounds.roundTripMs || jitterMs >= bounds.jitterMs;
  if (word === "poor" || beyond(POOR)) return "poor";
  return word === "fair" || beyond(FAIR) ? "fair" : "good";
}

interface Entry {
  type: string;
  packetsLost?: number;
  packetsReceived?: number;
  nominated?: boolean;
  currentRoundTripTime?: number;
  availableOutgoingBitrate?: number;
  jitter?: number;
  kind?: string;
  active?: boolean;
  frameWidth?: number;
  frameHeight?: number;
  framesPerSecond?: number;
}

/** Fewer packets than these say nothing about loss: the first second of a call is no measure. */
const PACKETS_MIN = 50;

/** Looks at the browser's statistics again and again; loss is that between two looks. */
export class Meter {
  #lost = 0;
  #received = 0;
  #percent = 0;

  figures(own: OwnConnection | undefined, report: RTCStatsReport): Figures {
    const entries: Entry[] = [];
    report.forEach((entry: Entry) => entries.push(entry));
    const inbound = entries.filter(({ type }) => type === "inbound-rtp");
    const path = entries.find(({ type, nominated, currentRoundTripTime }) => type === "candidate-pair" && nominated === true && currentRoundTripTime !== undefined);
    const jitter = inbound.filter(({ kind }) => kind === "audio").map((entry) => entry.jitter ?? 0);
    const up = path?.availableOutgoingBitrate;
    return {
      lossUpPercent: own?.loss_up_percent ?? 0,
      lossDownPercent: Math.max(own?.loss_down_percent ?? 0, this.#loss(inbound)),
      roundTripMs: own?.round_trip_ms ?? (path?.currentRoundTripTime === undefined ? undefined : Math.round(path.currentRoundTripTime * 1_000)),
      jitterMs: jitter.length === 0 ? own?.jitter_ms : Math.round(Math.max(...jitter) * 1_000),
      estimateUpKbit: up === undefined ? undefined : Math.round(up / 1_000),
      estimateDownKbit: own?.estimate_kbit_per_second ?? undefined,
      sent: pictures(entries.filter(({ type, active }) => type === "outbound-rtp" && active !== false)),
      received: pictures(inbound),
    };
  }

  #loss(inbound: readonly Entry[]): number {
    const sum = (of: "packetsLost" | "packetsReceived"): number => inbound.reduce((all, entry) => all + (entry[of] ?? 0), 0);
    if (sum("packetsReceived") < this.#received) {
      // A stream has ended and took its count with it: measured anew from here.
      this.#lost = sum("packetsLost");
      this.#received = sum("packetsReceived");
      return this.#percent;
    }
    const lost = Math.max(0, sum("packetsLost") - this.#lost);
    const received = sum("packetsReceived") - this.#received;
    if (lost + received < PACKETS_MIN) return this.#percent;
    this.#lost += lost;
    this.#received += received;
    this.#percent = Math.round((lost * 100) / (lost + received));
    return this.#percent;
  }
}

function pictures(entries: readonly Entry[]): Picture[] {
  const seen = entries.flatMap(({ kind, frameWidth, frameHeight, framesPerSecond }) =>
    kind === "video" && frameWidth !== undefined && frameHeight !== undefined && (framesPerSecond ?? 0) > 0 ? [{ width: frameWidth, height: frameHeight, framesPerSecond }] : []);
  return seen.sort((a, b) => b.width * b.height - a.width * a.height);
}
