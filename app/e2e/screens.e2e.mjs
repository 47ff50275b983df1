// The screens and the session client, driven as a person drives them, over a stand-in for the server.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { DESKTOP, launch, PHONE } from "./browser.mjs";
import { pages } from "./pages.mjs";
import { addContact, at, call, contact, fill, pairDevice, signUp } from "./people.mjs";
import { StandIn } from "./stand_in.mjs";

let browser;
let server;

before(async () => {
  browser = await launch();
});
after(() => browser.close());

const { open: openIn } = pages({ timeout: 15_000 });
const open = (viewport = DESKTOP, prepare = undefined) => openIn(browser, viewport, prepare);

async function story(work) {
  server = await new StandIn().start();
  await work();
}

afterEach(() => server?.stop());

const ANNA = { name: "Anna Miller", handle: "anna", household: "The Millers" };
const BEN = { name: "Ben Ode", handle: "ben", household: "Elm Street 5" };

test("somebody signs up, signs out, and signs in again with the password alone", () => story(async () => {
  const page = await open();
  await signUp(page, server.url, ANNA);
  await at(page, "nav-settings").click();
  await at(page, "sign-out").click();
  await at(page, "go-sign-in").click();
  await fill(page, { handle: "anna", password: "wrong horse" });
  await at(page, "submit-sign-in").click();
  assert.match(await at(page, "error-sign-in").textContent(), /do not match/);
  await fill(page, { password: "correct horse" });
  await at(page, "submit-sign-in").click();
  await at(page, "add-contact").waitFor();
}));

test("a handle that is taken is said beside the button, and another one works", () => story(async () => {
  const [first, second] = [await open(), await open(PHONE)];
  await signUp(first, server.url, ANNA);
  await second.goto(server.url);
  await at(second, "go-sign-up").click();
  await fill(second, { ...BEN, handle: "anna", password: "correct horse" });
  await at(second, "submit-sign-up").click();
  assert.match(await at(second, "error-sign-up").textContent(), /already/);
  await fill(second, { handle: "ben" });
  await at(second, "submit-sign-up").click();
  await at(second, "recovery-code").waitFor();
}));

test("contacts are added, renamed and deleted from their card, and survive a reload", () => story(async () => {
  const page = await open(PHONE);
  await signUp(page, server.url, ANNA);
  await addContact(page, "Ben", "ben");
  await page.reload();
  await contact(page, "ben").getByTestId("open-card").click();
  await page.getByText("Change or delete").click();
  await at(page, "dialog-card").getByTestId("field-name").fill("Grandpa");
  await at(page, "submit-rename-contact").click();
  await contact(page, "ben").getByText("Grandpa").waitFor();
  await contact(page, "ben").getByTestId("open-card").click();
  await page.getByText("Change or delete").click();
  await at(page, "delete-contact").click();
  await at(page, "no-contacts").waitFor();
}));

test("the keyboard alone adds a contact", () => story(async () => {
  const page = await open();
  await signUp(page, server.url, ANNA);
  await at(page, "add-contact").focus();
  await page.keyboard.press("Enter");
  await at(page, "dialog-add-contact").waitFor();
  await page.keyboard.press("Escape");
  await at(page, "dialog-add-contact").waitFor({ state: "detached" });
  await at(page, "add-contact").focus();
  await page.keyboard.press("Enter");
  await at(page, "field-name").focus();
  await page.keyboard.type("Ben");
  await page.keyboard.press("Tab");
  await page.keyboard.type("ben");
  await page.keyboard.press("Enter");
  await contact(page, "ben").waitFor();
}));

test("a member joins by link, waits, and is let in", () => story(async () => {
  const [anna, carl] = [await open(), await open(PHONE)];
  await signUp(anna, server.url, ANNA);
  await at(anna, "nav-household").click();
  await at(anna, "invite-member").click();
  const link = await at(anna, "join-link").textContent();
  await at(anna, "dialog-close").click();
  await carl.goto(link);
  await fill(carl, { name: "Carl Miller", handle: "carl", password: "correct horse" });
  await at(carl, "submit-join").click();
  await at(carl, "waiting").waitFor();
  await at(anna, "admit-member").click();
  await at(carl, "no-contacts").waitFor();
  await at(carl, "nav-household").click();
  assert.equal(await at(carl, "household-name").textContent(), "The Millers");
  await carl.locator('[data-testid="member"][data-handle="anna"]').waitFor();
}));

test("a second browser becomes an app of the same person by six digits", () => story(async () => {
  const [first, second] = [await open(), await open(PHONE)];
  await signUp(first, server.url, ANNA);
  await at(first, "nav-household").click();
  await at(first, "add-device").click();
  await at(first, "add-device-listening").waitFor();
  await second.goto(server.url);
  await at(second, "go-second-app").click();
  await fill(second, { handle: "anna" });
  await at(second, "submit-second-app").click();
  await fill(first, { digits: await at(second, "pairing-digits").textContent() });
  await at(first, "submit-certify").click();
  await at(first, "device-added").waitFor();
  await at(second, "add-contact").waitFor();
}));

test("wrong digits end the pairing on both sides", () => story(async () => {
  const [first, second] = [await open(), await open(PHONE)];
  await signUp(first, server.url, ANNA);
  await at(first, "nav-household").click();
  await at(first, "add-device").click();
  await second.goto(`${server.url}/device`);
  await fill(second, { label: "Kitchen", handle: "anna" });
  await at(second, "submit-device-setup").click();
  const digits = (await at(second, "pairing-digits").textContent()).replace(" ", "");
  await fill(first, { digits: String((Number(digits) + 1) % 1_000_000).padStart(6, "0") });
  await at(first, "submit-certify").click();
  assert.match(await at(first, "add-device-failed").textContent(), /not the digits/);
  await at(second, "pairing-failed").waitFor();
}));

test("a home device pairs, says its digits, and shows the household when its tab sleeps", () => story(async () => {
  const speech = (context) => context.addInitScript(() => {
    globalThis.spoken = [];
    SpeechSynthesis.prototype.speak = (utterance) => globalThis.spoken.push(utterance.text);
  });
  const [app, device] = [await open(), await open(PHONE, speech)];
  await signUp(app, server.url, ANNA);
  await pairDevice(app, device, server.url, { handle: "anna", label: "Kitchen", shape: "speaker" });
  const spoken = await device.evaluate(() => globalThis.spoken);
  assert.match(spoken[0], /^The digits are \d( \d){5}\.$/);
  const row = app.locator('[data-testid="device"]', { hasText: "Kitchen" });
  await device.evaluate(() => document.dispatchEvent(new Event("freeze")));
  await row.and(app.locator('[data-presence="asleep"]')).waitFor();
  await device.evaluate(() => document.dispatchEvent(new Event("resume")));
  await row.and(app.locator('[data-presence="online"]')).waitFor();
}));

test("a device that is removed is signed out at once", () => story(async () => {
  const [app, device] = [await open(), await open(PHONE)];
  await signUp(app, server.url, ANNA);
  await pairDevice(app, device, server.url, { handle: "anna", label: "Kitchen" });
  await app.locator('[data-testid="device"]', { hasText: "Kitchen" }).getByTestId("open-device").click();
  await at(app, "remove-device").click();
  await at(device, "stopped").waitFor();
  await at(device, "start-over").click();
  await at(device, "form-device-setup").waitFor();
}));

test("a connection that is cut resumes and loses nothing", () => story(async () => {
  const page = await open();
  await signUp(page, server.url, ANNA);
  server.cut();
  await addContact(page, "Ben", "ben");
  const [household] = server.households.values();
  assert.equal(household.contacts.length, 1);
  assert.equal(server.sessions.size, 1);
}));

test("an old page against a new server is told in words to reload", () => story(async () => {
  const page = await open();
  await signUp(page, server.url, ANNA);
  server.protocol = 2;
  server.cut();
  await at(page, "stopped").waitFor();
  assert.match(await at(page, "stopped-text").textContent(), /Reload/);
  await at(page, "reload").waitFor();
}));

test("a page that was replaced by another tab says so and takes over on request", () => story(async () => {
  const page = await open();
  await signUp(page, server.url, ANNA);
  for (const session of [...server.sessions.values()]) server.goodbye(session, "session_replaced", "Replaced.");
  await at(page, "use-here").click();
  await at(page, "add-contact").waitFor();
}));

test("a call rings with the contact's own name, both sides show one code, and comparing it verifies the contact", () => story(async () => {
  const [anna, ben] = [await open(), await open(PHONE)];
  await signUp(anna, server.url, ANNA);
  await signUp(ben, server.url, BEN);
  await addContact(anna, "Benny", "ben");
  await addContact(ben, "Mum", "anna");
  await call(anna, "ben");
  assert.equal(await at(ben, "caller-name").textContent(), "Mum");
  assert.equal(await at(ben, "caller-standing").textContent(), "Unverified");
  await at(ben, "answer-video").click();
  for (const page of [anna, ben]) await at(page, "encryption-state").click();
  const code = await at(anna, "call-code").getAttribute("data-code");
  assert.match(code, /^\d{5}( \d{5}){5}$/);
  assert.equal(await at(ben, "call-code").getAttribute("data-code"), code);
  await at(anna, "code-same").click();
  await at(anna, "verified-mark").waitFor();
  await at(anna, "hang-up").click();
  for (const page of [anna, ben]) assert.equal(await at(page, "call-ended").getAttribute("data-reason"), "hung_up");
  await at(anna, "end-close").click();
  await contact(anna, "ben").getByTestId("pin-verified").waitFor();
  await at(ben, "end-close").click();
  await contact(ben, "anna").getByTestId("pin-unverified").waitFor();
}));

test("a household that comes with another key is blocked loudly until the change is confirmed", () => story(async () => {
  const [anna, ben] = [await open(), await open(PHONE)];
  await signUp(anna, server.url, ANNA);
  await signUp(ben, server.url, BEN);
  await addContact(anna, "Ben", "ben");
  await addContact(ben, "Anna", "anna");
  await call(anna, "ben");
  await at(ben, "answer").click();
  await at(anna, "encryption-state").and(anna.locator('[data-keys="sending"]')).waitFor();
  await at(anna, "hang-up").click();
  await at(anna, "end-close").click();
  await contact(anna, "ben").getByTestId("pin-unverified").waitFor();
  // Somebody else now answers to that handle: another household, genuine in itself.
  const mallory = await open(PHONE);
  await signUp(mallory, server.url, { ...BEN, handle: "mallory" });
  const [, benAccount, malloryAccount] = [...server.accounts.values()];
  for (const session of server.sessionsOf(benAccount.id)) server.goodbye(session, "session_replaced", "gone");
  benAccount.handle = "was-ben";
  malloryAccount.handle = "ben";
  await mallory.reload();
  await at(mallory, "add-contact").waitFor();
  await addContact(mallory, "Anna", "anna");
  await call(mallory, "anna", "voice");
  await at(anna, "blocked-call").waitFor();
  assert.equal(await at(anna, "incoming-call").count(), 0);
  await at(mallory, "cancel-call").click();
  await at(mallory, "end-close").click();
  await contact(anna, "ben").getByTestId("open-card").click();
  await at(anna, "reject-change").click();
  await at(anna, "dialog-close").click();
  await at(anna, "blocked-close").click();
  await call(anna, "ben");
  await at(mallory, "answer").click();
  assert.equal(await at(anna, "call-ended").getAttribute("data-reason"), "encryption_refused");
  await at(anna, "end-close").click();
  await at(anna, "blocked-call").waitFor();
  assert.ok(await contact(anna, "ben").getByTestId("call-voice").isDisabled());
  await contact(anna, "ben").getByTestId("open-card").click();
  await at(anna, "confirm-change").click();
  await at(anna, "dialog-close").click();
  await contact(anna, "ben").getByTestId("pin-unverified").waitFor();
}));

test("a call comes above an open dialog, and a key that was meant for its form answers nothing", () => story(async () => {
  const [anna, ben] = [await open(), await open(PHONE)];
  await signUp(anna, server.url, ANNA);
  await signUp(ben, server.url, BEN);
  await addContact(anna, "Ben", "ben");
  await at(ben, "add-contact").click();
  await at(ben, "field-name").focus();
  await call(anna, "ben", "voice");
  await at(ben, "incoming-call").waitFor();
  await ben.keyboard.press("Enter");
  await ben.keyboard.press("Space");
  await ben.keyboard.press("Escape");
  assert.equal(await at(ben, "incoming-call").count(), 1);
  await at(ben, "decline").click();
  assert.equal(await at(anna, "call-ended").getAttribute("data-reason"), "declined");
  await at(ben, "field-name").fill("Anna");
}));

test("a contact link pins the household before the first call", () => story(async () => {
  const [anna, ben] = [await open(), await open(PHONE)];
  await signUp(anna, server.url, ANNA);
  await signUp(ben, server.url, BEN);
  await at(anna, "my-link").click();
  const link = await at(anna, "contact-link").textContent();
  await at(anna, "dialog-close").click();
  await ben.goto(link);
  await at(ben, "link-hint").waitFor();
  await fill(ben, { name: "Anna" });
  await at(ben, "submit-add-contact").click();
  await contact(ben, "anna").waitFor();
  await addContact(anna, "Ben", "ben");
  await call(anna, "ben");
  assert.equal(await at(ben, "caller-standing").textContent(), "Verified");
  await at(ben, "decline").click();
  assert.equal(await at(anna, "call-ended").getAttribute("data-reason"), "declined");
}));
