//! The maker's call links: what is kept and forgotten with them, and which knocks are shown.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { E2ee } from "../../src/e2ee/page.ts";
import { CallLinks } from "../../src/home/call_links.ts";
import type { CallLink, Event, Request } from "../../src/protocol.ts";
import { RequestError } from "../../src/session/errors.ts";
import type { Session } from "../../src/session/client.ts";
import { Page } from "../e2ee/desks.ts";
import { founded } from "../e2ee/founded.ts";
import { NOW } from "../e2ee/home.ts";

const now = () => NOW;
const HOUR = 3_600_000;

/** Anna's app over a server that keeps links, and guests who opened one of them. */
async function anna() {
  const home = await founded("Anna's");
  const asked: Request[] = [];
  const server = { links: [] as CallLink[], refuse: undefined as RequestError | undefined };
  const session = {
    async done(request: Request) {
      asked.push(request);
      if (server.refuse !== undefined) throw server.refuse;
      if (request.type === "make_call_link") server.links.unshift({ link: request.link, label: request.label, made_at_ms: NOW, expires_at_ms: request.expires_at_ms });
      if (request.type === "revoke_call_link") server.links = server.links.filter(({ link }) => link !== request.link);
    },
    request: async () => ({ type: "call_links", links: server.links }),
  } as unknown as Session;
  let rung = 0;
  let came: string[] = [];
  const memory = { guests: () => came, keepGuests: (guests: readonly string[]) => void (came = [...guests]) };
  const e2ee = { request: (name: never, args: never) => home.page.ask(name, args) } as unknown as E2ee;
  const make = () => new CallLinks(e2ee, session, { memory, changed: () => undefined, knocked: () => rung++, serverNow: now });
  return { page: home.page, links: make(), again: make, server, asked, rung: () => rung };
}

async function guestOf(link: string, secret: string, name = "Gus") {
  const page = new Page(now);
  const begun = await page.ask("guest.begin", { link, secret, fingerprint: secret, name });
  const event: Event = { type: "guest_knocked", link, guest: begun.who.device, chain: begun.chain, proof: begun.proof };
  return { ...begun, event };
}

async function secretOf(page: Page, link: string): Promise<string> {
  const { links } = await page.ask("guest.kept", {});
  return links.find((kept) => kept.link === link)?.secret ?? "";
}

/** What was asked for before is done. */
const settled = (links: CallLinks) => links.load();

(globalThis as { location?: unknown }).location = { origin: "https://home" };

test("a link is made with its secret kept first, and shown again by the app that made it", async () => {
  const { links, again, page } = await anna();
  const link = await links.make("Sunday link", HOUR);
  assert.match(links.urlOf(link) ?? "", new RegExp(`^https://home/#guest/${link}/[\\w-]{43}/[\\w-]{43}$`));
  const later = again();
  await later.load();
  assert.equal(later.urlOf(link), links.urlOf(link));
  assert.notEqual(await secretOf(page, link), "");
});

test("what the server refuses leaves no secret; what it may have stored stays until the list tells", async () => {
  const { links, page, server } = await anna();
  server.refuse = new RequestError("limit_reached", "There are 20 links already.");
  await assert.rejects(links.make("One too many", HOUR), /20 links/);
  assert.deepEqual((await page.ask("guest.kept", {})).links, []);
  server.refuse = new RequestError("session_lost", "lost");
  await assert.rejects(links.make("Who knows", HOUR));
  assert.equal((await page.ask("guest.kept", {})).links.length, 1);
  await links.load();
  assert.deepEqual((await page.ask("guest.kept", {})).links, []);
});

test("a genuine knock is shown once, with the link's label; a made-up one is dropped and counted", async () => {
  const { links, page, rung } = await anna();
  const link = await links.make("Sunday link", HOUR);
  const genuine = await guestOf(link, await secretOf(page, link));
  const other = await guestOf(link, genuine.proof, "Mallory");
  links.handle(other.event);
  links.handle(genuine.event);
  links.handle(genuine.event);
  links.handle({ ...genuine.event, guest: other.who.device } as Event);
  await settled(links);
  assert.deepEqual(links.knocks.map(({ label, who }) => [label, who.label, who.device]), [["Sunday link", "Gus", genuine.who.device]]);
  assert.equal(links.dropped, 2);
  assert.equal(rung(), 1);
  links.handle({ type: "guest_gone", link, guest: genuine.who.device });
  await settled(links);
  assert.deepEqual(links.knocks, []);
  assert.ok(links.brought(genuine.who.device));
});

test("not now sends the guest away; a revoked link takes its secret and its knocks along", async () => {
  const { links, page, asked } = await anna();
  const link = await links.make("Sunday link", HOUR);
  const secret = await secretOf(page, link);
  const [first, second] = [await guestOf(link, secret), await guestOf(link, secret, "Ida")];
  for (const { event } of [first, second]) links.handle(event);
  await settled(links);
  const [knock] = links.knocks;
  assert.ok(knock !== undefined);
  await links.refuse(knock);
  assert.deepEqual(asked.at(-1), { type: "refuse_guest", guest: first.who.device });
  assert.deepEqual(links.knocks.map(({ who }) => who.label), ["Ida"]);
  await links.revoke(link);
  assert.deepEqual([links.knocks, links.links, links.urlOf(link)], [[], [], undefined]);
  assert.equal(await secretOf(page, link), "");
});

test("a link that another app of the person made is listed, and its guests are that app's", async () => {
  const { links, server, rung } = await anna();
  server.links = [{ link: "ab".repeat(16), label: "Elsewhere", made_at_ms: NOW, expires_at_ms: NOW + HOUR }];
  const guest = await guestOf("ab".repeat(16), "A".repeat(43));
  links.handle(guest.event);
  await settled(links);
  assert.equal(links.links?.[0]?.label, "Elsewhere");
  assert.deepEqual([links.urlOf("ab".repeat(16)), links.knocks.length, links.dropped, rung()], [undefined, 0, 0, 0]);
  assert.ok(links.brought(guest.who.device));
});
