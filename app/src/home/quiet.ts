//! Do not disturb by the clock: times as people type them, and a schedule in words. Pure.

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
