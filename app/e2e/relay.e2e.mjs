// Calls from networks that let no media of ours through: in these pages ICE may use nothing but the relay, by one transport at a time.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { DESKTOP, fromDist, launch } from "./browser.mjs";
import { connected } from "./company.mjs";
import { serve } from "./homeline.mjs";
import { addContact, at, call, signUp, watch } from "./people.mjs";
import { hears, spyOnConnections, toneFile } from "./sound.mjs";

const GENEROUS = {
  HOMELINE_SIGNALING__LIMITS__SIGN_UP_PER_ADDRESS: "{burst=1000,refill_secs=1}",
  HOMELINE_SIGNALING__LIMITS__SIGN_IN_PER_ADDRESS: "{burst=1000,refill_secs=1}",
  HOMELINE_SIGNALING__CALLS__ONE_STRANGER_AN_HOUR_MAX: "1000",
};

let server;
let home;
let low;
let high;
let contexts = [];
let complaints = [];
let people = 0;

before(async () => {
  home = await mkdtemp(join(tmpdir(), "homeline-relay-"));
  server = await serve(GENEROUS);
  low = await launch({ sound: await toneFile(join(home, "low.wav"), 1_000) });
  await trustAuthority();
  high = await launch({ sound: await toneFile(join(home, "high.wav"), 1_500), home });
});

after(async () => {
  for (const browser of [low, high]) await browser?.close();
  await server?.stop();
  await rm(home, { recursive: true, force: true });
});

afterEach(async () => {
  for (const context of contexts) await context.close();
  contexts = [];
  const said = complaints;
  complaints = [];
  assert.deepEqual(said, []);
});

/** What a family does at `/install`: the home's authority is put among those that this person's browser trusts. */
async function trustAuthority() {
  const store = join(home, ".pki", "nssdb");
  await mkdir(store, { recursive: true });
  const authority = join(server.data, "certificate", "authority.pem");
  execFileSync("certutil", ["-d", `sql:${store}`, "-N", "--empty-password"]);
  execFileSync("certutil", ["-d", `sql:${store}`, "-A", "-t", "C,,", "-n", "Homeline at home", "-i", authority]);
}

/** A page whose connections know only the relays that `scheme` and `transport` name, and use nothing else. Without them: as the app makes it. */
async function open(browser, scheme, transport) {
  const context = await browser.newContext({ viewport: DESKTOP });
  contexts.push(context);
  await fromDist(context);
  if (scheme !== undefined) {
    await context.addInitScript(([wanted, by]) => {
      const kept = ({ iceServers = [], ...rest }) => ({
        ...rest,
        iceTransportPolicy: "relay",
        iceServers: iceServers.map((entry) => ({ ...entry, urls: entry.urls.filter((url) => url.startsWith(wanted) && url.endsWith(by)) })),
      });
      const Native = RTCPeerConnection;
      globalThis.RTCPeerConnection = class extends Native {
        constructor(configuration) {
          super(kept(configuration));
        }

        setConfiguration(configuration) {
          super.setConfiguration(kept(configuration));
        }
      };
    }, [`${scheme}:`, `transport=${transport}`]);
  }
  await spyOnConnections(context);
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  watch(page, complaints);
  return page;
}

/** How the relay that carries the call is spoken to; nothing when none does. */
function path(page) {
  return page.evaluate(async () => {
    for (const connection of globalThis.connections) {
      const stats = await connection.getStats();
      for (const transport of stats.values()) {
        if (transport.type !== "transport" || transport.selectedCandidatePairId === undefined) continue;
        // The candidate itself may be peer-reflexive: media sees the relay at another address than the one that it goes by.
        return stats.get(stats.get(transport.selectedCandidatePairId).localCandidateId).relayProtocol;
      }
    }
    return undefined;
  });
}

async function talk(annaPage, benPage) {
  const [anna, ben] = ["Anna", "Ben"].map((name) => ({ name, handle: `${name.toLowerCase()}${++people}`, household: `${name}'s home` }));
  await signUp(annaPage, server.url, anna);
  await signUp(benPage, server.url, ben);
  await addContact(annaPage, "Benny", ben.handle);
  await addContact(benPage, "Mum", anna.handle);
  for (const page of [annaPage, benPage]) {
    await at(page, "nav-settings").click();
    await at(page, "setting-original").check();
    await at(page, "nav-contacts").click();
  }
  await call(annaPage, ben.handle);
  await at(benPage, "answer").click();
  await connected(annaPage, benPage);
  await hears(benPage, 1_000);
  await hears(annaPage, 1_500);
}

for (const [scheme, transport, by] of [["turn", "udp", "udp"], ["turn", "tcp", "tcp"], ["turns", "tcp", "tls"]]) {
  test(`a call of which one side has only the relay over ${by} is heard both ways`, async () => {
    const [anna, ben] = [await open(low), await open(high, scheme, transport)];
    await talk(anna, ben);
    assert.deepEqual([await path(anna), await path(ben)], [undefined, by]);
  });
}

test("both sides by the relay hear each other", async () => {
  const [anna, ben] = [await open(low, "turn", "tcp"), await open(high, "turn", "udp")];
  await talk(anna, ben);
  assert.deepEqual([await path(anna), await path(ben)], ["tcp", "udp"]);
});
