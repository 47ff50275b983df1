// A home device in Rust and browsers in one call, over the real server: two builds of the same protocol, encryption, sound and picture understand each other.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { DESKTOP, fromDist, launch, PHONE } from "./browser.mjs";
import { connected } from "./company.mjs";
import { newFolder, pair, run, SPEAKS } from "./device.mjs";
import { serve } from "./homeline.mjs";
import { addContact, at, call, pairDevice, signUp, watch } from "./people.mjs";
import { hears, seesFrames, spyOnConnections, toneFile } from "./sound.mjs";

const DEVICE_TONE = 1_000;
const BROWSER_TONE = 1_500;

let server;
let tones;
/** Anna's browser, and Ben's, which has a tone for a microphone. */
let plain;
let humming;
let contexts = [];
let complaints = [];
let folder;
let device;
let homes = 0;

before(async () => {
  tones = await mkdtemp(join(tmpdir(), "homeline-tones-"));
  plain = await launch();
  humming = await launch({ sound: await toneFile(join(tones, "tone.wav"), BROWSER_TONE) });
  server = await serve();
});

after(async () => {
  for (const browser of [plain, humming]) await browser?.close();
  await server?.stop();
  await rm(tones, { recursive: true, force: true });
});

beforeEach(async () => {
  folder = await newFolder();
});

afterEach(async () => {
  await device?.stop();
  device = undefined;
  await folder.remove();
  for (const context of contexts) await context.close();
  contexts = [];
  const said = complaints;
  complaints = [];
  assert.deepEqual(said, []);
});

async function open(browser, viewport) {
  const context = await browser.newContext({ viewport });
  contexts.push(context);
  await fromDist(context);
  await spyOnConnections(context);
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  watch(page, complaints);
  return page;
}

/** Anna with a device in the kitchen, Ben with a phone, and each in the other's contacts. */
async function annasKitchenAndBen({ picture } = {}) {
  homes += 1;
  const [anna, ben] = ["Anna", "Ben"].map((name) => ({ name, handle: `${name.toLowerCase()}${homes}`, household: `${name}'s home` }));
  const [annaPage, benPage] = [await open(plain, DESKTOP), await open(humming, PHONE)];
  await signUp(annaPage, server.url, anna);
  await signUp(benPage, server.url, ben);
  await addContact(annaPage, "Benny", ben.handle);
  await addContact(benPage, "Mum", anna.handle);
  // Without it the browser takes a steady tone for noise.
  await at(benPage, "nav-settings").click();
  await at(benPage, "setting-original").check();
  await at(benPage, "nav-contacts").click();
  assert.equal(await pair(annaPage, folder, server.url, { handle: anna.handle, label: "Kitchen" }), anna.household);
  device = await run(folder, { tone: DEVICE_TONE, listenFor: BROWSER_TONE, picture });
  return { anna: { ...anna, page: annaPage }, ben: { ...ben, page: benPage } };
}

/** Both hear the other's tone, and both show the same code. */
async function understandEachOther(page) {
  const secured = await device.event("secured");
  assert.equal(secured.with, "Benny");
  assert.match(secured.code, /^\d{5}( \d{5}){5}$/);
  await connected(page);
  await at(page, "encryption-state").click();
  assert.equal(await at(page, "call-code").getAttribute("data-code"), secured.code);
  await at(page, "code-close").click();
  await hears(page, DEVICE_TONE);
  assert.equal((await device.event("tone_heard")).hertz, BROWSER_TONE);
}

/** Two seconds at ten pictures a second, grey that changes: a Y4M file. */
async function greyFile(path, width, height) {
  const picture = (number) => Buffer.concat([
    Buffer.from("FRAME\n"),
    Buffer.alloc(width * height, 40 + 8 * number),
    Buffer.alloc(2 * (width / 2) * (height / 2), 128),
  ]);
  const pictures = Array.from({ length: 20 }, (_, number) => picture(number));
  await writeFile(path, Buffer.concat([Buffer.from(`YUV4MPEG2 W${width} H${height} F10:1\n`), ...pictures]));
  return path;
}

/** The size of the picture that the page shows, once it shows one. */
function shownSize(page) {
  return at(page, "remote-video").evaluate((video) => new Promise((resolve) => {
    const look = () => (video.videoWidth > 2 ? resolve([video.videoWidth, video.videoHeight]) : requestAnimationFrame(look));
    look();
  }));
}

/** The device decodes more and more of the browser's pictures. */
async function deviceSees() {
  const first = await device.event("picture_seen");
  assert.ok(first.width > 0 && first.height > 0, JSON.stringify(first));
  const later = await device.event("picture_seen");
  assert.ok(later.frames > first.frames, `${first.frames}, then ${later.frames}`);
}

async function endsWith(page, reason) {
  assert.equal(await at(page, "call-ended").getAttribute("data-reason"), reason);
}

// req: REG-8, CALL-2, CALL-3, CALL-5, CALL-12, DEV-1, DEV-3, ENC-1
test("a browser calls: the device rings with the app, speaks the name, answers, both hear each other, and the browser ends it", async () => {
  const { anna, ben } = await annasKitchenAndBen();
  await call(ben.page, anna.handle, "voice");
  const ringing = await device.event("ringing");
  assert.deepEqual([ringing.from, ringing.video], ["Benny", false]);
  assert.equal((await device.event("light")).light, "pulsing_green");
  assert.equal(await at(anna.page, "caller-name").textContent(), "Benny");
  if (SPEAKS) assert.equal((await device.event("spoken")).text, "Incoming call from Benny");
  await device.say("answer");
  await device.event("answered");
  await at(anna.page, "incoming-call").waitFor({ state: "detached" });
  await understandEachOther(ben.page);
  await at(ben.page, "hang-up").click();
  await endsWith(ben.page, "hung_up");
  assert.equal((await device.event("ended")).reason, "hung_up");
  assert.equal((await device.event("light")).light, "off");
  // Green from the answer to the end, and nothing else in between.
  assert.deepEqual(device.lights(), ["pulsing_green", "green", "off"]);
  await at(anna.page, "nav-history").click();
  await anna.page.locator('[data-testid="past-call"][data-reason="hung_up"][data-direction="incoming"]').waitFor();
});

// req: CALL-1, CALL-6, DEV-3, ENC-1
test("the device calls a contact by name: the browser answers, both hear each other, and the device ends it", async () => {
  const { ben } = await annasKitchenAndBen();
  await device.say("call benny");
  await device.event("calling");
  assert.equal(await at(ben.page, "caller-name").textContent(), "Mum");
  await device.event("rings_there");
  await at(ben.page, "answer").click();
  await device.event("answered");
  await understandEachOther(ben.page);
  await device.say("hang up");
  assert.equal((await device.event("ended")).reason, "hung_up");
  await endsWith(ben.page, "hung_up");
  assert.equal((await device.event("light")).light, "off");
  assert.deepEqual(device.lights(), ["green", "off"]);
});

// req: CALL-10, CALL-11, ENC-1
test("a browser makes a video call: both see each other, and video off at the device takes its picture away and leaves the voice", async () => {
  const { anna, ben } = await annasKitchenAndBen({ picture: "pattern" });
  await call(ben.page, anna.handle);
  assert.equal((await device.event("ringing")).video, true);
  await device.say("answer");
  await understandEachOther(ben.page);
  await deviceSees();
  await at(ben.page, "remote-video").waitFor();
  await seesFrames(ben.page, 30);
  assert.deepEqual(await shownSize(ben.page), [320, 240]);
  await device.say("video off");
  await at(ben.page, "remote-video").waitFor({ state: "hidden" });
  await hears(ben.page, DEVICE_TONE);
  await device.say("video on");
  await at(ben.page, "remote-video").waitFor();
  await seesFrames(ben.page);
  await at(ben.page, "hang-up").click();
  assert.equal((await device.event("ended")).reason, "hung_up");
});

// req: CALL-1, CALL-10
test("the device makes a video call with a file: the browser answers with video, and both see each other", async () => {
  const { ben } = await annasKitchenAndBen({ picture: await greyFile(join(tones, "grey.y4m"), 160, 96) });
  await device.say("call benny");
  await at(ben.page, "answer-video").click();
  await device.event("answered");
  await understandEachOther(ben.page);
  await deviceSees();
  await at(ben.page, "remote-video").waitFor();
  await seesFrames(ben.page);
  assert.deepEqual(await shownSize(ben.page), [160, 96]);
  await device.say("hang up");
  await endsWith(ben.page, "hung_up");
});

// req: ANN-1, ANN-2, ANN-3
test("spoken live in the app it is heard at the device and at a browser's beside it, ends at the one alone that stops it, and the other way round", async () => {
  homes += 1;
  const dora = { name: "Dora", handle: `dora${homes}`, household: "Dora's home" };
  const [app, hall] = [await open(humming, PHONE), await open(plain, DESKTOP)];
  await signUp(app, server.url, dora);
  await at(app, "nav-settings").click();
  await at(app, "setting-original").check();
  await pair(app, folder, server.url, { handle: dora.handle, label: "Kitchen" });
  await pairDevice(app, hall, server.url, { handle: dora.handle, label: "Hall", shape: "speaker" });
  device = await run(folder, { tone: DEVICE_TONE, listenFor: BROWSER_TONE });
  await at(app, "to-announce").click();
  await at(app, "announce-live").click();
  await device.event("live");
  await hears(hall, BROWSER_TONE);
  assert.equal((await device.event("tone_heard")).hertz, BROWSER_TONE);
  for (const label of ["Kitchen", "Hall"]) await inRoom(app, label, "hears");
  await device.say("hang up");
  await inRoom(app, "Kitchen", "left");
  await hears(hall, BROWSER_TONE);
  await at(app, "live-stop").click();
  await at(hall, "live").waitFor({ state: "detached" });
  await device.say("announce live");
  await at(hall, "announcement-from").filter({ hasText: "Kitchen announces" }).waitFor();
  await hears(hall, DEVICE_TONE);
  await at(hall, "announcement-stop").click();
  await at(hall, "live").waitFor({ state: "detached" });
});

function inRoom(page, label, state) {
  return page.locator(`[data-testid="announced-room"][data-state="${state}"]`).filter({ hasText: label }).first().waitFor();
}
