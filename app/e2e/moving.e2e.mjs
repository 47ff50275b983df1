// A call that goes on in another room: moved from the app to a home device in a browser, taken over from there, and left where it was.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { DESKTOP, PHONE } from "./browser.mjs";
import { acquainted, Company, connected, endsWith, hearsAll, sameCode, talking } from "./company.mjs";
import { newFolder, pair, run } from "./device.mjs";
import { addContact, at, contact, pairDevice } from "./people.mjs";

/** The other side hears the new room within this, from its answer on, on a busy machine too: a change of keys, and a connection that stands already. */
const FEW_SECONDS_MS = 15_000;

const company = new Company();
before(() => company.start());
after(() => company.stop());
afterEach(() => company.part());

/** Anna's friend Ben talks with her; her kitchen is a home device. */
async function homes(shape = "display") {
  const anna = await company.person("Anna", 1_000, PHONE);
  const ben = await company.person("Ben", 1_500);
  const kitchen = await company.open(2_000, DESKTOP);
  await acquainted(anna, ben);
  await pairDevice(anna.page, kitchen, company.url, { handle: anna.handle, label: "Kitchen", shape });
  await at(anna.page, "nav-contacts").click();
  await talking(anna, ben);
  return { anna, ben, kitchen };
}

async function moveTo(page, label) {
  await at(page, "call-more").click();
  await at(page, "open-move").click();
  await page.locator(`[data-testid="move-to"][data-label="${label}"]`).click();
}

test("a call moves from the app to the kitchen: it goes on with sound there, and the app says where", async () => {
  const { anna, ben, kitchen } = await homes();
  await hearsAll(ben.page, 1_000);
  await moveTo(anna.page, "Kitchen");
  await at(anna.page, "moving").waitFor();
  await at(kitchen, "incoming-call").waitFor();
  assert.match(await at(kitchen, "call-kind").textContent(), /would go on here/);
  assert.equal(await at(kitchen, "caller-name").textContent(), "Ben of Anna");
  await hearsAll(ben.page, 1_000);
  await at(kitchen, "answer").click();
  const from = Date.now();
  await endsWith(anna.page, "moved");
  assert.equal(await at(anna.page, "end-reason").textContent(), "The call goes on at Kitchen");
  await hearsAll(ben.page, 2_000);
  await hearsAll(kitchen, 1_500);
  assert.ok(Date.now() - from < FEW_SECONDS_MS, `${Date.now() - from} ms`);
  await sameCode(ben.page, kitchen);
  assert.equal(await at(ben.page, "call-ended").count(), 0, "nobody had to dial again");

  // The one who moved it takes it back, with one press at the app.
  await at(anna.page, "end-close").click();
  await at(anna.page, "take-over").click();
  await endsWith(kitchen, "moved");
  await connected(anna.page);
  await hearsAll(ben.page, 1_000);
  await hearsAll(anna.page, 1_500);
  await sameCode(anna.page, ben.page);
  await at(anna.page, "hang-up").click();
  await endsWith(ben.page, "hung_up");
});

test("the device program in the hall takes the call from the app, and the app fetches it back", async () => {
  const folder = await newFolder();
  const { anna, ben } = await homes("speaker");
  await at(anna.page, "hang-up").click();
  for (const { page } of [anna, ben]) await at(page, "end-close").click();
  await pair(anna.page, folder, company.url, { handle: anna.handle, label: "Hall" });
  const hall = await run(folder, { tone: 2_500, listenFor: 1_500 });
  try {
    await at(anna.page, "nav-contacts").click();
    await talking(anna, ben);
    await moveTo(anna.page, "Hall");
    const rings = await hall.event("ringing");
    assert.deepEqual([rings.from, rings.moves], ["Ben of Anna", true]);
    await hall.say("press");
    await endsWith(anna.page, "moved");
    assert.equal(await at(anna.page, "end-reason").textContent(), "The call goes on at Hall");
    await hall.event("tone_heard");
    await hearsAll(ben.page, 2_500);
    await at(anna.page, "end-close").click();
    await at(anna.page, "take-over").click();
    assert.equal((await hall.event("ended")).reason, "moved");
    await connected(anna.page);
    await hearsAll(ben.page, 1_000);
    await sameCode(anna.page, ben.page);
    // And once more by whoever stands in the hall.
    await hall.say("take over");
    await endsWith(anna.page, "moved");
    await hearsAll(ben.page, 2_500);
    await hall.say("press");
    await endsWith(ben.page, "hung_up");
  } finally {
    await hall.stop();
    await folder.remove();
  }
});

test("the kitchen does not want it: the call stays, and says so", async () => {
  const { anna, ben, kitchen } = await homes("speaker");
  await moveTo(anna.page, "Kitchen");
  await at(kitchen, "decline").click();
  await anna.page.locator('[data-testid="not-moved"][data-reason="declined"]').waitFor();
  assert.match(await at(anna.page, "not-moved").textContent(), /Kitchen did not take the call/);
  await hearsAll(ben.page, 1_000);
  await at(anna.page, "hang-up").click();
});

test("a speaker in the room takes the call over by itself being touched, with the keyboard", async () => {
  const { anna, ben, kitchen } = await homes("speaker");
  await at(kitchen, "take-over").focus();
  await kitchen.keyboard.press("Enter");
  await connected(kitchen);
  await endsWith(anna.page, "moved");
  assert.equal(await at(anna.page, "end-reason").textContent(), "The call goes on at Kitchen");
  await hearsAll(ben.page, 2_000);
  await hearsAll(kitchen, 1_500);
  await at(ben.page, "hang-up").click();
  await endsWith(kitchen, "hung_up");
});

test("a device that is in another call does not take a second one, and nobody else is offered a call of Anna's", async () => {
  const { anna, ben, kitchen } = await homes("speaker");
  const cleo = await company.person("Cleo", 2_500);
  await addContact(cleo.page, "Anna", anna.handle);
  await at(kitchen, "call-elsewhere").waitFor();
  await cleo.page.evaluate(() => dispatchEvent(new Event("focus")));
  await contact(cleo.page, anna.handle).getByTestId("call-voice").click();
  await at(anna.page, "call-waiting").waitFor();
  await at(kitchen, "answer").click();
  await connected(kitchen, cleo.page);
  assert.equal(await at(cleo.page, "call-elsewhere").count(), 0);
  await at(anna.page, "call-waiting").waitFor({ state: "detached" });
  await moveTo(anna.page, "Kitchen");
  await anna.page.locator('[data-testid="not-moved"][data-reason="refused"]').waitFor();
  assert.match(await at(anna.page, "not-moved").textContent(), /That device is in another call/);
  await hearsAll(ben.page, 1_000);
  await hearsAll(cleo.page, 2_000);
  await at(anna.page, "hang-up").click();
  await at(kitchen, "hang-up").click();
});
