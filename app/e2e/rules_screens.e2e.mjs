// The pages for the rules of reaching people, driven as a person drives them, over a stand-in for the server.
// What the rules do is decided by the real server: rules.e2e.mjs.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { DESKTOP, launch, PHONE } from "./browser.mjs";
import { listen, pages } from "./pages.mjs";
import { addContact, at, call, contact, fill, join, pairDevice, signUp } from "./people.mjs";
import { until } from "./sound.mjs";
import { StandIn } from "./stand_in.mjs";
import { device, member } from "./tour.mjs";

const ANNA = { name: "Anna Miller", handle: "anna", household: "The Millers" };
const BEN = { name: "Ben Ode", handle: "ben", household: "Elm Street 5" };

let browser;
let server;

before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** What is said aloud, and what is captured. */
async function observe(context) {
  await listen(context);
  await context.addInitScript(() => {
    globalThis.captured = [];
    const ask = MediaDevices.prototype.getUserMedia;
    MediaDevices.prototype.getUserMedia = async function (constraints) {
      const stream = await ask.call(this, constraints);
      globalThis.captured.push(...stream.getTracks());
      return stream;
    };
  });
}

const { open: openIn } = pages({ timeout: 15_000, settings: { timezoneId: "Europe/Berlin" }, prepareEach: observe });
const open = (viewport = DESKTOP, prepare = undefined) => openIn(browser, viewport, prepare);

async function story(work) {
  server = await new StandIn().start();
  await work();
}

afterEach(() => server?.stop());

const account = (handle) => [...server.accounts.values()].find((candidate) => candidate.handle === handle);
const household = () => [...server.households.values()][0];
/** Waits until the server has it: a page shows what was pressed before that is stored. */
const stored = (read, wanted) => until(() => `stored is ${JSON.stringify(read())}`, () => isDeepStrictEqual(read(), wanted));
/** Of what was captured so far: the tracks that still run. */
const live = (page, kind) => page.evaluate((wanted) => globalThis.captured.filter((track) => track.kind === wanted && track.readyState === "live").length, kind);
const light = (page, shown) => page.locator(`[data-testid="light"][data-light="${shown}"]`);

/** Goes on by Tab until the element has the focus. */
async function tabTo(page, element) {
  for (let steps = 0; steps < 80; steps++) {
    if (await element.evaluate((found) => found === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail("Tab never came there");
}

for (const [size, viewport] of [["phone", PHONE], ["desktop", DESKTOP]]) {
  test(`by keyboard alone: everything silent, a night with an exception, and back (${size})`, () => story(async () => {
    const page = await open(viewport);
    await signUp(page, server.url, ANNA);
    await addContact(page, "Ben", "ben");
    await at(page, "nav-settings").focus();
    await page.keyboard.press("Enter");
    await tabTo(page, at(page, "go-quiet"));
    await page.keyboard.press("Enter");
    await tabTo(page, at(page, "quiet-everywhere"));
    await page.keyboard.press("Space");
    await page.waitForFunction(() => document.querySelector('[data-testid="quiet-everywhere"]').checked);
    await stored(() => account("anna").settings.do_not_disturb.everywhere, true);
    await tabTo(page, at(page, "quiet-add"));
    await page.keyboard.press("Enter");
    await tabTo(page, at(page, "day-monday"));
    await page.keyboard.press("Space");
    await tabTo(page, at(page, "quiet-exception"));
    await page.keyboard.press("Space");
    await tabTo(page, at(page, "submit-quiet"));
    await page.keyboard.press("Enter");
    await page.getByText("Tue to Sun, 22:00 to 07:00 the next day").waitFor();
    const [ben] = household().contacts;
    await stored(() => account("anna").settings.do_not_disturb, {
      everywhere: true, exceptions: [ben.id],
      schedule: { time_zone: "Europe/Berlin", windows: [{ days: ["tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"], from_minute: 1_320, to_minute: 420 }] },
    });
    await page.reload();
    await at(page, "quiet-line").waitFor();
    assert.ok(await at(page, "quiet-exception").isChecked() && !(await at(page, "day-monday").isChecked()));
    await at(page, "quiet-remove").click();
    await at(page, "submit-quiet").click();
    await page.getByText("No times.").waitFor();
    await at(page, "nav-contacts").click();
    await at(page, "quiet-off").focus();
    await page.keyboard.press("Enter");
    await at(page, "quiet-banner").waitFor({ state: "detached" });
    await stored(() => account("anna").settings.do_not_disturb.everywhere, false);
  }));
}

test("a time without a day is refused beside the button, and several times are kept", () => story(async () => {
  const page = await open(PHONE);
  await signUp(page, server.url, ANNA);
  await page.goto(`${server.url}/#/quiet`);
  for (let lines = 0; lines < 2; lines++) await at(page, "quiet-add").click();
  for (const day of ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]) await at(page, `day-${day}`).first().uncheck();
  await at(page, "submit-quiet").click();
  assert.match(await at(page, "error-quiet").textContent(), /at least one day/);
  await at(page, "day-sunday").first().check();
  await at(page, "quiet-from").first().fill("13:00");
  await at(page, "quiet-to").first().fill("15:00");
  await at(page, "quiet-zone").selectOption("Asia/Tokyo");
  await at(page, "submit-quiet").click();
  await page.getByText("Sun, 13:00 to 15:00; Every day, 22:00 to 07:00 the next day").waitFor();
  await stored(() => account("anna").settings.do_not_disturb.schedule.time_zone, "Asia/Tokyo");
}));

test("a device's sheet: its name, room and person, and whether it may ring, on both sides", () => story(async () => {
  const [app, kitchen] = [await open(PHONE), await open()];
  await signUp(app, server.url, ANNA);
  await pairDevice(app, kitchen, server.url, { handle: "anna", label: "Kitchen", shape: "speaker" });
  await device(app, "Kitchen").click();
  assert.equal(await at(app, "device-person").textContent(), "Anna Miller");
  await app.getByText("Microphone, speaker", { exact: true }).waitFor();
  await fill(app, { label: "Big kitchen", room: "Ground floor" });
  await at(app, "submit-device").click();
  await device(app, "Ground floor").waitFor();
  await kitchen.getByText("Big kitchen").waitFor();
  await at(app, "quiet-device").check();
  await at(kitchen, "silent").waitFor();
  await at(app, "dialog-close").click();
  await at(app, "device-silent").waitFor();
  await at(kitchen, "switch-quiet").click();
  await at(app, "device-silent").waitFor({ state: "detached" });
  await at(kitchen, "switch-microphone").click();
  await light(kitchen, "muted").waitFor();
  await at(app, "device-off").getByText("Microphone switched off").waitFor();
  await kitchen.reload();
  await light(kitchen, "muted").waitFor();
}));

test("roles and a child's limits, as the adult sets them and as the child reads them", () => story(async () => {
  const [anna, carl] = [await open(), await open(PHONE)];
  await signUp(anna, server.url, ANNA);
  await addContact(anna, "Ben", "ben");
  await join(anna, carl, { name: "Carl Miller", handle: "carl" }, "child");
  await member(anna, "carl").click();
  assert.equal(await at(anna, "member-role").textContent(), "Child");
  await at(anna, "limit-calling").uncheck();
  await at(anna, "limit-contacts").locator("summary").click();
  await at(anna, "limit-contact").check();
  await anna.getByText("Contacts outside the household: 1").waitFor();
  const [ben] = household().contacts;
  await stored(() => household().children[0].limits, { calling: false, messaging: true, drop_in: false, contacts: [ben.id] });
  await at(carl, "nav-household").click();
  await member(carl, "carl").click();
  await at(carl, "limit-contacts").getByText("Ben").waitFor();
  assert.ok(await at(carl, "limit-calling").isDisabled());
  assert.equal(await at(carl, "field-role").count(), 0);
  await at(anna, "field-role").selectOption("adult");
  await at(anna, "submit-role").click();
  await at(anna, "limits").waitFor({ state: "detached" });
  await at(carl, "limits").waitFor({ state: "detached" });
}));

test("whom a removed member had added can be called as before, and the member is out", () => story(async () => {
  const [anna, carl] = [await open(), await open(PHONE)];
  await signUp(anna, server.url, ANNA);
  await join(anna, carl, { name: "Carl Miller", handle: "carl" }, "signs");
  await addContact(carl, "Grandpa", "joe-1938");
  await at(anna, "nav-contacts").click();
  await contact(anna, "joe-1938").waitFor();
  const before = household().contacts[0].card;
  await at(anna, "nav-household").click();
  await member(anna, "carl").click();
  await anna.getByText("Remove from the household").click();
  await at(anna, "remove-member").click();
  await member(anna, "carl").waitFor({ state: "detached" });
  await at(carl, "stopped").waitFor();
  await stored(() => household().roster.length, 4);
  await at(anna, "nav-contacts").click();
  await anna.reload();
  await contact(anna, "joe-1938").getByTestId("pin-none").waitFor();
  await until("signed anew", () => household().contacts[0].card !== before);
}));

test("a member whose app may not sign asks to leave, and an adult lets them go", () => story(async () => {
  const [anna, carl] = [await open(), await open(PHONE)];
  await signUp(anna, server.url, ANNA);
  await join(anna, carl, { name: "Carl Miller", handle: "carl" }, "adult");
  await at(carl, "nav-settings").click();
  await at(carl, "leave-household").click();
  await at(carl, "leave-household-confirm").click();
  await at(anna, "leave-request").getByText("would like to leave").waitFor();
  await at(anna, "sign-leave").click();
  await at(carl, "stopped").waitFor();
  await at(anna, "leave-request").waitFor({ state: "detached" });
  await stored(() => household().members.map(({ handle }) => handle), ["anna"]);
}));

test("leaving Homeline: the password is asked, the device is handed over, and the door stands open", () => story(async () => {
  const [anna, carl, kitchen] = [await open(), await open(PHONE), await open()];
  await signUp(anna, server.url, ANNA);
  await join(anna, carl, { name: "Carl Miller", handle: "carl" }, "signs");
  await pairDevice(anna, kitchen, server.url, { handle: "anna", label: "Kitchen", shape: "speaker" });
  await at(anna, "nav-settings").click();
  await at(anna, "leave-homeline").click();
  await at(anna, "field-heir").selectOption({ label: "Hand over to Carl Miller" });
  await fill(anna, { password: "wrong horse" });
  await at(anna, "field-sure").check();
  await at(anna, "submit-leave-homeline").click();
  assert.match(await at(anna, "error-leave-homeline").textContent(), /not your password/);
  await fill(anna, { password: "correct horse" });
  await at(anna, "submit-leave-homeline").click();
  await at(anna, "go-sign-up").waitFor();
  await stored(() => account("anna"), undefined);
  await at(carl, "nav-household").click();
  await device(carl, "Kitchen").getByText("Carl Miller").waitFor();
  await member(carl, "anna").waitFor({ state: "detached" });
  await anna.reload();
  await at(anna, "go-sign-up").waitFor();
}));

test("people are blocked from their card, a past call and while they call, and let through again in the settings", () => story(async () => {
  const [anna, ben] = [await open(PHONE), await open()];
  await signUp(anna, server.url, ANNA);
  await signUp(ben, server.url, BEN);
  await addContact(ben, "Anna", "anna");
  await addContact(anna, "Maria", "maria");
  await call(ben, "anna", "voice");
  await at(anna, "block-caller").click();
  assert.equal(await at(ben, "call-ended").getAttribute("data-reason"), "declined");
  await at(ben, "end-call-again").click();
  await ben.locator('[data-testid="call-ended"][data-reason="unreachable"]').waitFor();
  assert.equal(await at(anna, "incoming-call").count(), 0);
  await contact(anna, "maria").getByTestId("open-card").click();
  await at(anna, "card-block").click();
  await at(anna, "block").click();
  await at(anna, "unblock").waitFor();
  await at(anna, "dialog-close").click();
  await contact(anna, "maria").getByTestId("blocked-mark").waitFor();
  server.history = [{ call: "1".repeat(32), direction: "incoming", party: { handle: "lena", display_name: "Lena" }, video: false, started_at_ms: Date.now(), answered_at_ms: null, ended_at_ms: Date.now(), reason: "no_answer" }];
  await at(anna, "nav-history").click();
  await at(anna, "open-past").click();
  await at(anna, "block").click();
  await at(anna, "blocked-mark").first().waitFor();
  await at(anna, "dialog-close").click();
  await at(anna, "nav-settings").click();
  await stored(() => account("anna").settings.blocked, ["ben", "maria", "lena"]);
  await anna.locator('[data-testid="blocked-person"][data-handle="ben"]').getByTestId("unblock").click();
  await anna.locator('[data-testid="blocked-person"][data-handle="ben"]').waitFor({ state: "detached" });
  await at(ben, "end-call-again").click();
  await at(anna, "incoming-call").waitFor();
}));

for (const shape of ["speaker", "display"]) {
  test(`two presses on a ${shape} call the top contact and say so, one press says how, one hangs up`, () => story(async () => {
    const [anna, ben, kitchen] = [await open(), await open(PHONE), await open(PHONE)];
    await signUp(anna, server.url, ANNA);
    await signUp(ben, server.url, BEN);
    await addContact(anna, "Benny", "ben");
    await pairDevice(anna, kitchen, server.url, { handle: "anna", label: "Kitchen", shape });
    await at(anna, "nav-contacts").click();
    await contact(anna, "ben").getByTestId("open-card").click();
    await at(anna, "top-contact").check();
    await at(kitchen, "top-button").click();
    await kitchen.waitForFunction(() => globalThis.spoken.includes("Press twice to call Benny."));
    assert.equal(await at(kitchen, "outgoing-call").count(), 0);
    await at(kitchen, "top-button").focus();
    await kitchen.keyboard.press("Enter");
    await kitchen.keyboard.press("Enter");
    await at(ben, "incoming-call").waitFor();
    assert.ok((await kitchen.evaluate(() => globalThis.spoken)).includes("Calling Benny."));
    await at(ben, "answer").click();
    await at(kitchen, "hang-up").click();
    assert.equal(await at(ben, "call-ended").getAttribute("data-reason"), "hung_up");
  }));
}

test("the switches of a display stop what it captures, in a call and before the next", () => story(async () => {
  const [anna, ben, hall] = [await open(), await open(PHONE), await open(PHONE)];
  await signUp(anna, server.url, ANNA);
  await signUp(ben, server.url, BEN);
  await addContact(ben, "Anna", "anna");
  await pairDevice(anna, hall, server.url, { handle: "anna", label: "Hall", shape: "display" });
  await call(ben, "anna");
  await at(hall, "answer-video").click();
  await hall.waitForFunction(() => globalThis.captured.filter(({ readyState }) => readyState === "live").length === 2);
  await at(hall, "switch-camera").click();
  await at(hall, "camera-problem").waitFor();
  assert.deepEqual([await live(hall, "video"), await live(hall, "audio")], [0, 1]);
  await at(hall, "switch-microphone").click();
  await at(hall, "microphone-problem").waitFor();
  assert.deepEqual([await live(hall, "video"), await live(hall, "audio")], [0, 0]);
  await at(hall, "light-bar").and(hall.locator('[data-microphone="off"]')).waitFor();
  await stored(() => household().devices.at(-1).settings.switches, { microphone: false, camera: "off" });
  // A button of the call asks for the microphone in vain.
  await at(hall, "mute").click();
  await at(hall, "microphone-problem").waitFor();
  assert.equal(await live(hall, "audio"), 0);
  await at(hall, "switch-microphone").click();
  await at(hall, "microphone-problem").waitFor({ state: "detached" });
  assert.deepEqual([await live(hall, "video"), await live(hall, "audio")], [0, 1]);
  await stored(() => household().devices.at(-1).settings.switches, { microphone: true, camera: "shutter" });
}));

test("one room is called, and home is called, from the household's page", () => story(async () => {
  const [anna, kitchen, hall] = [await open(PHONE), await open(), await open()];
  await signUp(anna, server.url, ANNA);
  await pairDevice(anna, kitchen, server.url, { handle: "anna", label: "Kitchen", shape: "speaker" });
  await pairDevice(anna, hall, server.url, { handle: "anna", label: "Hall", shape: "speaker" });
  await anna.getByRole("button", { name: "Call Kitchen" }).click();
  await at(kitchen, "incoming-call").waitFor();
  assert.equal(await at(kitchen, "caller-name").textContent(), "Anna Miller");
  assert.equal(await at(hall, "incoming-call").count(), 0);
  await at(anna, "cancel-call").click();
  await at(anna, "end-close").click();
  await at(anna, "call-home").click();
  for (const page of [kitchen, hall]) await at(page, "incoming-call").waitFor();
  await at(hall, "answer").click();
  await at(kitchen, "incoming-call").waitFor({ state: "detached" });
  await anna.locator('[data-keys="sending"][data-verified="true"]').waitFor();
}));
