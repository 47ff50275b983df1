//! Whom a home device answers by itself: the signed policy alone decides, and only the newest.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBase64Url, toBase64Url } from "../../src/e2ee/bytes.ts";
import { MODE, signPolicy } from "../../src/e2ee/identity/policy.ts";
import type { E2ee } from "../../src/e2ee/page.ts";
import type { PolicyRule } from "../../src/e2ee/port.ts";
import { modeFor } from "../../src/home/policies.ts";
import { HomeStore } from "../../src/home/store.ts";
import type { AnswerPolicy, Contact, Event, Request } from "../../src/protocol.ts";
import type { Session } from "../../src/session/client.ts";
import type { Page } from "../e2ee/desks.ts";
import { type Founded, founded, paired, PERSON } from "../e2ee/founded.ts";
import { key } from "../e2ee/home.ts";

const BEN = "cc".repeat(16);

/** The household as one of its devices sees it, over a server that stores and shows whatever it is given. */
async function home() {
  const house = await founded();
  const speaker = await paired(house);
  const status = await speaker.ask("open", { slot: "device" });
  assert.ok(status.state === "ready");
  const { device, deviceKey } = status.who;
  const bens = (await founded("Ben's")).genesis;
  const { card } = await house.page.ask("contact.sign", { contactId: BEN, revision: 1, name: "Ben", handle: "ben", pin: 1, theirGenesis: bens });
  const server = { contacts: [{ id: BEN, name: "Ben", handle: "ben", card }] as Contact[], policies: [] as AnswerPolicy[] };
  const at = (page: Page) => storeOf(page, house, server);
  return { house, speaker, device, deviceKey, bens, server, at };
}

async function storeOf(page: Page, house: Founded, server: { contacts: Contact[]; policies: AnswerPolicy[] }): Promise<HomeStore> {
  const e2ee = { request: page.ask.bind(page) } as unknown as E2ee;
  const session = {
    request: () => Promise.resolve({
      type: "home", account: { id: PERSON, handle: "anna", display_name: "Anna" }, contacts: server.contacts, invitations: [], join_requests: [],
      answer_policies: server.policies, household: { id: "", name: "", members: [], devices: devices(house), roster: house.entries },
    }),
    done: (body: Request) => {
      if (body.type === "put_answer_policy") server.policies = [{ device: body.device, policy: body.policy }];
      return Promise.resolve();
    },
  } as unknown as Session;
  const store = new HomeStore(e2ee, session, () => undefined);
  await store.load();
  return store;
}

function devices(house: Founded) {
  return (house.devices ?? []).map((id) => ({ id, kind: "home_device", account: PERSON, label: "Kitchen", adult: false, presence: "online", chain: "" }));
}

const auto = (theirGenesis: string, person = ""): PolicyRule => ({ theirGenesis, person, mode: "auto" });
const put = (device: string, policy: string): Event => ({ type: "answer_policy_put", device, policy });

test("an adult names a contact: the device answers them by itself, and asks about everybody else", async () => {
  const { house, speaker, device, bens, server, at } = await home();
  const app = await at(house.page);
  await app.putPolicy(device, [auto(bens)]);
  assert.equal(server.policies.length, 1);
  const store = await at(speaker);
  const mode = (genesis: string, own = false) => store.answerMode(device, { genesis, person: "ben", own });
  assert.equal(mode(bens), "auto");
  assert.equal(mode(house.genesis, true), "ask");
  assert.equal(mode(toBase64Url(key(99).publicKey)), "ask");
  await app.putPolicy(device, [auto(house.genesis), { theirGenesis: bens, person: "", mode: "echo" }]);
  await store.apply(put(device, server.policies[0]?.policy ?? ""));
  assert.equal(mode(house.genesis, true), "auto");
  assert.equal(mode(bens), "echo");
});

test("a rule for a person outranks the one for everybody of that household", () => {
  const rules: PolicyRule[] = [auto("k"), { theirGenesis: "k", person: "carla", mode: "echo" }];
  assert.deepEqual([modeFor(rules, "k", "ben"), modeFor(rules, "k", "carla"), modeFor(rules, "x", "carla")], ["auto", "echo", "ask"]);
});

test("a policy that is not an adult's of this household, of another device, or changed on the way, counts for nothing", async () => {
  const { house, speaker, device, deviceKey, bens, at } = await home();
  const other = await founded("Other");
  const rules = [auto(bens)];
  const genuine = await house.page.ask("policy.sign", { deviceKey, revision: 1, rules });
  const changed = fromBase64Url(genuine.policy);
  changed[changed.length - 1]! ^= 1;
  const stranger = key(77);
  const claimed = {
    genesis: fromBase64Url(house.genesis), device: fromBase64Url(deviceKey), revision: 9,
    rules: [{ theirGenesis: fromBase64Url(bens), person: "", mode: MODE.auto }],
  };
  const forged: [string, string][] = [
    ["nothing signed", ""],
    ["bytes without sense", "AAAA"],
    ["changed", toBase64Url(changed)],
    ["another household's", (await other.page.ask("policy.sign", { deviceKey, revision: 9, rules })).policy],
    ["in our name by a stranger's key", toBase64Url(signPolicy(claimed, stranger))],
    ["another device's", (await house.page.ask("policy.sign", { deviceKey: house.genesis, revision: 9, rules })).policy],
  ];
  assert.equal(await speaker.fails("policy.sign", { deviceKey, revision: 9, rules }), "not_adult");
  for (const [what, policy] of forged) {
    const store = await at(speaker);
    await store.apply(put(device, policy));
    assert.equal(store.answerMode(device, { genesis: bens, person: "ben", own: false }), "ask", what);
    await store.apply(put(device, genuine.policy));
    await store.apply(put(device, policy));
    assert.equal(store.answerMode(device, { genesis: bens, person: "ben", own: false }), "auto", `${what}, after a genuine one`);
  }
});

test("an older policy never comes back, neither as news nor with everything anew", async () => {
  const { house, speaker, device, deviceKey, bens, server, at } = await home();
  const older = await house.page.ask("policy.sign", { deviceKey, revision: 4, rules: [auto(bens)] });
  const newer = await house.page.ask("policy.sign", { deviceKey, revision: 5, rules: [] });
  const store = await at(speaker);
  const mode = (of: HomeStore) => of.answerMode(device, { genesis: bens, person: "ben", own: false });
  await store.apply(put(device, older.policy));
  assert.equal(mode(store), "auto");
  await store.apply(put(device, newer.policy));
  await store.apply(put(device, older.policy));
  assert.equal(mode(store), "ask");
  server.policies = [{ device, policy: older.policy }];
  assert.equal(mode(await at(speaker)), "ask");
});

test("a contact that is deleted is answered by no device any more", async () => {
  const { house, speaker, device, bens, server, at } = await home();
  const app = await at(house.page);
  await app.putPolicy(device, [auto(bens), auto(house.genesis)]);
  const contact = app.contacts.get(BEN);
  assert.ok(contact !== undefined);
  await app.deleteContact(contact);
  assert.deepEqual(app.policies.rules(device), [auto(house.genesis)]);
  server.contacts = [];
  const store = await at(speaker);
  assert.equal(store.answerMode(device, { genesis: bens, person: "ben", own: false }), "ask");
  assert.equal(store.answerMode(device, { genesis: house.genesis, person: "ben", own: true }), "auto");
});

test("a contact whose card is gone is asked about, whatever the policy still says", async () => {
  const { house, speaker, device, deviceKey, bens, server, at } = await home();
  server.policies = [{ device, policy: (await house.page.ask("policy.sign", { deviceKey, revision: 1, rules: [auto(bens)] })).policy }];
  server.contacts = [];
  assert.equal((await at(speaker)).answerMode(device, { genesis: bens, person: "ben", own: false }), "ask");
});
