//! An announcement between the key workers of an app and of home devices.

import assert from "node:assert/strict";
import { test } from "node:test";
import { toBase64Url } from "../../src/e2ee/bytes.ts";
import type { AnnouncedContent } from "../../src/e2ee/port.ts";
import { Page } from "./desks.ts";
import { type Founded, founded, paired } from "./founded.ts";
import { NOW } from "./home.ts";

const SOUND: AnnouncedContent = { kind: "sound", ogg: toBase64Url(new Uint8Array([1, 2, 3])), lengthMs: 900 };
const NONE = {};

interface Cast {
  house: Founded;
  kitchen: Page;
  to: { device: string; statement: string };
}

async function cast(): Promise<Cast> {
  const house = await founded();
  const kitchen = await paired(house);
  await kitchen.ask("roster.load", { entries: house.entries });
  const { statement } = await kitchen.ask("announcement.sealing_key", NONE);
  return { house, kitchen, to: { device: house.devices?.[0] as string, statement } };
}

test("what the app seals the device opens once, and knows who said it and what it answers", async () => {
  const { house, kitchen, to } = await cast();
  const replyTo = "ab".repeat(16);
  const { announcement, statement, content } = await house.page.ask("announcement.seal", { to: [to], content: SOUND, replyTo });
  const taken = await kitchen.ask("announcement.take", { announcement, statement });
  assert.deepEqual([taken.kind, taken.replyTo, taken.who.own, taken.who.label, taken.who.kind], ["sound", replyTo, true, "Anna's phone", "app"]);
  assert.deepEqual(await kitchen.ask("announcement.open", { announcement, content }), SOUND);
  assert.equal(await kitchen.fails("announcement.open", { announcement, content }), "not_for_me");
  assert.equal(await kitchen.fails("announcement.take", { announcement, statement }), "heard_before");
});

test("what was heard is refused by a page after this one, and what was only taken is not", async () => {
  const { house, kitchen, to } = await cast();
  const seal = () => house.page.ask("announcement.seal", { to: [to], content: SOUND });
  const [heard, waits] = [await seal(), await seal()];
  for (const { announcement, statement } of [heard, waits]) await kitchen.ask("announcement.take", { announcement, statement });
  await kitchen.ask("announcement.heard", { announcement: heard.announcement });
  assert.equal(await kitchen.fails("announcement.heard", { announcement: "0f".repeat(16) }), "not_for_me");
  const again = async (after: number): Promise<Page> => {
    const page = new Page(() => NOW + after, kitchen.records);
    await page.ask("open", { slot: "device" });
    await page.ask("roster.load", { entries: house.entries });
    return page;
  };
  const page = await again(1);
  const take = ({ announcement, statement }: typeof heard) => ({ announcement, statement });
  assert.equal(await page.fails("announcement.take", take(heard)), "heard_earlier");
  assert.equal(await page.fails("announcement.take", take(waits)), "done");
  assert.equal(await page.fails("announcement.take", take(waits)), "heard_before");
  // It is kept while it could count, and forgotten with the keys.
  const hour = 3_600_000;
  const later = await again(hour);
  const more = new Page(() => NOW + hour, house.page.records);
  await more.ask("open", { slot: "app" });
  await more.ask("roster.load", { entries: house.entries });
  const third = await more.ask("announcement.seal", { to: [to], content: SOUND });
  await later.ask("announcement.take", take(third));
  await later.ask("announcement.heard", { announcement: third.announcement });
  const kept = () => (kitchen.records.map.get("device heard") as { until: Map<string, number> } | undefined)?.until;
  assert.deepEqual([...(kept() ?? []).keys()], [third.announcement]);
  await later.ask("forget", NONE);
  assert.equal(kept(), undefined);
});

test("a text goes the same way; what is empty or too long is not sealed", async () => {
  const { house, kitchen, to } = await cast();
  const text: AnnouncedContent = { kind: "text", text: "Essen ist fertig" };
  const { announcement, statement, content } = await house.page.ask("announcement.seal", { to: [to], content: text });
  assert.equal((await kitchen.ask("announcement.take", { announcement, statement })).replyTo, undefined);
  assert.deepEqual(await kitchen.ask("announcement.open", { announcement, content }), text);
  const fails = (given: AnnouncedContent): Promise<string> => house.page.fails("announcement.seal", { to: [to], content: given });
  assert.deepEqual([await fails({ kind: "text", text: "" }), await fails({ kind: "text", text: "a".repeat(2_049) })], ["bad_request", "too_long"]);
  assert.equal(await fails({ kind: "sound", ogg: "AQID", lengthMs: 60_001 }), "too_long");
});

test("nothing is sealed by what a device has not said of itself, and a device takes nothing that is not for it", async () => {
  const { house, kitchen, to } = await cast();
  const bath = await paired(house);
  for (const page of [kitchen, bath]) await page.ask("roster.load", { entries: house.entries });
  const seal = (device: string, statement: string): Promise<string> => house.page.fails("announcement.seal", { to: [{ device, statement }], content: SOUND });
  const app = (await house.page.ask("announcement.sealing_key", NONE)).statement;
  assert.equal(await seal(house.devices?.[1] as string, to.statement), "no_devices");
  assert.equal(await seal(to.device, "AAAA"), "no_devices");
  assert.equal(await seal(to.device, app), "no_devices");
  const { announcement, statement, content } = await house.page.ask("announcement.seal", { to: [to], content: SOUND });
  assert.equal(await bath.fails("announcement.take", { announcement, statement }), "not_for_me");
  assert.equal(await kitchen.fails("announcement.take", { announcement: "0f".repeat(16), statement }), "bad_signature");
  await kitchen.ask("announcement.take", { announcement, statement });
  const another = await house.page.ask("announcement.seal", { to: [to], content: SOUND });
  assert.equal(await kitchen.fails("announcement.open", { announcement, content: another.content }), "bad_signature");
  assert.equal(await kitchen.fails("announcement.open", { announcement, content }), "not_for_me");
});

test("another household's announcement is refused", async () => {
  const { house, to } = await cast();
  const { kitchen } = await cast();
  const { announcement, statement } = await house.page.ask("announcement.seal", { to: [to], content: SOUND });
  assert.equal(await kitchen.fails("announcement.take", { announcement, statement }), "bad_signature");
});
