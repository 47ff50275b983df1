// A closed app rings: the installed app, its service worker, and the notices that people tap, over the real server.
//
// A headless browser can neither subscribe at a push service nor be tapped. So the page subscribes at a stand-in (push_service.mjs), the browser is
// handed what arrived there by its debugging protocol, and a tap is an event that the test makes in the worker; what a worker may open only after
// a real tap, the test opens.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { DESKTOP, launch, PHONE, WHOLE } from "./browser.mjs";
import { connected } from "./company.mjs";
import { serve } from "./homeline.mjs";
import { addContact, at, call, contact, signUp, watch } from "./people.mjs";
import { PushService } from "./push_service.mjs";

const SETTINGS = {
  HOMELINE_SIGNALING__LIMITS__SIGN_UP_PER_ADDRESS: "{burst=1000,refill_secs=1}",
  HOMELINE_SIGNALING__PUSH__ALLOW_PRIVATE_ENDPOINTS: "true",
  HOMELINE_SIGNALING__PUSH__WAKE_AFTER_SECS: "0",
  HOMELINE_SIGNALING__CALLS__RING_TIMEOUT_SECS: "15",
};

let server;
let browser;
let service;
let contexts = [];
let complaints = [];
let people = 0;

before(async () => {
  server = await serve(SETTINGS);
  browser = await launch({ program: WHOLE });
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

beforeEach(async () => {
  service = await new PushService().start();
});

afterEach(async () => {
  for (const context of contexts) await context.close();
  contexts = [];
  service.stop();
  const said = complaints;
  complaints = [];
  assert.deepEqual(said, []);
});

async function open(viewport, { permissions = [], lend = false } = {}) {
  const context = await browser.newContext({ viewport });
  contexts.push(context);
  if (permissions.length > 0) await context.grantPermissions(permissions, { origin: server.url });
  if (lend) await service.lend(context);
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  watch(page, complaints);
  return page;
}

function person(name) {
  return { name, handle: `${name.toLowerCase()}${++people}`, household: `${name}'s home` };
}

/** Anna's app is open; Ben has switched ringing on and closed his. Ben knows Anna as Mum, if `knows`. */
async function annaAndBenAway({ knows = true } = {}) {
  const [anna, ben] = [person("Anna"), person("Ben")];
  const annaPage = await open(DESKTOP, { permissions: ["microphone", "camera"] });
  const benPage = await open(PHONE, { permissions: ["notifications", "microphone", "camera"], lend: true });
  await signUp(annaPage, server.url, anna);
  await signUp(benPage, server.url, ben);
  await addContact(annaPage, "Benny", ben.handle);
  if (knows) await addContact(benPage, "Mum", anna.handle);
  await at(benPage, "nav-settings").click();
  await at(benPage, "setting-push").click();
  await stands(benPage, "on");
  if (knows) await namesAreKept(benPage);
  const worker = await theWorker(benPage);
  await benPage.goto(`${server.url}/install`);
  return { anna: { ...anna, page: annaPage }, ben: { ...ben, page: benPage, worker } };
}

function stands(page, state) {
  return page.locator(`[data-testid="setting-push"][data-state="${state}"]`).waitFor();
}

/** The names go to the worker's own place beside what the page does. */
function namesAreKept(page) {
  return page.evaluate(async () => {
    const count = () => new Promise((resolve, reject) => {
      const opening = indexedDB.open("homeline.notices", 1);
      opening.onerror = () => reject(opening.error);
      opening.onsuccess = () => {
        const counting = opening.result.transaction("names").objectStore("names").count();
        counting.onsuccess = () => resolve(counting.result);
      };
    });
    while ((await count()) === 0) await new Promise(requestAnimationFrame);
  });
}

/** The worker, and the way to hand it a push. */
async function theWorker(page) {
  const context = page.context();
  const cdp = await context.newCDPSession(page);
  const registered = new Promise((resolve) => {
    cdp.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      const own = registrations.find(({ isDeleted, scopeURL }) => !isDeleted && scopeURL.startsWith(server.url));
      if (own !== undefined) resolve(own.registrationId);
    });
  });
  await cdp.send("ServiceWorker.enable");
  const registrationId = await registered;
  const running = context.serviceWorkers()[0] ?? await context.waitForEvent("serviceworker");
  await running.evaluate(() => {
    const show = ServiceWorkerRegistration.prototype.showNotification;
    self.showings = 0;
    ServiceWorkerRegistration.prototype.showNotification = async function (...notice) {
      await show.apply(this, notice);
      self.showings += 1;
    };
  });
  return {
    /** Until its notice is there: Chromium forgets one that is asked for while it is only being shown. */
    async push(notice) {
      const before = await running.evaluate(() => self.showings);
      await cdp.send("ServiceWorker.deliverPushMessage", { origin: server.url, registrationId, data: JSON.stringify(notice) });
      await running.evaluate(async (before) => {
        const deadline = Date.now() + 10_000;
        while (self.showings === before && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
      }, before);
    },
    /** Taps on the notice. Returns what the worker wants to open. */
    tap: (action) => running.evaluate(async (which) => {
      const [notification] = await self.registration.getNotifications();
      return new Promise((resolve) => {
        self.clients.openWindow = async (path) => {
          resolve(path);
          return null;
        };
        // An event that is not the browser's own may not prolong the worker's life.
        NotificationEvent.prototype.waitUntil = (work) => void work.then(() => resolve(undefined));
        self.dispatchEvent(new NotificationEvent("notificationclick", { notification, action: which }));
      });
    }, action),
  };
}

/** Waits until the worker shows this. */
function shows(page, title) {
  return page.evaluate(async (wanted) => {
    const registration = await navigator.serviceWorker.ready;
    const deadline = Date.now() + 30_000;
    for (;;) {
      if (Date.now() > deadline) throw new Error(`not shown: ${wanted}`);
      const notices = await registration.getNotifications();
      if (notices.length === 1 && notices[0].title === wanted) {
        const { body, tag, actions, icon } = notices[0];
        return { body, tag, actions: actions.map(({ action }) => action), icon };
      }
      await new Promise(requestAnimationFrame);
    }
  }, title);
}

/** A call from Anna arrives at Ben's browser as a push. */
async function rings({ anna, ben }, kind = "voice") {
  await call(anna.page, ben.handle, kind);
  const { notice } = await service.message();
  assert.equal(notice.type, "ring");
  await ben.worker.push(notice);
  return notice;
}

test("the app can be installed: manifest, icons and a service worker under the strict policy", async () => {
  const page = await open(PHONE);
  await page.goto(server.url);
  const worker = await page.evaluate(async () => {
    const { active, scope } = await navigator.serviceWorker.ready;
    return { script: active.scriptURL, scope };
  });
  assert.deepEqual(worker, { script: `${server.url}/push-worker.js`, scope: `${server.url}/` });
  const script = await page.request.get(`${server.url}/push-worker.js`);
  assert.match(script.headers()["content-type"], /javascript/);
  assert.match(script.headers()["content-security-policy"], /^default-src 'none'; script-src 'self'/);
  const cdp = await page.context().newCDPSession(page);
  const { errors, data } = await cdp.send("Page.getAppManifest");
  assert.deepEqual(errors, []);
  const { icons } = JSON.parse(data);
  assert.ok(icons.some(({ purpose }) => purpose === "maskable"));
  for (const { src, sizes } of icons.filter(({ type }) => type === "image/png")) {
    const size = await page.evaluate(async (path) => {
      const image = await createImageBitmap(await (await fetch(path)).blob());
      return `${image.width}x${image.height}`;
    }, src);
    assert.equal(size, sizes, src);
  }
  const { installabilityErrors } = await cdp.send("Page.getInstallabilityErrors");
  // A test's window is a private one.
  assert.deepEqual(installabilityErrors.filter(({ errorId }) => errorId !== "in-incognito"), []);
});

// req: CALL-4, CALL-15
test("a closed app shows who calls, by the own contact's name, and Answer opens the app, which answers", async () => {
  const both = await annaAndBenAway();
  const { anna, ben } = both;
  await rings(both);
  const shown = await shows(ben.page, "Incoming call");
  assert.equal(shown.body, "Mum");
  assert.deepEqual(shown.actions, ["answer", "decline"]);
  const path = await ben.worker.tap("answer");
  assert.match(path, /^\/#answer\/[0-9a-f]{32}$/);
  await ben.page.goto(`${server.url}${path}`);
  await connected(anna.page, ben.page);
  assert.equal(new URL(ben.page.url()).hash, "#/");
  await at(ben.page, "hang-up").click();
  await at(anna.page, "call-ended").waitFor();
});

// req: CALL-4
test("Decline in the notice declines at the caller's side, without the app", async () => {
  const both = await annaAndBenAway({ knows: false });
  await rings(both, "video");
  const shown = await shows(both.ben.page, "Incoming video call");
  assert.doesNotMatch(shown.body, /anna/i, "a stranger's name is not told");
  assert.equal(await both.ben.worker.tap("decline"), undefined);
  assert.equal(await at(both.anna.page, "call-ended").getAttribute("data-reason"), "declined");
});

// req: CALL-15
test("a call that was not answered leaves one notice, that it was missed, in place of its ring", async () => {
  const both = await annaAndBenAway();
  const { anna, ben } = both;
  const ring = await rings(both);
  const ringing = await shows(ben.page, "Incoming call");
  await at(anna.page, "cancel-call").click();
  const { notice } = await service.message();
  assert.deepEqual([notice.type, notice.call], ["missed", ring.call]);
  await ben.worker.push(notice);
  const missed = await shows(ben.page, "Missed call");
  assert.deepEqual([missed.body, missed.tag], ["Mum", ringing.tag]);
  assert.equal(await ben.worker.tap(""), "/#/history");
});

test("opened by hand while it rings, the app rings", async () => {
  const both = await annaAndBenAway();
  await rings(both);
  await both.ben.page.goto(server.url);
  assert.equal(await at(both.ben.page, "caller-name").textContent(), "Mum");
  await at(both.ben.page, "decline").click();
  assert.equal(await at(both.anna.page, "call-ended").getAttribute("data-reason"), "declined");
});

// req: DEV-10
test("the browser is asked only on a click, and a refusal takes away nothing else", async () => {
  const [anna, ben] = [person("Anna"), person("Ben")];
  const page = await open(PHONE, { lend: true });
  // A headless browser asks nobody: this is the person who says no.
  await page.addInitScript(() => {
    let permission = "default";
    globalThis.asked = 0;
    Object.defineProperty(Notification, "permission", { get: () => permission });
    Notification.requestPermission = async () => {
      globalThis.asked += 1;
      permission = "denied";
      return permission;
    };
  });
  await signUp(page, server.url, ben);
  await at(page, "nav-settings").click();
  const asked = () => page.evaluate(() => globalThis.asked);
  await stands(page, "off");
  assert.equal(await asked(), 0);
  await at(page, "setting-push").click();
  await stands(page, "blocked");
  assert.equal(await asked(), 1);
  assert.match(await at(page, "push-says").textContent(), /blocked.*only an open app rings.*settings/);
  assert.equal(await at(page, "setting-push").isChecked(), false);
  const annaPage = await open(DESKTOP, { permissions: ["microphone", "camera"] });
  await signUp(annaPage, server.url, anna);
  await addContact(annaPage, "Benny", ben.handle);
  await call(annaPage, ben.handle, "voice");
  await at(page, "caller-name").waitFor();
  await at(page, "decline").click();
  await at(annaPage, "call-ended").waitFor();
});

test("a browser whose push service can't be reached says so, and the switch stays off", async () => {
  const page = await open(PHONE, { permissions: ["notifications"] });
  await signUp(page, server.url, person("Ben"));
  await at(page, "nav-settings").click();
  await at(page, "setting-push").click();
  await page.getByText("This browser has no push service").waitFor();
  await stands(page, "off");
  assert.equal(await at(page, "setting-push").isChecked(), false);
  // Chromium's own word about private windows, which all of a test's are.
  complaints = complaints.filter((said) => !/Push API in incognito/.test(said));
});

test("switched off, a closed app rings no more", async () => {
  const { anna, ben } = await annaAndBenAway();
  await ben.page.goto(`${server.url}/#/settings`);
  await stands(ben.page, "on");
  await at(ben.page, "setting-push").click();
  await stands(ben.page, "off");
  await ben.page.goto(`${server.url}/install`);
  await call(anna.page, ben.handle, "voice");
  // It looks like any call that nobody answers.
  assert.equal(await at(anna.page, "call-ended").getAttribute("data-reason"), "no_answer");
  await at(anna.page, "end-close").click();
  await contact(anna.page, ben.handle).waitFor();
});
