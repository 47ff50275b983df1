//! The estimate of the server's clock: devices with wrong clocks meet at one moment.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ServerClock } from "../../src/session/server_clock.ts";

/** A device whose clock is ahead and fast, and a way to the server that is longer one way. In real milliseconds. */
class Device {
  readonly clock = new ServerClock();
  readonly #aheadMs: number;
  readonly #fastPpm: number;

  constructor(aheadMs: number, fastPpm: number) {
    this.#aheadMs = aheadMs;
    this.#fastPpm = fastPpm;
  }

  local(realMs: number): number {
    return realMs + this.#aheadMs + (realMs * this.#fastPpm) / 1e6;
  }

  exchange(atMs: number, thereMs: number, backMs: number): void {
    this.clock.exchanged(this.local(atMs), Math.floor(atMs + thereMs), this.local(atMs + thereMs + backMs));
  }
}

test("devices with wrong clocks meet at one moment", () => {
  const begin = 610_000;
  for (const [ahead, fast] of [[0, 0], [5_000, 50], [-5_000, -50], [5_000, -50], [-3_000, 20]] as const) {
    const device = new Device(ahead, fast);
    // Ten minutes ago a perfect exchange, now four over a busy Wi-Fi, of which one was lucky.
    device.exchange(10_000, 1, 1);
    for (const [at, there, back] of [[609_000, 80, 2], [609_100, 3, 150], [609_300, 6, 4], [609_400, 60, 60]] as const) device.exchange(at, there, back);
    const found = device.clock.when(begin, device.local(609_600));
    assert.ok(found !== undefined);
    const off = Math.abs(found - device.local(begin));
    assert.ok(off < 6, `${ahead} ms, ${fast} ppm: ${off} ms`);
  }
});

test("without an exchange nothing is known; four are made of each question; old ones go", async () => {
  const clock = new ServerClock();
  assert.equal(clock.when(1, 0), undefined);
  let [now, asked] = [0, 0];
  const session = {
    request: () => {
      asked += 1;
      now += 2;
      return Promise.resolve({ type: "time", server_time_ms: 1_000 + now - 1 }) as never;
    },
  };
  await clock.ask(session, () => now);
  assert.equal(asked, 4);
  assert.ok(Math.abs((clock.when(2_000, now) ?? 0) - 1_000) <= 1);
  // A better one that is sixteen exchanges old counts no more.
  for (let nth = 0; nth < 16; nth++) clock.exchanged(100 + nth, 5_000, 130 + nth);
  assert.ok(Math.abs((clock.when(5_000, 150) ?? 0) - 115) < 16);
});
