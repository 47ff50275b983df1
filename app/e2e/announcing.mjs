// A home in which something is announced: Ben's app and two rooms, and what he does in his app.
import { listenToAnnouncements } from "./announcements_ear.mjs";
import { DESKTOP, PHONE } from "./browser.mjs";
import { at, pairDevice } from "./people.mjs";

/** Ben's app, and two rooms of his home. `prepareHall`: what the hall's page is before it opens anything. */
export async function homeOfBen(company, { prepareHall = async () => undefined } = {}) {
  const ben = await company.person("Ben", 1_000, PHONE);
  const rooms = [];
  for (const [label, hertz, shape] of [["Kitchen", 2_000, "display"], ["Hall", 1_500, "speaker"]]) {
    const room = await company.open(hertz, DESKTOP);
    await listenToAnnouncements(room.context());
    if (label === "Hall") await prepareHall(room);
    await pairDevice(ben.page, room, company.url, { handle: ben.handle, label, shape });
    // What it hears is a tone, which would be cleaned away.
    await room.evaluate(() => localStorage.setItem("homeline.device.setting.original", '"on"'));
    rooms.push(room);
  }
  const [kitchen, hall] = rooms;
  return { ben, page: ben.page, kitchen, hall };
}

export async function toAnnounce(page, where) {
  await at(page, "nav-household").click();
  await at(page, "to-announce").click();
  if (where !== undefined) await at(page, "announce-to").selectOption({ label: where });
}

/** Recorded for two seconds, and announced. */
export async function say(page) {
  await at(page, "announce-record").click();
  await page.getByText(/0:(0[2-9]|[1-5]\d) of 1:00/).waitFor();
  await at(page, "announce-stop").click();
  await at(page, "announce-send").click();
  await at(page, "announce-record").waitFor();
}

export async function write(page, text) {
  await at(page, "announce-text").fill(text);
  await at(page, "submit-announce").click();
}

/** How it stands in a room, by the newest announcement. */
export function inRoom(page, label, state) {
  return at(page, "announced").first().locator(`[data-testid="announced-room"][data-state="${state}"]`).filter({ hasText: label }).waitFor();
}
