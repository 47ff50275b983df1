// Calls between real browsers over the real server: what people hear, see and read, and every way that a call ends.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { DESKTOP, fromDist, launch, PHONE, WHOLE } from "./browser.mjs";
import { connected, GENEROUS, originalSound } from "./company.mjs";
import { serve } from "./homeline.mjs";
import { addContact, at, call, contact, fill, pairDevice, signUp, watch } from "./people.mjs";
import { hears, hearsSilence, seesFrames, spyOnConnections, srtpCiphers, toneFile } from "./sound.mjs";

let server;
let tones;
/** One browser for each tone, since a browser has one microphone file; and one without any device. */
let low;
let high;
let bare;
let noticing;
let contexts = [];
let complaints = [];
let people = 0;

before(async () => {
  tones = await mkdtemp(join(tmpdir(), "homeline-tones-"));
  low = await launch({ sound: await toneFile(join(tones, "low.wav"), 1_000) });
  high = await launch({ sound: await toneFile(join(tones, "high.wav"), 1_500) });
  server = await serve(GENEROUS);
});

after(async () => {
  for (const browser of [low, high, bare, noticing]) await browser?.close();
  await server?.stop();
  await rm(tones, { recursive: true, force: true });
});

afterEach(async () => {
  for (const context of contexts) await context.close();
  contexts = [];
  const said = complaints;
  complaints = [];
  assert.deepEqual(said, []);
});

async function open(browser, viewport = DESKTOP, prepare = async () => undefined) {
  const context = await browser.newContext({ viewport });
  contexts.push(context);
  await fromDist(context);
  await spyOnConnections(context);
  await prepare(context);
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  watch(page, complaints);
  return page;
}

/** Fresh people, so that no test knows another. */
function person(name) {
  return { name, handle: `${name.toLowerCase()}${++people}`, household: `${name}'s home` };
}

/** Two people in two browsers who have each other in their contacts. */
async function annaAndBen({ benBrowser = high, prepareBen } = {}) {
  const [anna, ben] = [person("Anna"), person("Ben")];
  const [annaPage, benPage] = [await open(low), await open(benBrowser, PHONE, prepareBen)];
  await signUp(annaPage, server.url, anna);
  await signUp(benPage, server.url, ben);
  await addContact(annaPage, "Benny", ben.handle);
  await addContact(benPage, "Mum", anna.handle);
  return { anna: { ...anna, page: annaPage }, ben: { ...ben, page: benPage } };
}

/** Waits for so long on the page's own clock: this is the length of the outage itself, not a wait for something. */
function silentFor(page, milliseconds) {
  return page.evaluate((length) => new Promise((resolve) => setTimeout(resolve, length)), milliseconds);
}

async function endsWith(page, reason) {
  assert.equal(await at(page, "call-ended").getAttribute("data-reason"), reason);
}

async function code(page) {
  await at(page, "encryption-state").click();
  const digits = await at(page, "call-code").getAttribute("data-code");
  await at(page, "code-close").click();
  return digits;
}

// req: REG-5, REG-7, CON-4, CON-6, CALL-1, CALL-6, CALL-10, CALL-12, CALL-14, DEV-4, ENC-1
test("two fresh people add each other, call, hear each other's tone, see each other, read one code, and hang up", async () => {
  const { anna, ben } = await annaAndBen();
  for (const { page } of [anna, ben]) await originalSound(page);
  await call(anna.page, ben.handle);
  await at(anna.page, "outgoing-call").waitFor();
  assert.equal(await at(ben.page, "caller-name").textContent(), "Mum");
  assert.equal(await at(ben.page, "caller-standing").textContent(), "Unverified");
  await at(ben.page, "answer-video").click();
  await connected(anna.page, ben.page);
  await hears(ben.page, 1_000);
  await hears(anna.page, 1_500);
  await seesFrames(anna.page);
  await seesFrames(ben.page);
  // Left to itself the browser would take SHA1_80, which costs the server far more for each packet.
  for (const { page } of [anna, ben]) assert.deepEqual(await srtpCiphers(page), ["SRTP_AEAD_AES_128_GCM"]);
  for (const { page } of [anna, ben]) await at(page, "own-picture").getByTestId("camera-indicator").waitFor();
  const digits = await code(anna.page);
  assert.match(digits, /^\d{5}( \d{5}){5}$/);
  assert.equal(await code(ben.page), digits);
  await at(anna.page, "call-more").click();
  await at(anna.page, "open-connection").click();
  await anna.page.locator('[data-testid="connection-rating"][data-rating="good"]').waitFor();
  await at(anna.page, "dialog-close").click();
  await at(ben.page, "hang-up").click();
  await endsWith(anna.page, "hung_up");
  await endsWith(ben.page, "hung_up");
  await at(anna.page, "end-close").click();
  await contact(anna.page, ben.handle).getByTestId("pin-unverified").waitFor();
  await at(anna.page, "nav-history").click();
  await anna.page.locator('[data-testid="past-call"][data-reason="hung_up"][data-direction="outgoing"]').waitFor();
});

// req: CALL-11
test("mute is silence at the other end, video off takes the picture away and leaves the voice", async () => {
  const { anna, ben } = await annaAndBen();
  for (const { page } of [anna, ben]) await originalSound(page);
  await call(anna.page, ben.handle);
  await at(ben.page, "answer-video").click();
  await hears(ben.page, 1_000);
  await seesFrames(ben.page);
  await at(anna.page, "mute").click();
  await at(ben.page, "peer-muted").waitFor();
  await hearsSilence(ben.page);
  await at(anna.page, "mute").click();
  await hears(ben.page, 1_000);
  await at(anna.page, "toggle-video").click();
  await at(anna.page, "own-picture").waitFor({ state: "detached" });
  await at(ben.page, "remote-video").waitFor({ state: "hidden" });
  await hears(ben.page, 1_000);
  await at(anna.page, "toggle-video").click();
  await at(ben.page, "remote-video").waitFor();
  await seesFrames(ben.page);
});

test("a voice call stays without pictures until somebody switches one on", async () => {
  const { anna, ben } = await annaAndBen();
  await call(anna.page, ben.handle, "voice");
  await at(ben.page, "answer").click();
  await connected(anna.page, ben.page);
  assert.equal(await at(anna.page, "own-picture").count(), 0);
  await at(ben.page, "toggle-video").click();
  await at(anna.page, "remote-video").waitFor();
  await seesFrames(anna.page);
});

test("a call can be declined, cancelled, or end because nobody by that handle can be reached", async () => {
  const { anna, ben } = await annaAndBen();
  await call(anna.page, ben.handle);
  await at(ben.page, "decline").click();
  await endsWith(anna.page, "declined");
  await at(anna.page, "end-close").click();
  await call(anna.page, ben.handle, "voice");
  await at(ben.page, "incoming-call").waitFor();
  await at(anna.page, "cancel-call").click();
  await endsWith(anna.page, "cancelled");
  await at(ben.page, "incoming-call").waitFor({ state: "detached" });
  await at(anna.page, "end-close").click();
  // A mark until it is seen; a declined call is none.
  await at(ben.page, "missed-badge").waitFor();
  assert.equal(await at(ben.page, "missed-badge").textContent(), "1");
  await at(ben.page, "nav-history").click();
  await ben.page.locator('[data-testid="past-call"][data-reason="cancelled"]').getByText("Missed").waitFor();
  await at(ben.page, "missed-badge").waitFor({ state: "detached" });
  await addContact(anna.page, "Nobody", "nobody-at-all");
  await call(anna.page, "nobody-at-all", "voice");
  // It rings to the end, as for somebody who is away.
  await at(anna.page, "call-ended").waitFor({ timeout: 40_000 });
  await endsWith(anna.page, "no_answer");
});

// req: REG-8, CALL-2, CALL-3, CALL-5, DEV-1, DEV-2, DEV-3
test("all devices and the app ring at once; the speaker says who calls, answers, is green throughout, and the others stop", async () => {
  const speech = (context) => context.addInitScript(() => {
    globalThis.spoken = [];
    SpeechSynthesis.prototype.speak = (utterance) => globalThis.spoken.push(utterance.text);
  });
  const { anna, ben } = await annaAndBen();
  const [speaker, display] = [await open(high, PHONE, speech), await open(high, DESKTOP, speech)];
  await pairDevice(ben.page, speaker, server.url, { handle: ben.handle, label: "Kitchen", shape: "speaker" });
  await pairDevice(ben.page, display, server.url, { handle: ben.handle, label: "Hall", shape: "display" });
  await at(ben.page, "nav-contacts").click();
  await originalSound(anna.page);
  await call(anna.page, ben.handle);
  for (const page of [ben.page, speaker, display]) assert.equal(await at(page, "caller-name").textContent(), "Mum");
  await speaker.locator('[data-testid="light"][data-light="ringing"]').waitFor();
  await display.locator('[data-testid="light-bar"][data-light="ringing"]').waitFor();
  await speaker.waitForFunction(() => globalThis.spoken.includes("Incoming video call from Mum."));
  await at(speaker, "answer").click();
  for (const page of [ben.page, display]) await at(page, "incoming-call").waitFor({ state: "detached" });
  await connected(anna.page, speaker);
  await hears(speaker, 1_000);
  await speaker.locator('[data-testid="light"][data-light="call"]').waitFor();
  await at(speaker, "hang-up").click();
  await endsWith(anna.page, "hung_up");
  await speaker.locator('[data-testid="light"][data-light="off"]').waitFor();
});

test("a home device calls a contact, with its own picture shown for as long as it is sent", async () => {
  const { anna, ben } = await annaAndBen();
  const display = await open(high, DESKTOP);
  await pairDevice(ben.page, display, server.url, { handle: ben.handle, label: "Hall", shape: "display" });
  await contact(display, anna.handle).getByTestId("call-contact").click();
  assert.equal(await at(anna.page, "caller-name").textContent(), "Benny");
  await at(anna.page, "answer-video").click();
  await connected(anna.page, display);
  await at(display, "camera-indicator").waitFor();
  await display.locator('[data-testid="light-bar"][data-light="call"]').waitFor();
  await seesFrames(display);
  await at(anna.page, "hang-up").click();
  await endsWith(display, "hung_up");
});

/** Waits until these notifications are shown, and no others. */
function announces(page, wanted) {
  return page.evaluate(async (texts) => {
    const registration = await navigator.serviceWorker.ready;
    const deadline = Date.now() + 30_000;
    for (;;) {
      const shown = (await registration.getNotifications()).map(({ title, body }) => `${title}: ${body}`);
      if (shown.join() === texts.join()) return;
      if (Date.now() > deadline) throw new Error(`shown are: ${shown.join()}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }, wanted);
}

// req: CALL-4
test("an app whose tab is hidden announces the call by a notification, and its screen can answer", async () => {
  const hidden = async (context) => {
    await context.grantPermissions(["notifications"]);
    await context.addInitScript(() => {
      Object.defineProperty(document, "hidden", { get: () => globalThis.away === true });
      // Chromium forgets a notice that is asked for while it is only being shown.
      const show = ServiceWorkerRegistration.prototype.showNotification;
      globalThis.noticed = new Promise((resolve, reject) => {
        ServiceWorkerRegistration.prototype.showNotification = function (...notice) {
          const shown = show.apply(this, notice);
          shown.then(resolve, reject);
          return shown;
        };
        setTimeout(() => reject(new Error("nothing was announced")), 60_000);
      });
      globalThis.noticed.catch(() => undefined);
    });
  };
  noticing ??= await launch({ program: WHOLE });
  const { anna, ben } = await annaAndBen({ benBrowser: noticing, prepareBen: hidden });
  await ben.page.evaluate(async () => {
    globalThis.away = true;
    // Before it runs, the page itself notifies, which can't be asked for here.
    await navigator.serviceWorker.ready;
  });
  await call(anna.page, ben.handle, "voice");
  await ben.page.evaluate(() => globalThis.noticed);
  await announces(ben.page, ["Incoming call: Mum"]);
  await at(ben.page, "answer").click();
  await connected(anna.page, ben.page);
  await announces(ben.page, []);
});

test("a page that is reloaded in mid-call comes back into it with new keys", async () => {
  const { anna, ben } = await annaAndBen();
  for (const { page } of [anna, ben]) await originalSound(page);
  await call(anna.page, ben.handle);
  await at(ben.page, "answer-video").click();
  await connected(anna.page, ben.page);
  const digits = await code(anna.page);
  await ben.page.reload();
  await connected(ben.page, anna.page);
  // A browser that was not touched since the reload asks for it before it plays.
  await ben.page.mouse.click(5, 300);
  if (await at(ben.page, "allow-sound").isVisible()) await at(ben.page, "allow-sound").click();
  await hears(ben.page, 1_000);
  await hears(anna.page, 1_500);
  await seesFrames(anna.page);
  const anew = await code(ben.page);
  assert.notEqual(anew, digits);
  assert.equal(await code(anna.page), anew);
});

test("nothing comes through for five seconds in mid-call, and the call goes on", async () => {
  const { anna, ben } = await annaAndBen();
  for (const { page } of [anna, ben]) await originalSound(page);
  await call(anna.page, ben.handle, "voice");
  await at(ben.page, "answer").click();
  await connected(anna.page, ben.page);
  await hears(ben.page, 1_000);
  server.sleep();
  await silentFor(ben.page, 5_000);
  server.wake();
  await hears(ben.page, 1_000, 30_000);
  await hears(anna.page, 1_500, 30_000);
  await connected(anna.page, ben.page);
});

test("the server is killed in mid-call: both sides are told that it was restarted, and can call again", async () => {
  const { anna, ben } = await annaAndBen();
  await call(anna.page, ben.handle, "voice");
  await at(ben.page, "answer").click();
  await connected(anna.page, ben.page);
  await server.kill();
  server = await serve(GENEROUS, server);
  for (const { page } of [anna, ben]) {
    await endsWith(page, "server_restarted");
    await at(page, "end-close").click();
  }
  complaints = complaints.filter((complaint) => !/WebSocket connection/.test(complaint));
  await call(anna.page, ben.handle, "voice");
  await at(ben.page, "answer").click();
  await connected(anna.page, ben.page);
});

// req: DEV-10
test("without camera and microphone the call still goes on, and says what is missing and what to do", async () => {
  bare ??= await launch({ devices: false });
  const { anna, ben } = await annaAndBen({ benBrowser: bare });
  await originalSound(anna.page);
  await call(anna.page, ben.handle);
  await at(ben.page, "answer-video").click();
  for (const kind of ["camera", "microphone"]) {
    assert.equal(await at(ben.page, `${kind}-problem`).getAttribute("data-problem"), "missing");
  }
  await connected(ben.page, anna.page);
  await hears(ben.page, 1_000);
  await seesFrames(ben.page);
  await at(anna.page, "peer-muted").waitFor();
});

// req: DEV-10
test("a camera that is refused leaves the voice", async () => {
  const refused = (context) => context.addInitScript(() => {
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = (wanted) => wanted.video ? Promise.reject(new DOMException("no", "NotAllowedError")) : ask(wanted);
  });
  const { anna, ben } = await annaAndBen({ prepareBen: refused });
  await originalSound(ben.page);
  await call(anna.page, ben.handle);
  await at(ben.page, "answer-video").click();
  assert.equal(await at(ben.page, "camera-problem").getAttribute("data-problem"), "refused");
  assert.equal(await at(ben.page, "microphone-problem").count(), 0);
  await hears(anna.page, 1_500);
});

// req: REG-1
test("nobody calls without being registered: the page leads to signing up, and the server refuses a session", async () => {
  const page = await open(low);
  await page.goto(server.url);
  await at(page, "go-sign-up").waitFor();
  assert.equal(await page.locator('[data-testid^="call-"]').count(), 0);
  await page.evaluate(() => localStorage.setItem("homeline.app.session", "null"));
  const said = await page.evaluate(() => new Promise((resolve) => {
    const socket = new WebSocket(new URL("/v1/session", location.href.replace("http", "ws")));
    socket.onopen = () => socket.send(JSON.stringify({ type: "hello", protocol: 1, token: "made-up", resume: null }));
    socket.onmessage = (message) => resolve(JSON.parse(message.data));
  }));
  assert.equal(said.type, "goodbye");
  assert.match(said.error.message, /sign/i);
});

// req: CON-5
test("a contact that was added by hand is deleted from its card", async () => {
  const { anna, ben } = await annaAndBen();
  await contact(anna.page, ben.handle).getByTestId("open-card").click();
  await anna.page.getByText("Change or delete").click();
  await at(anna.page, "delete-contact").click();
  await at(anna.page, "no-contacts").waitFor();
  await anna.page.reload();
  await at(anna.page, "no-contacts").waitFor();
});

test("a person recovers with the code in a fresh browser, and the old contacts are there", async () => {
  const anna = person("Anna");
  const [first, second] = [await open(low), await open(high, PHONE)];
  const recovery = await signUp(first, server.url, anna);
  await addContact(first, "Ben", "some-ben");
  await second.goto(server.url);
  await at(second, "go-sign-in").click();
  await at(second, "go-recover").click();
  // The page before it asks for a handle too.
  await at(second, "submit-recover").waitFor();
  await fill(second, { handle: anna.handle, code: recovery, password: "another horse" });
  await at(second, "submit-recover").click();
  await contact(second, "some-ben").waitFor();
});

test("a member joins by link, is let in, is called from the household page, and a removed device is signed out", async () => {
  const [anna, carl] = [person("Anna"), person("Carl")];
  const [annaPage, carlPage, second] = [await open(low), await open(high, PHONE), await open(high, PHONE)];
  await signUp(annaPage, server.url, anna);
  await originalSound(annaPage);
  await at(annaPage, "nav-household").click();
  await at(annaPage, "invite-member").click();
  const link = await at(annaPage, "join-link").textContent();
  await at(annaPage, "dialog-close").click();
  await carlPage.goto(link);
  await fill(carlPage, { name: carl.name, handle: carl.handle, password: "correct horse" });
  await at(carlPage, "submit-join").click();
  await at(annaPage, "admit-member").click();
  await at(carlPage, "no-contacts").waitFor();
  await annaPage.locator(`[data-testid="member"][data-handle="${carl.handle}"]`).getByTestId("call-voice").click();
  assert.equal(await at(carlPage, "caller-name").textContent(), anna.name);
  assert.equal(await at(carlPage, "caller-standing").textContent(), "Your household");
  await at(carlPage, "answer").click();
  await hears(carlPage, 1_000);
  await at(carlPage, "hang-up").click();
  await endsWith(annaPage, "hung_up");
  await at(annaPage, "end-close").click();
  await at(annaPage, "add-device").click();
  await at(annaPage, "add-device-listening").waitFor();
  await second.goto(server.url);
  await at(second, "go-second-app").click();
  await fill(second, { handle: anna.handle });
  await at(second, "submit-second-app").click();
  await fill(annaPage, { digits: await at(second, "pairing-digits").textContent() });
  await at(annaPage, "submit-certify").click();
  await at(annaPage, "device-added").waitFor();
  await at(second, "add-contact").waitFor();
  await at(annaPage, "add-device-done").click();
  await annaPage.locator('[data-testid="device"]').last().getByTestId("open-device").click();
  await at(annaPage, "remove-device").click();
  await at(second, "stopped").waitFor();
});

test("a person signs out and comes back with the password alone, since the keys stayed in the browser", async () => {
  const anna = person("Anna");
  const page = await open(low);
  await signUp(page, server.url, anna);
  await addContact(page, "Ben", "some-ben");
  await at(page, "nav-settings").click();
  await at(page, "sign-out").click();
  await at(page, "go-sign-in").click();
  await fill(page, { handle: anna.handle, password: "wrong horse" });
  await at(page, "submit-sign-in").click();
  await at(page, "error-sign-in").waitFor();
  await fill(page, { password: "correct horse" });
  await at(page, "submit-sign-in").click();
  await contact(page, "some-ben").waitFor();
});
