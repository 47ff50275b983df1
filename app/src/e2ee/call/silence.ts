//! Who in the call has been heard of, and who is silent though connected: a sign that they may be in another group.

export const SILENCE_MAX_MS = 35_000;
/** Between two ticks lies a quarter of a second. After a longer gap this machine was asleep, and heard nobody. */
const ASLEEP_MS = 5_000;

export class Silence {
  readonly #heard = new Map<string, number>();
  readonly #away = new Set<string>();
  /** Reported already: once for each silence. */
  readonly #reported = new Set<string>();
  #lastTick: number | undefined;

  met(now: number, device: string): void {
    this.#heard.set(device, now);
    this.#reported.delete(device);
  }

  parted(device: string): void {
    this.#heard.delete(device);
    this.#away.delete(device);
    this.#reported.delete(device);
  }

  /** Of a member; what is said in the name of others is nothing here. */
  heard(now: number, device: string): void {
    if (this.#heard.has(device)) this.met(now, device);
  }

  connection(now: number, device: string, connected: boolean): void {
    if (!this.#heard.has(device)) return;
    if (connected) {
      this.#away.delete(device);
      this.heard(now, device);
    } else {
      this.#away.add(device);
    }
  }

  /** How many connected members are newly found silent. */
  tick(now: number): number {
    const gap = now - (this.#lastTick ?? now);
    this.#lastTick = now;
    if (gap > ASLEEP_MS) for (const device of this.#heard.keys()) this.#heard.set(device, now);
    const silent = [...this.#heard].filter(
      ([device, since]) => now - since >= SILENCE_MAX_MS && !this.#away.has(device) && !this.#reported.has(device),
    );
    for (const [device] of silent) this.#reported.add(device);
    return silent.length;
  }

  clear(): void {
    this.#heard.clear();
    this.#away.clear();
    this.#reported.clear();
  }
}
