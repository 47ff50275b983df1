// Live announcements between real browsers over the real server: heard in the rooms as they are spoken, and nothing comes back.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { homeOfBen, inRoom, say, toAnnounce } from "./announcing.mjs";
import { played, playsTone } from "./announcements_ear.mjs";
import { DESKTOP } from "./browser.mjs";
import { Company, connected } from "./company.mjs";
import { addContact, at, contact } from "./people.mjs";
import { hears } from "./sound.mjs";

const company = new Company();
before(() => company.start());
after(() => company.stop());
afterEach(() => company.part());

async function speakLive(page, where) {
  await toAnnounce(page, where);
  await at(page, "announce-live").click();
  await at(page, "live").waitFor();
}

const isOver = (page) => at(page, "live").waitFor({ state: "detached" });

/** What a page's connections send and receive, and how often it asked for a microphone. */
async function flows(page) {
  const captures = (await played(page))?.captures;
  const tracks = await page.evaluate(() => globalThis.connections.filter(({ signalingState }) => signalingState !== "closed").flatMap((connection) => connection.getTransceivers().map(({ direction, sender }) => ({ direction, sends: sender.track !== null }))));
  return { captures, sends: tracks.filter(({ sends }) => sends).length, directions: tracks.map(({ direction }) => direction) };
}

// req: ANN-1, ANN-2, ANN-3
test("spoken live in the app, it is heard in every room meanwhile; no microphone is opened there, nothing comes back, and its end ends it everywhere", async () => {
  const { page, kitchen, hall } = await homeOfBen(company);
  await speakLive(page);
  for (const room of [kitchen, hall]) {
    await at(room, "announcement-from").filter({ hasText: "announces" }).waitFor();
    await hears(room, 1_000);
  }
  for (const label of ["Kitchen", "Hall"]) await inLiveRoom(page, label, "hears");
  await at(page, "live-time").filter({ hasText: "of 1:00" }).waitFor();
  for (const room of [kitchen, hall]) {
    assert.deepEqual(await flows(room), { captures: 0, sends: 0, directions: ["recvonly"] });
    assert.equal(await at(room, "light").getAttribute("data-light"), "announcement");
    assert.equal(await at(room, "live").getAttribute("data-live"), "hears");
  }
  // Nor does whoever speaks hear anything.
  assert.deepEqual((await flows(page)).directions, ["sendonly"]);
  assert.equal(await page.locator("audio").count(), 0);
  await at(page, "live-stop").click();
  for (const one of [page, kitchen, hall]) await isOver(one);
  for (const label of ["Kitchen", "Hall"]) await inRoom(page, label, "played");
  for (const room of [kitchen, hall]) assert.equal((await played(room)).captures, 0);
});

// req: ANN-3
test("one press in a room ends it there alone", async () => {
  const { page, kitchen, hall } = await homeOfBen(company);
  await speakLive(page);
  for (const room of [kitchen, hall]) await hears(room, 1_000);
  await at(hall, "announcement-stop").click();
  await isOver(hall);
  await inLiveRoom(page, "Hall", "left");
  await inLiveRoom(page, "Kitchen", "hears");
  await hears(kitchen, 1_000);
  await at(page, "live-stop").click();
  await isOver(kitchen);
  await inRoom(page, "Hall", "left");
  await inRoom(page, "Kitchen", "played");
});

test("a room whose server changes what was signed takes nothing and says so, which whoever speaks sees, and the other room hears on", async () => {
  const { page, kitchen, hall } = await homeOfBen(company, {
    prepareHall: (room) => room.routeWebSocket(/\/v1\/session/, (socket) => {
      const server = socket.connectToServer();
      server.onMessage((message) => {
        const frame = JSON.parse(message);
        if (frame.body?.type !== "live_announcement") return socket.send(message);
        const [first] = frame.body.statement;
        const statement = (first === "A" ? "B" : "A") + frame.body.statement.slice(1);
        socket.send(JSON.stringify({ ...frame, body: { ...frame.body, statement } }));
      });
    }),
  });
  await speakLive(page);
  await inLiveRoom(page, "Hall", "declined");
  await hall.getByText("A live announcement was not taken").waitFor();
  assert.equal(await at(hall, "live").count(), 0);
  await hears(kitchen, 1_000);
  await at(page, "live-stop").click();
  await isOver(kitchen);
  await inRoom(page, "Hall", "declined");
  await inRoom(page, "Kitchen", "played");
});

// req: ANN-4
test("a room on do not disturb is not told, and nothing of it is offered there afterwards", async () => {
  const { page, kitchen, hall } = await homeOfBen(company);
  await at(kitchen, "switch-quiet").click();
  await at(kitchen, "silent").waitFor();
  await speakLive(page);
  await hears(hall, 1_000);
  await inLiveRoom(page, "Kitchen", "quiet");
  assert.equal(await at(kitchen, "live").count(), 0);
  await at(page, "live-stop").click();
  await isOver(hall);
  await at(kitchen, "switch-quiet").click();
  await at(kitchen, "silent").waitFor({ state: "detached" });
  assert.equal(await at(kitchen, "announcements-offered").count(), 0);
  assert.deepEqual(await flows(kitchen), { captures: 0, sends: 0, directions: [] });
});

// req: A-41
test("a room in a call is shown as busy and not interrupted; spoken to it alone, nothing begins", async () => {
  const { ben, page, kitchen, hall } = await homeOfBen(company);
  const cleo = await company.person("Cleo", 3_000, DESKTOP);
  await addContact(cleo.page, "Benny", ben.handle);
  await contact(cleo.page, ben.handle).getByTestId("call-voice").click();
  await at(kitchen, "answer").click();
  await connected(cleo.page, kitchen);
  for (const one of [page, hall]) await at(one, "answer").waitFor({ state: "detached" });
  await speakLive(page);
  await hears(hall, 1_000);
  await inLiveRoom(page, "Kitchen", "busy");
  await hears(kitchen, 3_000);
  await at(page, "live-stop").click();
  await isOver(page);
  await at(page, "announce-to").selectOption({ label: "Kitchen" });
  await at(page, "announce-live").click();
  await at(page, "notice").waitFor();
  await isOver(page);
});

// req: ANN-1, A-40, A-41
test("spoken live at a display it is heard in the other room; what is recorded meanwhile is played there afterwards", async () => {
  const { page, kitchen, hall } = await homeOfBen(company);
  await at(kitchen, "to-announce").click();
  await at(kitchen, "announce-live").click();
  await at(hall, "announcement-from").filter({ hasText: "Kitchen announces" }).waitFor();
  await hears(hall, 2_000);
  await inLiveRoom(kitchen, "Hall", "hears");
  await toAnnounce(page, "Hall");
  await say(page);
  await inRoom(page, "Hall", "told");
  assert.deepEqual((await played(hall)).begun, []);
  await at(kitchen, "live-stop").click();
  await isOver(hall);
  await playsTone(hall, 1_000);
  await inRoom(kitchen, "Hall", "played");
  assert.deepEqual([(await played(hall)).captures, (await played(kitchen)).captures], [0, 1]);
});

// req: A-41
test("a call that comes meanwhile is shown, and answered it ends the announcement there", async () => {
  const { ben, page, kitchen, hall } = await homeOfBen(company);
  const cleo = await company.person("Cleo", 3_000, DESKTOP);
  await addContact(cleo.page, "Benny", ben.handle);
  await speakLive(page);
  for (const room of [kitchen, hall]) await hears(room, 1_000);
  await contact(cleo.page, ben.handle).getByTestId("call-voice").click();
  await at(kitchen, "answer-waiting").click();
  await connected(cleo.page, kitchen);
  await isOver(kitchen);
  await inLiveRoom(page, "Kitchen", "left");
  await hears(cleo.page, 2_000);
  await hears(hall, 1_000);
});

/** How it stands in a room while it is spoken. */
function inLiveRoom(page, label, state) {
  return at(page, "live").locator(`[data-testid="announced-room"][data-state="${state}"]`).filter({ hasText: label }).waitFor();
}
