//! Rust and TypeScript in one call, and each reading what the other signed.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Bytes, fromBase64Url, toBase64Url, utf8 } from "../../src/e2ee/bytes.ts";
import { type Certificate, KIND, LIFETIME_MS, RIGHTS, signCertificate } from "../../src/e2ee/identity/certificate.ts";
import { encodeChain } from "../../src/e2ee/identity/chain.ts";
import { openContactCard, PIN, signContactCard } from "../../src/e2ee/identity/contact.ts";
import { signInvitation } from "../../src/e2ee/identity/introduction.ts";
import { checkJoinProof, joinProof } from "../../src/e2ee/identity/invitation.ts";
import { generateKeyPair } from "../../src/e2ee/identity/keys.ts";
import { appCommitment, deviceCommitment, pairingDigits } from "../../src/e2ee/identity/pairing.ts";
import { MODE, openPolicy, signPolicy } from "../../src/e2ee/identity/policy.ts";
import { deriveRecovery, formatCode, recoveryCertificate } from "../../src/e2ee/identity/recovery.ts";
import { encodeRecoveryProof, openRecoveryProof } from "../../src/e2ee/identity/recovery_proof.ts";
import { Roster } from "../../src/e2ee/identity/roster.ts";
import { encodeSigned } from "../../src/e2ee/identity/signed.ts";
import { House, key, NOW } from "./home.ts";
import { HAS_CARGO, type Json, Rust, rustSeat } from "./rust.ts";
import { CALL, last, type LocalSeat, type Seat, type SeatInput, Server } from "./server.ts";

const skip = HAS_CARGO ? false : "no cargo here";
const anna = new House(10);
const ben = new House(20);
const mallory = new House(30);
const tablet = key(40);
const kitchen = key(41);
anna.add(tablet, KIND.app, RIGHTS.none);
ben.add(kitchen, KIND.device, RIGHTS.none);

let rust: Rust;
before(async () => {
  if (!HAS_CARGO) return;
  rust = new Rust();
  // Comes back once cargo has built the example.
  await rust.ask("key", { seed: new Uint8Array(32) });
});
after(() => rust?.end());

interface Cast {
  server: Server;
  local: Seat;
  remote: Seat;
}

/** Anna's phone runs here, Ben's in Rust. */
async function cast(name: string): Promise<Cast> {
  const server = new Server(NOW);
  const local = await server.seat(anna.me(), () => anna.roster, [ben.genesis.publicKey]);
  const remote = await rustSeat(rust, `${name} ben`, NOW, ben.me(), ben.entries, [anna.genesis.publicKey]);
  server.seats.set(remote.device, remote);
  return { server, local, remote };
}

/** Both codes and, by frames that cross in every direction, the same keys. */
async function agree(...seats: Seat[]): Promise<void> {
  for (const seat of seats) assert.equal(seat.code, seats[0]?.code);
  assert.match(seats[0]?.code ?? "", /^\d{5}( \d{5}){5}$/);
  for (const from of seats) {
    for (const to of seats.filter((seat) => seat !== from)) {
      const frame = await from.encrypt(utf8(`from ${from.device} to ${to.device}`));
      assert.ok(frame !== undefined);
      assert.deepEqual(await to.decrypt(from.device, frame), utf8(`from ${from.device} to ${to.device}`));
    }
  }
  for (const seat of seats) assert.equal(last(seat, "warn"), undefined);
}

for (const creator of ["local", "remote"] as const) {
  test(`${creator === "local" ? "TypeScript" : "Rust"} creates; both add, update and remove in one group`, { skip }, async () => {
    const { server, local, remote } = await cast(creator);
    const [first, second] = creator === "local" ? [local, remote] : [remote, local];
    await server.create(first);
    await server.add(first, second);
    await agree(local, remote);

    const third = await server.seat(anna.me(tablet, KIND.app, RIGHTS.none), () => anna.roster, [ben.genesis.publicKey]);
    await server.add(remote, third);
    await agree(local, remote, third);

    const me = ben.me(kitchen, KIND.device, RIGHTS.none);
    const fourth = await rustSeat(rust, `${creator} kitchen`, NOW, me, ben.entries, [anna.genesis.publicKey]);
    server.seats.set(fourth.device, fourth);
    await server.add(local, fourth);
    await agree(local, remote, third, fourth);

    for (const by of [remote, local, third, fourth]) {
      await server.step(by, { type: "update" });
      await agree(local, remote, third, fourth);
    }
    await server.tick(36_000);
    await agree(local, remote, third, fourth);

    await server.step(local, { type: "remove", device: fourth.device });
    assert.equal(last(fourth, "left")?.reason, "removed");
    await agree(local, remote, third);
    await server.step(remote, { type: "remove", device: third.device });
    assert.equal(last(third, "left")?.reason, "removed");
    await agree(local, remote);

    await server.step(second, { type: "update" });
    await agree(local, remote);
    await server.step(first, { type: "remove", device: second.device });
    assert.equal(last(first, "left")?.reason, "alone");
  });
}

for (const by of ["local", "remote"] as const) {
  test(`a call moves to another device with one commit of ${by === "local" ? "TypeScript" : "Rust"}`, { skip }, async () => {
    const { server, local, remote } = await cast(`move by ${by}`);
    await server.create(local);
    await server.add(local, remote);
    await agree(local, remote);
    const [mover, stays, old] = by === "local"
      ? [await rustSeat(rust, "move kitchen", NOW, ben.me(kitchen, KIND.device, RIGHTS.none), ben.entries, [anna.genesis.publicKey]), local, remote]
      : [await server.seat(anna.me(tablet, KIND.app, RIGHTS.none), () => anna.roster, [ben.genesis.publicKey]), remote, local];
    server.seats.set(mover.device, mover);
    const before = last(stays, "call_code")?.epoch ?? -1;
    await server.replace(stays, mover, old.device);
    await agree(stays, mover);
    assert.equal(last(stays, "call_code")?.epoch, before + 1, "one epoch change");
    assert.equal(last(old, "left")?.reason, "removed");
    await server.step(mover, { type: "update" });
    await agree(stays, mover);
    await server.tick(36_000);
    await agree(stays, mover);
    // Another household's device takes nobody's place.
    const stranger = await server.seat(mallory.me(), () => mallory.roster, []);
    await server.replace(stays, stranger, mover.device);
    assert.ok(last(stays, "refused") !== undefined);
    await agree(stays, mover);
  });

  test(`${by === "local" ? "TypeScript" : "Rust"} brings in a household that the others did not know`, { skip }, async () => {
    const { server, local, remote } = await cast(`vouch by ${by}`);
    await server.create(local);
    await server.add(local, remote);
    const third = new House(60);
    const known = [anna.genesis.publicKey, ben.genesis.publicKey];
    const here = await server.seat(third.me(), () => third.roster, known);
    if (by === "local") {
      (local as LocalSeat).expect.allow(third.genesis.publicKey);
      await server.add(local, here);
    } else {
      const expect = { type: "expect", entries: ben.entries, households: [anna.genesis.publicKey, third.genesis.publicKey] };
      await server.step(remote, expect as unknown as SeatInput);
      await server.add(remote, here);
    }
    await agree(local, remote, here);
  });
}

test("a commit of either that loses its epoch is made again after the other's", { skip }, async () => {
  const { server, local, remote } = await cast("race");
  await server.create(local);
  await server.add(local, remote);
  for (const [loser, winner] of [[local, remote], [remote, local]] as const) {
    server.echoes = false;
    await server.step(loser, { type: "update" });
    const lost = last(loser, "send_commit");
    server.echoes = true;
    await server.step(winner, { type: "update" });
    await server.step(loser, { type: "epoch_taken", epoch: lost?.epoch ?? -1 });
    await agree(local, remote);
  }
  assert.equal(last(local, "call_code")?.epoch, 5);
});

test("a reloaded page of either comes back under its own key", { skip }, async () => {
  const { server, local, remote } = await cast("reload");
  await server.create(local);
  await server.add(local, remote);
  const again = await rustSeat(rust, "reload again", NOW, ben.me(), ben.entries, [anna.genesis.publicKey]);
  server.seats.set(again.device, again);
  await server.add(local, again);
  await agree(local, again);
  const back = await server.seat(anna.me(), () => anna.roster, [ben.genesis.publicKey]);
  await server.add(again, back);
  await agree(back, again);
});

test("a full house of both languages agrees while people come and go", { skip }, async () => {
  const house = new House(100);
  const pairs = Array.from({ length: 8 }, (_, index) => key(110 + index));
  for (const pair of pairs) house.add(pair, KIND.app, RIGHTS.none);
  const { roster, entries } = house;
  const server = new Server(NOW);
  const sit = async (index: number, name: string): Promise<Seat> => {
    const me = house.me(pairs[index], KIND.app, RIGHTS.none);
    const seat = index % 2 === 0 ? await server.seat(me, () => roster, []) : await rustSeat(rust, name, NOW, me, entries, []);
    server.seats.set(seat.device, seat);
    return seat;
  };
  const seats: Seat[] = [];
  for (let index = 0; index < 8; index++) seats.push(await sit(index, `house ${index}`));
  const [first, second, , , fifth] = seats as [Seat, Seat, Seat, Seat, Seat];
  await server.create(first);
  for (const [index, seat] of seats.entries()) if (index > 0) await server.add(seats[index - 1] as Seat, seat);
  const codes = (...present: Seat[]) => assert.equal(new Set(present.map((seat) => seat.code)).size, 1);
  codes(...seats);
  for (const index of [5, 6, 3, 2]) {
    const leaving = seats[index] as Seat;
    await server.step(index % 2 === 0 ? second : first, { type: "remove", device: leaving.device });
    await server.step(fifth, { type: "update" });
    seats[index] = await sit(index, `house ${index} again`);
    await server.add(index % 2 === 0 ? second : first, seats[index] as Seat);
    codes(...seats);
  }
  await server.step(seats[7] as Seat, { type: "update" });
  codes(...seats);
  for (const seat of seats) assert.equal(last(seat, "warn"), undefined);
});

test("a genuine device of another household is refused by both", { skip }, async () => {
  const { server, local, remote } = await cast("refusal");
  await server.create(local);
  await server.add(local, remote);
  const here = await server.seat(mallory.me(), () => mallory.roster, [anna.genesis.publicKey, ben.genesis.publicKey]);
  await server.add(remote, here);
  assert.equal((last(remote, "refused") as Json | undefined)?.["reason"], "not_invited");
  const there = await rustSeat(rust, "mallory", NOW, mallory.me(), mallory.entries, [anna.genesis.publicKey]);
  await server.add(local, there);
  assert.equal(last(local, "refused")?.refused.reason, "unknown_household");
  await agree(local, remote);
});

async function sameBytes(ours: Bytes, op: string, fields: Json, name = "signed"): Promise<void> {
  assert.equal((await rust.ask(op, { now_ms: NOW, ...fields }))[name], toBase64Url(ours), op);
}

test("certificates, chains and rosters are the same bytes, and each side accepts the other's", { skip }, async () => {
  const house = new House(50);
  const subject = generateKeyPair();
  const body: Certificate = {
    genesis: house.genesis.publicKey, subject: subject.publicKey, kind: KIND.app, rights: RIGHTS.none, person: "zoë", label: "Küche 🍲",
    notBeforeMs: NOW, notAfterMs: NOW + LIFETIME_MS, rosterSeq: 2,
  };
  const signed = encodeSigned(signCertificate(body, house.app));
  const { rights: _, ...fields } = body;
  await sameBytes(signed, "certificate", { ...fields, adult: false, seed: house.app.seed });
  const chain = [signCertificate(body, house.app), ...house.chain()];
  await sameBytes(encodeChain(chain), "chain", { certificates: chain.map(encodeSigned) }, "chain");
  const { identity } = await rust.ask("verify_chain", { chain: encodeChain(chain), now_ms: NOW });
  assert.deepEqual([identity.label, identity.person, identity.household], ["Küche 🍲", "zoë", house.roster.household]);

  const change = { type: "add_device", device: subject.publicKey, kind: KIND.app, adult: false, person: "zoë", label: "Küche 🍲" };
  const own = house.roster.next(
    { kind: "add_device", device: subject.publicKey, deviceKind: KIND.app, rights: RIGHTS.none, person: "zoë", label: "Küche 🍲" }, NOW, house.app,
  );
  await sameBytes(own, "roster_append", { entries: house.entries, seed: house.app.seed, at_ms: NOW, change }, "entry");
  const theirs = await rust.ask("roster_append", {
    entries: [...house.entries, own], seed: house.recovery.seed, at_ms: NOW, change: { type: "remove_device", device: subject.publicKey },
  });
  const entries = [...house.entries, own, fromBase64Url(theirs["entry"])];
  const folded = await rust.ask("roster", { entries });
  const roster = Roster.load(entries);
  assert.deepEqual([folded["seq"], folded["head"], folded["name"]], [roster.seq, toBase64Url(roster.head), roster.name]);
});

test("recovery, joining, cards, policies and introductions are the same bytes, and each side accepts the other's", { skip }, async () => {
  const { genesis, app, entries, roster } = anna;
  const code = crypto.getRandomValues(new Uint8Array(20));
  const derived = deriveRecovery(code);
  const recovered = await rust.ask("recovery", { code: formatCode(code).toLowerCase() });
  assert.deepEqual([recovered["public"], recovered["secret"]], [derived.pair.publicKey, derived.auth].map(toBase64Url));
  const certificate = recoveryCertificate(derived.pair.publicKey, "anna", NOW, genesis);
  await rust.ask("open_certificate", { signed: encodeSigned(certificate) });
  const proof = encodeRecoveryProof(certificate, genesis.publicKey, derived.pair);
  const bound = { certificate: encodeSigned(certificate), genesis: genesis.publicKey, seed: derived.pair.seed };
  await sameBytes(proof, "recovery_proof", bound, "proof");
  const shown = { genesis: genesis.publicKey, recovery: derived.pair.publicKey };
  await rust.ask("open_recovery_proof", { ...shown, proof });
  await assert.rejects(rust.ask("open_recovery_proof", { ...shown, proof, genesis: ben.genesis.publicKey }));
  openRecoveryProof(fromBase64Url((await rust.ask("recovery_proof", bound))["proof"]), shown.genesis, shown.recovery);

  const [secret, account] = [crypto.getRandomValues(new Uint8Array(32)), "ab".repeat(16)];
  const join = { secret, appKey: app.publicKey, account };
  await sameBytes(joinProof(secret, app.publicKey, account), "join_proof", join, "proof");
  assert.ok(checkJoinProof(secret, app.publicKey, account, fromBase64Url((await rust.ask("join_proof", join))["proof"])));

  for (const pin of Object.values(PIN)) {
    const theirGenesis = pin === PIN.unverified || pin === PIN.verified ? ben.genesis.publicKey : new Uint8Array(32);
    const card = { genesis: genesis.publicKey, contactId: "cd".repeat(16), revision: 7, name: "Bén", handle: "ben", pin, theirGenesis };
    await sameBytes(signContactCard(card, app), "contact", { ...card, seed: app.seed });
    const theirs = await rust.ask("contact", { ...card, seed: app.seed });
    assert.deepEqual(openContactCard(fromBase64Url(theirs["signed"]), roster), card);
    await rust.ask("open_contact", { signed: signContactCard(card, app), entries, seen: 7 });
  }

  const rules = [{ theirGenesis: ben.genesis.publicKey, person: "", mode: MODE.auto }, { theirGenesis: genesis.publicKey, person: "a", mode: MODE.echo }];
  const policy = { genesis: genesis.publicKey, device: tablet.publicKey, revision: 3, rules };
  await sameBytes(signPolicy(policy, app), "policy", { ...policy, seed: app.seed });
  assert.deepEqual(openPolicy(fromBase64Url((await rust.ask("policy", { ...policy, seed: app.seed }))["signed"]), roster), policy);
  await rust.ask("open_policy", { signed: signPolicy(policy, app), entries, device: tablet.publicKey, seen: 3 });

  const invitation = { call: CALL, atMs: NOW, toHandle: "ben", displayName: "Anna", video: true };
  const blob = signInvitation({ ...invitation, chain: anna.chain() }, app);
  await sameBytes(blob, "invitation", { ...invitation, chain: encodeChain(anna.chain()), seed: app.seed });
  await rust.ask("open_invitation", { signed: blob, call: CALL, handles: ["ben"], now_ms: NOW });
  await assert.rejects(rust.ask("open_invitation", { signed: blob, call: CALL, handles: ["carl"], now_ms: NOW }));
});

test("a device in Rust pairs with an app here, and the other way round", { skip }, async () => {
  const nonces = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)] as const;
  const device = { deviceKey: kitchen.publicKey, nonce: nonces[0], kind: KIND.device, label: "Küche" };
  const app = { genesis: ben.genesis.publicKey, appKey: ben.app.publicKey, nonce: nonces[1] };
  const digits = pairingDigits(device, app);

  const offer = await rust.ask("pair_device", { pairing: "1", ...device });
  assert.equal(offer["commit_d"], toBase64Url(deviceCommitment(device)));
  await rust.ask("pair_device_accepted", { pairing: "1", commitA: appCommitment(app) });
  assert.equal((await rust.ask("pair_device_revealed", { pairing: "1", ...app }))["digits"], digits);
  const chain = encodeChain(ben.chain(kitchen, KIND.device, RIGHTS.none));
  await rust.ask("pair_device_finish", { pairing: "1", chain, entries: ben.entries, now_ms: NOW });

  const accept = await rust.ask("pair_app", { pairing: "2", ...app, commitD: deviceCommitment(device) });
  assert.equal(accept["commit_a"], toBase64Url(appCommitment(app)));
  await rust.ask("pair_app_revealed", { pairing: "2", ...device });
  assert.equal((await rust.ask("pair_app_enter", { pairing: "2", digits }))["label"], "Küche");
});
