//! The epoch machine with real MLS groups: join, update, remove, races, refusals and everything that must be loud.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Group, makeKeyPackage } from "../../src/e2ee/call/group.ts";
import { Expect } from "../../src/e2ee/call/expect.ts";
import { KIND, RIGHTS } from "../../src/e2ee/identity/certificate.ts";
import { equalBytes } from "../../src/e2ee/bytes.ts";
import { House, key, NOW } from "./home.ts";
import { CALL, last, type LocalSeat, type Seat, Server, types } from "./server.ts";

const anna = new House(10);
const ben = new House(20);
const mallory = new House(30);
const kitchen = key(40);
anna.add(kitchen, KIND.device, RIGHTS.none);

interface Call {
  server: Server;
  a: LocalSeat;
  b: LocalSeat;
}

async function call(): Promise<Call> {
  const server = new Server(NOW);
  const a = await server.seat(anna.me(), () => anna.roster, [ben.genesis.publicKey]);
  const b = await server.seat(ben.me(), () => ben.roster, [anna.genesis.publicKey]);
  await server.create(a);
  await server.add(a, b);
  return { server, a, b };
}

async function withKitchen(): Promise<Call & { c: LocalSeat }> {
  const running = await call();
  const me = anna.me(kitchen, KIND.device, RIGHTS.none);
  const c = await running.server.seat(me, () => anna.roster, [ben.genesis.publicKey]);
  await running.server.add(running.a, c);
  return { ...running, c };
}

/** The same epoch, the same code, the same frame key for everybody. */
function agree(...seats: Seat[]): void {
  const [first, ...others] = seats.map((seat) => ({
    code: last(seat, "call_code"), receive: last(seat, "install_receive_key")?.key, send: last(seat, "switch_send_key"),
  }));
  assert.ok(first?.receive && first.send && first.code);
  assert.match(first.code.code, /^\d{5}( \d{5}){5}$/);
  for (const other of others) {
    assert.deepEqual(other.code, first.code);
    assert.deepEqual(other.receive, first.receive);
    assert.equal(other.send?.epoch, first.send.epoch);
    assert.ok(other.send && equalBytes(other.send.baseKey, first.send.baseKey));
    assert.notEqual(other.send.leaf, first.send.leaf);
  }
}

test("two members agree on code and keys at once: a lone creator's first commit needs no preparation", async () => {
  const { a, b } = await call();
  agree(a, b);
  assert.deepEqual(a.crypto.state, { type: "active", epoch: 1 });
  assert.ok(!types(a).includes("send_ready"));
  assert.equal(last(a, "member_joined")?.member.identity.household, ben.roster.household);
  assert.equal(last(b, "member_joined")?.member.identity.household, anna.roster.household);
});

test("a third member joins in two phases, and old receive keys go after ten seconds", async () => {
  const { server, a, b, c } = await withKitchen();
  agree(a, b, c);
  assert.deepEqual(types(b).slice(-4), ["install_receive_key", "call_code", "send_ready", "switch_send_key"]);
  await server.tick(9_750);
  assert.equal(last(b, "drop_receive_key"), undefined);
  await server.tick(500);
  assert.equal(last(b, "drop_receive_key")?.epoch, 1);
});

test("without an execute the sending key is switched two seconds after the commit", async () => {
  const { server, a, b } = await call();
  server.executes = false;
  await server.step(a, { type: "update" });
  assert.equal(a.crypto.state.type, "preparing");
  assert.equal(last(a, "switch_send_key")?.epoch, 1);
  await server.tick(2_000);
  agree(a, b);
  assert.equal(last(a, "switch_send_key")?.epoch, 2);
});

test("a commit that arrives while one is prepared completes the earlier one first", async () => {
  const { server, a, b } = await call();
  server.executes = false;
  await server.step(a, { type: "update" });
  await server.step(b, { type: "update" });
  await server.tick(2_000);
  await server.tick(2_000);
  agree(a, b);
  assert.equal(last(a, "switch_send_key")?.epoch, 3);
});

test("the loser of an epoch applies the winner and tries again", async () => {
  const { server, a, b, c } = await withKitchen();
  server.echoes = false;
  await server.step(a, { type: "update" });
  const lost = last(a, "send_commit");
  server.echoes = true;
  await server.step(b, { type: "update" });
  agree(a, b, c);
  await server.step(a, { type: "epoch_taken", epoch: lost?.epoch ?? -1 });
  assert.equal(last(a, "switch_send_key")?.epoch, 4);
  agree(a, b, c);
});

test("a removed member learns it, and the others rotate the epoch", async () => {
  const { server, a, b, c } = await withKitchen();
  await server.step(a, { type: "remove", device: c.device });
  assert.deepEqual(c.log.slice(-2).map((output) => output.type), ["stop_sending", "left"]);
  assert.equal(last(b, "member_left")?.member.identity.device, c.device);
  agree(a, b);
  assert.equal(last(b, "install_receive_key")?.key.members.size, 2);
});

test("the last member alone leaves", async () => {
  const { server, a, b } = await call();
  await server.step(a, { type: "remove", device: b.device });
  assert.deepEqual(last(a, "left"), { type: "left", reason: "alone" });
  assert.deepEqual(a.crypto.state, { type: "idle" });
});

test("a reloaded page comes back as a new leaf under the same key", async () => {
  const { server, a } = await call();
  const again = await server.seat(ben.me(), () => ben.roster, [anna.genesis.publicKey]);
  await server.add(a, again);
  agree(a, again);
  assert.equal(last(a, "left"), undefined);
  assert.equal(a.crypto.members.length, 2);
  await server.add(a, again);
  assert.equal(a.crypto.members.length, 2, "a key package is used once");
});

test("a withheld removal stops sending and warns, and sending goes on once it is echoed", async () => {
  const { server, a, c } = await withKitchen();
  server.echoes = false;
  await server.step(a, { type: "remove", device: c.device });
  await server.tick(1_750);
  assert.equal(last(a, "stop_sending"), undefined);
  await server.tick(250);
  assert.deepEqual(last(a, "stop_sending"), { type: "stop_sending", reason: "remove_withheld" });
  assert.deepEqual(last(a, "warn"), { type: "warn", reason: "remove_withheld" });
  const sent = last(a, "send_commit");
  assert.ok(sent);
  await server.step(a, { type: "commit", epoch: sent.epoch, commit: sent.commit });
  await server.tick(2_000);
  assert.equal(last(a, "switch_send_key")?.epoch, sent.epoch + 1);
});

test("authenticators are compared every ten seconds; silence of a connected member warns, once", async () => {
  const { server, a, b } = await call();
  await server.tick(60_000);
  assert.equal(a.log.filter((output) => output.type === "send_message").length, 6);
  assert.equal(last(a, "warn"), undefined);
  server.inside.delete(b.device);
  await server.tick(34_000);
  assert.equal(last(a, "warn"), undefined);
  await server.tick(30_000);
  assert.deepEqual(a.log.filter((output) => output.type === "warn"), [{ type: "warn", reason: "fork" }]);
});

test("silence of a member without a connection is no alarm", async () => {
  const { server, a, b } = await call();
  await server.step(a, { type: "connection", device: b.device, connected: false });
  server.inside.delete(b.device);
  await server.tick(60_000);
  assert.equal(last(a, "warn"), undefined);
});

test("a machine that was asleep takes nobody's silence for an alarm", async () => {
  const { server, a, b } = await call();
  await server.tick(250);
  server.inside.delete(b.device);
  server.now += 600_000;
  await server.tick(30_000);
  assert.equal(last(a, "warn"), undefined);
  await server.tick(10_000);
  assert.deepEqual(last(a, "warn"), { type: "warn", reason: "fork" });
});

test("a genuine device of another household is refused by the one who would add it", async () => {
  const server = new Server(NOW);
  const a = await server.seat(anna.me(), () => anna.roster, [ben.genesis.publicKey]);
  const m = await server.seat(mallory.me(), () => mallory.roster, [anna.genesis.publicKey]);
  await server.create(a);
  await server.add(a, m);
  const refused = last(a, "refused")?.refused;
  assert.equal(refused?.reason, "unknown_household");
  assert.equal(refused?.identity?.household, mallory.roster.household);
  assert.equal(last(a, "send_commit"), undefined);
});

test("a member whom nobody here expects makes the commit invalid, loudly, and sending stops", async () => {
  const server = new Server(NOW);
  const meddler = await server.seat(anna.me(), () => anna.roster, [ben.genesis.publicKey, mallory.genesis.publicKey]);
  const b = await server.seat(ben.me(), () => ben.roster, [anna.genesis.publicKey]);
  const m = await server.seat(mallory.me(), () => mallory.roster, [anna.genesis.publicKey, ben.genesis.publicKey]);
  await server.create(meddler);
  await server.add(meddler, b);
  // Without a member's word nobody comes in, whatever the server does.
  server.relays = false;
  await server.add(meddler, m);
  assert.equal(last(b, "refused")?.refused.reason, "unknown_household");
  assert.deepEqual(last(b, "stop_sending"), { type: "stop_sending", reason: "invalid_commit" });
  assert.deepEqual(last(b, "warn"), { type: "warn", reason: "invalid_commit" });
  assert.equal(meddler.crypto.state.type, "preparing");
});

test("a welcome into a group with somebody unexpected is refused", async () => {
  const server = new Server(NOW);
  const m = await server.seat(mallory.me(), () => mallory.roster, [ben.genesis.publicKey]);
  const b = await server.seat(ben.me(), () => ben.roster, [anna.genesis.publicKey]);
  await server.create(m);
  await server.add(m, b);
  assert.equal(last(b, "refused")?.refused.reason, "unknown_household");
  assert.deepEqual(last(b, "warn"), { type: "warn", reason: "invalid_welcome" });
  assert.deepEqual(b.crypto.state, { type: "idle" });
  assert.equal(last(b, "switch_send_key"), undefined);
});

test("a device removed from the roster, and a forged or expired chain, are refused", async () => {
  const house = new House(50);
  const lost = key(60);
  house.add(lost, KIND.app, RIGHTS.none);
  const expect = new Expect(() => house.roster);
  const group = await Group.create(CALL, house.me(), expect, NOW);
  const inspect = async (me: Parameters<typeof makeKeyPackage>[0], now = NOW) => {
    const made = await makeKeyPackage(me, NOW);
    try {
      group.inspect(made.encoded, now);
      return "accepted";
    } catch (error) {
      return (error as { refused?: { reason: string } }).refused?.reason;
    }
  };
  const me = house.me(lost, KIND.app, RIGHTS.none);
  assert.equal(await inspect(me), "accepted");
  assert.equal(await inspect({ ...me, pair: key(61) }), "wrong_key");
  assert.equal(await inspect({ ...me, chain: me.chain.slice(0, 1) }), "bad_credential");
  assert.equal(await inspect(me, NOW + 31 * 24 * 3_600_000), "bad_credential");
  house.remove(lost);
  assert.equal(await inspect(me), "not_in_roster");
});

test("garbage from the network changes nothing and throws nothing but what is caught", async () => {
  const { server, a, b } = await call();
  for (const junk of [new Uint8Array(0), new Uint8Array(64).fill(255), Uint8Array.of(0, 1, 0, 2, 16)]) {
    await server.step(a, { type: "message", message: junk });
    await server.step(a, { type: "commit", epoch: 0, commit: junk });
    await server.step(a, { type: "add", keyPackage: junk, deviceKey: junk, statement: junk });
  }
  await server.step(a, { type: "update" });
  agree(a, b);
});

test("somebody still joins when a member below others has not updated yet (RFC 9420 section 12.4.3.1)", async () => {
  const house = new House(70);
  const pairs = Array.from({ length: 9 }, (_, index) => key(80 + index));
  for (const pair of pairs) house.add(pair, KIND.app, RIGHTS.none);
  const roster = house.roster;
  const server = new Server(NOW);
  const seats = await Promise.all(pairs.map((pair) => server.seat(house.me(pair, KIND.app, RIGHTS.none), () => roster, [])));
  const [first, , , , fifth, , seventh, , ninth] = seats as [LocalSeat, LocalSeat, LocalSeat, LocalSeat, LocalSeat, LocalSeat, LocalSeat, LocalSeat, LocalSeat];
  await server.create(first);
  for (const seat of seats.slice(1, 8)) await server.add(first, seat);
  await server.step(first, { type: "remove", device: seventh.device });
  await server.step(fifth, { type: "update" });
  await seventh.freshKeyPackage(NOW);
  await server.add(first, seventh);
  await server.step(first, { type: "update" });
  await server.add(first, ninth);
  agree(...seats);
  assert.equal(ninth.crypto.members.length, 9);
});
