// A call in a network that lets no UDP through: Chromium opens TCP connections to the media node, and both hear each other.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launch, PHONE } from "./browser.mjs";
import { connected } from "./company.mjs";
import { serve } from "./homeline.mjs";
import { pages } from "./pages.mjs";
import { addContact, at, call, signUp } from "./people.mjs";
import { hears, seesFrames, spyOnConnections, toneFile } from "./sound.mjs";

let server;
let tones;
let low;
let high;
const { open } = pages({ prepareEach: spyOnConnections });

before(async () => {
  tones = await mkdtemp(join(tmpdir(), "homeline-tones-"));
  low = await launch({ sound: await toneFile(join(tones, "low.wav"), 1_000) });
  high = await launch({ sound: await toneFile(join(tones, "high.wav"), 1_500) });
  server = await serve();
});

after(async () => {
  for (const browser of [low, high]) await browser?.close();
  await server?.stop();
  await rm(tones, { recursive: true, force: true });
});

/** As behind a firewall that drops UDP: the page never learns where the server could be reached by it. */
function withoutUdp(context) {
  return context.addInitScript(() => {
    const set = RTCPeerConnection.prototype.setRemoteDescription;
    RTCPeerConnection.prototype.setRemoteDescription = function (description) {
      const lines = description.sdp.split("\r\n").filter((line) => !/^a=candidate:\S+ \d+ udp /i.test(line));
      return set.call(this, { type: description.type, sdp: lines.join("\r\n") });
    };
  });
}

/** What carries the page's media, by the browser's own word. */
function protocols(page) {
  return page.evaluate(async () => {
    const found = new Set();
    for (const connection of globalThis.connections) {
      const stats = await connection.getStats();
      stats.forEach((entry) => {
        const pair = entry.type === "transport" ? stats.get(entry.selectedCandidatePairId) : undefined;
        if (pair !== undefined) found.add(stats.get(pair.localCandidateId).protocol);
      });
    }
    return [...found];
  });
}

async function originalSound(page) {
  await at(page, "nav-settings").click();
  await at(page, "setting-original").check();
  await at(page, "nav-contacts").click();
}

test("whoever has no UDP calls over TCP, hears and sees, and is heard and seen by somebody who has it", async () => {
  const anna = { name: "Anna", handle: "anna", household: "Anna's home" };
  const ben = { name: "Ben", handle: "ben", household: "Ben's home" };
  const annaPage = await open(low, undefined, withoutUdp);
  const benPage = await open(high, PHONE);
  await signUp(annaPage, server.url, anna);
  await signUp(benPage, server.url, ben);
  await addContact(annaPage, "Benny", ben.handle);
  await addContact(benPage, "Mum", anna.handle);
  for (const page of [annaPage, benPage]) await originalSound(page);
  await call(annaPage, ben.handle);
  await at(benPage, "answer-video").click();
  await connected(annaPage, benPage);
  await hears(benPage, 1_000);
  await hears(annaPage, 1_500);
  for (const page of [annaPage, benPage]) await seesFrames(page);
  assert.deepEqual(await protocols(annaPage), ["tcp"]);
  assert.deepEqual(await protocols(benPage), ["udp"]);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  assert.match(metrics, /homeline_media_tcp_connections [1-9]/);
  await at(annaPage, "hang-up").click();
  await at(benPage, "call-ended").waitFor();
});
