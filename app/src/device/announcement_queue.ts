//! Which announcement plays, which wait, and which are offered because they came during do not disturb. Told the time; plays nothing itself.

import type { AnnouncedContent } from "../e2ee/port.ts";
import type { AnnouncementId, DeviceId } from "../protocol.ts";

/** Announcements that wait to be played, and as many that are offered. A further one is put aside. */
export const WAITING_MAX = 16;

/** One for this device. It holds, and is opened. Its times are those of the own steady clock. */
export interface Incoming {
  id: AnnouncementId;
  /** The announcing device. */
  device: DeviceId;
  kind: "app" | "home_device";
  /** What the family calls it. */
  from: string;
  content: AnnouncedContent;
  replyTo: AnnouncementId | undefined;
  /** False: do not disturb was on when it was announced. */
  play: boolean;
  /** When all begin. */
  beginMs: number;
  /** Then it is played no more. */
  freshUntilMs: number;
}

export class AnnouncementQueue {
  playing: Incoming | undefined;
  /** The last one that was played or shown, for an answer. */
  last: Incoming | undefined;
  waiting: readonly Incoming[] = [];
  offered: readonly Incoming[] = [];

  /** One has come. False: there is no room for it. */
  take(one: Incoming, quiet: boolean): boolean {
    const offers = quiet || !one.play;
    const list = offers ? this.offered : this.waiting;
    if (list.length >= WAITING_MAX) return false;
    if (offers) this.offered = [...list, one];
    else this.waiting = [...list, one];
    return true;
  }

  /** This device is of another household from now on. */
  clear(): void {
    this.playing = this.last = undefined;
    this.waiting = this.offered = [];
  }

  /** Those that have waited too long; they are forgotten here. */
  stale(nowMs: number): Incoming[] {
    const old = ({ freshUntilMs }: Incoming): boolean => freshUntilMs <= nowMs;
    const gone = [...this.waiting, ...this.offered].filter(old);
    if (gone.length > 0) {
      this.waiting = this.waiting.filter((one) => !old(one));
      this.offered = this.offered.filter((one) => !old(one));
    }
    return gone;
  }

  /** Begins the next one that can be played here now, unless one plays; their order is kept otherwise. */
  next(can: (one: Incoming) => boolean): Incoming | undefined {
    const [first] = this.waiting;
    if (this.playing !== undefined || first === undefined || !can(first)) return undefined;
    this.waiting = this.waiting.slice(1);
    this.last = undefined;
    return (this.playing = first);
  }

  /** A call begins: what plays is played anew after it. */
  interrupt(): void {
    if (this.playing === undefined) return;
    this.waiting = [this.playing, ...this.waiting];
    this.playing = undefined;
  }

  /** Do not disturb was switched on: nothing more is played, and all of it may be offered. */
  hush(): void {
    this.interrupt();
    this.offered = [...this.offered, ...this.waiting].slice(0, WAITING_MAX);
    this.waiting = [];
  }

  /** What played is over, by itself or because somebody did not want it. */
  over(): Incoming | undefined {
    const over = this.playing;
    this.playing = undefined;
    if (over !== undefined) this.last = over;
    return over;
  }

  /** Somebody wants to hear what came meanwhile. */
  playOffered(): void {
    this.waiting = [...this.waiting, ...this.offered];
    this.offered = [];
  }

  /** Somebody does not. */
  putOfferedAside(): readonly Incoming[] {
    const aside = this.offered;
    this.offered = [];
    return aside;
  }
}
