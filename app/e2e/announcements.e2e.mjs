// Announcements between real browsers over the real server: from the app to the rooms of the home, heard there, and answered.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { homeOfBen, inRoom, say, toAnnounce, write } from "./announcing.mjs";
import { played, playsTone } from "./announcements_ear.mjs";
import { DESKTOP } from "./browser.mjs";
import { addContact, at, contact, fill } from "./people.mjs";
import { Company, connected } from "./company.mjs";
import { until } from "./sound.mjs";
import { device } from "./tour.mjs";

const company = new Company();
before(() => company.start());
after(() => company.stop());
afterEach(() => company.part());

const home = () => homeOfBen(company);

// req: ANN-1, ANN-2, ANN-3
test("said in the app, it is heard in the speaker's own voice in every room at once, no microphone is opened there, and each room says so", async () => {
  const { page, kitchen, hall } = await home();
  await toAnnounce(page);
  await say(page);
  for (const room of [kitchen, hall]) await playsTone(room, 1_000);
  for (const label of ["Kitchen", "Hall"]) await inRoom(page, label, "played");
  const [there, other] = [await played(kitchen), await played(hall)];
  assert.deepEqual([there.captures, other.captures, there.begun.length, other.begun.length], [0, 0, 1, 1]);
  for (const room of [kitchen, hall]) assert.equal(await room.evaluate(() => globalThis.connections.length), 0);
  const apart = Math.abs(there.begun[0] - other.begun[0]);
  assert.ok(apart < 200, `${apart} ms apart`);
});

// req: ANN-1
test("typed, for one room or for a zone: it is shown there where the browser has no voice, and nowhere else", async () => {
  const { page, kitchen, hall } = await home();
  await toAnnounce(page, "Kitchen");
  await write(page, "Dinner's ready");
  await at(kitchen, "announcement-text").filter({ hasText: "Dinner's ready" }).waitFor();
  await inRoom(page, "Kitchen", "shown");
  assert.equal(await at(page, "announced").first().getByTestId("announced-room").count(), 1);
  await at(page, "to-household").click();
  await device(page, "Hall").click();
  await fill(page, { room: "Ground floor" });
  await at(page, "submit-device").click();
  await at(page, "dialog-close").click();
  await toAnnounce(page, "All of Ground floor");
  await write(page, "Shoes off");
  await at(hall, "announcement-text").filter({ hasText: "Shoes off" }).waitFor();
  await inRoom(page, "Hall", "shown");
  assert.equal(await at(hall, "announcement-text").count(), 1);
  assert.equal(await at(kitchen, "announcement-text").textContent(), "Dinner's ready");
});

// req: ANN-4
test("a room on do not disturb plays nothing; afterwards it offers it, and plays it if somebody wants it", async () => {
  const { page, kitchen, hall } = await home();
  await at(kitchen, "switch-quiet").click();
  await at(kitchen, "silent").waitFor();
  await toAnnounce(page);
  await say(page);
  await inRoom(page, "Hall", "played");
  await inRoom(page, "Kitchen", "quiet");
  assert.deepEqual((await played(kitchen)).begun, []);
  await at(kitchen, "switch-quiet").click();
  await at(kitchen, "announcements-offered").waitFor();
  assert.deepEqual((await played(kitchen)).begun, []);
  await at(kitchen, "offered-play").click();
  await playsTone(kitchen, 1_000);
  await inRoom(page, "Kitchen", "played");
});

// req: A-41
test("a room in a call is not interrupted: it plays what was announced when the call is over", async () => {
  const { ben, page, kitchen, hall } = await home();
  const cleo = await company.person("Cleo", 3_000, DESKTOP);
  await addContact(cleo.page, "Benny", ben.handle);
  await contact(cleo.page, ben.handle).getByTestId("call-voice").click();
  await at(kitchen, "answer").click();
  await connected(cleo.page, kitchen);
  for (const one of [page, hall]) await at(one, "answer").waitFor({ state: "detached" });
  await toAnnounce(page);
  await say(page);
  await inRoom(page, "Hall", "played");
  await inRoom(page, "Kitchen", "told");
  assert.deepEqual((await played(kitchen)).begun, []);
  await at(cleo.page, "hang-up").click();
  await playsTone(kitchen, 1_000);
  await inRoom(page, "Kitchen", "played");
});

// req: ANN-5, A-40
test("a room answers with an announcement of its own, which it does not play itself; the answer to a room goes there, and it may be dropped in on", async () => {
  const { page, kitchen, hall } = await home();
  await at(page, "drop-in-open").click();
  await at(page, "submit-drop-in").click();
  await at(page, "drop-in-take-back").waitFor();
  await toAnnounce(page, "Kitchen");
  await write(page, "Is anybody hungry?");
  await answer(kitchen);
  await playsTone(hall, 2_000);
  assert.deepEqual((await played(kitchen)).begun, []);
  await at(hall, "announcement-drop-in").waitFor();
  await answer(hall);
  await playsTone(kitchen, 1_500);
  await until("one each", async () => (await played(hall)).begun.length === 1 && (await played(kitchen)).begun.length === 1);
  await at(kitchen, "announcement-drop-in").click();
  await at(hall, "drop-in-who").filter({ hasText: "hears this room" }).waitFor();
});

// req: ANN-1, ANN-2, ANN-3, A-40
test("said at a display, it is heard in the other room in that voice and not where it was said; the rooms are shown there", async () => {
  const { page, kitchen, hall } = await home();
  await at(kitchen, "to-announce").click();
  await place(kitchen, "home").click();
  await at(kitchen, "announce-record").click();
  await kitchen.getByText(/0:(0[2-9]|[1-5]\d) of 1:00/).waitFor();
  await at(kitchen, "announce-stop").click();
  await at(kitchen, "announce-send").click();
  await playsTone(hall, 2_000);
  await inRoom(kitchen, "Hall", "played");
  assert.equal(await at(kitchen, "announced-room").count(), 1);
  const [there, here] = [await played(hall), await played(kitchen)];
  assert.deepEqual([there.captures, there.begun.length, here.captures, here.begun.length], [0, 1, 1, 0]);
  await at(kitchen, "announced-close").click();
  // The microphone's own switch: nothing opens it.
  await at(kitchen, "switch-microphone").click();
  await at(kitchen, "to-announce").click();
  await at(kitchen, "announce-microphone-off").waitFor();
  assert.equal(await at(kitchen, "announce-record").isDisabled(), true);
  assert.equal((await played(kitchen)).captures, 1);
  assert.equal(await at(page, "announced").count(), 0);
});

// req: ANN-1, ANN-4
test("typed at a display, for one device or for a zone in which it stands itself; one on do not disturb is named", async () => {
  const { page, kitchen, hall } = await home();
  for (const label of ["Hall", "Kitchen"]) {
    await at(page, "nav-household").click();
    await device(page, label).click();
    await fill(page, { room: "Ground floor" });
    await at(page, "submit-device").click();
    await at(page, "dialog-close").click();
  }
  const hallId = await page.locator('[data-testid="device"]').filter({ hasText: "Hall" }).getAttribute("data-device");
  await typeAt(kitchen, "zone:Ground floor", "Shoes off");
  await at(hall, "announcement-text").filter({ hasText: "Shoes off" }).waitFor();
  await inRoom(kitchen, "Hall", "shown");
  assert.equal(await at(kitchen, "announcement-text").count(), 0);
  await at(hall, "announcement-close").click();
  await at(hall, "switch-quiet").click();
  await at(hall, "silent").waitFor();
  await typeAt(kitchen, `device:${hallId}`, "Come down");
  await inRoom(kitchen, "Hall", "quiet");
  assert.equal(await at(hall, "announcement-text").count(), 0);
});

const place = (room, where) => room.locator(`[data-testid="announce-place"][data-place="${where}"]`);

async function typeAt(room, where, text) {
  await at(room, "to-announce").click();
  await place(room, where).click();
  await at(room, "announce-type").click();
  await at(room, "announce-text").fill(text);
  await at(room, "submit-announce").click();
  await at(room, "announced").waitFor();
}

async function answer(room) {
  await at(room, "announcement-answer").click();
  await room.getByText(/0:(0[2-9]|[1-5]\d) of 1:00/).waitFor();
  await at(room, "answer-stop").click();
  await at(room, "answer-send").click();
  await at(room, "answer").waitFor({ state: "detached" });
}
