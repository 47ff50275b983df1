//! Announcing from a home device: where it may go, when its microphone may be opened, what is shown afterwards.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { Speaking, type SpeakingHost } from "../../src/device/speaking.ts";
import type { AnnouncedContent } from "../../src/e2ee/port.ts";
import type { Announcing, Said } from "../../src/home/announcing.ts";
import type { RecorderState } from "../../src/media/recorder.ts";
import type { AnnounceTo, Device } from "../../src/protocol.ts";

const device = (id: string, room: string, kind: Device["kind"] = "home_device"): Device => ({ id, kind, label: id, settings: { room } }) as Device;
const TEXT: AnnouncedContent = { kind: "text", text: "Dinner's ready" };

const kitchens: Kitchen[] = [];
afterEach(() => kitchens.splice(0).forEach(({ speaking }) => speaking.end()));

/** A display in the kitchen. */
class Kitchen {
  devices = [device("Kitchen", ""), device("Hall", "Ground floor"), device("Bath", "Ground floor"), device("phone", "", "app")];
  microphone = true;
  inCall = false;
  now = 0;
  plays = false;
  answers = false;
  refuses: string | undefined;
  recorder = {
    state: { at: "idle" } as RecorderState, open: false,
    begin: async () => this.#record({ at: "recording", sinceMs: 0 }),
    end: () => this.#record({ at: "recorded", sound: { ogg: new Uint8Array(1), lengthMs: 900 } }),
    discard: () => this.#record({ at: "idle" }),
  };
  readonly announced: { to: AnnounceTo; content: AnnouncedContent }[] = [];
  readonly live: { to: AnnounceTo; name: string }[] = [];
  readonly kept = new Map<string, Said>();
  readonly speaking: Speaking;
  /** Before the server answers. */
  meanwhile: () => void = () => undefined;

  constructor() {
    const kitchen = this;
    const announcing = {
      announce: async (to: AnnounceTo, content: AnnouncedContent) => {
        this.meanwhile();
        await Promise.resolve();
        if (this.refuses !== undefined) throw new Error(this.refuses);
        this.announced.push({ to, content });
        this.kept.set("one", { id: "one" } as Said);
        return "one";
      },
      of: (id: string) => this.kept.get(id),
    } as unknown as Announcing;
    const host: SpeakingHost = {
      recorder: this.recorder as SpeakingHost["recorder"],
      hearing: {
        announcing,
        get answering() { return kitchen.answers ? ({} as never) : undefined; },
      },
      mayRecord: () => this.microphone, inCall: () => this.inCall, plays: () => this.plays,
      announceLive: (to, name) => void this.live.push({ to, name }), devices: () => this.devices, self: () => "Kitchen",
      changed: () => undefined, now: () => this.now,
    };
    this.speaking = new Speaking(host);
    kitchens.push(this);
  }

  #record(state: RecorderState): void {
    this.recorder.state = state;
    this.recorder.open = state.at === "recording";
  }
}

test("it goes everywhere else, to a zone or to a device, and never to this one", async () => {
  const { speaking, announced } = new Kitchen();
  assert.deepEqual(speaking.places.map(({ value }) => value), ["home", "zone:Ground floor", "device:Hall", "device:Bath"]);
  const tos: AnnounceTo[] = [{ type: "home" }, { type: "zone", room: "Ground floor" }, { type: "device", device: "Bath" }];
  for (const [nth, value] of ["home", "zone:Ground floor", "device:Bath"].entries()) {
    speaking.open();
    speaking.choose(value);
    await speaking.send(TEXT);
    assert.equal(speaking.state.at, "sent");
    assert.deepEqual(announced[nth], { to: tos[nth], content: TEXT });
    assert.equal(speaking.said?.id, "one");
    speaking.close();
  }
});

test("alone in the household there is nothing to announce to", () => {
  const kitchen = new Kitchen();
  kitchen.devices = [device("Kitchen", "Kitchen"), device("phone", "", "app")];
  kitchen.speaking.open();
  assert.deepEqual([kitchen.speaking.places, kitchen.speaking.state.at], [[], "closed"]);
});

test("its microphone is opened by nobody while its switch is off, an announcement plays, or a call is on", () => {
  const kitchen = new Kitchen();
  const { speaking, recorder } = kitchen;
  speaking.open();
  for (const on of ["plays", "switched off", "call"] as const) {
    kitchen.plays = on === "plays";
    kitchen.microphone = on !== "switched off";
    kitchen.inCall = on === "call";
    speaking.record();
    assert.equal(recorder.open, false, on);
  }
  kitchen.inCall = false;
  kitchen.microphone = true;
  speaking.record();
  assert.equal(recorder.open, true);
  // A call takes the screen, and what was being said.
  kitchen.inCall = true;
  speaking.look();
  assert.deepEqual([speaking.state.at, recorder.open], ["closed", false]);
  kitchen.inCall = false;
  kitchen.answers = true;
  speaking.open();
  assert.equal(speaking.state.at, "closed");
});

test("sent once; a refused one is said and kept to be sent again; a call that comes meanwhile is not covered by it", async () => {
  const kitchen = new Kitchen();
  const { speaking, recorder, announced } = kitchen;
  const asking = () => (speaking.state.at === "asking" ? speaking.state : assert.fail(speaking.state.at));
  speaking.open();
  speaking.record();
  recorder.end();
  kitchen.refuses = "Wait a little.";
  await speaking.send(TEXT);
  assert.deepEqual([asking().problem, recorder.state.at], ["Wait a little.", "recorded"]);
  kitchen.refuses = undefined;
  await Promise.all([speaking.send(TEXT), speaking.send(TEXT)]);
  assert.deepEqual([announced.length, recorder.state.at, speaking.state.at], [1, "idle", "sent"]);
  speaking.close();
  speaking.open();
  kitchen.meanwhile = () => {
    kitchen.inCall = true;
    speaking.look();
  };
  await speaking.send(TEXT);
  assert.equal(speaking.state.at, "closed");
});

test("a device that has gone is chosen no more, and what became of one is shown for five minutes", async () => {
  const kitchen = new Kitchen();
  const { speaking } = kitchen;
  speaking.open();
  speaking.choose("device:Bath");
  kitchen.devices = kitchen.devices.filter(({ id }) => id !== "Bath");
  speaking.look();
  assert.equal(speaking.state.at === "asking" && speaking.state.to, "home");
  await speaking.send(TEXT);
  kitchen.now = 5 * 60_000 - 1;
  speaking.look();
  assert.equal(speaking.state.at, "sent");
  kitchen.now += 1;
  speaking.look();
  assert.equal(speaking.state.at, "closed");
});

test("spoken live it goes to the chosen place, not while anything plays here; afterwards its rooms are shown", () => {
  const kitchen = new Kitchen();
  const { speaking, recorder, live } = kitchen;
  speaking.open();
  speaking.choose("device:Bath");
  kitchen.plays = true;
  speaking.live();
  assert.deepEqual(live, []);
  kitchen.plays = false;
  speaking.record();
  speaking.live();
  assert.deepEqual([live, recorder.open, speaking.state.at], [[{ to: { type: "device", device: "Bath" }, name: "Bath" }], false, "closed"]);
  kitchen.kept.set("call", { id: "call" } as Said);
  speaking.spoken("call");
  assert.equal(speaking.said?.id, "call");
});
