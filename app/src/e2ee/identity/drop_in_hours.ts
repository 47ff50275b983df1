//! The hours of the week in which a grant counts, on the wall clock of its time zone, by the browser's own zones.
//!
//! An hour that the clocks skip is skipped, and one that they repeat counts twice.

import type { GrantHours, GrantWindow } from "./drop_in.ts";

const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/** Whether a window is open. In a zone that is not known here, none ever is. */
export function areOpen({ timeZone, windows }: GrantHours, now: number): boolean {
  const local = wallClock(timeZone, now);
  return local !== undefined && windows.some((window) => isOpen(window, local));
}

interface WallClock {
  /** The day's bit: Monday 1 to Sunday 64. */
  today: number;
  minute: number;
}

function wallClock(timeZone: string, now: number): WallClock | undefined {
  let parts;
  try {
    parts = new Intl.DateTimeFormat("en-US", { timeZone, weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).formatToParts(now);
  } catch {
    return undefined;
  }
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.find((one) => one.type === type)?.value ?? "";
  const day = DAYS.indexOf(part("weekday"));
  return day < 0 ? undefined : { today: 2 ** day, minute: Number(part("hour")) * 60 + Number(part("minute")) };
}

function isOpen({ days, fromMinute, toMinute }: GrantWindow, { today, minute }: WallClock): boolean {
  const yesterday = today === 1 ? 64 : today / 2;
  const begins = (days & today) !== 0;
  if (fromMinute < toMinute) return begins && minute >= fromMinute && minute < toMinute;
  return (begins && minute >= fromMinute) || ((days & yesterday) !== 0 && minute < toMinute);
}
