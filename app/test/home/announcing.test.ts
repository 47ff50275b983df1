//! Announcing: whom it is sealed to, and what is shown of each room.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { E2ee } from "../../src/e2ee/page.ts";
import { Announcing, receivers, zones } from "../../src/home/announcing.ts";
import type { Device, Reply, Request } from "../../src/protocol.ts";
import type { Session } from "../../src/session/client.ts";
import type { Page } from "../e2ee/desks.ts";
import { founded, paired } from "../e2ee/founded.ts";

const device = (id: string, room: string, kind: Device["kind"] = "home_device"): Device => ({ id, kind, settings: { room } }) as Device;

test("everywhere, one device, or all of a room in capitals or not; apps play nothing", () => {
  const devices = [device("a", "Kitchen"), device("b", " kitchen "), device("c", ""), device("d", "Attic"), device("e", "Kitchen", "app")];
  const to = (given: Parameters<typeof receivers>[1]): string => receivers(devices, given).map(({ id }) => id).join("");
  assert.equal(to({ type: "home" }), "abcd");
  assert.equal(to({ type: "zone", room: "KITCHEN" }), "ab");
  assert.equal(to({ type: "device", device: "c" }), "c");
  assert.equal(to({ type: "device", device: "e" }), "");
  assert.deepEqual(zones(devices), ["Attic", "Kitchen"]);
});

/** Anna's app, two rooms with their keys, and a server that remembers what it was asked. */
async function cast() {
  const house = await founded();
  const rooms: Page[] = [await paired(house), await paired(house)];
  const [kitchen, bath] = house.devices as [string, string];
  const keys: { device: string; statement: string }[] = [];
  for (const [nth, page] of rooms.entries()) {
    await page.ask("roster.load", { entries: house.entries });
    keys.push({ device: (house.devices as string[])[nth] as string, ...(await page.ask("announcement.sealing_key", {})) });
  }
  const asked: Extract<Request, { type: "announce" }>[] = [];
  const server = { fails: false, before: (_id: string): void => undefined };
  const session = {
    request: (body: Request): Promise<Reply> => {
      if (body.type === "get_sealing_keys") return Promise.resolve({ type: "sealing_keys", keys });
      assert.ok(body.type === "announce");
      asked.push(body);
      server.before(body.announcement);
      if (server.fails) return Promise.reject(new Error("Wait a little."));
      return Promise.resolve({ type: "announced", receivers: [{ device: kitchen, fate: "told" }, { device: bath, fate: "quiet" }] });
    },
  } as unknown as Pick<Session, "request">;
  const devices = [device(kitchen, "Kitchen"), device(bath, "Bath")];
  const app = new Announcing({ request: house.page.ask.bind(house.page) } as unknown as E2ee, session, { devices: () => devices, changed: () => undefined, now: () => 5 });
  return { rooms, kitchen, bath, asked, server, app };
}

const TEXT = { kind: "text" as const, text: "Dinner's ready" };

test("each room says what became of it there", async () => {
  const { app, kitchen, bath, server } = await cast();
  await app.announce({ type: "home" }, TEXT);
  const rooms = (): (string | undefined)[] => [app.said[0]?.rooms.get(kitchen), app.said[0]?.rooms.get(bath)];
  assert.deepEqual(rooms(), ["told", "quiet"]);
  app.handle({ type: "announcement_heard", announcement: app.said[0]!.id, device: kitchen, heard: "shown" });
  app.handle({ type: "announcement_heard", announcement: "ff".repeat(16), device: bath, heard: "played" });
  assert.deepEqual(rooms(), ["shown", "quiet"]);
  // A device may be quicker than the server's answer.
  server.before = (announcement) => app.handle({ type: "announcement_heard", announcement, device: kitchen, heard: "played" });
  await app.announce({ type: "home" }, TEXT);
  assert.deepEqual(rooms(), ["played", "quiet"]);
  assert.equal(app.said.length, 2);
});

test("it is sealed to those that it goes to alone, threaded to what it answers, and a refused one is not shown", async () => {
  const { app, rooms, asked, bath, server } = await cast();
  const replyTo = "0a".repeat(16);
  await app.announce({ type: "zone", room: "bath" }, TEXT, replyTo);
  const { announcement, statement, content } = asked[0]!;
  assert.equal(await rooms[0]!.fails("announcement.take", { announcement, statement }), "not_for_me");
  assert.equal((await rooms[1]!.ask("announcement.take", { announcement, statement })).replyTo, replyTo);
  assert.deepEqual(await rooms[1]!.ask("announcement.open", { announcement, content }), TEXT);
  server.fails = true;
  await assert.rejects(app.announce({ type: "device", device: bath }, TEXT), /Wait a little/);
  assert.equal(app.said.length, 1);
  await assert.rejects(app.announce({ type: "zone", room: "Attic" }, TEXT), /None of the devices/);
});

test("what was spoken live is listed with what became of it in each room; what reached nobody is not", async () => {
  const { app, kitchen, bath } = await cast();
  const over = { do: "live_over" as const, call: "0c".repeat(16), reason: "hung_up" as const, lengthMs: 3_000 };
  assert.equal(app.liveOver({ ...over, live: { side: "hears", device: kitchen } }), false);
  assert.equal(app.liveOver({ ...over, live: { side: "speaks", to: { type: "home" }, rooms: undefined } }), false);
  assert.equal(app.said.length, 0);
  const rooms = { [kitchen]: "hears", [bath]: "told", hall: "left", attic: "busy" } as const;
  assert.equal(app.liveOver({ ...over, live: { side: "speaks", to: { type: "home" }, rooms } }), true);
  assert.deepEqual(app.said[0]?.content, { kind: "live", lengthMs: 3_000 });
  assert.deepEqual([...(app.said[0]?.rooms ?? [])], [[kitchen, "played"], [bath, "missed"], ["hall", "left"], ["attic", "busy"]]);
});
