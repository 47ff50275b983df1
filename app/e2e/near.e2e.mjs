// That somebody is near a home device in a browser, by what its camera sees move, over the real server: only where it was switched on, and never behind a cover.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { Company } from "./company.mjs";
import { dropIn, hides, home, live, seen, stage } from "./drop_in_watch.mjs";
import { at } from "./people.mjs";
import { until } from "./sound.mjs";
import { device } from "./tour.mjs";

const company = new Company();
before(() => company.start());
after(() => company.stop());
afterEach(() => company.part());

const watch = (page, state) => page.locator(`[data-testid="motion-state"][data-watch="${state}"]`).waitFor();
const reported = async (page, what) => (await seen(page)).reported.filter((one) => one === what).length;
const noCamera = (page) => until(async () => `no open camera: ${await live(page)}`, async () => (await live(page)).length === 0);

/** "Say when somebody was here", in the household's app. */
async function says(page, on) {
  await device(page, "Kitchen").click();
  await at(page, "device-near").setChecked(on);
  await page.locator(`[data-testid="device-near"]${on ? ":checked" : ":not(:checked)"}`).waitFor();
  await at(page, "dialog-close").click();
}

// req: RA-1, RA-3, RA-4
test("movement before the camera is shown to those who may drop in, once it is switched on at the device; covered, hidden, busy or told to nobody, its camera is off", async () => {
  const { page, kitchen } = await home(company);
  assert.ok(!await at(kitchen, "motion").isChecked(), "on by itself");
  assert.equal((await seen(kitchen)).captures, 0);
  await at(kitchen, "motion").check();
  await watch(kitchen, "looking");
  await until("movement", async () => await reported(kitchen, "motion") > 0);

  // What was said is forgotten, and nobody touches the kitchen from here on.
  await says(page, false);
  await at(page, "near").first().waitFor({ state: "detached" });
  await noCamera(kitchen);
  const [touches, moves] = [await reported(kitchen, "interaction"), await reported(kitchen, "motion")];
  await says(page, true);
  await at(page, "near").first().waitFor();
  assert.deepEqual([await reported(kitchen, "interaction"), await reported(kitchen, "motion") > moves], [touches, true]);
  assert.deepEqual(await live(kitchen), ["video"]);

  await at(kitchen, "switch-camera").click();
  await noCamera(kitchen);
  await watch(kitchen, "closed");
  const { captures } = await seen(kitchen);
  await says(page, false);
  await says(page, true);
  await at(kitchen, "motion-state").filter({ hasText: "The camera is off now." }).waitFor();
  assert.equal((await seen(kitchen)).captures, captures, "asked for a covered camera");
  await at(kitchen, "switch-camera").click();
  await watch(kitchen, "looking");
  await hides(kitchen, true);
  await noCamera(kitchen);
  await hides(kitchen, false);
  await watch(kitchen, "looking");

  // Whoever drops in has the camera for themself.
  await dropIn(page);
  await stage(page, "frosted");
  await until("one camera", async () => (await live(kitchen)).join() === "audio,video");
  await at(kitchen, "drop-in-end").click();
  await watch(kitchen, "looking");
  await at(kitchen, "motion").uncheck();
  await noCamera(kitchen);
});
