// Who may drop in, over the real server: given, narrowed and taken back in the app, and off at one device.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join as path } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { DESKTOP, fromDist, launch, PHONE } from "./browser.mjs";
import { connected } from "./company.mjs";
import { serve } from "./homeline.mjs";
import { addContact, at, call, contact, join, pairDevice, signUp, watch } from "./people.mjs";
import { toneFile } from "./sound.mjs";
import { device } from "./tour.mjs";

const SETTINGS = {
  HOMELINE_SIGNALING__LIMITS__SIGN_UP_PER_ADDRESS: "{burst=1000,refill_secs=1}",
  HOMELINE_SIGNALING__LIMITS__SIGN_IN_PER_ADDRESS: "{burst=1000,refill_secs=1}",
  HOMELINE_SIGNALING__LIMITS__PAIRING_PER_ADDRESS: "{burst=1000,refill_secs=1}",
};

let server;
let tones;
let browser;
let contexts = [];
let complaints = [];
let people = 0;

before(async () => {
  tones = await mkdtemp(path(tmpdir(), "homeline-tones-"));
  browser = await launch({ sound: await toneFile(path(tones, "tone.wav"), 1_000) });
  server = await serve(SETTINGS);
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await rm(tones, { recursive: true, force: true });
});

afterEach(async () => {
  for (const context of contexts) await context.close();
  contexts = [];
  const said = complaints;
  complaints = [];
  assert.deepEqual(said, []);
});

async function open(viewport = DESKTOP) {
  const context = await browser.newContext({ viewport });
  contexts.push(context);
  await fromDist(context);
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  watch(page, complaints);
  return page;
}

async function someone(name, viewport = DESKTOP) {
  const person = { name, handle: `${name.toLowerCase()}${++people}`, household: `${name}'s home`, page: await open(viewport) };
  await signUp(person.page, server.url, person);
  return person;
}

async function card(page, handle) {
  await at(page, "nav-contacts").click();
  await contact(page, handle).getByTestId("open-card").click();
  await at(page, "card-drop-in").click();
}

const close = (page) => at(page, "dialog-close").click();
const says = (page, text) => page.getByTestId("drop-in-state").filter({ hasText: text }).waitFor();

/** What Anna is told when she asks whether she may drop in on Ben. */
async function asks(page) {
  await at(page, "ask-drop-in").click();
  await at(page, "may-drop-in").waitFor();
  return (await at(page, "may-drop-in").textContent()).trim();
}

async function askedUntil(page, pattern) {
  for (;;) {
    await at(page, "ask-drop-in").click();
    const words = at(page, "may-drop-in").filter({ hasText: pattern });
    if (await words.waitFor({ timeout: 1_000 }).then(() => true, () => false)) return;
  }
}

// req: DROP-1, DROP-2, DROP-6
test("a contact may drop in once an adult has said so on their card, as far as it says, until it is taken back there", async () => {
  const [anna, ben] = [await someone("Anna"), await someone("Ben", PHONE)];
  await addContact(anna.page, "Benny", ben.handle);
  await addContact(ben.page, "Mum", anna.handle);
  const kitchen = await open(PHONE);
  await pairDevice(ben.page, kitchen, server.url, { handle: ben.handle, label: "Kitchen", shape: "speaker" });
  // Nobody is let in whose key was never seen.
  await card(ben.page, anna.handle);
  await at(ben.page, "drop-in-unmet").waitFor();
  await close(ben.page);
  await call(anna.page, ben.handle, "voice");
  await at(ben.page, "answer").click();
  await connected(anna.page, ben.page);
  await at(anna.page, "hang-up").click();
  for (const { page } of [anna, ben]) await at(page, "end-close").click();

  await card(anna.page, ben.handle);
  assert.match(await asks(anna.page), /only on people and devices that have allowed it/);
  await card(ben.page, anna.handle);
  await says(ben.page, "may not drop in");
  await at(ben.page, "drop-in-open").click();
  await at(ben.page, "drop-in-picture").selectOption("yes");
  await at(ben.page, "submit-drop-in").click();
  await says(ben.page, "may drop in. On every device, always, with picture; it connects at once.");
  await askedUntil(anna.page, "Benny lets you drop in");
  // The contact alone, without their household.
  await at(ben.page, "drop-in-whom").selectOption("person");
  await at(ben.page, "submit-drop-in").click();
  await says(ben.page, "Mum may drop in.");
  await askedUntil(anna.page, "Benny lets you drop in");

  // For one minute of a day that is not today.
  const now = new Date();
  const long = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
  const otherDay = long[(now.getDay() + 3) % 7];
  await at(ben.page, "drop-in-hours").check();
  for (const day of long) await at(ben.page, `drop-in-${day}`).setChecked(day === otherDay, { force: true });
  await at(ben.page, "drop-in-hours-from").fill("10:00");
  await at(ben.page, "drop-in-hours-to").fill("10:01");
  await at(ben.page, "drop-in-opening").selectOption("knock_until_yes");
  await at(ben.page, "submit-drop-in").click();
  await says(ben.page, "10:00 to 10:01, with picture; it knocks and waits for a yes.");
  await askedUntil(anna.page, "allowed it to you");

  await at(ben.page, "drop-in-hours").uncheck();
  await at(ben.page, "submit-drop-in").click();
  await askedUntil(anna.page, "Benny lets you drop in");
  // It is the same after a reload: what counts is signed, and stored.
  await ben.page.reload();
  await card(ben.page, anna.handle);
  await says(ben.page, "may drop in.");
  await at(ben.page, "drop-in-take-back").click();
  await says(ben.page, "may not drop in");
  await askedUntil(anna.page, "allowed it to you");
});

// req: HH-6
test("the own household may once an adult has said so, every member hears of it, a device stays out, and everyone out ends it all", async () => {
  const ben = await someone("Ben");
  const cara = { name: "Cara", handle: `cara${++people}`, page: await open(PHONE) };
  await join(ben.page, cara.page, cara, "signs");
  const kitchen = await open(PHONE);
  await pairDevice(ben.page, kitchen, server.url, { handle: ben.handle, label: "Kitchen", shape: "speaker" });
  await at(ben.page, "nav-household").click();
  await says(ben.page, "Everybody of your household may not drop in.");
  await at(ben.page, "drop-in-open").click();
  await at(ben.page, "submit-drop-in").click();
  await says(ben.page, "Everybody of your household may drop in. On every device, always, sound only; it connects at once.");

  // Cara is told on whichever page she is, until she has read it.
  await at(cara.page, "drop-in-news").filter({ hasText: "Everybody of your household may drop in on your home now." }).waitFor();
  await cara.page.reload();
  await at(cara.page, "drop-in-news-read").click();
  await at(cara.page, "drop-in-news").waitFor({ state: "detached" });
  assert.equal(await at(ben.page, "drop-in-news").count(), 0);

  await device(ben.page, "Kitchen").click();
  await at(ben.page, "device-drop-in").uncheck();
  await close(ben.page);
  await at(cara.page, "nav-household").click();
  await device(cara.page, "Kitchen").click();
  await cara.page.locator('[data-testid="device-drop-in"]:not(:checked)').waitFor();
  await close(cara.page);

  // Any adult puts everyone out, whoever had let them in.
  await at(cara.page, "everyone-out").click();
  for (const { page } of [ben, cara]) await says(page, "Everybody of your household may not drop in.");
});
