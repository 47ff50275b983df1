//! A live announcement between key workers: who comes into its group, whose changes count, and what is left when nobody hears it.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { CallDelivery } from "../../src/e2ee/port.ts";
import type { Page } from "./desks.ts";
import { type Founded, founded, paired } from "./founded.ts";

const CALL = "0c".repeat(16);
const OTHER = "0d".repeat(16);

interface Cast {
  house: Founded;
  app: Page;
  speaker: string;
  rooms: Page[];
  ids: string[];
}

async function cast(rooms = 3): Promise<Cast> {
  const house = await founded();
  const pages: Page[] = [];
  for (let nth = 0; nth < rooms; nth++) pages.push(await paired(house));
  for (const page of pages) await page.ask("roster.load", { entries: house.entries });
  const status = await house.page.ask("open", { slot: "app" });
  const speaker = status.state === "ready" ? status.who.device : assert.fail();
  return { house, app: house.page, speaker, rooms: pages, ids: house.devices as string[] };
}

/** One that was told hears it: in the group as far as it is told. */
async function hears(from: Page, room: Page, others: Page[] = [], call = CALL): Promise<void> {
  const { keyPackage, ringing } = await room.ask("live.hear", { call });
  await from.ask("call.add", { call, keyPackage, ringing });
  await committed(from, others, call, room);
}

/** What the announcing one commits reaches everybody, and whom it adds the welcome. */
async function committed(from: Page, others: Page[], call = CALL, joins?: Page): Promise<void> {
  const [commit] = from.take("send").filter(({ type }) => type === "send_commit");
  assert.ok(commit?.type === "send_commit");
  const delivery: CallDelivery = { type: "group_commit", call, epoch: commit.epoch, commit: commit.commit };
  for (const page of [from, ...others]) await page.ask("call.deliver", delivery);
  if (joins !== undefined) await joins.ask("call.deliver", { type: "group_welcome", call, welcome: commit.welcome?.welcome as string });
  for (const page of [from, ...others]) await page.ask("call.deliver", { type: "epoch_execute", call, epoch: commit.epoch + 1 });
}

const code = (page: Page): string | undefined => page.take("call_code").at(-1)?.code;

test("those that it names hear it, one after another, with the same keys", async () => {
  const { app, speaker, rooms: [kitchen, hall, bath], ids } = await cast();
  const { statement, devices } = await app.ask("live.announce", { call: CALL, devices: [ids[0] as string, ids[1] as string, speaker, "ee".repeat(16)] });
  assert.deepEqual([...devices].sort(), ids.slice(0, 2).sort());
  const told = { call: CALL, device: speaker, statement };
  const { who } = await kitchen!.ask("live.take", told);
  assert.deepEqual([who.own, who.device, who.label, who.kind], [true, speaker, "Anna's phone", "app"]);
  await hall!.ask("live.take", told);
  assert.equal(await bath!.fails("live.take", told), "not_for_me");
  await hears(app, kitchen!);
  await hears(app, hall!, [kitchen!]);
  const codes = [code(app), code(kitchen!), code(hall!)];
  assert.ok(codes[0] !== undefined && codes.every((one) => one === codes[0]));
});

test("told of it a device looks at who says so, whether it is of now, and takes it once", async () => {
  const { app, speaker, rooms: [kitchen, hall], ids } = await cast(2);
  const { statement } = await app.ask("live.announce", { call: CALL, devices: [ids[0] as string] });
  assert.equal(await kitchen!.fails("live.take", { call: OTHER, device: speaker, statement }), "bad_signature");
  assert.equal(await kitchen!.fails("live.take", { call: CALL, device: ids[1] as string, statement }), "bad_signature");
  assert.equal(await kitchen!.fails("live.take", { call: CALL, device: speaker, statement: "AAAA" }), "malformed");
  const strangers = await cast(1);
  const theirs = await strangers.app.ask("live.announce", { call: CALL, devices: [strangers.ids[0] as string] });
  assert.equal(await kitchen!.fails("live.take", { call: CALL, device: strangers.speaker, statement: theirs.statement }), "bad_signature");
  assert.equal(await hall!.fails("live.hear", { call: CALL }), "not_for_me");
  await kitchen!.ask("live.take", { call: CALL, device: speaker, statement });
  assert.equal(await kitchen!.fails("live.take", { call: CALL, device: speaker, statement }), "heard_before");
  await kitchen!.ask("live.hear", { call: CALL });
  assert.equal(await kitchen!.fails("live.hear", { call: CALL }), "not_for_me");
});

test("nobody is let in whom the statement does not name, nor another app of the household; without a home device nothing begins", async () => {
  const { house, app, speaker, rooms: [kitchen, hall], ids } = await cast(2);
  const phone = await paired(house, "app");
  for (const page of [app, kitchen!, hall!]) await page.ask("roster.load", { entries: house.entries });
  await phone.ask("roster.load", { entries: house.entries });
  const phoneId = (house.devices as string[])[2] as string;
  assert.equal(await app.fails("live.announce", { call: OTHER, devices: [phoneId, speaker] }), "no_devices");
  const { devices } = await app.ask("live.announce", { call: CALL, devices: [ids[0] as string, phoneId] });
  assert.deepEqual(devices, [ids[0]]);
  for (const stranger of [hall!, phone]) {
    const { keyPackage, ringing } = await stranger.ask("call.ringing", { call: CALL });
    await app.ask("call.add", { call: CALL, keyPackage, ringing });
    assert.deepEqual(app.take("refused_member").map(({ reason }) => reason), ["unknown_household"]);
    assert.deepEqual(app.take("send"), []);
  }
});

test("one that hears it joins no group in which there is anybody else", async () => {
  const { app, speaker, rooms: [kitchen, hall], ids } = await cast(2);
  const { statement } = await app.ask("live.announce", { call: CALL, devices: [ids[0] as string] });
  await kitchen!.ask("live.take", { call: CALL, device: speaker, statement });
  const { keyPackage, ringing } = await kitchen!.ask("live.hear", { call: CALL });
  // Of the same household, and not named.
  await hall!.ask("call.create", { call: CALL, expect: { genesis: [] } });
  await hall!.ask("call.add", { call: CALL, keyPackage, ringing });
  const [commit] = hall!.take("send").filter(({ type }) => type === "send_commit");
  assert.ok(commit?.type === "send_commit");
  await kitchen!.ask("call.deliver", { type: "group_welcome", call: CALL, welcome: commit.welcome?.welcome as string });
  assert.equal(kitchen!.take("refused_member").length, 1);
  assert.deepEqual(kitchen!.take("sending"), []);
});

test("when the last one stops listening nothing more is sent, and nobody comes in any more", async () => {
  const { app, speaker, rooms: [kitchen, hall], ids } = await cast(2);
  const { statement } = await app.ask("live.announce", { call: CALL, devices: ids });
  for (const page of [kitchen!, hall!]) await page.ask("live.take", { call: CALL, device: speaker, statement });
  await hears(app, kitchen!);
  const sends = async (): Promise<boolean> => (await app.desk.calls.keyring(CALL)?.encrypt(new Uint8Array([1]))) !== undefined;
  assert.equal(await sends(), true);
  await app.ask("call.remove", { call: CALL, device: ids[0] as string });
  await committed(app, []);
  assert.deepEqual([await sends(), app.take("left").map(({ reason }) => reason)], [false, ["alone"]]);
  const { keyPackage, ringing } = await hall!.ask("live.hear", { call: CALL });
  await app.ask("call.add", { call: CALL, keyPackage, ringing });
  assert.deepEqual(app.take("send").filter(({ type }) => type === "send_commit"), []);
});
