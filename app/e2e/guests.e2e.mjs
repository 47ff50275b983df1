// Call links over the real server: a guest without an account knocks, is let in and heard, or not.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { PHONE } from "./browser.mjs";
import { acquainted, code, Company, connected, endsWith, hearsAll, sameCode, talking } from "./company.mjs";
import { addContact, at, contact, fill, join as joinHousehold, pairDevice } from "./people.mjs";

const [LOW, HIGH, HIGHER] = [1_000, 1_500, 2_200];
/** Who closes their page is gone once their session can't be taken up again. */
const SOON_GONE = { HOMELINE_SIGNALING__SESSION__RESUME_WINDOW_SECS: "5" };

const company = new Company();
before(() => company.start(SOON_GONE));
after(() => company.stop());
afterEach(() => company.part());

const someone = (name, hertz, viewport) => company.person(name, hertz, viewport);
const open = (hertz, viewport) => company.open(hertz, viewport);

/** Makes a link in the app; gives its address. */
async function makeLink(page, label = "Sunday link") {
  await at(page, "nav-contacts").click();
  await at(page, "call-links-page").click();
  await fill(page, { label });
  await at(page, "submit-call-link").click();
  const url = await at(page, "call-link-url").textContent();
  await at(page, "dialog-close").click();
  return url;
}

async function knock(page, url, name = "Gus") {
  await page.goto(url);
  await fill(page, { name });
  await at(page, "submit-knock").click();
  await at(page, "guest-waiting").waitFor();
}

/** A guest's page has no switch for it before the call. */
async function originalSound(page) {
  await at(page, "call-more").click();
  await at(page, "original-sound").click();
  await at(page, "dialog-close").click();
}

/** What this origin keeps in the page's browser. */
const kept = (page) => page.evaluate(async () => ({
  local: { ...localStorage }, session: { ...sessionStorage }, cookies: document.cookie,
  databases: (await indexedDB.databases()).map(({ name }) => name), workers: (await navigator.serviceWorker.getRegistrations()).length,
}));
const shot = (page, name) => process.env.GUESTS_SHOTS === undefined ? undefined : page.screenshot({ path: `${process.env.GUESTS_SHOTS}/${name}.png` });
const NOTHING = { local: {}, session: {}, cookies: "", databases: [], workers: 0 };

// req: CALL-6
test("a guest knocks, is let in, is heard and hears, is shown as a guest, and leaves nothing behind", async () => {
  const anna = await someone("Anna", LOW);
  const url = await makeLink(anna.page);
  const guest = await open(HIGH, PHONE);
  await guest.goto(url);
  await at(guest, "what-is-checked").click();
  const fingerprint = (await at(guest, "link-fingerprint").textContent()).replaceAll(" ", "");
  assert.ok(url.endsWith(`/${fingerprint}`));
  await knock(guest, url, "Aunt Ida");
  assert.equal(await at(anna.page, "knock-words").textContent(), "Aunt Ida, a guest by “Sunday link”, asks to come in.");
  assert.deepEqual(await kept(guest), NOTHING);
  await at(anna.page, "let-in").click();
  await connected(anna.page, guest);
  await originalSound(guest);
  await hearsAll(anna.page, HIGH);
  await hearsAll(guest, LOW);
  assert.equal(await at(anna.page, "peer-name").textContent(), "Aunt Ida");
  await at(anna.page, "guest-mark").waitFor();
  assert.equal(await at(guest, "peer-name").textContent(), "Anna");
  assert.equal(await at(guest, "encryption-state").getAttribute("data-verified"), "true");
  await sameCode(guest, anna.page);
  await at(guest, "hang-up").click();
  await at(guest, "guest-over").waitFor();
  await at(anna.page, "call-ended").waitFor();
  assert.equal(await at(anna.page, "end-call-again").count(), 0);
  await at(anna.page, "end-close").click();
  assert.deepEqual(await kept(guest), NOTHING);
  await at(anna.page, "nav-history").click();
  await at(anna.page, "past-call").getByTestId("guest-mark").waitFor();
  assert.match(await at(anna.page, "past-call").textContent(), /Aunt Ida/);
  assert.equal(await at(anna.page, "past-call").getByTestId("call-again").count(), 0);
});

test("a guest who is not let in reads so, and may knock again; the app rings for nobody", async () => {
  const anna = await someone("Anna", LOW);
  const url = await makeLink(anna.page);
  const guest = await open(HIGH);
  await knock(guest, url);
  await at(anna.page, "refuse-guest").click();
  await at(anna.page, "knock").waitFor({ state: "detached" });
  assert.equal(await at(guest, "turned-away").getAttribute("data-why"), "refused");
  await at(guest, "knock-again").click();
  await at(guest, "submit-knock").click();
  assert.equal(await at(anna.page, "knock-name").textContent(), "Gus");
  await at(guest, "stop-waiting").click();
  await at(anna.page, "knock").waitFor({ state: "detached" });
});

test("a revoked link sends away who waits, and reads like one that never was", async () => {
  const anna = await someone("Anna", LOW);
  const url = await makeLink(anna.page, "For a moment");
  const [guest, second] = [await open(HIGH), await open(HIGHER)];
  await knock(guest, url);
  await knock(second, url, "Ida");
  await at(anna.page, "knocks-more").waitFor();
  await at(anna.page, "revoke-from-knock").click();
  const late = await open(HIGH);
  await at(guest, "no-link").waitFor();
  await late.goto(url.replace(/guest\/[0-9a-f]{32}/, `guest/${"0".repeat(32)}`));
  await fill(late, { name: "Late" });
  await at(late, "submit-knock").click();
  const words = [];
  for (const page of [guest, second, late]) words.push(await at(page, "no-link").textContent());
  assert.equal(new Set(words).size, 1);
  await at(anna.page, "no-call-links").waitFor();
  assert.equal(await at(anna.page, "knock").count(), 0);
});

test("a guest is let into a running call of two, is heard by both, and is taken out by who let them in", async () => {
  const [anna, ben] = [await someone("Anna", LOW), await someone("Ben", HIGH, PHONE)];
  await acquainted(anna, ben);
  await talking(anna, ben);
  await at(anna.page, "add-somebody").click();
  await at(anna.page, "invite-guest").click();
  await fill(anna.page, { label: "Come in" });
  await at(anna.page, "submit-call-link").click();
  const url = await at(anna.page, "call-link-url").textContent();
  await at(anna.page, "dialog-close").click();
  const guest = await open(HIGHER);
  await knock(guest, url, "Ida");
  await at(anna.page, "let-in").click();
  await connected(guest);
  await originalSound(guest);
  for (const { page } of [anna, ben]) {
    const tile = page.getByTestId("call-tile").filter({ hasText: "Ida" });
    await tile.getByTestId("guest-mark").waitFor();
  }
  await hearsAll(anna.page, HIGH, HIGHER);
  await hearsAll(ben.page, LOW, HIGHER);
  await hearsAll(guest, LOW, HIGH);
  assert.equal(await at(ben.page, "remove-guest").count(), 0, "the guest is Anna's");
  await sameCode(anna.page, ben.page, guest);
  const digits = await code(anna.page);
  await shot(anna.page, "three-with-guest");
  await shot(guest, "guest-in-company");
  await at(anna.page, "remove-guest").click();
  await at(guest, "guest-over").waitFor();
  for (const { page } of [anna, ben]) await at(page, "call-tiles").waitFor({ state: "detached" });
  await hearsAll(anna.page, HIGH);
  await hearsAll(ben.page, LOW);
  assert.notEqual(await code(anna.page), digits);
  await at(ben.page, "hang-up").click();
  await endsWith(anna.page, "hung_up");
});

test("a knock without the link's secret is never shown", async () => {
  const anna = await someone("Anna", LOW);
  const url = await makeLink(anna.page);
  const guest = await open(HIGH);
  await knock(guest, url.replace(/[\w-]{43}(?=\/[\w-]{43}$)/, "A".repeat(43)), "Mallory");
  await at(anna.page, "knocks-dropped").waitFor();
  assert.equal(await at(anna.page, "knock").count(), 0);
  const genuine = await open(HIGH);
  await knock(genuine, url, "Ida");
  assert.equal(await at(anna.page, "knock-name").textContent(), "Ida");
});

test("a guest takes no call of another household's than the link's", async () => {
  const [anna, ben] = [await someone("Anna", LOW), await someone("Ben", HIGH)];
  const [annas, bens] = [await makeLink(anna.page), await makeLink(ben.page)];
  const guest = await open(HIGHER);
  // Ben's link, with the fingerprint of Anna's household: as if the server had put him in her place.
  await knock(guest, bens.replace(/[\w-]{43}$/, annas.slice(-43)));
  await at(ben.page, "let-in").click();
  await at(guest, "guest-alarm").waitFor();
  assert.equal(await guest.locator("[data-call-state]").count(), 0);
});

test("a call with a guest goes on in the kitchen, where they are a guest still", async () => {
  const anna = await someone("Anna", LOW, PHONE);
  const [guest, kitchen] = [await open(HIGH), await open(HIGHER)];
  await pairDevice(anna.page, kitchen, company.url, { handle: anna.handle, label: "Kitchen" });
  await knock(guest, await makeLink(anna.page), "Ida");
  await at(anna.page, "let-in").click();
  await connected(anna.page, guest);
  await at(anna.page, "call-more").click();
  await at(anna.page, "open-move").click();
  await anna.page.locator('[data-testid="move-to"][data-label="Kitchen"]').click();
  assert.equal(await at(kitchen, "caller-name").textContent(), "Ida");
  await at(kitchen, "answer").click();
  await endsWith(anna.page, "moved");
  await connected(kitchen, guest);
  await hearsAll(guest, HIGHER);
  await at(kitchen, "guest-mark").first().waitFor();
  await sameCode(guest, kitchen);
});

test("a page that is reloaded in the call knocks again", async () => {
  const anna = await someone("Anna", LOW);
  const guest = await open(HIGH);
  await knock(guest, await makeLink(anna.page));
  await at(anna.page, "let-in").click();
  await connected(anna.page, guest);
  await guest.reload();
  await fill(guest, { name: "Gus" });
  await at(guest, "submit-knock").click();
  // The first visit may not have ended yet: then the guest comes into the same call.
  await at(anna.page, "let-in").click();
  await connected(guest);
  await originalSound(guest);
  await hearsAll(guest, LOW);
});

test("the maker's page is reloaded in the call: both hear each other again, and the guest is a guest still", async () => {
  const anna = await someone("Anna", LOW);
  const guest = await open(HIGH);
  await knock(guest, await makeLink(anna.page));
  await at(anna.page, "let-in").click();
  await connected(anna.page, guest);
  await originalSound(guest);
  await hearsAll(guest, LOW);
  await anna.page.reload();
  await connected(anna.page, guest);
  await hearsAll(anna.page, HIGH);
  await hearsAll(guest, LOW);
  assert.equal(await at(anna.page, "peer-name").textContent(), "Gus");
  await at(anna.page, "guest-mark").first().waitFor();
  await at(anna.page, "hang-up").click();
  await at(guest, "guest-over").waitFor();
});

test("a guest's page beside a signed-in app of the same browser touches nothing of it", async () => {
  const [anna, ben] = [await someone("Anna", LOW), await someone("Ben", HIGH)];
  await addContact(ben.page, "Anna", anna.handle);
  const url = await makeLink(anna.page);
  const before = await kept(ben.page);
  const guest = await ben.page.context().newPage();
  guest.setDefaultTimeout(20_000);
  await knock(guest, url, "Ben as a guest");
  await at(anna.page, "let-in").click();
  await connected(anna.page, guest);
  await hearsAll(guest, LOW);
  assert.deepEqual(await kept(guest), before);
  await guest.close();
  await ben.page.reload();
  await contact(ben.page, anna.handle).waitFor();
});

test("by keyboard: a knock takes no key that was meant for a form, and is answered with Tab and Enter", async () => {
  const anna = await someone("Anna", LOW);
  const url = await makeLink(anna.page);
  await at(anna.page, "nav-contacts").click();
  await at(anna.page, "add-contact").click();
  await at(anna.page, "field-name").focus();
  const guest = await open(HIGH);
  await guest.goto(url);
  await at(guest, "field-name").waitFor();
  await guest.keyboard.type("Ida");
  await guest.keyboard.press("Enter");
  await at(anna.page, "knock").waitFor();
  await anna.page.keyboard.press("Enter");
  await anna.page.keyboard.press("Escape");
  await at(anna.page, "knock").waitFor();
  await anna.page.keyboard.press("Tab");
  await anna.page.keyboard.press("Tab");
  await anna.page.keyboard.press("Enter");
  await connected(anna.page, guest);
});

test("a child sees no way to make a link", async () => {
  const anna = await someone("Anna", LOW);
  const zoe = await open(HIGH);
  await joinHousehold(anna.page, zoe, { name: "Zoe", handle: company.handle("zoe") }, "child");
  assert.equal(await at(zoe, "call-links-page").count(), 0);
  await zoe.goto(`${company.url}/#/links`);
  await zoe.getByText("Only the adults of a household make call links.").waitFor();
  assert.equal(await at(zoe, "submit-call-link").count(), 0);
});
