//! A drop-in between two key workers: who is judged, what is opened when, and what is left afterwards.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBase64Url, toBase64Url } from "../../src/e2ee/bytes.ts";
import { HELD_MAX } from "../../src/e2ee/identity/drop_in_held.ts";
import { LedgerReader, noEntries, UNSENT_MAX } from "../../src/e2ee/identity/ledger.ts";
import { ENDED_BY, type LedgerWhat } from "../../src/e2ee/identity/ledger_entry.ts";
import { Roster } from "../../src/e2ee/identity/roster.ts";
import type { Args, CallDelivery, DropInHere, Grant } from "../../src/e2ee/port.ts";
import { Page } from "./desks.ts";
import { type Founded, founded, paired, PERSON } from "./founded.ts";
import { key, NOW } from "./home.ts";

const CALL = "0c".repeat(16);
const MINE = "ab".repeat(16);
const HERE: DropInHere = { busy: false, quiet: false, off: false, camera: true, frostedMs: 10_000, pinned: [] };
const NONE = {};

const GRANT: Grant = {
  id: MINE, revision: 1, to: { type: "home" }, devices: [], hours: undefined, picture: true, opening: "at_once", signedAtMs: NOW, expiresAtMs: NOW + 1_000_000, revoked: false,
};

interface Cast {
  house: Founded;
  device: Page;
  statement: string;
}

async function cast(change: Partial<Grant> = {}): Promise<Cast> {
  const house = await founded();
  const device = await paired(house);
  const { statement } = await house.page.ask("grant.sign", { ...GRANT, ...change });
  return { house, device, statement };
}

/** The initiator's app asks; what the server would show the target. */
async function asks(initiator: Page, genesis: string, grant: string, call = CALL, picture = true): Promise<Args<"drop_in.asked">> {
  const { asking, keyPackage } = await initiator.ask("drop_in.asking", { call, targetGenesis: genesis, picture });
  return { call, picture, asking, keyPackage, grant, here: HERE };
}

async function reload(house: Founded, device: Page): Promise<Page> {
  const reloaded = new Page(() => NOW, device.records);
  await reloaded.ask("open", { slot: "device" });
  await reloaded.ask("roster.load", { entries: house.entries });
  return reloaded;
}

/** What the device wrote, sent and stored now. */
async function written(house: Founded, device: Page): Promise<LedgerWhat[]> {
  const { who } = (await device.ask("open", { slot: "device" })) as { who: { device: string } };
  const reader = new LedgerReader(Roster.load(house.entries.map(fromBase64Url)).genesis, who.device, noEntries());
  const all: LedgerWhat[] = [];
  for (;;) {
    const { next } = await device.ask("own_ledger.next", NONE);
    if (next === undefined) return all;
    all.push(reader.read(fromBase64Url(next.entry)).what);
    await device.ask("own_ledger.stored", { index: next.index });
  }
}

const outputs = (page: Page): string[] => page.take("drop_in").map(({ output }) => ("stage" in output ? `${output.do} ${output.stage}` : output.do));

test("the target makes the group only once it has signalled, lets that one device in, and both have the same keys", async () => {
  const { house, device, statement } = await cast();
  const asked = await device.ask("drop_in.asked", await asks(house.page, house.genesis, statement));
  assert.ok(asked.permitted && asked.who.own && !asked.knocks && asked.picture);
  assert.deepEqual(outputs(device), ["signal"]);
  // Nothing to let anybody into before that.
  assert.equal(await device.fails("drop_in.admit", { call: CALL }), "unknown_call");
  assert.equal(await device.fails("call.update", { call: CALL }), "unknown_call");
  await device.ask("drop_in.input", { call: CALL, input: "signalled" });
  assert.deepEqual(outputs(device), ["open frosted"]);
  await device.ask("drop_in.admit", { call: CALL });
  const [commit] = device.take("send");
  assert.ok(commit?.type === "send_commit" && commit.welcome !== null);
  const both: CallDelivery = { type: "group_commit", call: CALL, epoch: commit.epoch, commit: commit.commit };
  await device.ask("call.deliver", both);
  await house.page.ask("call.deliver", { type: "group_welcome", call: CALL, welcome: commit.welcome.welcome });
  const [mine, theirs] = [device.take("call_code").at(-1)?.code, house.page.take("call_code").at(-1)?.code];
  assert.ok(mine !== undefined && mine === theirs);
  // After the end it has no keys of it any more, and opens no second time for the same asking.
  await device.ask("drop_in.input", { call: CALL, input: "end" });
  assert.deepEqual(outputs(device), ["close"]);
  assert.equal(await device.fails("call.update", { call: CALL }), "unknown_call");
  await device.ask("drop_in.input", { call: CALL, input: "signalled" });
  assert.deepEqual(outputs(device), []);
});

test("an asking counts once, also after a reload, and nobody else's key package comes in by it", async () => {
  const { house, device, statement } = await cast();
  const args = await asks(house.page, house.genesis, statement);
  const other = await asks(house.page, house.genesis, statement, "0d".repeat(16));
  const refused = { permitted: false, refusal: "initiator", who: undefined };
  assert.deepEqual(await device.ask("drop_in.asked", { ...args, keyPackage: other.keyPackage }), refused);
  assert.deepEqual(await device.ask("drop_in.asked", { ...args, call: other.call }), refused);
  assert.deepEqual(await device.ask("drop_in.asked", { ...args, picture: false }), refused);
  assert.ok((await device.ask("drop_in.asked", args)).permitted);
  const reloaded = new Page(() => NOW, device.records);
  await reloaded.ask("open", { slot: "device" });
  await reloaded.ask("roster.load", { entries: house.entries });
  assert.deepEqual(await reloaded.ask("drop_in.asked", args), refused);
});

test("what the device is, and what an adult has not granted, refuses by its name; nothing is opened", async () => {
  const { house, device, statement } = await cast({ opening: "knock_until_yes" });
  let nth = 0;
  const refusal = async (change: Partial<DropInHere> = {}, grant = statement, initiator = house.page, genesis = house.genesis): Promise<string> => {
    const args = await asks(initiator, genesis, grant, `${(nth++).toString(16).padStart(2, "0")}`.repeat(16));
    const answer = await device.ask("drop_in.asked", { ...args, here: { ...HERE, ...change } });
    return answer.permitted ? "permitted" : answer.refusal;
  };
  assert.equal(await refusal({ off: true }), "off");
  assert.equal(await refusal({ busy: true }), "busy");
  assert.equal(await refusal({ quiet: true }), "quiet");
  const stranger = await founded("Strangers");
  assert.equal(await refusal({}, statement, stranger.page), "no_grant");
  assert.equal(await refusal({}, statement, house.page, stranger.genesis), "initiator");
  assert.equal(await refusal({}, (await stranger.page.ask("grant.sign", GRANT)).statement, stranger.page), "other_household");
  assert.equal(await refusal({}, "AAAA"), "forged");
  await device.ask("drop_in.switch", { off: true });
  assert.equal(await refusal(), "off");
  const reloaded = new Page(() => NOW, device.records);
  await reloaded.ask("open", { slot: "device" });
  assert.deepEqual(await reloaded.ask("drop_in.status", NONE), { off: true });
  await device.ask("drop_in.switch", { off: false });
  await device.ask("drop_in.everyone_out", NONE);
  assert.equal(await refusal(), "ended_here");
  assert.deepEqual(outputs(device), []);
});

test("it ends by itself when its grant is revoked, narrowed or gone, when it is switched off, and when everyone is put out", async () => {
  const later = async (page: Page, change: Partial<Grant>): Promise<string> => (await page.ask("grant.sign", { ...GRANT, revision: 2, ...change })).statement;
  const ends: ((cast: Cast) => Promise<unknown>)[] = [
    async ({ house, device }) => device.ask("drop_in.take", { statements: [await later(house.page, { revoked: true })] }),
    async ({ house, device }) => device.ask("drop_in.take", { statements: [await later(house.page, { picture: false })] }),
    ({ device }) => device.ask("drop_in.forget", { grant: MINE }),
    ({ device }) => device.ask("drop_in.switch", { off: true }),
    ({ device }) => device.ask("drop_in.everyone_out", NONE),
  ];
  for (const end of ends) {
    const scene = await cast();
    await scene.device.ask("drop_in.asked", await asks(scene.house.page, scene.house.genesis, scene.statement));
    await scene.device.ask("drop_in.input", { call: CALL, input: "signalled" });
    await scene.device.ask("drop_in.take", { statements: [scene.statement] });
    assert.deepEqual(outputs(scene.device), ["signal", "open frosted"]);
    await end(scene);
    assert.deepEqual(outputs(scene.device), ["close"]);
    assert.equal(await scene.device.fails("call.update", { call: CALL }), "unknown_call");
  }
});

test("what can't be stored lets nobody in, and ends all the same", async () => {
  const { house, device, statement } = await cast();
  const full = { on: false };
  const update = device.records.update.bind(device.records);
  device.records.update = (name, change) => (full.on ? Promise.reject(new Error("the disk is full")) : update(name, change));
  assert.ok((await device.ask("drop_in.asked", await asks(house.page, house.genesis, statement))).permitted);
  full.on = true;
  await device.ask("drop_in.input", { call: CALL, input: "signalled" });
  assert.deepEqual(outputs(device), ["signal", "refuse", "close"]);
  assert.equal(await device.fails("call.update", { call: CALL }), "unknown_call");
  full.on = false;
  const again = "0d".repeat(16);
  assert.ok((await device.ask("drop_in.asked", await asks(house.page, house.genesis, statement, again))).permitted);
  await device.ask("drop_in.input", { call: again, input: "signalled" });
  assert.deepEqual(outputs(device), ["signal", "open frosted"]);
  full.on = true;
  await device.ask("drop_in.input", { call: again, input: "end" });
  assert.deepEqual(outputs(device), ["close"]);
  assert.equal(await device.fails("call.update", { call: again }), "unknown_call");
  // Everyone out counts at once, and says that it could not be stored.
  full.on = false;
  const third = "0e".repeat(16);
  assert.ok((await device.ask("drop_in.asked", await asks(house.page, house.genesis, statement, third))).permitted);
  await device.ask("drop_in.input", { call: third, input: "signalled" });
  full.on = true;
  assert.notEqual(await device.fails("drop_in.everyone_out", NONE), "done");
  assert.equal(outputs(device).at(-1), "close");
});

test("what happened stands in the device's ledger, in order, signed, and until it is stored also after a reload", async () => {
  const { house, device, statement } = await cast();
  const stranger = await founded("Strangers");
  await device.ask("drop_in.asked", await asks(stranger.page, house.genesis, statement, "0f".repeat(16)));
  await device.ask("drop_in.asked", await asks(house.page, house.genesis, statement));
  await device.ask("drop_in.input", { call: CALL, input: "signalled" });
  await device.ask("drop_in.input", { call: CALL, input: "end" });
  await device.ask("drop_in.everyone_out", NONE);
  assert.ok(device.take("ledger_wrote").length > 0);
  const reloaded = await reload(house, device);
  const kinds = (await written(house, reloaded)).map((what) => (what.kind === "refused" ? `refused ${what.refusal}` : what.kind));
  assert.deepEqual(kinds, ["grant_taken", "refused no_grant", "opened", "ended", "put_out"]);
  assert.deepEqual(await reloaded.ask("own_ledger.meet", { length: kinds.length - 1, last: undefined }), { same: false });
});

test("a page that was torn out of a drop-in says in the ledger that the connection ended it", async () => {
  const { house, device, statement } = await cast();
  await device.ask("drop_in.asked", await asks(house.page, house.genesis, statement));
  await device.ask("drop_in.input", { call: CALL, input: "signalled" });
  const entries = async (page: Page): Promise<string[]> => {
    const told: string[] = [];
    for (let next; (next = (await page.ask("own_ledger.next", NONE)).next) !== undefined; await page.ask("own_ledger.stored", { index: next.index })) {
      const { what } = reader.read(fromBase64Url(next.entry));
      told.push(what.kind === "ended" ? `ended ${what.by} ${what.lastedMs}` : what.kind);
    }
    return told;
  };
  const { who } = (await device.ask("open", { slot: "device" })) as { who: { device: string } };
  const reader = new LedgerReader(Roster.load(house.entries.map(fromBase64Url)).genesis, who.device, noEntries());
  assert.deepEqual(await entries(device), ["grant_taken", "opened"]);
  const after = async (): Promise<Page> => {
    const page = new Page(() => NOW + 5_000, device.records);
    await page.ask("open", { slot: "device" });
    await page.ask("roster.load", { entries: house.entries });
    return page;
  };
  assert.deepEqual(await entries(await after()), [`ended ${ENDED_BY.connection} 5000`]);
  // Once.
  assert.deepEqual(await entries(await after()), []);
});

test("a picture that is not granted is left out, and a contact is let in only as long as their key is pinned", async () => {
  const friends = await founded("Friends");
  const contact = "ee".repeat(16);
  const { device, statement, house } = await cast({ to: { type: "household", contact, theirGenesis: friends.genesis, people: [PERSON] }, picture: false });
  const args = await asks(friends.page, house.genesis, statement);
  const pinned = [{ contact, theirGenesis: friends.genesis }];
  const answer = await device.ask("drop_in.asked", { ...args, here: { ...HERE, pinned } });
  assert.ok(answer.permitted && !answer.picture && !answer.who.own);
  await device.ask("drop_in.input", { call: CALL, input: "signalled" });
  assert.deepEqual(outputs(device), ["signal", "open clear"]);
  await device.ask("drop_in.pinned", { pinned: [{ contact, theirGenesis: toBase64Url(key(99).publicKey) }], off: false });
  assert.deepEqual(outputs(device), ["close"]);
  const said = (await written(house, device)).map((what) => (what.kind === "refused" ? what.refusal : what.kind));
  assert.deepEqual(said, ["grant_taken", "sound_only", "opened", "ended"]);
});

test("a refusal names who asked, to the page and in the ledger, also where drop-in is switched off", async () => {
  const { house, device, statement } = await cast();
  const asked = async (call: string, here: DropInHere): Promise<unknown> => {
    const answer = await device.ask("drop_in.asked", { ...await asks(house.page, house.genesis, statement, call), here });
    return answer.permitted || [answer.refusal, answer.who?.person, answer.who?.label];
  };
  const named = ["off", PERSON, "Anna's phone"];
  assert.deepEqual(await asked(CALL, { ...HERE, off: true }), named);
  await device.ask("drop_in.switch", { off: true });
  assert.deepEqual(await asked("0d".repeat(16), HERE), named);
  assert.deepEqual(outputs(device), []);
  const [refused] = (await written(house, device)).filter(({ kind }) => kind === "refused");
  assert.ok(refused?.kind === "refused" && refused.refusal === "off");
  assert.deepEqual([toBase64Url(refused.who.genesis), refused.who.person, refused.who.label], [house.genesis, PERSON, "Anna's phone"]);
});

test("switched off in the household while somebody is there, it ends, and the ledger says that they were put out", async () => {
  const { house, device, statement } = await cast();
  await device.ask("drop_in.asked", await asks(house.page, house.genesis, statement));
  await device.ask("drop_in.input", { call: CALL, input: "signalled" });
  await device.ask("drop_in.pinned", { pinned: [], off: false });
  assert.deepEqual(outputs(device), ["signal", "open frosted"]);
  await device.ask("drop_in.pinned", { pinned: [], off: true });
  assert.deepEqual(device.take("drop_in").map(({ output }) => output), [{ do: "close", by: "put_out" }]);
  assert.equal(await device.fails("call.update", { call: CALL }), "unknown_call");
  const ended = (await written(house, device)).at(-1);
  assert.ok(ended?.kind === "ended" && ended.by === ENDED_BY.everyonePutOut);
});

// req: DROP-18
test("a grant for which the device has no room lets nobody in, genuine as it is; those that it holds still do", async () => {
  const { house, device, statement } = await cast();
  const others: string[] = [];
  for (let nth = 1; nth <= HELD_MAX; nth++) {
    others.push((await house.page.ask("grant.sign", { ...GRANT, id: nth.toString(16).padStart(32, "0") })).statement);
  }
  const one = others.pop() as string;
  assert.deepEqual(await device.ask("drop_in.take", { statements: [statement, ...others] }), { refused: 0 });
  const answer = await device.ask("drop_in.asked", await asks(house.page, house.genesis, one));
  assert.ok(!answer.permitted && answer.refusal === "no_grant");
  assert.deepEqual(outputs(device), []);
  assert.ok((await device.ask("drop_in.asked", await asks(house.page, house.genesis, statement, "0d".repeat(16)))).permitted);
});

// req: DROP-18
test("with no room in the ledger for its beginning and its end nothing opens, until the server has taken what waits", async () => {
  const { house, device, statement } = await cast();
  await device.ask("drop_in.take", { statements: [statement] });
  // So many that were never sent.
  for (const kept of device.records.map.values()) {
    const { ledger } = kept as { ledger?: { unsent: string[] } };
    if (ledger !== undefined) ledger.unsent = Array.from({ length: UNSENT_MAX - 1 }, () => ledger.unsent[0] as string);
  }
  const reloaded = await reload(house, device);
  const answer = await reloaded.ask("drop_in.asked", await asks(house.page, house.genesis, statement));
  assert.ok(!answer.permitted && answer.refusal === "unavailable");
  await reloaded.ask("drop_in.input", { call: CALL, input: "signalled" });
  assert.deepEqual(outputs(reloaded), []);
  const { next } = await reloaded.ask("own_ledger.next", NONE);
  await reloaded.ask("own_ledger.stored", { index: next!.index });
  assert.ok((await reloaded.ask("drop_in.asked", await asks(house.page, house.genesis, statement, "0d".repeat(16)))).permitted);
});

test("whoever drops in takes a welcome of no household but the one that was meant, not even of their own", async () => {
  const [house, meant] = [await founded(), await founded("Friends")];
  const own = await paired(house);
  await house.page.ask("drop_in.asking", { call: CALL, targetGenesis: meant.genesis, picture: false });
  const { keyPackage, ringing } = await house.page.ask("call.ringing", { call: CALL });
  await own.ask("call.create", { call: CALL, expect: { genesis: [] } });
  await own.ask("call.add", { call: CALL, keyPackage, ringing });
  const [commit] = own.take("send");
  assert.ok(commit?.type === "send_commit" && commit.welcome !== null);
  await house.page.ask("call.deliver", { type: "group_welcome", call: CALL, welcome: commit.welcome.welcome });
  assert.equal(house.page.take("refused_member").length, 1);
  assert.equal(house.page.take("call_code").length, 0);
});
