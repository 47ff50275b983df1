// Dropping in from a home device in a browser, over the real server: on another room of its household, and on a contact's.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { DESKTOP } from "./browser.mjs";
import { Company, talking } from "./company.mjs";
import { edges, endsSaying, home, nothingLeft, seen, stage, watchDropIns } from "./drop_in_watch.mjs";
import { addContact, at, contact, pairDevice } from "./people.mjs";
import { hears, until } from "./sound.mjs";

const company = new Company();
before(() => company.start());
after(() => company.stop());
afterEach(() => company.part());

const place = (page, name) => at(page, "drop-in-place").filter({ hasText: name });

// req: DROP-8, DROP-9, DROP-10, DROP-13, DROP-14, RA-1
test("the display in the kitchen shows that somebody was in the bedroom, and drops in there: tone and light, frosted glass, then the clear picture, until it is ended in the kitchen", async () => {
  const { ben, page, kitchen } = await home(company);
  const bedroom = await company.open(1_500, DESKTOP);
  await watchDropIns(bedroom.context());
  await pairDevice(page, bedroom, company.url, { handle: ben.handle, label: "Bedroom" });
  await at(bedroom, "drop-in-frosted").selectOption("5");
  await bedroom.locator("time").click();

  await at(kitchen, "drop-in-from").click();
  await place(kitchen, "Bedroom").filter({ hasText: "Somebody was here within the last 5 minutes" }).waitFor();
  await place(kitchen, "Bedroom").click();
  await stage(kitchen, "frosted");
  await at(bedroom, "drop-in-who").filter({ hasText: "Kitchen hears this room, and sees a blur of it" }).waitFor();
  await until("a frosted picture", async () => (await edges(kitchen)) !== undefined);
  const frosted = await edges(kitchen);
  await hears(kitchen, 1_500);
  await hears(bedroom, 2_000);
  const there = await seen(bedroom);
  for (const opened of [there.captured, there.connected]) assert.ok(opened >= there.tone + 700 && opened > there.indicator, `opened too early: ${JSON.stringify(there)}`);

  await stage(kitchen, "clear");
  await until(async () => `sharper than ${frosted}: ${await edges(kitchen)}`, async () => (await edges(kitchen)) > 200);
  assert.ok(frosted < 20, `${frosted} edges through frosted glass`);
  await at(kitchen, "peer-name").filter({ hasText: "Bedroom" }).waitFor();
  await at(kitchen, "hang-up").click();
  await endsSaying(kitchen, "The drop-in has ended");
  await at(bedroom, "device-label").waitFor();
  await at(kitchen, "drop-in-from").waitFor();

  // Switched off there, it is no place to drop in on any more.
  await at(bedroom, "drop-in-switch").click();
  await at(kitchen, "drop-in-from").click();
  await at(kitchen, "drop-in-nowhere").waitFor();
  assert.equal(await place(kitchen, "Bedroom").count(), 0);
});

// req: DROP-2, DROP-8, DROP-18
test("a speaker drops in on a contact's room by the permission on their card, and says in words why it can't", async () => {
  let hall;
  const { kitchen } = await home(company, {
    meets: async (ben) => {
      const cleo = await company.person("Cleo", 1_500);
      await addContact(cleo.page, "Benny", ben.handle);
      await addContact(ben.page, "Cleo", cleo.handle);
      await talking(cleo, ben);
      await at(cleo.page, "hang-up").click();
      for (const one of [cleo.page, ben.page]) await at(one, "end-close").click();
      hall = await company.open(1_800, DESKTOP);
      await watchDropIns(hall.context());
      await pairDevice(cleo.page, hall, company.url, { handle: cleo.handle, label: "Hall", shape: "speaker" });
      // Nobody has let it drop in yet.
      await at(hall, "drop-in-from").click();
      await at(hall, "drop-in-nowhere").waitFor();
      await at(hall, "drop-in-from-close").click();
      ben.friend = cleo.handle;
    },
    give: async (page, ben) => {
      await at(page, "nav-contacts").click();
      await contact(page, ben.friend).getByTestId("open-card").click();
      await at(page, "card-drop-in").click();
      await at(page, "drop-in-open").click();
      await at(page, "drop-in-whom").selectOption("person");
      await at(page, "submit-drop-in").click();
      await at(page, "drop-in-state").filter({ hasText: "Cleo may drop in." }).waitFor();
    },
  });
  const drops = async () => {
    await at(hall, "drop-in-from").click();
    await place(hall, "Benny").click({ timeout: 30_000 });
  };
  await drops();
  await stage(hall, "clear");
  await at(hall, "peer-name").filter({ hasText: "Benny, Kitchen" }).waitFor();
  await at(kitchen, "drop-in-who").filter({ hasText: "Cleo hears this room" }).waitFor();
  await hears(hall, 2_000);
  await hears(kitchen, 1_800);
  await at(kitchen, "drop-in-hush").click();
  await at(hall, "drop-in-stage").filter({ hasText: "Hushed" }).waitFor();
  const before = { connections: 1, captures: (await seen(kitchen)).captures };
  await at(kitchen, "drop-in-end").click();
  await at(hall, "call-status").filter({ hasText: "The drop-in has ended" }).waitFor();
  await at(hall, "end-close").click();

  await drops();
  await stage(hall, "clear");
  await at(hall, "hang-up").click();
  await at(kitchen, "device-label").waitFor();
  await at(hall, "end-close").click();
  const opened = { connections: 2, captures: (await seen(kitchen)).captures };
  assert.ok(opened.captures > before.captures);
  await at(kitchen, "switch-quiet").click();
  await at(kitchen, "silent").waitFor();
  await at(hall, "drop-in-from").click();
  // Somebody outside is not told of do not disturb, and learns no more by trying.
  await place(hall, "Benny").click();
  await at(hall, "call-status").filter({ hasText: "Benny can't be reached now." }).waitFor();
  await nothingLeft(kitchen, opened);
});
