//! Guests between Rust and TypeScript: each takes the other's chain, proof and link, and a guest of one in a call of the other.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fromBase64Url, toBase64Url, utf8 } from "../../src/e2ee/bytes.ts";
import type { Me } from "../../src/e2ee/call/group.ts";
import { decodeChain, encodeChain, verifyChain } from "../../src/e2ee/identity/chain.ts";
import { checkGuestProof, guestChain, guestProof } from "../../src/e2ee/identity/guest.ts";
import { signInvitation } from "../../src/e2ee/identity/introduction.ts";
import { House, key, NOW } from "./home.ts";
import { HAS_CARGO, Rust, rustSeat } from "./rust.ts";
import { CALL, last, type Seat, Server } from "./server.ts";

const skip = HAS_CARGO ? false : "no cargo here";
const anna = new House(10);
const ben = new House(20);
const gus = key(70);
const guest: Me = { pair: gus, chain: guestChain(gus, "Gus", NOW) };
const LINK = "0f".repeat(16);
const SECRET = key(7).seed;

let rust: Rust;
before(async () => {
  if (!HAS_CARGO) return;
  rust = new Rust();
  // Comes back once cargo has built the example.
  await rust.ask("key", { seed: new Uint8Array(32) });
});
after(() => rust?.end());

test("each verifies the chain that the other makes for a guest", { skip }, async () => {
  const theirs = await rust.ask("guest_chain", { seed: gus.seed, label: "Gus", now_ms: NOW });
  assert.equal(theirs["chain"], toBase64Url(encodeChain(guest.chain)));
  const { identity } = await rust.ask("verify_chain", { chain: encodeChain(guest.chain), now_ms: NOW });
  const who = verifyChain(decodeChain(fromBase64Url(theirs["chain"])), NOW);
  assert.deepEqual([identity["kind"], identity["label"], identity["device"]], [who.kind, who.label, who.device]);
});

test("each takes the other's proof of a link's secret and no other", { skip }, async () => {
  const { proof } = await rust.ask("guest_proof", { secret: SECRET, link: LINK, guest_key: gus.publicKey });
  assert.ok(checkGuestProof(SECRET, LINK, gus.publicKey, fromBase64Url(proof)));
  const chain = encodeChain(guest.chain);
  const knock = { secret: SECRET, link: LINK, chain, now_ms: NOW };
  const checked = await rust.ask("guest_check", { ...knock, proof: guestProof(SECRET, LINK, gus.publicKey) });
  assert.equal(checked["identity"]["label"], "Gus");
  await assert.rejects(rust.ask("guest_check", { ...knock, proof: guestProof(key(8).seed, LINK, gus.publicKey) }), /secret/);
  await assert.rejects(rust.ask("guest_check", { ...knock, link: "0e".repeat(16), proof: guestProof(SECRET, LINK, gus.publicKey) }), /secret/);
});

test("Rust takes no invitation of a guest's", { skip }, async () => {
  const signed = signInvitation({ call: CALL, atMs: NOW, toHandle: "anna", displayName: "Gus", video: false, chain: guest.chain }, gus);
  await assert.rejects(rust.ask("open_invitation", { signed, call: CALL, handles: ["anna"], now_ms: NOW }), /guest/);
});

/** One code, frames in every direction, and nothing to warn of. */
async function agree(...seats: Seat[]): Promise<void> {
  assert.equal(new Set(seats.map(({ code }) => code)).size, 1);
  for (const from of seats) {
    for (const to of seats.filter((seat) => seat !== from)) {
      const frame = await from.encrypt(utf8(`to ${to.device}`));
      assert.deepEqual(frame && await to.decrypt(from.device, frame), utf8(`to ${to.device}`));
    }
  }
  for (const seat of seats) assert.deepEqual([last(seat, "warn"), last(seat, "refused")], [undefined, undefined]);
}

for (const language of ["Rust", "TypeScript"] as const) {
  test(`a guest in ${language} is let into a running call of the other language, talks with all, and is taken out`, { skip }, async () => {
    const server = new Server(NOW);
    const theirs = language === "TypeScript";
    const maker = theirs
      ? await rustSeat(rust, "maker", NOW, anna.me(), anna.entries, [ben.genesis.publicKey], { guests: [gus.publicKey] })
      : await localMaker(server);
    const other = theirs
      ? await server.seat(ben.me(), () => ben.roster, [anna.genesis.publicKey])
      : await rustSeat(rust, "other", NOW, ben.me(), ben.entries, [anna.genesis.publicKey]);
    const visitor = theirs
      ? await localGuest(server)
      : await rustSeat(rust, "guest", NOW, guest, undefined, [anna.genesis.publicKey], { guest: true, whoever: [ben.genesis.publicKey] });
    for (const seat of [maker, other, visitor]) server.seats.set(seat.device, seat);
    await server.create(maker);
    await server.add(maker, other);
    await agree(maker, other);
    await server.add(maker, visitor);
    await agree(maker, other, visitor);
    await server.step(visitor, { type: "update" });
    await agree(maker, other, visitor);
    await server.step(maker, { type: "remove", device: visitor.device });
    assert.equal(last(visitor, "left")?.reason, "removed");
    await agree(maker, other);
  });
}

async function localMaker(server: Server): Promise<Seat> {
  const seat = await server.seat(anna.me(), () => anna.roster, [ben.genesis.publicKey]);
  seat.expect.allow(gus.publicKey, "guest");
  return seat;
}

async function localGuest(server: Server): Promise<Seat> {
  const seat = await server.seat(guest, () => undefined, [anna.genesis.publicKey]);
  seat.expect.allow(gus.publicKey, "guest");
  seat.expect.allow(ben.genesis.publicKey, "whoever");
  return seat;
}
