// Parents and children over the real server: consent with its mail and link, what a child may, what it did, deletion.
import assert from "node:assert/strict";
import { once } from "node:events";
import { watch as watchFolder } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { DESKTOP, launch, PHONE } from "./browser.mjs";
import { serve } from "./homeline.mjs";
import { pages } from "./pages.mjs";
import { addContact, at, consent, fill, signUp } from "./people.mjs";

const SHOTS = process.env.CHILDREN_SHOTS;
let browser;
let server;
let mails;

before(async () => {
  browser = await launch();
});
after(() => browser.close());

const { open: openIn } = pages({ timeout: 15_000 });
const open = (viewport = DESKTOP) => openIn(browser, viewport);

/** Anna, and Zoe, whom she let in and then made a child. */
async function family(viewport) {
  const [anna, zoe] = [await open(viewport), await open(PHONE)];
  await signUp(anna, server.url, { name: "Anna Miller", handle: "anna", household: "The Millers" });
  await addContact(anna, "Grandpa Joe", "joe-1938");
  await at(anna, "nav-household").click();
  await at(anna, "invite-member").click();
  const link = await at(anna, "join-link").textContent();
  await at(anna, "dialog-close").click();
  await zoe.goto(link);
  await fill(zoe, { name: "Zoe Miller", handle: "zoe", password: "correct horse" });
  await at(zoe, "submit-join").click();
  await at(anna, "admit-member").click();
  await zoe.locator('[data-testid="contact"][data-handle="joe-1938"]').waitFor();
  await at(anna, "to-children").click();
  await at(anna, "no-children").waitFor();
  await at(anna, "submit-make-child").click();
  await at(anna, "child").waitFor();
  return { anna, zoe };
}

/** The newest mail, as its reader sees it. */
async function mail() {
  const late = AbortSignal.timeout(30_000);
  for (;;) {
    const next = once(watchFolder(mails, { persistent: false }), "change", { signal: late });
    const [name] = (await readdir(mails)).filter((file) => file.endsWith(".eml"));
    if (name !== undefined) return (await readFile(join(mails, name), "utf8")).replaceAll("=\r\n", "").replaceAll("=3D", "=");
    await next;
  }
}

async function story(work) {
  mails = join(await mkdtemp(join(tmpdir(), "homeline-mail-")), "mail");
  await mkdir(mails);
  server = await serve({ HOMELINE_SIGNALING__MAIL__WAY: "folder", HOMELINE_SIGNALING__MAIL__FOLDER: mails });
  await work();
}

afterEach(async () => {
  await server?.stop();
  await rm(mails, { recursive: true, force: true });
});

const shot = (page, name) => SHOTS === undefined ? undefined : page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });

// req: KID-4, KID-5, KID-6
test("an adult consents in the app, gets a mail, and withdraws by its link without signing in", () => story(async () => {
  const { anna, zoe } = await family(DESKTOP);
  await shot(anna, "desk-none");
  await at(anna, "open-consent").click();
  assert.match(await at(anna, "consent-text").textContent(), /Until you consent/);
  await shot(anna, "desk-consent");
  await anna.keyboard.press("Escape");
  await consent(anna);
  await at(anna, "consent-mail").and(anna.locator('[data-state="sent"]')).waitFor();
  await shot(anna, "desk-given");
  const letter = await mail();
  assert.match(letter, /^To: anna@example.org/m);
  assert.doesNotMatch(letter, /zoe/i);
  const secret = /\/consent#([\w-]{43})/.exec(letter)[1];
  const anywhere = await open(PHONE);
  await anywhere.goto(`${server.url}/consent#${secret}`);
  await at(anywhere, "review").and(anywhere.locator('[data-state="given"]')).waitFor();
  await shot(anywhere, "phone-link");
  await at(anywhere, "withdraw").click();
  await at(anywhere, "withdraw-sure").click();
  await at(anywhere, "withdrawn").waitFor();
  await shot(anywhere, "phone-link-withdrawn");
  await anna.locator('[data-testid="child"][data-consent="none"]').waitFor();
  assert.doesNotMatch(server.log(), /anna@example/);
  await at(zoe, "nav-household").click();
  assert.equal(await at(zoe, "to-children").count(), 0, "a child does not see the page");
}));

// req: KID-6
test("a link that is not one says so in words", () => story(async () => {
  const page = await open(PHONE);
  await page.goto(`${server.url}/consent#${"A".repeat(43)}`);
  assert.match(await at(page, "link-failed").textContent(), /not known/);
}));

test("switches and contacts are set by keyboard on a phone, and survive a reload", () => story(async () => {
  const { anna } = await family(PHONE);
  await consent(anna);
  await at(anna, "limit-messaging").focus();
  await anna.keyboard.press("Space");
  await at(anna, "limit-contacts").locator("summary").focus();
  await anna.keyboard.press("Enter");
  await at(anna, "limit-contact").focus();
  await anna.keyboard.press("Space");
  await anna.getByText("Contacts outside the household: 1").waitFor();
  await shot(anna, "phone-contacts");
  await anna.reload();
  await at(anna, "child").waitFor();
  assert.ok(!await at(anna, "limit-messaging").isChecked());
  await anna.getByText("Contacts outside the household: 1").waitFor();
}));

// req: KID-7
test("an adult reads a child's calls and has them deleted", () => story(async () => {
  const { anna, zoe } = await family(DESKTOP);
  await consent(anna);
  await at(zoe, "nav-household").click();
  await zoe.locator('[data-testid="member"][data-handle="anna"]').getByTestId("call-voice").click();
  await at(anna, "decline").click();
  await at(zoe, "end-close").click();
  await at(anna, "child-calls").locator("summary").click();
  await anna.locator('[data-testid="child-call"][data-handle="anna"][data-reason="declined"]').waitFor();
  await shot(anna, "desk-calls");
  await at(anna, "delete-child-data").click();
  await shot(anna, "desk-erase");
  await at(anna, "erase-not").click();
  assert.equal(await at(anna, "child-call").count(), 1);
  await at(anna, "delete-child-data").click();
  await at(anna, "erase-sure").click();
  await at(anna, "child-no-calls").waitFor();
}));
