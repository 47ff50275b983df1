// The rules of reaching people over the real server: what is switched in the app or on a device decides what rings, and what is sent.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join as path } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { DESKTOP, fromDist, launch, PHONE } from "./browser.mjs";
import { connected } from "./company.mjs";
import { serve } from "./homeline.mjs";
import { addContact, at, call, consent, contact, fill, join, pairDevice, signUp, watch } from "./people.mjs";
import { hears, hearsSilence, spyOnConnections, toneFile } from "./sound.mjs";
import { device, member } from "./tour.mjs";

const SETTINGS = {
  HOMELINE_SIGNALING__LIMITS__SIGN_UP_PER_ADDRESS: "{burst=1000,refill_secs=1}",
  HOMELINE_SIGNALING__LIMITS__SIGN_IN_PER_ADDRESS: "{burst=1000,refill_secs=1}",
  HOMELINE_SIGNALING__LIMITS__PAIRING_PER_ADDRESS: "{burst=1000,refill_secs=1}",
  // Short enough to wait for what looks like an unanswered call, long enough for every answer here.
  HOMELINE_SIGNALING__CALLS__RING_TIMEOUT_SECS: "10",
};

let server;
let tones;
/** One browser for each tone, since a browser has one microphone file. */
let low;
let high;
let contexts = [];
let complaints = [];
let people = 0;

before(async () => {
  tones = await mkdtemp(path(tmpdir(), "homeline-tones-"));
  low = await launch({ sound: await toneFile(path(tones, "low.wav"), 1_000) });
  high = await launch({ sound: await toneFile(path(tones, "high.wav"), 1_500) });
  server = await serve(SETTINGS);
});

after(async () => {
  for (const browser of [low, high]) await browser?.close();
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

async function open(browser, viewport = DESKTOP) {
  const context = await browser.newContext({ viewport });
  contexts.push(context);
  await fromDist(context);
  await spyOnConnections(context);
  await context.addInitScript(() => {
    globalThis.spoken = [];
    SpeechSynthesis.prototype.speak = (utterance) => globalThis.spoken.push(utterance.text);
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  watch(page, complaints);
  return page;
}

/** Somebody new, signed up. */
async function someone(browser, name, viewport = DESKTOP) {
  const person = { name, handle: `${name.toLowerCase()}${++people}`, household: `${name}'s home`, page: await open(browser, viewport) };
  await signUp(person.page, server.url, person);
  return person;
}

/** Anna calls; Ben has the app on his phone and a kitchen. Each is in the other's contacts. */
async function annaAndBensHome({ shape = "speaker" } = {}) {
  const [anna, ben] = [await someone(low, "Anna"), await someone(high, "Ben", PHONE)];
  await addContact(anna.page, "Benny", ben.handle);
  await addContact(ben.page, "Mum", anna.handle);
  const kitchen = await open(high, PHONE);
  await pairDevice(ben.page, kitchen, server.url, { handle: ben.handle, label: "Kitchen", shape });
  return { anna, ben, kitchen };
}

const ended = (page, reason) => page.locator(`[data-testid="call-ended"][data-reason="${reason}"]`).waitFor();
const light = (page, shown) => page.locator(`[data-testid="light"][data-light="${shown}"]`);

async function originalSound(page) {
  await at(page, "nav-settings").click();
  await at(page, "setting-original").check();
  await at(page, "nav-contacts").click();
}

async function hangUp(page, other) {
  await at(page, "hang-up").click();
  for (const each of [page, other]) await at(each, "end-close").click();
}

for (const where of ["the app", "the device itself"]) {
  // req: CALL-13, DND-1, DND-2, DND-3, DND-7, HH-6
  test(`a device that was silenced from ${where} does not ring while the app does, and rings again when that is switched off`, async () => {
    const { anna, ben, kitchen } = await annaAndBensHome();
    const silence = async (on) => {
      if (where === "the device itself") return at(kitchen, "switch-quiet").click();
      await at(ben.page, "nav-household").click();
      await device(ben.page, "Kitchen").click();
      await at(ben.page, "quiet-device").setChecked(on);
      await at(ben.page, "dialog-close").click();
    };
    await silence(true);
    await at(kitchen, "silent").waitFor();
    await call(anna.page, ben.handle, "voice");
    await at(ben.page, "incoming-call").waitFor();
    await anna.page.locator('[data-call-state="ringing"]').waitFor();
    await at(ben.page, "answer").click();
    await connected(anna.page, ben.page);
    assert.deepEqual(await kitchen.evaluate(() => globalThis.spoken.filter((text) => /Incoming/.test(text))), []);
    await hangUp(anna.page, ben.page);
    // It is silent until somebody switches it off, over a reload too.
    await kitchen.reload();
    await at(kitchen, "silent").waitFor();
    await silence(false);
    await at(kitchen, "silent").waitFor({ state: "detached" });
    await call(anna.page, ben.handle, "voice");
    for (const page of [ben.page, kitchen]) await at(page, "incoming-call").waitFor();
    await at(kitchen, "answer").click();
    await connected(anna.page, kitchen);
  });
}

// req: DND-4, DND-7
test("everywhere means every device and app: the caller waits as for somebody who is away, and an exception gets through", async () => {
  const { anna, ben, kitchen } = await annaAndBensHome();
  await at(ben.page, "nav-settings").click();
  await at(ben.page, "go-quiet").click();
  await at(ben.page, "quiet-everywhere").check();
  await call(anna.page, ben.handle, "voice");
  await at(anna.page, "outgoing-call").waitFor();
  await ended(anna.page, "no_answer");
  for (const page of [ben.page, kitchen]) assert.equal(await at(page, "incoming-call").count(), 0);
  assert.deepEqual(await kitchen.evaluate(() => globalThis.spoken.filter((text) => /Incoming/.test(text))), []);
  await at(ben.page, "quiet-exception").check();
  await at(ben.page, "submit-quiet").click();
  await ben.page.getByText("Saved.").waitFor();
  await at(anna.page, "end-call-again").click();
  for (const page of [ben.page, kitchen]) await at(page, "incoming-call").waitFor();
  await at(ben.page, "decline").click();
  await ended(anna.page, "declined");
});

test("a time that is now keeps calls out, in the schedule's own zone", async () => {
  const { anna, ben } = await annaAndBensHome();
  await at(ben.page, "nav-settings").click();
  await at(ben.page, "go-quiet").click();
  await at(ben.page, "quiet-add").click();
  await at(ben.page, "quiet-from").fill("00:00");
  await at(ben.page, "quiet-to").fill("00:00");
  await at(ben.page, "quiet-zone").selectOption("Asia/Tokyo");
  await at(ben.page, "submit-quiet").click();
  await ben.page.getByText("Every day, 00:00 to 00:00 the next day").waitFor();
  await call(anna.page, ben.handle, "voice");
  await ended(anna.page, "no_answer");
  assert.equal(await at(ben.page, "incoming-call").count(), 0);
  await at(ben.page, "quiet-remove").click();
  await at(ben.page, "submit-quiet").click();
  await ben.page.getByText("No times.").waitFor();
  await at(anna.page, "end-call-again").click();
  await at(ben.page, "incoming-call").waitFor();
});

test("who is blocked while they call rings no more and reads what anybody reads of somebody away; let through again, they ring", async () => {
  const { anna, ben } = await annaAndBensHome();
  await call(anna.page, ben.handle, "voice");
  await at(ben.page, "block-caller").click();
  await ended(anna.page, "declined");
  await at(anna.page, "end-call-again").click();
  await ended(anna.page, "no_answer");
  const blocked = await at(anna.page, "end-reason").textContent();
  assert.equal(await at(ben.page, "incoming-call").count(), 0);
  await at(anna.page, "end-close").click();
  await addContact(anna.page, "Benny", `nobody-${people}`);
  await call(anna.page, `nobody-${people}`, "voice");
  await ended(anna.page, "no_answer");
  assert.equal(await at(anna.page, "end-reason").textContent(), blocked);
  await at(anna.page, "end-close").click();
  await at(ben.page, "nav-settings").click();
  await at(ben.page, "blocked-people").getByTestId("unblock").click();
  await at(ben.page, "blocked-people").waitFor({ state: "detached" });
  await call(anna.page, ben.handle, "voice");
  await at(ben.page, "incoming-call").waitFor();
});

// req: KID-1, KID-3
test("a child calls and is called by the family and the chosen contact, by nobody else, and not at all while calling is switched off", async () => {
  const [anna, ben, dora] = [await someone(low, "Anna"), await someone(high, "Ben"), await someone(high, "Dora")];
  await addContact(anna.page, "Ben", ben.handle);
  await addContact(anna.page, "Dora", dora.handle);
  const carl = { handle: `carl${people}`, page: await open(high, PHONE) };
  await join(anna.page, carl.page, { name: "Carl", handle: carl.handle }, "child");
  for (const friend of [ben, dora]) await addContact(friend.page, "Carl", carl.handle);
  await member(anna.page, carl.handle).click();
  await at(anna.page, "member-to-children").click();
  await at(anna.page, "child").waitFor();
  await consent(anna.page);
  await at(anna.page, "nav-household").click();
  await member(anna.page, carl.handle).click();
  await at(anna.page, "limit-contacts").locator("summary").click();
  await anna.page.locator(`[data-testid="limit-contact"][data-handle="${ben.handle}"]`).check();
  await anna.page.getByText("Contacts outside the household: 1").waitFor();
  await at(anna.page, "dialog-close").click();

  await call(carl.page, ben.handle, "voice");
  await at(ben.page, "incoming-call").waitFor();
  await at(ben.page, "decline").click();
  await at(carl.page, "end-close").click();
  await call(ben.page, carl.handle, "voice");
  await at(carl.page, "answer").click();
  await connected(ben.page, carl.page);
  await hangUp(ben.page, carl.page);

  await call(carl.page, dora.handle, "voice");
  await ended(carl.page, "failed_to_start");
  assert.match(await at(carl.page, "start-failure").textContent(), /contacts that were chosen for you/);
  await at(carl.page, "end-close").click();
  await call(dora.page, carl.handle, "voice");
  await ended(dora.page, "no_answer");
  assert.equal(await at(carl.page, "incoming-call").count(), 0);

  // While they talk: it ends for both, and to Ben it looks like any other end.
  await at(dora.page, "end-close").click();
  await call(ben.page, carl.handle, "voice");
  await at(carl.page, "answer").click();
  await connected(ben.page, carl.page);
  await member(anna.page, carl.handle).click();
  await at(anna.page, "limit-calling").uncheck();
  await at(anna.page, "dialog-close").click();
  for (const { page } of [carl, ben]) {
    await ended(page, "hung_up");
    await at(page, "end-close").click();
  }
  await call(carl.page, ben.handle, "voice");
  await ended(carl.page, "failed_to_start");
  assert.match(await at(carl.page, "start-failure").textContent(), /switched off for you/);
  await anna.page.getByRole("button", { name: "Call Carl", exact: true }).click();
  await ended(anna.page, "failed_to_start");
});

// req: DEV-5
test("a speaker whose microphone is switched off shows red and sends nothing, in a call and before it, and the other side knows", async () => {
  const { anna, ben, kitchen } = await annaAndBensHome();
  await originalSound(anna.page);
  await call(anna.page, ben.handle, "voice");
  await at(kitchen, "answer").click();
  await connected(anna.page, kitchen);
  await hears(kitchen, 1_000);
  await hears(anna.page, 1_500);
  await at(kitchen, "switch-microphone").click();
  await at(anna.page, "peer-muted").waitFor();
  await hearsSilence(anna.page);
  await kitchen.locator('[data-testid="light"][data-microphone="off"]').waitFor();
  await at(kitchen, "mute").click();
  await at(kitchen, "microphone-problem").waitFor();
  await hearsSilence(anna.page);
  await hangUp(anna.page, kitchen);
  await light(kitchen, "muted").waitFor();
  await at(ben.page, "nav-household").click();
  await at(ben.page, "device-off").getByText("Microphone switched off").waitFor();

  await call(anna.page, ben.handle, "voice");
  await at(anna.page, "peer-switched-off").waitFor();
  await at(kitchen, "answer").click();
  await connected(anna.page, kitchen);
  await at(anna.page, "peer-muted").waitFor();
  await hearsSilence(anna.page);
  await at(kitchen, "switch-microphone").click();
  await at(anna.page, "peer-muted").waitFor({ state: "detached" });
  await hears(anna.page, 1_500);
  await hangUp(anna.page, kitchen);

  await at(kitchen, "switch-microphone").click();
  await kitchen.locator(`[data-testid="contact"][data-handle="${anna.handle}"]`).getByTestId("call-contact").click();
  await at(anna.page, "peer-switched-off").getByText("Benny's microphone is switched off").waitFor();
  await at(anna.page, "answer").click();
  await connected(anna.page, kitchen);
  await at(anna.page, "peer-muted").waitFor();
});

// req: DEV-6, DEV-7
test("a display: the cover takes the picture and leaves the voice, the other switch cuts both and shows red", async () => {
  const { anna, ben, kitchen } = await annaAndBensHome({ shape: "display" });
  await originalSound(anna.page);
  await call(anna.page, ben.handle);
  await at(kitchen, "answer-video").click();
  await connected(anna.page, kitchen);
  await at(anna.page, "remote-video").waitFor();
  await at(kitchen, "switch-camera").click();
  await at(anna.page, "peer-camera-off").waitFor();
  await at(anna.page, "remote-video").waitFor({ state: "hidden" });
  await hears(anna.page, 1_500);
  await at(kitchen, "switch-microphone").click();
  await at(anna.page, "peer-muted").waitFor();
  await hearsSilence(anna.page);
  await at(kitchen, "light-bar").and(kitchen.locator('[data-microphone="off"]')).waitFor();
  await hangUp(anna.page, kitchen);
  await light(kitchen, "muted").waitFor();
});

// req: TOP-1, TOP-2, TOP-4
test("two presses on the device call the top contact that was chosen in the app, with a word, and one press hangs up", async () => {
  const { anna, ben, kitchen } = await annaAndBensHome();
  await at(ben.page, "nav-contacts").click();
  await contact(ben.page, anna.handle).getByTestId("open-card").click();
  await at(ben.page, "top-contact").check();
  await at(kitchen, "top-button").dblclick();
  assert.ok((await kitchen.evaluate(() => globalThis.spoken)).includes("Calling Mum."));
  await at(anna.page, "answer").click();
  await connected(anna.page, kitchen);
  await hears(kitchen, 1_000);
  await at(kitchen, "hang-up").click();
  await ended(anna.page, "hung_up");
});

// req: HH-3
test("home is called as one: every device rings for the household, one answers, and a room is called by itself", async () => {
  const { ben, kitchen } = await annaAndBensHome();
  const hall = await open(low, PHONE);
  await pairDevice(ben.page, hall, server.url, { handle: ben.handle, label: "Hall", shape: "speaker" });
  await at(ben.page, "call-home").click();
  for (const page of [kitchen, hall]) await at(page, "incoming-call").waitFor();
  await at(hall, "answer").click();
  await connected(ben.page, hall);
  await at(kitchen, "incoming-call").waitFor({ state: "detached" });
  await hangUp(ben.page, hall);
  await ben.page.getByRole("button", { name: "Call Kitchen" }).click();
  await at(kitchen, "answer").click();
  await connected(ben.page, kitchen);
  assert.equal(await at(hall, "incoming-call").count(), 0);
});

// req: REG-6
test("who leaves Homeline is asked for the password, hands the kitchen over, and reaches nobody and is reached by nobody", async () => {
  const { anna, ben, kitchen } = await annaAndBensHome();
  const carl = { handle: `carl${people}`, page: await open(low) };
  await join(ben.page, carl.page, { name: "Carl", handle: carl.handle }, "signs");
  await at(ben.page, "nav-settings").click();
  await at(ben.page, "leave-homeline").click();
  await at(ben.page, "field-heir").selectOption({ label: "Hand over to Carl" });
  await at(ben.page, "field-sure").check();
  await fill(ben.page, { password: "wrong horse" });
  await at(ben.page, "submit-leave-homeline").click();
  await at(ben.page, "error-leave-homeline").waitFor();
  await fill(ben.page, { password: "correct horse" });
  await at(ben.page, "submit-leave-homeline").click();
  await at(ben.page, "go-sign-in").click();
  await fill(ben.page, { handle: ben.handle, password: "correct horse" });
  await at(ben.page, "submit-sign-in").click();
  await at(ben.page, "error-sign-in").waitFor();
  await call(anna.page, ben.handle, "voice");
  await ended(anna.page, "no_answer");
  await at(anna.page, "end-close").click();
  await at(carl.page, "nav-household").click();
  await device(carl.page, "Kitchen").getByText("Carl").waitFor();
  await member(carl.page, ben.handle).waitFor({ state: "detached" });
  await addContact(anna.page, "Carl", carl.handle);
  await call(anna.page, carl.handle, "voice");
  await at(kitchen, "answer").click();
  await connected(anna.page, kitchen);
});

test("a member is removed with all that is theirs, and what they had added stays", async () => {
  const { anna, ben, kitchen } = await annaAndBensHome();
  const carl = { handle: `carl${people}`, page: await open(low) };
  await join(ben.page, carl.page, { name: "Carl", handle: carl.handle }, "signs");
  await addContact(carl.page, "Grandpa", `joe-${people}`);
  await contact(carl.page, anna.handle).waitFor();
  await at(ben.page, "nav-household").click();
  await member(ben.page, carl.handle).click();
  await ben.page.getByText("Remove from the household").click();
  await at(ben.page, "remove-member").click();
  await at(carl.page, "stopped").waitFor();
  await member(ben.page, carl.handle).waitFor({ state: "detached" });
  await at(ben.page, "nav-contacts").click();
  await ben.page.reload();
  await contact(ben.page, `joe-${people}`).getByTestId("pin-none").waitFor();
  await kitchen.locator(`[data-testid="contact"][data-handle="joe-${people}"]`).waitFor();
});
