//! Do not disturb by the clock: times as people type them, a schedule in words, and whether it is on. Told the time.

import type { QuietSchedule, QuietWindow, Weekday } from "../protocol.ts";

export const WEEKDAYS: readonly Weekday[] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
/** As the protocol bounds them. */
export const WINDOWS_MAX = 32;
export const EXCEPTIONS_MAX = 64;

const SHORT: Record<Weekday, string> = { monday: "Mon", tuesday: "Tue", wednesday: "Wed", thursday: "Thu", friday: "Fri", saturday: "Sat", sunday: "Sun" };
const LONG: Record<Weekday, string> = {
  monday: "Monday", tuesday: "Tuesday", wednesday: "Wednesday", thursday: "Thursday", friday: "Friday", saturday: "Saturday", sunday: "Sunday",
};

export function shortDay(day: Weekday): string {
  return SHORT[day];
}

export function longDay(day: Weekday): string {
  return LONG[day];
}

/** "22:30" as a time field has it; undefined when it is none. */
export function minuteOf(text: string): number | undefined {
  const [, hours = "", minutes = ""] = /^(\d{2}):(\d{2})(?::\d{2})?$/.exec(text) ?? [];
  if (hours === "" || Number(hours) > 23 || Number(minutes) > 59) return undefined;
  return Number(hours) * 60 + Number(minutes);
}

export function timeOf(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
}

/** What was typed, as the protocol says it; throws what should be shown. */
export function readWindow(days: readonly Weekday[], from: string, to: string): QuietWindow {
  const fromMinute = minuteOf(from);
  const toMinute = minuteOf(to);
  if (days.length === 0) throw new Error("Choose at least one day for each time.");
  if (fromMinute === undefined || toMinute === undefined) throw new Error("Each time needs a beginning and an end.");
  return { days: WEEKDAYS.filter((day) => days.includes(day)), from_minute: fromMinute, to_minute: toMinute };
}

export function endsNextDay({ from_minute: from, to_minute: to }: QuietWindow): boolean {
  return to <= from;
}

/** "Mon to Fri, 22:00 to 07:00 the next day". */
export function windowWords(window: QuietWindow): string {
  const until = endsNextDay(window) ? `${timeOf(window.to_minute)} the next day` : timeOf(window.to_minute);
  return `${daysWords(window.days)}, ${timeOf(window.from_minute)} to ${until}`;
}

/** The own clock may be this much ahead of the server's, which holds back until the end by its own. */
export const SLACK_MS = 5_000;
const MINUTE_MS = 60_000;
/** So far ahead a change is looked for; then again. */
const AHEAD_MINUTES = 24 * 60;

/** The weekly times, as a device goes by them: until the server's clock has come to the end, too. It looks at the wall clock of their zone only when something is due. */
export class QuietTimes {
  #of: QuietSchedule | null = null;
  #on = false;
  #from = 0;
  /** Until then nothing changes by itself. */
  #until = Infinity;

  /** Whether they are on, now that these are set. */
  look(schedule: QuietSchedule | null, nowMs: number): boolean {
    if (schedule === this.#of && nowMs >= this.#from && nowMs < this.#until) return this.#on;
    const isOn = timesOf(schedule);
    this.#of = schedule;
    this.#from = nowMs;
    this.#on = isOn(nowMs);
    this.#until = schedule === null ? Infinity : this.#change(isOn, nowMs);
    return this.#on;
  }

  /** When to look again, at the latest; undefined: no times are set. */
  get untilMs(): number | undefined {
    return this.#until === Infinity ? undefined : this.#until;
  }

  /** Minute by minute, so that it holds when clocks are changed too. */
  #change(isOn: (ms: number) => boolean, nowMs: number): number {
    const begun = Math.floor(nowMs / MINUTE_MS);
    for (let minute = begun; minute <= begun + AHEAD_MINUTES; minute++) {
      const found = [minute * MINUTE_MS, minute * MINUTE_MS + SLACK_MS].find((ms) => ms > nowMs && isOn(ms) !== this.#on);
      if (found !== undefined) return found;
    }
    return nowMs + AHEAD_MINUTES * MINUTE_MS;
  }
}

/** In a zone that is not known here, they never are. */
function timesOf(schedule: QuietSchedule | null): (ms: number) => boolean {
  const wallClock = schedule === null ? undefined : wallClockOf(schedule.time_zone);
  if (schedule === null || wallClock === undefined) return () => false;
  const isOpen = (ms: number): boolean => {
    const { day, minute } = wallClock(ms);
    return schedule.windows.some((window) => isOpenAt(window, day, minute));
  };
  return (ms) => isOpen(ms) || isOpen(ms - SLACK_MS);
}

function wallClockOf(timeZone: string): ((ms: number) => { day: number; minute: number }) | undefined {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", { timeZone, weekday: "long", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  } catch {
    return undefined;
  }
  return (ms) => {
    const parts = format.formatToParts(ms);
    const part = (type: Intl.DateTimeFormatPartTypes): string => parts.find((one) => one.type === type)?.value ?? "";
    return { day: WEEKDAYS.findIndex((day) => LONG[day] === part("weekday")), minute: Number(part("hour")) * 60 + Number(part("minute")) };
  };
}

function isOpenAt(window: QuietWindow, day: number, minute: number): boolean {
  const begins = (nth: number): boolean => window.days.some((one) => WEEKDAYS.indexOf(one) === nth);
  const { from_minute: from, to_minute: to } = window;
  if (!endsNextDay(window)) return begins(day) && minute >= from && minute < to;
  return (begins(day) && minute >= from) || (begins((day + 6) % 7) && minute < to);
}

export function scheduleWords(schedule: QuietSchedule | null): string {
  if (schedule === null || schedule.windows.length === 0) return "No times.";
  return schedule.windows.map(windowWords).join("; ");
}

function daysWords(days: readonly Weekday[]): string {
  if (days.length === WEEKDAYS.length) return "Every day";
  const runs: Weekday[][] = [];
  for (const day of WEEKDAYS) {
    if (!days.includes(day)) continue;
    const run = runs.at(-1);
    const before = run?.at(-1);
    if (run !== undefined && before !== undefined && WEEKDAYS.indexOf(day) === WEEKDAYS.indexOf(before) + 1) run.push(day);
    else runs.push([day]);
  }
  return runs.map((run) => {
    const names = run.map(shortDay);
    return names.length > 2 ? `${names[0]} to ${names.at(-1)}` : names.join(", ");
  }).join(", ");
}
