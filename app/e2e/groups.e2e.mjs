// More than two in a call, in real browsers over the real server: adding somebody, who is there, leaving, coming back, and what is refused.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { PHONE } from "./browser.mjs";
import { acquainted, addToCall, Company, connected, endsWith, hearsAll, sameCode, talking } from "./company.mjs";
import { at, fill, join } from "./people.mjs";

const company = new Company();
before(() => company.start());
after(() => company.stop());
afterEach(() => company.part());

async function three() {
  const anna = await company.person("Anna", 1_000);
  const ben = await company.person("Ben", 1_500, PHONE);
  const cleo = await company.person("Cleo", 2_000);
  await acquainted(anna, ben, cleo);
  return { anna, ben, cleo };
}

/** Anna and Ben talk, and Cleo was added. */
async function allThree() {
  const all = await three();
  const { anna, ben, cleo } = all;
  await talking(anna, ben);
  await addToCall(anna.page, cleo.handle);
  await at(cleo.page, "answer").click();
  await connected(anna.page, ben.page, cleo.page);
  for (const { page } of [anna, ben, cleo]) await at(page, "call-tile").nth(1).waitFor();
  return all;
}

const tile = (page, name) => at(page, "call-tile").filter({ hasText: name });

// req: CALL-6, CALL-14
test("somebody is added and all three hear each other; who began it ends it for everyone", async () => {
  const { anna, ben, cleo } = await three();
  await talking(anna, ben);
  await at(anna.page, "add-somebody").click();
  await at(anna.page, "dialog-add-somebody").waitFor();
  assert.equal(await anna.page.locator(`[data-testid="add-person"][data-handle="${ben.handle}"]`).count(), 0, "whoever is here is not offered");
  await anna.page.locator(`[data-testid="add-person"][data-handle="${cleo.handle}"]`).click();
  await at(anna.page, "adding").waitFor();
  assert.equal(await at(cleo.page, "caller-name").textContent(), "Anna of Cleo");
  await anna.page.locator('[data-testid="adding"][data-ringing="true"]').waitFor();
  await at(cleo.page, "answer").click();
  await connected(cleo.page);
  await hearsAll(anna.page, 1_500, 2_000);
  await hearsAll(ben.page, 1_000, 2_000);
  await hearsAll(cleo.page, 1_000, 1_500);
  await sameCode(anna.page, ben.page, cleo.page);
  // Everybody by the names of the own contacts. Ben and Cleo have never called each other: their keys are not known yet.
  await tile(anna.page, "Cleo of Anna").waitFor();
  await tile(ben.page, "Anna of Ben").waitFor();
  await ben.page.locator('[data-testid="call-tile"][data-standing="unverified"]').filter({ hasText: "Cleo of Ben" }).waitFor();
  await at(ben.page, "call-more").click();
  assert.equal(await at(ben.page, "end-for-everyone").count(), 0, "only who began it may");
  await at(ben.page, "open-people").click();
  await at(ben.page, "person-here").nth(1).waitFor();
  await ben.page.keyboard.press("Escape");
  await at(anna.page, "call-more").click();
  await at(anna.page, "end-for-everyone").click();
  for (const { page } of [anna, ben, cleo]) await endsWith(page, "hung_up");
});

// req: CALL-6
test("whoever leaves a call of three leaves the others talking", async () => {
  const { anna, ben, cleo } = await allThree();
  await at(anna.page, "hang-up").click();
  await endsWith(anna.page, "hung_up");
  for (const { page } of [ben, cleo]) await at(page, "call-tiles").waitFor({ state: "detached" });
  await hearsAll(ben.page, 2_000);
  await hearsAll(cleo.page, 1_500);
  await sameCode(ben.page, cleo.page);
  await at(ben.page, "hang-up").click();
  await endsWith(cleo.page, "hung_up");
});

test("a page that was added is reloaded, comes back, and is heard by everybody", async () => {
  const { anna, ben, cleo } = await allThree();
  await cleo.page.reload();
  await connected(cleo.page);
  await at(cleo.page, "call-tile").nth(1).waitFor();
  await hearsAll(ben.page, 1_000, 2_000);
  await hearsAll(anna.page, 1_500, 2_000);
  // A reloaded page sounds only after a touch.
  if (await at(cleo.page, "allow-sound").isVisible()) await at(cleo.page, "allow-sound").click();
  await hearsAll(cleo.page, 1_000, 1_500);
  await sameCode(anna.page, ben.page, cleo.page);
  // The one whom the others met before her is reloaded as well.
  await ben.page.reload();
  await connected(ben.page);
  await hearsAll(cleo.page, 1_000, 1_500);
  await at(anna.page, "hang-up").click();
});

test("whoever declines is not added, and the two talk on; taking it back stops their ringing", async () => {
  const { anna, ben, cleo } = await three();
  await talking(anna, ben);
  await addToCall(anna.page, cleo.handle);
  await at(cleo.page, "decline").click();
  await anna.page.locator('[data-testid="not-added"][data-reason="declined"]').waitFor();
  assert.match(await at(anna.page, "not-added").textContent(), /Cleo of Anna declined/);
  await at(anna.page, "not-added-close").click();
  await addToCall(anna.page, cleo.handle);
  await at(cleo.page, "incoming-call").waitFor();
  await at(anna.page, "stop-adding").click();
  await at(cleo.page, "incoming-call").waitFor({ state: "detached" });
  await at(anna.page, "adding").waitFor({ state: "detached" });
  assert.equal(await at(anna.page, "not-added").count(), 0, "who takes it back knows");
  await hearsAll(ben.page, 1_000);
  await hearsAll(anna.page, 1_500);
  await at(anna.page, "hang-up").click();
});

test("somebody is added with the keyboard alone", async () => {
  const { anna, ben, cleo } = await three();
  await talking(anna, ben);
  await at(anna.page, "add-somebody").focus();
  await anna.page.keyboard.press("Enter");
  await at(anna.page, "dialog-add-somebody").waitFor();
  await anna.page.keyboard.press("Escape");
  await at(anna.page, "dialog-add-somebody").waitFor({ state: "detached" });
  await anna.page.locator('[data-testid="add-somebody"]:focus').waitFor();
  await anna.page.keyboard.press("Enter");
  await anna.page.locator(`[data-testid="add-person"][data-handle="${cleo.handle}"]`).focus();
  await anna.page.keyboard.press("Enter");
  await at(cleo.page, "answer").click();
  await at(anna.page, "call-tile").nth(1).waitFor();
  await at(anna.page, "hang-up").click();
});

// req: KID-1
test("a child adds nobody from outside whom their parents did not choose, and adds their parent", async () => {
  const anna = await company.person("Anna", 1_000);
  const cleo = await company.person("Cleo", 2_000);
  const zoe = { name: "Zoe", handle: company.handle("Zoe"), page: await company.open(1_500, PHONE) };
  const carl = { name: "Carl", handle: company.handle("Carl"), page: await company.open(2_500) };
  await acquainted(anna, cleo);
  await join(anna.page, zoe.page, zoe, "child");
  await join(anna.page, carl.page, carl, "adult");
  await at(anna.page, "to-children").click();
  await at(anna.page, "open-consent").click();
  await fill(anna.page, { guardian: "Anna Miller", email: "anna@example.org" });
  await at(anna.page, "field-read").check();
  await at(anna.page, "submit-consent").click();
  await anna.page.locator('[data-testid="child"][data-consent="given"]').waitFor();
  await at(zoe.page, "nav-household").click();
  const member = zoe.page.locator(`[data-testid="member"][data-handle="${carl.handle}"]`);
  await member.getByTestId("call-voice").click();
  await at(carl.page, "answer").click();
  await connected(zoe.page, carl.page);
  await addToCall(zoe.page, cleo.handle);
  await at(zoe.page, "not-added").waitFor();
  assert.match(await at(zoe.page, "not-added").textContent(), /contacts that were chosen for you/);
  assert.equal(await at(cleo.page, "incoming-call").count(), 0);
  await at(zoe.page, "not-added-close").click();
  await addToCall(zoe.page, anna.handle);
  await at(anna.page, "answer").click();
  for (const { page } of [zoe, carl, anna]) await at(page, "call-tile").nth(1).waitFor();
  await hearsAll(anna.page, 1_500, 2_500);
  await at(zoe.page, "hang-up").click();
});
