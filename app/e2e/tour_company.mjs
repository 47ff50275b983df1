// The part of the walk with more than two in a call, a call that moves, and a second call.
import { at, call } from "./people.mjs";
import { crowd, tell } from "./stand_in_company.mjs";

const NAMES = ["Grandpa Joe", "Maria", "Dr. Elisabeth von Hohenstein-Papadopoulos", "Lena", "Tom", "Ida", "Oskar", "Nora", "Emil", "Mia", "Paul", "Ella", "Jan"];

export async function company(server, visit, { anna, ben, carl, speaker }) {
  await call(anna, "ben", "voice");
  await at(ben, "answer").click();
  await anna.locator('[data-keys="sending"]').waitFor();
  await adding(server, visit, anna);
  await many(server, visit, anna);
  await at(carl, "nav-household").click();
  await carl.locator('[data-testid="member"][data-handle="anna"]').getByTestId("call-voice").click();
  await at(anna, "call-waiting").waitFor();
  await visit(anna, "call-waiting");
  await at(carl, "cancel-call").click();
  await at(anna, "call-waiting").waitFor({ state: "detached" });
  await at(carl, "end-close").click();
  await moving(server, visit, { anna, speaker });
  await at(ben, "hang-up").click();
  await at(ben, "end-close").click();
  await elsewhere(server, visit, anna, speaker);
}

async function adding(server, visit, anna) {
  await at(anna, "add-somebody").click();
  await at(anna, "add-person").first().waitFor();
  await visit(anna, "call-add");
  await anna.locator('[data-testid="add-person"][data-handle="joe-1938"]').click();
  await at(anna, "adding").waitFor();
  await visit(anna, "call-adding");
  tell(server, "anna", { type: "adding_ended", reason: "declined" });
  await at(anna, "not-added").waitFor();
  await visit(anna, "call-not-added");
  await at(anna, "not-added-close").click();
}

async function many(server, visit, anna) {
  for (const [others, name] of [[1, "call-three"], [3, "call-five"], [8, "call-nine"], [13, "call-many"]]) {
    crowd(server, "anna", NAMES.slice(0, others));
    await at(anna, "call-tile").nth(others).waitFor();
    await visit(anna, name);
    if (name === "call-five") await lines(server, visit, anna);
  }
  await at(anna, "call-more").click();
  await at(anna, "end-for-everyone").waitFor();
  await visit(anna, "call-more");
  await at(anna, "open-people").click();
  await at(anna, "people-list").waitFor();
  await visit(anna, "call-people");
  await at(anna, "dialog-close").click();
  crowd(server, "anna", []);
  await at(anna, "call-tiles").waitFor({ state: "detached" });
}

/** Somebody speaks, some connections are not good, and the figures of the own one. */
async function lines(server, visit, anna) {
  const devices = await at(anna, "call-tile").evaluateAll((tiles) => tiles.map(({ dataset }) => dataset.device));
  tell(server, "anna", { type: "speakers", devices: [devices[1]] });
  tell(server, "anna", {
    type: "call_connections", own: { grade: "fair", loss_up_percent: 4, loss_down_percent: 0, round_trip_ms: 180, jitter_ms: 22, estimate_kbit_per_second: 850 },
    others: [{ device: devices[0], grade: "good" }, { device: devices[2], grade: "poor" }],
  });
  await at(anna, "tile-speaks").waitFor();
  await at(anna, "their-quality").waitFor();
  await at(anna, "quality").click();
  await at(anna, "connection-figures").waitFor();
  await visit(anna, "call-connection");
  await at(anna, "dialog-close").click();
  await visit(anna, "call-speaks");
  tell(server, "anna", { type: "speakers", devices: [] });
  tell(server, "anna", { type: "call_connections", own: null, others: [] });
}

async function moving(server, visit, { anna, speaker }) {
  await at(anna, "call-more").click();
  await at(anna, "open-move").click();
  await at(anna, "move-to").first().waitFor();
  await visit(anna, "call-move");
  await anna.locator('[data-testid="move-to"][data-label="Kitchen"]').click();
  await at(speaker, "incoming-call").waitFor();
  await visit(anna, "call-moving");
  await visit(speaker, "speaker-asked-to-take-a-call");
  await at(speaker, "decline").click();
  await at(anna, "not-moved").waitFor();
  await visit(anna, "call-not-moved");
  await at(anna, "call-more").click();
  await at(anna, "open-move").click();
  await anna.locator('[data-testid="move-to"][data-label="Kitchen"]').click();
  await at(speaker, "incoming-call").waitFor();
  tell(server, "anna", { type: "call_ended", reason: "moved" });
  await at(anna, "call-ended").waitFor();
  await visit(anna, "call-moved");
  await at(anna, "end-close").click();
  await at(speaker, "decline").click();
}

async function elsewhere(server, visit, ...pages) {
  const look = (page) => page.evaluate(() => dispatchEvent(new Event("focus")));
  server.elsewhere = [{ call: "9".repeat(32), direction: "outgoing", party: { handle: "ben", display_name: "Ben Ode" }, phase: "answered", here: false }];
  for (const page of pages) {
    await look(page);
    await at(page, "call-elsewhere").waitFor();
  }
  await visit(pages[0], "call-elsewhere");
  await visit(pages[1], "device-call-elsewhere");
  server.elsewhere = [];
  for (const page of pages) {
    await look(page);
    await at(page, "call-elsewhere").waitFor({ state: "detached" });
  }
}
