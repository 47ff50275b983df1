//! Announcements at a home device: what plays when, what waits, what is offered, and what the announcing one is told.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { AnnouncementQueue, type Incoming, WAITING_MAX } from "../../src/device/announcement_queue.ts";
import type { Outcome } from "../../src/device/announced_sound.ts";
import { Hearing, type HearingHost } from "../../src/device/hearing.ts";
import type { E2ee } from "../../src/e2ee/page.ts";
import type { AnnouncedContent } from "../../src/e2ee/port.ts";
import type { RecorderState } from "../../src/media/recorder.ts";
import type { Announced, Event, Reply, Request } from "../../src/protocol.ts";
import type { Page } from "../e2ee/desks.ts";
import { type Founded, founded, paired } from "../e2ee/founded.ts";

const MINUTE_MS = 60_000;
const incoming = (id: string, change: Partial<Incoming> = {}): Incoming => ({
  id, device: "app", kind: "app", from: "Anna's phone", content: { kind: "text", text: id }, replyTo: undefined, play: true, beginMs: 0, freshUntilMs: 5 * MINUTE_MS, ...change,
});
const ids = (list: readonly Incoming[]): string => list.map(({ id }) => id).join("");
const always = (): boolean => true;

test("one after another in their order; what a call interrupts comes first afterwards", () => {
  const queue = new AnnouncementQueue();
  for (const id of ["a", "b", "c"]) assert.ok(queue.take(incoming(id), false));
  assert.equal(queue.next(always)?.id, "a");
  assert.equal(queue.next(always), undefined);
  queue.interrupt();
  assert.equal(queue.next(() => false), undefined);
  assert.equal(queue.next(always)?.id, "a");
  queue.over();
  assert.equal(queue.last?.id, "a");
  assert.equal(queue.next(always)?.id, "b");
  assert.equal(queue.last, undefined);
});

test("so many wait and no more; what has waited too long is forgotten", () => {
  const queue = new AnnouncementQueue();
  for (let nth = 0; nth < WAITING_MAX; nth++) assert.ok(queue.take(incoming(`${nth}`, { freshUntilMs: nth < 2 ? 10 : 20 }), false));
  assert.ok(!queue.take(incoming("more"), false));
  assert.ok(queue.take(incoming("x", { freshUntilMs: 10 }), true));
  assert.equal(ids(queue.stale(9)), "");
  assert.equal(ids(queue.stale(10)), "01x");
  assert.ok(queue.take(incoming("more"), false));
});

test("what comes while it is quiet is offered, and played or put aside as somebody wants", () => {
  const queue = new AnnouncementQueue();
  queue.take(incoming("a"), true);
  queue.take(incoming("b", { play: false }), false);
  assert.equal(queue.next(always), undefined);
  assert.equal(ids(queue.offered), "ab");
  queue.playOffered();
  assert.equal(queue.next(always)?.id, "a");
  queue.hush();
  assert.deepEqual([queue.playing, ids(queue.offered), ids(queue.waiting)], [undefined, "ab", ""]);
  assert.equal(ids(queue.putOfferedAside()), "ab");
  assert.equal(ids(queue.offered), "");
});

const kitchens: Kitchen[] = [];
afterEach(() => kitchens.splice(0).forEach(({ hearing }) => hearing.end()));

/** A speaker in the kitchen, with a real key worker, over a server that tells what it is asked. */
class Kitchen {
  readonly hearing: Hearing;
  readonly heard: string[] = [];
  readonly asked: Request["type"][] = [];
  readonly notices: string[] = [];
  readonly played: string[] = [];
  state = "idle";
  quiet = false;
  /** When do not disturb ends by the clock. */
  quietEnds: number | undefined;
  audible = true;
  microphone = true;
  recorder: { state: RecorderState; open: boolean; begin(): Promise<void>; discard(): void };
  now = 0;
  listed: Announced[] = [];
  announced: Extract<Request, { type: "announce" }>[] = [];
  /** Ends the one that plays. */
  finish: (outcome: Outcome) => void = () => assert.fail("nothing plays");
  stopped: AbortSignal | undefined;
  readonly #contents = new Map<string, string>();
  readonly #house: Founded;
  readonly #page: Page;
  #looking = false;

  private constructor(house: Founded, page: Page, others: { device: string; statement: string }[]) {
    this.#house = house;
    this.#page = page;
    const become = (state: RecorderState, open: boolean): void => {
      this.recorder.state = state;
      this.recorder.open = open;
      this.look();
    };
    this.recorder = {
      state: { at: "idle" }, open: false,
      begin: async () => become({ at: "recording", sinceMs: 0 }, true),
      discard: () => become({ at: "idle" }, false),
    };
    const host: HearingHost = {
      e2ee: { request: page.ask.bind(page) } as unknown as E2ee,
      output: {
        can: () => this.audible,
        play: (one, begun, stop) => {
          assert.ok(!this.recorder.open, "a microphone is open");
          this.played.push(one.content.kind === "text" ? one.content.text : "sound");
          this.stopped = stop;
          begun();
          return new Promise((resolve) => (this.finish = resolve));
        },
      },
      recorder: this.recorder,
      mayRecord: () => this.microphone,
      quiet: () => this.quiet || (this.quietEnds !== undefined && performance.now() < this.quietEnds),
      quietChangesInMs: () => (this.quietEnds === undefined ? undefined : this.quietEnds - performance.now()),
      say: (text) => void this.notices.push(text),
      changed: () => this.look(),
      now: () => this.now,
    };
    this.hearing = new Hearing(host);
    const kitchen = this;
    const around = {
      loaded: true,
      store: { devices: others.map(({ device }) => ({ id: device, kind: "home_device", settings: { room: "" } })), device: () => ({ label: "Anna's phone" }) },
      calls: { get state() { return { at: kitchen.state }; }, input: () => (kitchen.state = "idle") },
      session: {
        done: (body: Request) => {
          kitchen.asked.push(body.type);
          if (body.type === "heard_announcement") kitchen.heard.push(body.heard);
          return Promise.resolve();
        },
        request: (body: Request): Promise<Reply> => {
          kitchen.asked.push(body.type);
          switch (body.type) {
            case "get_time": return Promise.resolve({ type: "time", server_time_ms: 10_000 + kitchen.now });
            case "get_announcement": return Promise.resolve({ type: "announcement_content", content: kitchen.#contents.get(body.announcement) as string });
            case "list_announcements": return Promise.resolve({ type: "announcements", announcements: kitchen.listed });
            case "get_sealing_keys": return Promise.resolve({ type: "sealing_keys", keys: others });
            case "announce":
              kitchen.announced.push(body);
              return Promise.resolve({ type: "announced", receivers: [] });
            default: return assert.fail(body.type);
          }
        },
      },
    };
    this.hearing.begin(around as unknown as Parameters<Hearing["begin"]>[0]);
  }

  static async make(): Promise<Kitchen> {
    const house = await founded();
    const [page, bath] = [await paired(house), await paired(house)];
    for (const one of [page, bath]) await one.ask("roster.load", { entries: house.entries });
    const kitchen = new Kitchen(house, page, [{ device: house.devices?.[1] as string, ...(await bath.ask("announcement.sealing_key", {})) }]);
    kitchens.push(kitchen);
    return kitchen;
  }

  /** As the model does after every change. */
  look(): void {
    if (this.#looking) return;
    this.#looking = true;
    this.hearing.look();
    this.#looking = false;
  }

  async seal(text: string, change: Partial<Announced> = {}): Promise<Announced> {
    const { statement } = await this.#page.ask("announcement.sealing_key", {});
    const content: AnnouncedContent = { kind: "text", text };
    const sealed = await this.#house.page.ask("announcement.seal", { to: [{ device: this.#house.devices?.[0] as string, statement }], content });
    this.#contents.set(sealed.announcement, sealed.content);
    return { announcement: sealed.announcement, statement: sealed.statement, begin_at_ms: 10_250, expires_at_ms: 10_000 + 5 * MINUTE_MS, play: true, ...change };
  }

  async comes(text: string, change: Partial<Announced> = {}): Promise<Announced> {
    const told = await this.seal(text, change);
    this.hearing.handle({ type: "announced", ...told } as Event);
    await until(() => this.holds(told));
    await rest();
    return told;
  }

  /** Those that no later page of this device takes. */
  get keeps(): string[] {
    const kept = this.#page.records.map.get("device heard") as { until: Map<string, number> } | undefined;
    return [...(kept?.until.keys() ?? [])];
  }

  holds({ announcement }: Announced): boolean {
    const { playing, waiting, offered } = this.hearing.queue;
    return [playing, ...waiting, ...offered].some((one) => one?.id === announcement);
  }

  async ends(outcome: Outcome): Promise<void> {
    this.finish(outcome);
    await rest();
  }
}

/** What follows without any key work. */
async function rest(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Key work takes its time. */
async function until(is: () => boolean): Promise<void> {
  for (const late = performance.now() + 10_000; !is() && performance.now() < late;) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(is());
}

test("it plays when all begin, is told as heard, and can be answered to where it came from", async () => {
  const kitchen = await Kitchen.make();
  await kitchen.hearing.loaded();
  assert.deepEqual(kitchen.asked, ["put_sealing_key", "list_announcements"]);
  await kitchen.comes("Dinner's ready");
  assert.deepEqual(kitchen.played, ["Dinner's ready"]);
  assert.ok(Math.abs((kitchen.hearing.playing?.beginMs ?? 0) - 250) <= 1);
  assert.equal(kitchen.hearing.playing?.from, "Anna's phone");
  // No microphone while it plays.
  kitchen.hearing.beginAnswer();
  assert.equal(kitchen.recorder.open, false);
  const { id } = kitchen.hearing.playing!;
  assert.deepEqual(kitchen.keeps, []);
  await kitchen.ends("played");
  assert.deepEqual([kitchen.heard, kitchen.keeps], [["played"], [id]]);
  kitchen.hearing.beginAnswer();
  assert.equal(kitchen.hearing.answering?.id, id);
  // Nothing plays into the recording; it does when it is over.
  await kitchen.comes("And wash your hands");
  assert.equal(kitchen.played.length, 1);
  await kitchen.hearing.sendAnswer({ type: "home" }, { kind: "text", text: "Coming" });
  await until(() => kitchen.announced.length === 1);
  await rest();
  assert.deepEqual(kitchen.played, ["Dinner's ready", "And wash your hands"]);
});

test("in a call it waits, what a call interrupts is played anew, and what is too old by then is put aside", async () => {
  const kitchen = await Kitchen.make();
  kitchen.state = "running";
  await kitchen.comes("one");
  await kitchen.comes("two");
  assert.deepEqual(kitchen.played, []);
  kitchen.state = "ended";
  kitchen.look();
  await rest();
  assert.deepEqual([kitchen.played, kitchen.state], [["one"], "idle"]);
  kitchen.state = "arriving";
  kitchen.look();
  assert.equal(kitchen.stopped?.aborted, true);
  await kitchen.ends("played");
  assert.deepEqual(kitchen.heard, []);
  kitchen.state = "idle";
  kitchen.look();
  await rest();
  assert.deepEqual(kitchen.played, ["one", "one"]);
  await kitchen.ends("shown");
  kitchen.state = "incoming";
  kitchen.look();
  kitchen.now = 5 * MINUTE_MS;
  kitchen.look();
  kitchen.state = "idle";
  kitchen.look();
  await rest();
  assert.deepEqual([kitchen.played, kitchen.heard], [["one", "one", "two"], ["shown", "put_aside"]]);
});

test("what waits through a long call is put aside after five minutes, and told so", async () => {
  const kitchen = await Kitchen.make();
  kitchen.state = "running";
  await kitchen.comes("one");
  kitchen.now = 5 * MINUTE_MS + 1;
  kitchen.look();
  assert.deepEqual([kitchen.heard, kitchen.played], [["put_aside"], []]);
});

test("do not disturb silences it at once; afterwards it is offered, and played only if somebody wants it", async () => {
  const kitchen = await Kitchen.make();
  await kitchen.comes("one");
  kitchen.quiet = true;
  kitchen.look();
  assert.equal(kitchen.stopped?.aborted, true);
  assert.equal(kitchen.hearing.playing, undefined);
  const meanwhile = await kitchen.seal("two", { play: false });
  kitchen.listed = [meanwhile];
  await kitchen.hearing.loaded();
  assert.ok(!kitchen.asked.includes("list_announcements"));
  kitchen.quiet = false;
  kitchen.look();
  await until(() => kitchen.holds(meanwhile));
  assert.ok(kitchen.asked.includes("list_announcements"));
  assert.deepEqual([kitchen.played, kitchen.hearing.queue.offered.length, kitchen.heard], [["one"], 2, []]);
  kitchen.hearing.playOffered();
  await rest();
  assert.deepEqual(kitchen.played, ["one", "one"]);
  kitchen.hearing.putAside();
  await rest();
  assert.deepEqual([kitchen.heard, kitchen.played], [["put_aside"], ["one", "one", "two"]]);
});

// req: ANN-4
test("when do not disturb ends by the clock, it is offered without anything else happening", async () => {
  const kitchen = await Kitchen.make();
  kitchen.quietEnds = performance.now() + 400;
  kitchen.look();
  const meanwhile = await kitchen.seal("one", { play: false });
  kitchen.listed = [meanwhile];
  await kitchen.hearing.loaded();
  assert.ok(!kitchen.asked.includes("list_announcements"));
  await until(() => kitchen.holds(meanwhile));
  assert.ok(performance.now() >= kitchen.quietEnds);
  assert.deepEqual([kitchen.played, kitchen.hearing.queue.offered.length], [[], 1]);
  kitchen.quietEnds = undefined;
});

test("wanted while it is quiet, it is played all the same; not wanted, it is put aside", async () => {
  const kitchen = await Kitchen.make();
  kitchen.quiet = true;
  kitchen.look();
  await kitchen.comes("one");
  await kitchen.comes("two");
  kitchen.hearing.playOffered();
  await rest();
  assert.deepEqual(kitchen.played, ["one"]);
  await kitchen.ends("played");
  await kitchen.ends("played");
  await kitchen.comes("three");
  kitchen.hearing.putOfferedAside();
  assert.deepEqual(kitchen.heard, ["played", "played", "put_aside"]);
});

test("told twice it is played once; what does not hold is said and put aside", async () => {
  const kitchen = await Kitchen.make();
  const told = await kitchen.comes("one");
  kitchen.listed = [told];
  await kitchen.hearing.loaded();
  await rest();
  assert.deepEqual([kitchen.played, kitchen.heard, kitchen.notices], [["one"], [], []]);
  const forged = await kitchen.seal("two");
  kitchen.hearing.handle({ type: "announced", ...forged, announcement: "0e".repeat(16) } as Event);
  await until(() => kitchen.notices.length > 0);
  await rest();
  assert.deepEqual(kitchen.heard, ["put_aside"]);
  assert.match(kitchen.notices[0] ?? "", /another announcement than was signed/);
});

test("a page that nobody has touched waits for it; an answer is cut by a call and by the microphone's switch", async () => {
  const kitchen = await Kitchen.make();
  kitchen.audible = false;
  await kitchen.comes("one");
  assert.deepEqual([kitchen.played, kitchen.hearing.silenced], [[], true]);
  kitchen.audible = true;
  kitchen.look();
  await kitchen.ends("played");
  kitchen.hearing.beginAnswer();
  kitchen.state = "incoming";
  kitchen.look();
  assert.equal(kitchen.recorder.open, false);
  kitchen.look();
  assert.equal(kitchen.hearing.answering, undefined);
  kitchen.state = "idle";
  kitchen.hearing.beginAnswer();
  kitchen.microphone = false;
  kitchen.look();
  assert.equal(kitchen.recorder.open, false);
  kitchen.hearing.beginAnswer();
  assert.equal(kitchen.recorder.open, false);
});
