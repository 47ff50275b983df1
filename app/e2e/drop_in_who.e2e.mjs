// Who may drop in, by real drop-ins over the real server: a child whom its parents let, a contact and their household, somebody new there, and nobody once everyone is out.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { DESKTOP, PHONE } from "./browser.mjs";
import { Company, originalSound, talking } from "./company.mjs";
import { anew, believesItMay, dropIn, endsSaying, home, nothingLeft, seen, stage, watchDropIns } from "./drop_in_watch.mjs";
import { addContact, at, consent, contact, join } from "./people.mjs";
import { hears } from "./sound.mjs";
import { member } from "./tour.mjs";

const company = new Company();
before(() => company.start());
after(() => company.stop());
afterEach(() => company.part());

/** Somebody who joins a household. The page shows "drop in" wherever it looks: it is the server, and the device, that refuse. */
async function joined(inviter, name, hertz, as) {
  const page = await company.open(hertz, PHONE);
  await watchDropIns(page.context());
  await believesItMay(page);
  const handle = company.handle(name);
  await join(inviter, page, { name, handle }, as);
  await originalSound(page);
  return { name, handle, page };
}

/** Cleo, whom Ben knows from a call, and who knows him as Benny. */
async function cleo(ben) {
  const page = await company.open(1_500, DESKTOP);
  await watchDropIns(page.context());
  await believesItMay(page);
  const cleo = await company.person("Cleo", 1_500, DESKTOP, page);
  await addContact(page, "Benny", ben.handle);
  await addContact(ben.page, "Cleo", cleo.handle);
  await talking(cleo, ben);
  await at(page, "hang-up").click();
  for (const one of [page, ben.page]) await at(one, "end-close").click();
  return cleo;
}

async function card(page, handle) {
  await at(page, "nav-contacts").click();
  await contact(page, handle).getByTestId("open-card").click();
}

/** Lets Cleo, or her household, drop in with sound alone. */
async function letsIn(ben, cleo, whom) {
  await card(ben.page, cleo.handle);
  await at(ben.page, "card-drop-in").click();
  await at(ben.page, "drop-in-open").click();
  await at(ben.page, "drop-in-whom").selectOption(whom);
  await at(ben.page, "submit-drop-in").click();
  const words = whom === "person" ? "Cleo may drop in." : "Cleo and their household may drop in.";
  await at(ben.page, "drop-in-state").filter({ hasText: words }).waitFor();
  await at(ben.page, "dialog-close").click();
}

async function dropInOn(page, handle) {
  await card(page, handle);
  await at(page, "drop-in-sound").click();
}

/** It goes on, both hear each other, nothing was heard before the tone and the light, and the kitchen ends it. */
async function goesOn({ page, kitchen }, hertz, who) {
  await stage(page, "clear");
  await at(kitchen, "drop-in-who").filter({ hasText: `${who} hears this room` }).waitFor();
  await hears(page, 2_000);
  await hears(kitchen, hertz);
  const there = await seen(kitchen);
  assert.ok(there.tone !== undefined && there.captured >= there.tone + 700 && there.captured > there.indicator, `opened too early: ${JSON.stringify(there)}`);
  assert.ok((await seen(page)).sound > there.tone + 700, "heard before the tone");
  await at(kitchen, "drop-in-end").click();
  await endsSaying(page, "The drop-in has ended");
  await at(kitchen, "device-label").waitFor();
}

/** What was opened at the kitchen for those who were let in. */
const opened = async (kitchen) => ({ connections: await kitchen.evaluate(() => globalThis.connections.length), captures: (await seen(kitchen)).captures });

// req: KID-2
test("a child drops in on its household's members and devices only while a parent has switched that on, and a drop-in ends when it is switched off", async () => {
  const { ben, page, kitchen } = await home(company);
  const zoe = await joined(page, "Zoe", 1_200, "child");
  await at(page, "nav-household").click();
  await at(page, "to-children").click();
  await consent(page);
  assert.ok(!await at(page, "limit-drop-in").isChecked(), "off until a parent says so");

  await at(zoe.page, "nav-household").click();
  const ways = [() => dropIn(zoe.page, "sound"), async () => {
    await member(zoe.page, ben.handle).click();
    await at(zoe.page, "drop-in-sound").click();
  }];
  const refused = async (opened) => {
    for (const tries of ways) {
      await tries();
      await endsSaying(zoe.page, "Drop in is switched off for you. Ask an adult of your household.");
    }
    await nothingLeft(kitchen, opened);
  };
  await refused();
  assert.equal((await seen(kitchen)).indicator, undefined);

  await at(page, "limit-drop-in").check();
  await page.locator('[data-testid="limit-drop-in"]:checked').waitFor();
  for (const tries of ways) {
    await tries();
    await stage(zoe.page, "clear");
    await at(kitchen, "drop-in-who").filter({ hasText: "Zoe hears this room" }).waitFor();
    await hears(zoe.page, 2_000);
    await hears(kitchen, 1_200);
    if (tries === ways[0]) {
      await at(zoe.page, "hang-up").click();
      await endsSaying(zoe.page, "The drop-in has ended");
      await at(kitchen, "device-label").waitFor();
    }
  }

  const before = await opened(kitchen);
  await at(page, "limit-drop-in").uncheck();
  await endsSaying(zoe.page, "The drop-in has ended");
  await at(kitchen, "device-label").waitFor();
  await refused(before);
});

// req: DROP-2, DROP-8, DROP-9, DROP-10, DROP-18
test("a contact drops in by the permission on their card, and their household once it is let in as well", async () => {
  let friend;
  const { ben, kitchen } = await home(company, {
    meets: async (ben) => {
      friend = await cleo(ben);
    },
    give: (_, ben) => letsIn(ben, friend, "person"),
  });
  const dana = await joined(friend.page, "Dana", 1_800, "adult");

  await dropInOn(dana.page, ben.handle);
  await endsSaying(dana.page, "You could not drop in");
  await nothingLeft(kitchen);
  await anew(kitchen, friend.page);
  await dropInOn(friend.page, ben.handle);
  await goesOn({ page: friend.page, kitchen }, 1_500, "Cleo");

  await letsIn(ben, friend, "household");
  await anew(kitchen, dana.page);
  await dropInOn(dana.page, ben.handle);
  await goesOn({ page: dana.page, kitchen }, 1_800, "Dana of Cleo's household");
});

// req: DROP-2, DROP-18, HH-6
test("somebody new in a contact's household is refused until an adult allows them, and stays out with a not now", async () => {
  let friend;
  const { ben, page, kitchen } = await home(company, {
    meets: async (ben) => {
      friend = await cleo(ben);
    },
    give: (_, ben) => letsIn(ben, friend, "household"),
  });
  const [dana, eve] = [await joined(friend.page, "Dana", 1_800, "adult"), await joined(friend.page, "Eve", 1_200, "adult")];
  const refused = async (one) => {
    await dropInOn(one.page, ben.handle);
    // To somebody outside every obstacle looks alike.
    await endsSaying(one.page, "can't be reached now");
  };

  await refused(dana);
  await at(page, "newcomer").filter({ hasText: "Somebody of Cleo's household wanted to drop in for the first time" }).waitFor();
  await at(page, "newcomer-later").click();
  await at(page, "newcomer").waitFor({ state: "detached" });
  await refused(dana);
  await refused(eve);
  await at(page, "newcomer-allow").click();
  await at(page, "newcomer").waitFor({ state: "detached" });
  await nothingLeft(kitchen);

  await dropInOn(eve.page, ben.handle);
  await goesOn({ page: eve.page, kitchen }, 1_200, "Eve of Cleo's household");
  await refused(dana);
  assert.equal(await at(page, "newcomer").count(), 0, "asked about Dana a second time");
});

// req: DROP-11, DROP-18
test("everyone out at the device itself ends who is there, and nobody drops in any more until an adult lets them anew", async () => {
  const { page, kitchen } = await home(company);
  await dropIn(page, "sound");
  await stage(page, "clear");
  await hears(page, 2_000);
  const before = await opened(kitchen);
  await at(kitchen, "everyone-out").click();
  await endsSaying(page, "The drop-in has ended");
  await at(kitchen, "device-label").waitFor();
  assert.ok(await kitchen.evaluate(() => globalThis.connections.every(({ connectionState }) => connectionState === "closed")));
  await dropIn(page, "sound");
  await endsSaying(page, "Kitchen does not let you drop in.");
  await nothingLeft(kitchen, before);

  await at(page, "drop-in-take-back").click();
  await at(page, "drop-in-take-back").waitFor({ state: "detached" });
  // The choices are open still.
  await at(page, "submit-drop-in").click();
  await at(page, "drop-in-take-back").waitFor();
  await dropIn(page, "sound");
  await stage(page, "clear");
  await hears(page, 2_000);
});
