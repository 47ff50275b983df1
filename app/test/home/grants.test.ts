//! Who may drop in, as an adult's app gives it and every app of the household sees it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBase64Url, toBase64Url } from "../../src/e2ee/bytes.ts";
import type { E2ee } from "../../src/e2ee/page.ts";
import { type Choice, endOf, Grants } from "../../src/home/grants.ts";
import type { DropInGrant, Request } from "../../src/protocol.ts";
import type { Session } from "../../src/session/client.ts";
import type { Page } from "../e2ee/desks.ts";
import { founded, paired } from "../e2ee/founded.ts";
import { key } from "../e2ee/home.ts";

const BEN = "cc".repeat(16);
const DAY_MS = 24 * 60 * 60 * 1_000;
const THEIRS = toBase64Url(key(60).publicKey);
const TO_BEN: Choice = { to: { type: "household", contact: BEN, theirGenesis: THEIRS }, devices: [], hours: undefined, picture: false, opening: "at_once" };
const TO_HOME: Choice = { ...TO_BEN, to: { type: "home" } };

/** An app over a server that keeps what it is given. */
function at(page: Page, clock: { now: number }, server: { grants: DropInGrant[]; people: string[] }, fails: { grant: string | undefined } = { grant: undefined }) {
  const told: { grants: string[] | undefined } = { grants: undefined };
  const memory = { toldGrants: () => told.grants, keepToldGrants: (grants: readonly string[]) => void (told.grants = [...grants]) };
  const session = {
    done: (body: Request) => {
      assert.ok(body.type === "put_drop_in_grant");
      if (body.grant === fails.grant) return Promise.reject(new Error("outdated"));
      server.grants = [...server.grants.filter(({ id }) => id !== body.grant), { id: body.grant, statement: body.statement }];
      return Promise.resolve();
    },
    request: (body: Request) => {
      assert.deepEqual(body, { type: "contact_people", contact: BEN });
      return Promise.resolve({ type: "contact_people", person: "be".repeat(16), household: server.people });
    },
  } as unknown as Pick<Session, "done" | "request">;
  return new Grants({ request: page.ask.bind(page) } as unknown as E2ee, session, memory, () => clock.now);
}

async function home() {
  const house = await founded();
  const speaker = await paired(house);
  await speaker.ask("open", { slot: "device" });
  const server = { grants: [] as DropInGrant[], people: ["ee".repeat(16), "be".repeat(16)] };
  const clock = { now: Date.now() };
  const fails: { grant: string | undefined } = { grant: undefined };
  return { house, speaker, server, clock, fails, app: at(house.page, clock, server, fails), device: at(speaker, clock, server) };
}

test("nobody may until an adult says so; it is narrowed under the same id, and taken back", async () => {
  const { server, app, device } = await home();
  assert.deepEqual(app.active(), []);
  await app.give(TO_BEN);
  const hours = { timeZone: "Europe/Berlin", windows: [{ days: 31, fromMinute: 480, toMinute: 1_080 }] };
  await app.give({ ...TO_BEN, hours, opening: "knock_until_yes" });
  assert.equal(server.grants.length, 1);
  await device.load(server.grants);
  const seen = device.ofContact(BEN);
  assert.deepEqual([seen?.hours, seen?.opening, seen?.picture], [hours, "knock_until_yes", false]);
  assert.equal(device.home(), undefined);
  assert.ok(seen !== undefined);
  await app.takeBack(seen);
  assert.equal(app.ofContact(BEN), undefined);
  await device.load(server.grants);
  assert.deepEqual(device.active(), []);
});

test("everyone out takes all of it back at once", async () => {
  const { server, app, device } = await home();
  await app.give(TO_BEN);
  await app.give(TO_HOME);
  assert.equal(app.active().length, 2);
  await app.takeAllBack();
  assert.deepEqual(app.active(), []);
  await device.load(server.grants);
  assert.equal(server.grants.length, 2);
  assert.deepEqual([device.active(), device.untrusted], [[], 0]);
});

test("one that can't be taken back holds up no other, and is tried again with the next press", async () => {
  const { server, app, fails } = await home();
  await app.give(TO_BEN);
  await app.give(TO_HOME);
  fails.grant = server.grants[0]?.id;
  await assert.rejects(app.takeAllBack(), /outdated/);
  assert.deepEqual(app.active().map(({ id }) => id), [fails.grant]);
  fails.grant = undefined;
  await app.takeAllBack();
  assert.deepEqual(app.active(), []);
});

test("an adult's app renews what has less than 23 days left, and a grant that nobody renews ends", async () => {
  const { server, clock, app, device } = await home();
  await app.give(TO_HOME);
  const first = app.home()?.expiresAtMs ?? 0;
  clock.now += 6 * DAY_MS;
  await app.renew();
  assert.equal(app.home()?.expiresAtMs, first);
  clock.now += 2 * DAY_MS;
  await device.load(server.grants);
  // A device may not sign, and says nothing of it.
  await device.renew();
  assert.equal(device.home()?.expiresAtMs, first);
  await app.renew();
  assert.equal(app.home()?.expiresAtMs, clock.now + 30 * DAY_MS);
  clock.now += 30 * DAY_MS;
  assert.equal(app.home(), undefined);
  await app.renew();
  assert.equal(app.home(), undefined);
});

test("one that was given until a day ends then: nobody renews it, and a change keeps its end unless another one is chosen", async () => {
  const { server, clock, app, device } = await home();
  const ends = clock.now + 7 * DAY_MS;
  await app.give({ ...TO_BEN, endsAtMs: ends });
  const given = app.ofContact(BEN);
  assert.ok(given !== undefined && endOf(given) === ends);
  clock.now += DAY_MS;
  await app.renew();
  await app.allow(given, "aa".repeat(16));
  assert.equal(app.ofContact(BEN)?.expiresAtMs, ends);
  await device.load(server.grants);
  assert.equal(device.active().length, 1);
  clock.now = ends;
  await app.renew();
  assert.deepEqual([app.active(), device.active()], [[], []]);
  // Taken back before its end, that outlives it; given anew without an end, it is renewed again.
  clock.now = ends - DAY_MS;
  const [held] = app.active();
  assert.ok(held !== undefined);
  await app.takeBack(held);
  await app.give(TO_BEN);
  const anew = app.ofContact(BEN);
  assert.ok(anew !== undefined && endOf(anew) === undefined);
});

test("what was not signed by an adult here, or is older than seen, or revives what was taken back, lets nobody in", async () => {
  const { house, server, app, device } = await home();
  await app.give(TO_BEN);
  const [genuine] = server.grants;
  assert.ok(genuine !== undefined);
  const given = app.ofContact(BEN);
  assert.ok(given !== undefined);
  const other = await founded("Other");
  const foreign = (await other.page.ask("grant.sign", { ...given })).statement;
  const changed = fromBase64Url(genuine.statement);
  changed[60]! ^= 1;
  for (const statement of ["", "AAAA", foreign, toBase64Url(changed)]) {
    await device.load([{ id: genuine.id, statement }]);
    assert.deepEqual([device.active(), device.untrusted], [[], 1]);
  }
  await device.load([{ id: "ab".repeat(16), statement: genuine.statement }]);
  assert.deepEqual(device.active(), []);
  await device.load([genuine]);
  assert.equal(device.active().length, 1);
  await app.takeBack(given);
  await device.load(server.grants);
  const { statement } = await house.page.ask("grant.sign", { ...given, revision: Date.now() + 60_000 });
  await device.take({ id: given.id, statement });
  assert.deepEqual(device.active(), []);
  await device.load([genuine]);
  assert.deepEqual(device.active(), []);
});

test("everybody of the household is told once of what another app gave, and nobody of what is their own", async () => {
  const { server, app, device } = await home();
  await device.load([]);
  await app.load([]);
  await app.give(TO_BEN);
  assert.deepEqual(app.news(), []);
  await device.load(server.grants);
  assert.equal(device.news().length, 1);
  device.told();
  assert.deepEqual(device.news(), []);
  await app.give({ ...TO_BEN, picture: true });
  await device.load(server.grants);
  assert.deepEqual(device.news(), []);
});

test("a household is named as it is when it is let in, and whoever is new there by an adult's word", async () => {
  const { server, app, device } = await home();
  const people = () => {
    const to = device.ofContact(BEN)?.to;
    return to?.type === "household" ? to.people : undefined;
  };
  await app.give(TO_BEN);
  await device.load(server.grants);
  assert.deepEqual(people(), ["be".repeat(16), "ee".repeat(16)]);
  // A change lets in nobody anew.
  const kim = "aa".repeat(16);
  server.people.push(kim);
  await app.give({ ...TO_BEN, picture: true });
  await device.load(server.grants);
  assert.equal(people()?.includes(kim), false);
  const given = app.ofContact(BEN);
  assert.ok(given !== undefined);
  await app.allow(given, kim);
  await device.load(server.grants);
  assert.deepEqual([people(), device.ofContact(BEN)?.picture], [[kim, "be".repeat(16), "ee".repeat(16)], true]);
  // Given anew, it names those who are there.
  await app.takeBack(given);
  await app.give(TO_BEN);
  await device.load(server.grants);
  assert.equal(people()?.length, 3);
});
