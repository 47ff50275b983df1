//! A device's ledger on its way to the server.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LedgerCourier } from "../../src/device/ledger.ts";
import type { E2ee } from "../../src/e2ee/page.ts";
import type { Request } from "../../src/protocol.ts";
import type { Session } from "../../src/session/client.ts";
import type { Page } from "../e2ee/desks.ts";
import { founded, paired } from "../e2ee/founded.ts";

const NONE = {};

/** A server that keeps one ledger, and a device whose worker writes it. */
async function cast() {
  const house = await founded();
  const device = await paired(house);
  const server = { entries: [] as string[], down: false, silent: false };
  const session = {
    done: (body: Request) => {
      assert.ok(body.type === "append_ledger");
      if (server.down) return Promise.reject(new Error("offline"));
      assert.equal(body.index, server.entries.length);
      server.entries.push(body.entry);
      return Promise.resolve();
    },
    request: (body: Request) => {
      if (server.silent) return Promise.reject(new Error("internal"));
      if (body.type === "get_ledger_heads") return Promise.resolve({ type: "ledger_heads", heads: [{ device: house.devices?.[0], length: server.entries.length }] });
      assert.ok(body.type === "list_ledger");
      return Promise.resolve({ type: "ledger", entries: server.entries.slice(body.from, body.from + body.limit), more: body.from + body.limit < server.entries.length });
    },
  } as unknown as Session;
  const alerts: string[] = [];
  const at = (page: Page) => {
    let wrote: () => void = () => undefined;
    const e2ee = {
      request: page.ask.bind(page),
      on: (_: string, listener: () => void) => {
        wrote = listener;
        return () => undefined;
      },
    } as unknown as E2ee;
    return { courier: new LedgerCourier(e2ee, session, (text) => alerts.push(text)), wrote: () => wrote() };
  };
  return { device, id: house.devices?.[0] ?? "", server, alerts, at };
}

async function until(what: () => boolean): Promise<void> {
  for (let turns = 0; !what(); turns++) {
    assert.ok(turns < 1_000);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

test("entries are brought in order once the server's end was compared, and again after a failure", async () => {
  const { device, id, server, alerts, at } = await cast();
  const { courier, wrote } = at(device);
  await device.ask("drop_in.switch", { off: true });
  await device.ask("drop_in.switch", { off: false });
  wrote();
  assert.equal(server.entries.length, 0);
  courier.begin(id);
  await until(() => server.entries.length === 2);
  server.down = true;
  await device.ask("drop_in.everyone_out", NONE);
  wrote();
  server.down = false;
  courier.begin(id);
  await until(() => server.entries.length === 3);
  assert.deepEqual([(await device.ask("own_ledger.next", NONE)).next, alerts], [undefined, []]);
  courier.stop();
});

test("a server that lost entries is noticed and said, and the ledger goes on from what it has", async () => {
  const { device, id, server, alerts, at } = await cast();
  const { courier, wrote } = at(device);
  await device.ask("drop_in.switch", { off: true });
  await device.ask("drop_in.everyone_out", NONE);
  courier.begin(id);
  await until(() => server.entries.length === 2);
  server.entries.pop();
  courier.begin(id);
  await until(() => alerts.length === 1);
  await device.ask("drop_in.switch", { off: false });
  wrote();
  // What it remembered, and what happened since.
  await until(() => server.entries.length === 3);
  courier.stop();
});

test("a comparison that failed is made again by itself, and entries are brought then", async (t) => {
  const { device, id, server, at } = await cast();
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { courier } = at(device);
  await device.ask("drop_in.switch", { off: true });
  server.silent = true;
  courier.begin(id);
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  for (let turns = 0; turns < 20; turns++) await turn();
  assert.equal(server.entries.length, 0);
  server.silent = false;
  t.mock.timers.tick(30_000);
  for (let turns = 0; server.entries.length === 0 && turns < 1_000; turns++) await turn();
  assert.equal(server.entries.length, 1);
  courier.stop();
});
