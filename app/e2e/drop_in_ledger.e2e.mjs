// What a home device wrote of itself, over the real server: read by an adult's app, which notices a server that lies about it.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { PHONE } from "./browser.mjs";
import { Company } from "./company.mjs";
import { at, pairDevice } from "./people.mjs";
import { device } from "./tour.mjs";

const company = new Company();
before(() => company.start());
after(() => company.stop());
afterEach(() => company.part());

const row = (page, kind) => page.locator(`[data-testid="ledger-row"][data-kind="${kind}"]`);

/** A server that changes what it hands out of a ledger, as long as `lie.change` says how. */
async function lying(context) {
  const lie = { change: undefined };
  await context.routeWebSocket(/\/v1\/session/, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((message) => server.send(message));
    server.onMessage((message) => {
      const frame = lie.change === undefined ? undefined : JSON.parse(message);
      const ledger = frame?.result?.ok;
      if (ledger?.type !== "ledger") return socket.send(message);
      ledger.entries = lie.change(ledger.entries);
      socket.send(JSON.stringify(frame));
    });
  });
  return lie;
}

test("what happened at a device is read by an adult's app, which says so loudly when the server breaks the chain", async () => {
  const page = await company.open(1_000, PHONE);
  const lie = await lying(page.context());
  const ben = await company.person("Ben", 1_000, PHONE, page);
  const kitchen = await company.open(2_000, PHONE);
  await pairDevice(page, kitchen, company.url, { handle: ben.handle, label: "Kitchen", shape: "speaker" });
  await at(page, "drop-in-open").click();
  await at(page, "submit-drop-in").click();
  await at(page, "drop-in-take-back").waitFor();
  await at(kitchen, "drop-in-switch").click();
  await at(kitchen, "drop-in-switch").click();

  await device(page, "Kitchen").click();
  await at(page, "dialog-device").getByTestId("to-ledger").click();
  await row(page, "grant").filter({ hasText: "Permission given: Everybody of your household" }).filter({ hasText: "Kitchen" }).waitFor();
  await row(page, "switched").nth(1).waitFor();
  assert.equal(await at(page, "ledger-trouble").count(), 0);

  // One of the lines in the middle is left out.
  lie.change = (entries) => entries.filter((_, place) => place !== 1);
  await page.reload();
  await page.locator('[data-testid="ledger-trouble"][data-trouble="broken"]').waitFor();
  await at(page, "nav-contacts").click();
  await at(page, "ledger-alarm").filter({ hasText: "Kitchen" }).waitFor();
  // The last ones are held back.
  lie.change = (entries) => entries.slice(0, 1);
  await page.reload();
  await at(page, "ledger-alarm-look").click();
  await page.locator('[data-testid="ledger-trouble"][data-trouble="shorter"]').waitFor();

  lie.change = undefined;
  await page.reload();
  await row(page, "switched").nth(1).waitFor();
  assert.equal(await at(page, "ledger-trouble").count(), 0);
});
