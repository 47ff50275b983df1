//! How long to wait before the next try to connect.

const FIRST_MS = 250;
const LONGEST_MS = 15_000;

/** Grows by powers of two, with jitter so that a household does not return in one moment after a restart. */
export function backoffMs(failures: number, random: () => number = Math.random): number {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures, 10));
  return Math.round(ceiling / 2 + random() * (ceiling / 2));
}
