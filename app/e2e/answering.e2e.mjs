// A home device that answers by itself: named by an adult in the app, over the real server, and nobody touches it.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { DESKTOP, launch, PHONE } from "./browser.mjs";
import { connected, originalSound } from "./company.mjs";
import { serve } from "./homeline.mjs";
import { listen, pages } from "./pages.mjs";
import { addContact, at, call, contact, pairDevice, signUp } from "./people.mjs";
import { hears, spyOnConnections, toneFile } from "./sound.mjs";

let server;
let tones;
let browser;

before(async () => {
  tones = await mkdtemp(join(tmpdir(), "homeline-tones-"));
  browser = await launch({ sound: await toneFile(join(tones, "tone.wav"), 1_000) });
  server = await serve();
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await rm(tones, { recursive: true, force: true });
});

const { open: openIn } = pages({
  prepareEach: async (context) => {
    await spyOnConnections(context);
    await listen(context);
  },
});
const open = (viewport) => openIn(browser, viewport);

/** Calls once and answers in the app, so that both know each other's household. */
async function meet(caller, callee, handle) {
  await call(caller, handle, "voice");
  await at(callee, "answer").click();
  await connected(caller, callee);
  await at(caller, "hang-up").click();
  for (const page of [caller, callee]) await at(page, "end-close").click();
}

/** By keyboard alone, from the row of the first home device to the button that saves. */
async function nameByKeyboard(page, label, mode) {
  const row = page.locator('[data-testid="device"]').filter({ hasText: "Kitchen" }).getByTestId("open-device");
  await row.press("Enter");
  const select = page.locator(`[data-testid="answering-mode"][data-label="${label}"]`);
  await select.waitFor();
  for (let steps = 0; steps < 30 && !(await select.evaluate((element) => element === document.activeElement)); steps++) await page.keyboard.press("Tab");
  await page.keyboard.type(mode);
  assert.equal(await select.inputValue(), mode);
  const save = at(page, "submit-answering");
  for (let steps = 0; steps < 30 && !(await save.evaluate((element) => element === document.activeElement)); steps++) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByText("Kitchen has been told.").waitFor();
  await page.keyboard.press("Escape");
  await at(page, "dialog-device").waitFor({ state: "detached" });
}

for (const [size, viewport] of [["phone", PHONE], ["desktop", DESKTOP]]) {
  test(`whom an adult names is answered by the speaker without a touch, everybody else only rings (${size})`, async () => {
    const [anna, ben, dora] = ["anna", "ben", "dora"].map((name) => ({ name, handle: `${name}-${size}`, household: `${name}'s home` }));
    const [annaPage, benPage, doraPage, speaker] = [await open(DESKTOP), await open(viewport), await open(DESKTOP), await open(viewport)];
    await signUp(annaPage, server.url, anna);
    await signUp(benPage, server.url, ben);
    await signUp(doraPage, server.url, dora);
    await addContact(annaPage, "Ben", ben.handle);
    await addContact(doraPage, "Ben", ben.handle);
    await addContact(benPage, "Mum", anna.handle);
    await addContact(benPage, "Dora", dora.handle);
    await originalSound(annaPage);
    await meet(annaPage, benPage, ben.handle);
    await contact(benPage, anna.handle).getByTestId("pin-unverified").waitFor();
    await pairDevice(benPage, speaker, server.url, { handle: ben.handle, label: "Kitchen", shape: "speaker" });

    await at(benPage, "open-device").last().click();
    assert.match(await at(benPage, "answering-unmet").textContent(), /^Dora: can't be named yet/);
    await benPage.keyboard.press("Escape");
    await at(benPage, "dialog-device").waitFor({ state: "detached" });
    await nameByKeyboard(benPage, "Mum", "auto");
    await at(benPage, "answers-itself").waitFor();

    await call(annaPage, ben.handle, "voice");
    await speaker.locator('[data-testid="light"][data-light="ringing"]').waitFor();
    await speaker.waitForFunction(() => globalThis.spoken.includes("Incoming call from Mum. Answering by itself."));
    await connected(annaPage, speaker);
    await speaker.locator('[data-testid="light"][data-light="call"]').waitFor();
    await hears(speaker, 1_000);
    await at(annaPage, "hang-up").click();
    for (const page of [annaPage, speaker]) await at(page, "end-close").click();

    // The name is spoken a second time, long after a named caller would have been answered: nobody picked up.
    await call(doraPage, ben.handle, "voice");
    await speaker.waitForFunction(() => globalThis.spoken.filter((text) => text === "Incoming call from Dora.").length === 2);
    assert.equal(await at(speaker, "incoming-call").count(), 1);
    assert.equal(await doraPage.locator('[data-call-state="ringing"]').count(), 1);
    await at(doraPage, "cancel-call").click();
    // It rang in his app too, over the page.
    await at(speaker, "incoming-call").waitFor({ state: "detached" });
    await at(benPage, "answer").waitFor({ state: "detached" });

    await nameByKeyboard(benPage, "Mum", "echo");
    await call(annaPage, ben.handle, "voice");
    await at(speaker, "answering").getByText("can't play the echo").waitFor();
    await at(annaPage, "cancel-call").click();
    await at(annaPage, "end-close").click();
    await at(benPage, "answer").waitFor({ state: "detached" });

    await nameByKeyboard(benPage, "Mum", "ask");
    await at(benPage, "answers-itself").waitFor({ state: "detached" });
    await call(annaPage, ben.handle, "voice");
    await speaker.waitForFunction(() => globalThis.spoken.filter((text) => text === "Incoming call from Mum.").length === 2);
    assert.equal(await at(speaker, "incoming-call").count(), 1);
    await at(annaPage, "cancel-call").click();
  });
}
