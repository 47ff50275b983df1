// One picture in layers (VP9, L3T3_KEY) between real browsers over the real server, encrypted as every call: a receiver gets as much of it as it
// shows, by the dependency descriptor alone.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { acquainted, Company, connected } from "./company.mjs";
import { at, contact } from "./people.mjs";
import { seesFrames, until } from "./sound.mjs";

const company = new Company();
const SMALL = { width: 320, height: 240 };
const LARGE = { width: 1280, height: 800 };

before(() => company.start());
after(() => company.stop());
afterEach(() => company.part());

async function sharper(page) {
  await at(page, "nav-settings").click();
  await at(page, "setting-pictures").check();
  await at(page, "nav-contacts").click();
}

/** Of what a page sends (`outbound-rtp`) or gets (`inbound-rtp`) of pictures: the codec, layers, frames, and the time that stood still. */
function figures(page, type) {
  return page.evaluate(async (wanted) => {
    const all = [];
    for (const connection of globalThis.connections) {
      const report = await connection.getStats();
      report.forEach((entry) => {
        if (entry.type !== wanted || entry.kind !== "video") return;
        const frames = entry.framesDecoded ?? entry.framesSent ?? 0;
        all.push({ codec: report.get(entry.codecId)?.mimeType, mode: entry.scalabilityMode, width: entry.frameWidth, frames, bytes: entry.bytesReceived ?? entry.bytesSent, frozen: entry.totalFreezesDuration });
      });
    }
    return all;
  }, type);
}

function width(page) {
  return at(page, "remote-video").evaluate((video) => video.videoWidth);
}

/** Notes the longest time between two pictures from now on. */
function watchForFreezes(page) {
  return at(page, "remote-video").evaluate((video) => {
    let last = performance.now();
    globalThis.longest = 0;
    const seen = () => {
      globalThis.longest = Math.max(globalThis.longest, performance.now() - last);
      last = performance.now();
      video.requestVideoFrameCallback(seen);
    };
    video.requestVideoFrameCallback(seen);
  });
}

/** Waits until a page's picture is so wide. */
function shows(page, wanted, sender) {
  const told = async () => `a picture ${wanted} wide: ${JSON.stringify([await figures(sender, "outbound-rtp"), await figures(page, "inbound-rtp")])}`;
  return until(told, async () => (await width(page)) === wanted);
}

/** Bits a second that arrive while so many pictures are decoded. */
async function rate(page) {
  const [before, at] = [await figures(page, "inbound-rtp"), Date.now()];
  await seesFrames(page, 30);
  const [now] = await figures(page, "inbound-rtp");
  return ((now.bytes - before[0].bytes) * 8_000) / (Date.now() - at);
}

test("of a picture in layers a small window gets a small one, and a large window the large one, without a freeze", async () => {
  const anna = await company.person("Anna", 1_000);
  const ben = await company.person("Ben", 1_500, LARGE);
  await acquainted(anna, ben);
  await sharper(anna.page);
  await contact(anna.page, ben.handle).getByTestId("call-video").click();
  await at(ben.page, "answer-video").click();
  await connected(anna.page, ben.page);
  await seesFrames(ben.page);
  await shows(ben.page, 1_280, anna.page);
  const [sent] = await figures(anna.page, "outbound-rtp");
  assert.deepEqual([sent.codec, sent.mode], ["video/VP9", "L3T3_KEY"]);
  await watchForFreezes(ben.page);
  const frozen = async () => (await figures(ben.page, "inbound-rtp"))[0].frozen;
  const before = await frozen();
  for (let times = 0; times < 3; times++) {
    await ben.page.setViewportSize(SMALL);
    await shows(ben.page, 320, anna.page);
    const small = await rate(ben.page);
    await ben.page.setViewportSize(LARGE);
    await shows(ben.page, 1_280, anna.page);
    const large = await rate(ben.page);
    assert.ok(small * 2 < large, `a small picture takes few bits: ${small}, ${large}`);
  }
  const [longest, standing] = [await ben.page.evaluate(() => globalThis.longest), await frozen() - before];
  assert.ok(longest < 1_000 && standing < 1, `the longest gap was ${longest} ms, and it stood still for ${standing} s`);
});
