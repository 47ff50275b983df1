//! Live announcements at a home device: heard at once, or not at all.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { CallState } from "../../src/call/state.ts";
import { LiveHearing, type LiveHearingHost } from "../../src/device/live_hearing.ts";
import { E2eeError } from "../../src/e2ee/page.ts";

const CALL = "a".repeat(32);
const TOLD = { type: "live_announcement" as const, call: CALL, device: "kitchen", statement: "signed" };

class Hall {
  readonly live: LiveHearing;
  state = { at: "idle" } as CallState;
  audible = true;
  recording = false;
  quiet = false;
  now = 0;
  refuses: E2eeError | undefined;
  readonly notices: string[] = [];
  readonly heard: string[] = [];
  readonly said: string[] = [];
  hungUp = 0;

  constructor() {
    const host: LiveHearingHost = {
      e2ee: { request: async () => {
        if (this.refuses !== undefined) throw this.refuses;
        return { who: { device: "kitchen", label: "K" } };
      } } as unknown as LiveHearingHost["e2ee"],
      audible: () => this.audible, recording: () => this.recording, quiet: () => this.quiet,
      say: (text) => void this.notices.push(text), changed: () => this.live.look(), now: () => this.now,
    };
    this.live = new LiveHearing(host);
    const hall = this;
    this.live.begin({
      loaded: true,
      session: { done: async ({ type }: { type: string }) => void this.said.push(type) },
      store: { device: () => ({ label: "Kitchen" }) },
      calls: {
        get state() { return hall.state; },
        hearLive: (call: string, device: string, name: string) => {
          this.heard.push(`${name}`);
          this.state = { at: "running", call, live: { side: "hears", device } } as CallState;
        },
        hangUp: () => {
          this.hungUp += 1;
          this.state = { at: "idle" };
        },
      },
    } as unknown as Parameters<LiveHearing["begin"]>[0]);
  }

  async told(): Promise<void> {
    await this.live.announced(TOLD);
    await rest();
  }

  async look(): Promise<void> {
    this.live.look();
    await rest();
  }
}

const rest = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("told of it, it is heard at once, by the name of the device that speaks, and one press ends it here", async () => {
  const hall = new Hall();
  await hall.told();
  assert.deepEqual([hall.heard, hall.live.hears], [["Kitchen"], CALL]);
  hall.live.stop();
  assert.deepEqual([hall.hungUp, hall.live.hears], [1, undefined]);
  await hall.look();
  assert.equal(hall.heard.length, 1);
  hall.live.end();
});

// req: ANN-4
test("on do not disturb nothing is heard, nor offered afterwards; switched on meanwhile it ends here", async () => {
  const hall = new Hall();
  hall.quiet = true;
  await hall.told();
  hall.quiet = false;
  await hall.look();
  assert.deepEqual([hall.heard, hall.said], [[], ["hang_up"]]);
  await hall.told();
  hall.quiet = true;
  await hall.look();
  assert.deepEqual([hall.heard.length, hall.hungUp], [1, 1]);
  hall.live.end();
});

test("a page that nobody has touched, and one where somebody records, waits for as long as it can go on", async () => {
  for (const obstacle of ["audible", "recording"] as const) {
    const hall = new Hall();
    const stands = (there: boolean): void => {
      if (obstacle === "audible") hall.audible = !there;
      else hall.recording = there;
    };
    stands(true);
    await hall.told();
    assert.deepEqual([hall.heard, hall.live.silenced], [[], obstacle === "audible"]);
    stands(false);
    await hall.look();
    assert.equal(hall.heard.length, 1);
    hall.state = { at: "idle" } as CallState;
    stands(true);
    await hall.told();
    hall.now = 60_000;
    stands(false);
    await hall.look();
    assert.equal(hall.heard.length, 1);
    hall.live.end();
  }
});

test("over before it could be heard, it is not; what does not hold is said, what was told twice is not", async () => {
  const hall = new Hall();
  hall.audible = false;
  await hall.told();
  hall.live.handle({ type: "call_ended", call: CALL, reason: "hung_up" } as never);
  hall.audible = true;
  await hall.look();
  assert.deepEqual(hall.heard, []);
  hall.refuses = new E2eeError("heard_before", "heard before");
  await hall.told();
  hall.refuses = new E2eeError("bad_signature", "not signed here");
  await hall.told();
  assert.deepEqual([hall.heard, hall.notices.length, hall.said], [[], 1, ["hang_up"]]);
  assert.match(hall.notices[0] ?? "", /not signed here/);
  hall.live.end();
});
