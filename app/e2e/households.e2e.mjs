// Moving from one household to another with the same account, and handing the ownership over, on the real server.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESKTOP, launch, PHONE } from "./browser.mjs";
import { serve } from "./homeline.mjs";
import { pages } from "./pages.mjs";
import { addContact, at, contact, fill, join, signUp } from "./people.mjs";
import { member } from "./tour.mjs";

const SETTINGS = {
  HOMELINE_SIGNALING__LIMITS__SIGN_UP_PER_ADDRESS: "{burst=1000,refill_secs=1}",
  HOMELINE_SIGNALING__LIMITS__SIGN_IN_PER_ADDRESS: "{burst=1000,refill_secs=1}",
};

let server;
let browser;

before(async () => {
  browser = await launch();
  server = await serve(SETTINGS);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const { open: openIn, beside } = pages();

async function open(viewport = DESKTOP) {
  const page = await openIn(browser, viewport);
  // Its newest session.
  page.on("websocket", (socket) => {
    page.heard = Promise.resolve(socket);
  });
  return page;
}

/** Waits for the session to be told something; to be begun before what leads to it. */
function told(page, type) {
  return page.heard.then((socket) => socket.waitForEvent("framereceived", { predicate: ({ payload }) => String(payload).includes(`"type":"${type}"`), timeout: 20_000 }));
}

async function removeFromHousehold(by, handle) {
  await at(by, "nav-household").click();
  await member(by, handle).click();
  await by.getByText("Remove from the household").click();
  await at(by, "remove-member").click();
  await at(by, "dialog-member").waitFor({ state: "detached" });
}

async function invitation(by) {
  await at(by, "nav-household").click();
  await at(by, "invite-member").click();
  const link = await at(by, "join-link").textContent();
  await at(by, "dialog-close").click();
  return link;
}

async function withAccount(page, handle, password) {
  await at(page, "known-account").check();
  await at(page, "field-name").waitFor({ state: "detached" });
  await fill(page, { handle, password });
}

test("who was taken out of a household joins another with the same account, and is called there", async () => {
  const [anna, ben, cleo, elsewhere] = [await open(), await open(PHONE), await open(), await open(PHONE)];
  await signUp(anna, server.url, { name: "Anna", handle: "anna", household: "Elm Street" });
  await join(anna, ben, { name: "Ben", handle: "ben" }, "signs");
  await addContact(anna, "Gail", "gail");
  await contact(ben, "gail").waitFor();
  await signUp(cleo, server.url, { name: "Cleo", handle: "cleo", household: "Oak Lane" });
  await addContact(cleo, "Ben", "ben");
  await removeFromHousehold(anna, "ben");
  await at(ben, "stopped").waitFor();

  // By the password alone nothing opens, and it is said why.
  await at(ben, "reload").click();
  await at(ben, "go-sign-in").click();
  await fill(ben, { handle: "ben", password: "correct horse" });
  await at(ben, "submit-sign-in").click();
  await ben.getByRole("alert").first().waitFor();

  const link = await invitation(cleo);
  await ben.goto(link);
  await withAccount(ben, "ben", "another horse");
  await at(ben, "field-replace").check();
  await at(ben, "submit-join").click();
  await at(ben, "error-join").getByText("do not match").waitFor();
  await fill(ben, { password: "correct horse" });
  await at(ben, "submit-join").click();
  await at(ben, "waiting").waitFor();
  await at(cleo, "admit-as").selectOption("adult");
  await at(cleo, "admit-member").click();
  await at(ben, "my-link").waitFor();
  assert.equal(await contact(ben, "gail").count(), 0, "the old household's contacts stay there");

  // One person is in one household.
  const second = await invitation(cleo);
  await elsewhere.goto(second);
  await withAccount(elsewhere, "anna", "correct horse");
  await at(elsewhere, "submit-join").click();
  await at(elsewhere, "error-join").getByText("Leave it first").waitFor();

  // A call inside the new household, certified by it.
  await at(cleo, "nav-household").click();
  await member(cleo, "ben").waitFor();
  await cleo.getByRole("button", { name: "Call Ben", exact: true }).click();
  await at(ben, "answer").click();
  await at(cleo, "call-code-open").or(at(cleo, "hang-up")).first().waitFor();
  await at(cleo, "hang-up").click();
});

test("the owner makes another adult the owner, and it is confirmed", async () => {
  const [dora, emil, finn] = [await open(PHONE), await open(), await open()];
  await signUp(dora, server.url, { name: "Dora", handle: "dora", household: "Ash Court" });
  await join(dora, emil, { name: "Emil", handle: "emil" }, "signs");
  await join(dora, finn, { name: "Finn", handle: "finn" }, "adult");
  await at(emil, "nav-household").click();
  await member(emil, "finn").click();
  await at(emil, "member-role").waitFor();
  assert.equal(await at(emil, "ownership").count(), 0, "only the owner can");
  await at(emil, "dialog-close").click();

  // Somebody without a signing app can't own it.
  await at(dora, "nav-household").click();
  await member(dora, "finn").click();
  await at(dora, "ownership").click();
  await at(dora, "ownership-not").waitFor();
  await at(dora, "dialog-close").click();

  await member(dora, "emil").click();
  await at(dora, "ownership").focus();
  await dora.keyboard.press("Enter");
  await at(dora, "submit-ownership").click();
  assert.equal(await at(dora, "member-role").textContent(), "Adult", "not without the word");
  await at(dora, "field-sure").check();
  await at(dora, "submit-ownership").click();
  await dora.getByText("Emil is the owner now.").waitFor();
  assert.equal(await at(dora, "member-role").textContent(), "Owner");
  assert.equal(await at(dora, "ownership").count(), 0);
  await at(dora, "dialog-close").click();
  await member(emil, "dora").click();
  assert.equal(await at(emil, "member-role").textContent(), "Adult");
  await at(emil, "ownership").waitFor();
});

test("whom a removed adult had let in is certified anew at once, and is let into calls of the household", async () => {
  const [gina, hugo, ida] = [await open(), await open(), await open(PHONE)];
  await signUp(gina, server.url, { name: "Gina", handle: "gina", household: "Fir Road" });
  await join(gina, hugo, { name: "Hugo", handle: "hugo" }, "signs");
  await join(hugo, ida, { name: "Ida", handle: "ida" }, "adult");
  await member(gina, "ida").waitFor();
  const renewed = told(ida, "certificate_renewed");
  await removeFromHousehold(gina, "hugo");
  await renewed;
  await at(ida, "nav-household").click();
  await ida.getByRole("button", { name: "Call Gina", exact: true }).click();
  await at(gina, "caller-standing").getByText("Your household").waitFor();
  await at(gina, "decline").click();
});

test("what somebody had signed who left while the app was closed is signed anew when it opens, and a card that was forged is not", async () => {
  const [jana, kurt] = [await open(), await open()];
  await signUp(jana, server.url, { name: "Jana", handle: "jana", household: "Elder Way" });
  await join(jana, kurt, { name: "Kurt", handle: "kurt" }, "signs");
  await addContact(kurt, "Lena", "lena");
  await at(jana, "nav-contacts").click();
  await contact(jana, "lena").waitFor();
  const again = await beside(jana);
  await jana.close();
  // This one Jana's app never saw while it counted.
  await addContact(kurt, "Mark", "mark");
  await at(kurt, "nav-settings").click();
  await at(kurt, "leave-household").click();
  await at(kurt, "leave-household-confirm").click();
  await at(kurt, "go-sign-in").or(at(kurt, "stopped")).first().waitFor();

  await again.goto(server.url);
  await contact(again, "lena").waitFor();
  await contact(again, "lena").getByTestId("pin-changed").waitFor({ state: "detached" });
  assert.ok(await contact(again, "lena").getByTestId("call-voice").isEnabled());
  await contact(again, "mark").getByTestId("pin-changed").waitFor();
  assert.ok(await contact(again, "mark").getByTestId("call-voice").isDisabled());
});
