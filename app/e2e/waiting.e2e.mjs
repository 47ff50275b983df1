// A second call while one is on: answered, it ends the first for this device; left alone, the first goes on.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { PHONE } from "./browser.mjs";
import { acquainted, Company, connected, endsWith, hearsAll, sameCode, talking } from "./company.mjs";
import { at, contact } from "./people.mjs";

const company = new Company();
before(() => company.start());
after(() => company.stop());
afterEach(() => company.part());

/** Anna and Ben talk, and Cleo calls Ben. */
async function secondCall() {
  const anna = await company.person("Anna", 1_000);
  const ben = await company.person("Ben", 1_500, PHONE);
  const cleo = await company.person("Cleo", 2_000);
  await acquainted(anna, ben, cleo);
  await talking(anna, ben);
  await contact(cleo.page, ben.handle).getByTestId("call-voice").click();
  await at(ben.page, "call-waiting").waitFor();
  assert.equal(await at(ben.page, "waiting-name").textContent(), "Cleo of Ben");
  await cleo.page.locator('[data-call-state="ringing"]').waitFor();
  return { anna, ben, cleo };
}

test("the second call is answered: it is heard, and the first one is over for both", async () => {
  const { anna, ben, cleo } = await secondCall();
  await hearsAll(ben.page, 1_000);
  await at(ben.page, "answer-waiting").click();
  await endsWith(anna.page, "hung_up");
  await connected(ben.page, cleo.page);
  assert.equal(await at(ben.page, "peer-name").textContent(), "Cleo of Ben");
  await hearsAll(ben.page, 2_000);
  await hearsAll(cleo.page, 1_500);
  await sameCode(ben.page, cleo.page);
  await at(ben.page, "hang-up").click();
  await endsWith(cleo.page, "hung_up");
});

test("an open panel makes way for a second call, and is there again after it", async () => {
  const { anna, ben, cleo } = await secondCall();
  await at(cleo.page, "cancel-call").click();
  await at(cleo.page, "end-close").click();
  await at(ben.page, "call-waiting").waitFor({ state: "detached" });
  await at(ben.page, "call-more").click();
  await at(ben.page, "open-move").waitFor();
  await contact(cleo.page, ben.handle).getByTestId("call-voice").click();
  await at(ben.page, "decline-waiting").click();
  await at(ben.page, "open-move").waitFor();
  await ben.page.keyboard.press("Escape");
  await endsWith(cleo.page, "declined");
  await at(anna.page, "hang-up").click();
});

test("not now: the caller hears that it was declined, and the first call goes on, by keyboard", async () => {
  const { anna, ben, cleo } = await secondCall();
  await at(ben.page, "decline-waiting").focus();
  await ben.page.keyboard.press("Enter");
  await endsWith(cleo.page, "declined");
  await at(ben.page, "call-waiting").waitFor({ state: "detached" });
  await hearsAll(ben.page, 1_000);
  await hearsAll(anna.page, 1_500);
  await at(anna.page, "hang-up").click();
});

test("the one who waits gives up, and when the first call ends, a second one rings on", async () => {
  const { anna, ben, cleo } = await secondCall();
  await at(cleo.page, "cancel-call").click();
  await at(ben.page, "call-waiting").waitFor({ state: "detached" });
  await at(cleo.page, "end-close").click();
  await contact(cleo.page, ben.handle).getByTestId("call-voice").click();
  await at(ben.page, "call-waiting").waitFor();
  await at(anna.page, "hang-up").click();
  await at(ben.page, "incoming-call").waitFor();
  assert.equal(await at(ben.page, "caller-name").textContent(), "Cleo of Ben");
  await at(ben.page, "answer").click();
  await connected(ben.page, cleo.page);
  await hearsAll(cleo.page, 1_500);
  await hearsAll(ben.page, 2_000);
  await at(ben.page, "hang-up").click();
});
