// Drop-ins between real browsers over the real server: from the app on a home device, and every way that nothing opens.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { DESKTOP } from "./browser.mjs";
import { Company, connected } from "./company.mjs";
import { believesItMay, dropIn, edges, endsSaying, hides, home, live, nothingLeft, seen, stage } from "./drop_in_watch.mjs";
import { addContact, at, contact } from "./people.mjs";
import { hears, hearsSilence, until } from "./sound.mjs";
import { device } from "./tour.mjs";

const company = new Company();
before(() => company.start());
after(() => company.stop());
afterEach(() => company.part());

/** The first "Drop in on home" asks; a no gives nothing, a yes goes on to the rooms. */
async function onHome(page) {
  await at(page, "drop-in-home").click();
  await at(page, "drop-in-home-asks").waitFor();
  await at(page, "drop-in-home-no").click();
  await at(page, "drop-in-state").filter({ hasText: "Everybody of your household may not drop in." }).waitFor();
  await at(page, "drop-in-home").click();
  await at(page, "drop-in-home-yes").click();
  await at(page, "drop-in-take-back").waitFor();
}

// req: DROP-3, DROP-4, DROP-8, DROP-9, DROP-10, DROP-11, DROP-13, DROP-14, DROP-15, DROP-16, A-23
test("dropping in on home for the first time asks, and then on the kitchen: its tone and light come first, then frosted glass, then the clear picture, and one press there ends it", async () => {
  const { page, kitchen } = await home(company, { give: onHome });
  await at(kitchen, "drop-in-frosted").selectOption("5");
  await at(page, "drop-in-room").filter({ hasText: "Kitchen" }).click();
  await stage(page, "frosted");
  await at(kitchen, "drop-in-who").filter({ hasText: "Ben hears this room, and sees a blur of it" }).waitFor();
  await until("a frosted picture", async () => (await edges(page)) !== undefined);
  const frosted = await edges(page);
  await hears(page, 2_000);
  await hears(kitchen, 1_000);

  const there = await seen(kitchen);
  const { sound } = await seen(page);
  assert.ok(there.tone !== undefined && there.indicator !== undefined, "tone and light");
  assert.ok(sound > there.indicator && sound > there.tone + 700, `heard before tone and light: ${JSON.stringify({ ...there, sound })}`);
  for (const opened of [there.captured, there.connected]) assert.ok(opened >= there.tone + 700 && opened > there.indicator, `opened too early: ${JSON.stringify(there)}`);

  await stage(page, "clear");
  await until(async () => `sharper than ${frosted}: ${await edges(page)}`, async () => (await edges(page)) > 200);
  assert.ok(frosted < 20, `${frosted} edges through frosted glass`);
  // The kitchen sees who it is, and what is seen of it.
  await until("Ben's picture in the kitchen", async () => (await edges(kitchen)) > 200);
  await at(kitchen, "own-picture").waitFor();

  await at(kitchen, "drop-in-camera").click();
  await at(page, "peer-camera-off").waitFor();
  await at(kitchen, "own-picture").waitFor({ state: "detached" });
  await hears(page, 2_000);
  await at(kitchen, "drop-in-hush").click();
  await stage(page, "hushed");
  await hearsSilence(page);
  assert.equal(await kitchen.evaluate(() => document.querySelector('[data-testid="remote-audio"]').srcObject), null);
  await at(kitchen, "drop-in-hush").click();
  await hears(page, 2_000);

  await at(kitchen, "drop-in-end").click();
  await endsSaying(page, "The drop-in has ended");
  await at(kitchen, "device-label").waitFor();
  assert.equal(await at(kitchen, "drop-in-indicator").count(), 0);
  assert.ok(await kitchen.evaluate(() => globalThis.connections.every(({ connectionState }) => connectionState === "closed")));
});

// req: DROP-8, DROP-18, DND-5, RA-2, A-24
test("during do not disturb, when it is off there, after the permission was taken back, and for whom nobody let in, nothing opens and nothing is sent", async () => {
  const cleo = await company.open(1_500);
  await believesItMay(cleo);
  const { ben, page, kitchen } = await home(company, {
    // The page shows its buttons all the same: it is the server, and the device, that refuse.
    prepare: believesItMay,
    meets: async (ben) => {
      await company.person("Cleo", 1_500, DESKTOP, cleo);
      await addContact(cleo, "Benny", ben.handle);
      await contact(cleo, ben.handle).getByTestId("call-voice").click();
      await at(ben.page, "answer").click();
      await connected(cleo, ben.page);
      await at(cleo, "hang-up").click();
      for (const one of [cleo, ben.page]) await at(one, "end-close").click();
      await contact(cleo, ben.handle).getByTestId("pin-unverified").waitFor();
    },
  });

  await at(kitchen, "switch-quiet").click();
  await at(kitchen, "silent").waitFor();
  await dropIn(page);
  await endsSaying(page, "You could not drop in");
  await at(kitchen, "switch-quiet").click();
  await at(kitchen, "silent").waitFor({ state: "detached" });

  await at(kitchen, "drop-in-switch").click();
  await device(page, "Kitchen").click();
  await page.locator('[data-testid="device-drop-in"]:not(:checked)').waitFor();
  await at(page, "drop-in-video").click();
  await endsSaying(page, "You could not drop in");
  await at(kitchen, "drop-in-switch").click();

  await at(page, "drop-in-take-back").click();
  await at(page, "drop-in-take-back").waitFor({ state: "detached" });
  await dropIn(page);
  await endsSaying(page, "You could not drop in");

  // Touched a moment ago, and she sees nothing of it.
  await contact(cleo, ben.handle).getByTestId("open-card").click();
  assert.equal(await at(cleo, "near").count(), 0);
  await at(cleo, "drop-in-sound").click();
  await endsSaying(cleo, "You could not drop in");
  await nothingLeft(kitchen);
  assert.equal((await seen(kitchen)).indicator, undefined);
});

test("the server is killed while somebody is dropped in: the room shuts, who was dropped in is told why, and afterwards one can drop in again", async () => {
  const { page, kitchen } = await home(company);
  await dropIn(page, "sound");
  await hears(page, 2_000);
  await company.serverDies();
  await endsSaying(page, "The server was restarted");
  await at(kitchen, "device-label").waitFor();
  assert.equal(await at(kitchen, "drop-in-indicator").count(), 0);
  assert.deepEqual(await live(kitchen), []);
  company.serverWasGone();
  await dropIn(page, "sound");
  await hears(page, 2_000);
  await at(kitchen, "drop-in-end").click();
  await endsSaying(page, "The drop-in has ended");
});

// req: DROP-8, DROP-18, RA-1, RA-5
test("a knock opens with a yes and stays shut with a no; that somebody was near is seen by whom the permission names, until it is taken back", async () => {
  const { page, kitchen } = await home(company, { opening: "knock_until_yes" });
  await kitchen.locator("time").click();
  await at(page, "near").first().waitFor();
  await dropIn(page);
  await at(kitchen, "drop-in-yes").waitFor();
  await stage(page, "knocking");
  assert.equal((await seen(page)).sound, undefined);
  await at(kitchen, "drop-in-no").click();
  await endsSaying(page, "Nobody at Kitchen opened.");
  await at(kitchen, "device-label").waitFor();

  await dropIn(page, "sound");
  await at(kitchen, "drop-in-yes").click();
  await stage(page, "clear");
  await hears(page, 2_000);
  await hears(kitchen, 1_000);
  // Taken back by an adult while somebody is there: it is over at once.
  await at(page, "hang-up").click();
  await endsSaying(page, "The drop-in has ended");
  await at(kitchen, "device-label").waitFor();
  await at(page, "drop-in-take-back").click();
  await at(page, "near").first().waitFor({ state: "detached" });
});

// req: DROP-9, DROP-18
test("a page that nobody sees any more shows no light, so a drop-in ends there and none begins until somebody sees it again", async () => {
  const { page, kitchen } = await home(company);
  await dropIn(page, "sound");
  await stage(page, "clear");
  await hears(page, 2_000);
  const before = { connections: 1, captures: (await seen(kitchen)).captures };
  await hides(kitchen, true);
  await endsSaying(page, "The drop-in has ended");
  await at(kitchen, "device-label").waitFor();
  await dropIn(page, "sound");
  await endsSaying(page, "could not sound its tone or show its light, so nothing opened");
  await nothingLeft(kitchen, before);
  await hides(kitchen, false);
  await dropIn(page, "sound");
  await stage(page, "clear");
  await hears(page, 2_000);
});

// req: DROP-18
test("a server that withholds a revocation, and shows the device once more what it was asked, is refused by the device, which writes it down and opens nothing", async () => {
  const lie = { asked: undefined, begins: false };
  const told = [];
  const { page, kitchen } = await home(company, {
    prepareKitchen: (kitchen) => kitchen.routeWebSocket(/\/v1\/session/, (socket) => {
      const server = socket.connectToServer();
      socket.onMessage((message) => {
        told.push(JSON.parse(message).body ?? {});
        server.send(message);
      });
      server.onMessage((message) => {
        const frame = JSON.parse(message);
        if (frame.body?.type === "drop_in_asked") lie.asked = frame.body;
        const lies = lie.begins && frame.body?.type === "drop_in_grant_put";
        socket.send(lies ? JSON.stringify({ ...frame, body: lie.asked }) : message);
      });
    }),
  });
  await dropIn(page, "sound");
  await stage(page, "clear");
  await hears(page, 2_000);
  const before = { connections: 1, captures: (await seen(kitchen)).captures };
  await at(kitchen, "drop-in-end").click();
  await endsSaying(page, "The drop-in has ended");

  const refusal = () => told.find(({ type }) => type === "refuse_drop_in");
  lie.begins = true;
  await at(page, "drop-in-take-back").click();
  await until("a refusal", async () => refusal() !== undefined);
  assert.equal(refusal().refusal, "initiator");
  await at(page, "to-ledger").click();
  await page.locator('[data-testid="ledger-row"][data-kind="refused"]').filter({ hasText: "it could not be verified who it was" }).waitFor();
  await nothingLeft(kitchen, before);
  await at(kitchen, "device-label").waitFor();
});
