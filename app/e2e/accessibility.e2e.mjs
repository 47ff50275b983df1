// Every screen at both sizes, by day and by night, as axe sees it: no serious or critical finding.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { findings } from "./axe.mjs";
import { DESKTOP, launch, PHONE } from "./browser.mjs";
import { tour } from "./tour.mjs";

let browser;

before(async () => {
  browser = await launch();
});
after(() => browser.close());

for (const [name, viewport] of [["a phone", PHONE], ["a desk", DESKTOP]]) {
  test(`axe finds nothing serious on any screen of ${name}, by day and by night`, async () => {
    const found = [];
    const screens = [];
    const open = async () => {
      const page = await (await browser.newContext({ viewport, colorScheme: "light" })).newPage();
      page.setDefaultTimeout(40_000);
      return page;
    };
    await tour(open, async (page, screen) => {
      screens.push(screen);
      found.push(...await findings(page, `${screen} by day`));
      await page.emulateMedia({ colorScheme: "dark" });
      found.push(...await findings(page, `${screen} by night`));
      await page.emulateMedia({ colorScheme: "light" });
    });
    for (const context of browser.contexts()) await context.close();
    assert.ok(screens.length > 50, `only ${screens.length} screens were seen`);
    assert.deepEqual(found, []);
  });
}
