// Pictures between real browsers over the real server: each is sent as large as it is shown, what nobody sees is not sent, who speaks is
// marked, and connections have their words.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { acquainted, addToCall, Company, connected, talking } from "./company.mjs";
import { at, contact } from "./people.mjs";
import { seesFrames, until } from "./sound.mjs";

const company = new Company();
const SMALL = { width: 320, height: 240 };
const LARGE = { width: 1280, height: 800 };

before(() => company.start());
after(() => company.stop());
afterEach(() => company.part());

/** What a page tells the server of the pictures it shows, as it is said. */
function hearViews(page) {
  const said = [];
  page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => {
    const frame = JSON.parse(String(payload));
    if (frame.type === "request" && frame.body.type === "set_views") said.push(...frame.body.views);
  }));
  return said;
}

/** Anna and Ben see each other; `views`: what Ben's page tells of what it shows. */
async function seeing() {
  const anna = await company.person("Anna", 1_000);
  const benPage = await company.open(1_500);
  const views = hearViews(benPage);
  const ben = await company.person("Ben", 1_500, LARGE, benPage);
  await acquainted(anna, ben);
  await contact(anna.page, ben.handle).getByTestId("call-video").click();
  await at(ben.page, "answer-video").click();
  await connected(anna.page, ben.page);
  await seesFrames(ben.page);
  return { anna, ben, views };
}

/** Whether the tab is seen, as the page is told. */
function setHidden(page, hidden) {
  return page.evaluate((value) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => value });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
}

/** Frames sent of each encoding. */
function framesSent(page) {
  return page.evaluate(async () => {
    const sent = {};
    for (const connection of globalThis.connections) {
      (await connection.getStats()).forEach((entry) => {
        if (entry.type === "outbound-rtp" && entry.kind === "video") sent[entry.rid ?? "all"] = entry.framesSent ?? 0;
      });
    }
    return sent;
  });
}

function width(page) {
  return at(page, "remote-video").evaluate((video) => video.videoWidth);
}

/** Notes the longest time between two pictures from now on. */
function watchForFreezes(page) {
  return at(page, "remote-video").evaluate((video) => {
    let last = performance.now();
    globalThis.longest = 0;
    const seen = () => {
      globalThis.longest = Math.max(globalThis.longest, performance.now() - last);
      last = performance.now();
      video.requestVideoFrameCallback(seen);
    };
    video.requestVideoFrameCallback(seen);
  });
}

test("the server is told how large a picture is shown, and that one in a hidden tab or with the camera off is not", async () => {
  const { anna, ben, views } = await seeing();
  const last = () => views.at(-1);
  const shows = (size) => until(`shown at ${size.width} by ${size.height}, not ${JSON.stringify(last())}`, () => last()?.width === size.width && last()?.height === size.height);
  await shows(LARGE);
  await ben.page.setViewportSize(SMALL);
  await shows(SMALL);
  assert.ok(views.length < 8, `a resize is told once: ${JSON.stringify(views)}`);
  await setHidden(ben.page, true);
  await shows({ width: 0, height: 0 });
  await setHidden(ben.page, false);
  await shows(SMALL);
  await at(anna.page, "toggle-video").click();
  await shows({ width: 0, height: 0 });
  await at(anna.page, "toggle-video").click();
  await shows(SMALL);
  await seesFrames(ben.page);
});

test("a small window gets a small picture, a large one a large one without a freeze, and a hidden one nothing", async () => {
  const { anna, ben } = await seeing();
  await ben.page.setViewportSize(SMALL);
  await until("a small picture", async () => (await width(ben.page)) <= 640);
  await until("the largest stops", async () => {
    const before = await framesSent(anna.page);
    await new Promise((resolve) => setTimeout(resolve, 700));
    const now = await framesSent(anna.page);
    return now.f === before.f && (now.q > before.q || now.h > before.h);
  });
  await watchForFreezes(ben.page);
  await ben.page.setViewportSize(LARGE);
  await until("a large picture", async () => (await width(ben.page)) === 1_280);
  await seesFrames(ben.page, 30);
  assert.ok(await ben.page.evaluate(() => globalThis.longest) < 1_000);
  await setHidden(ben.page, true);
  await until("nothing is sent", async () => {
    const before = await framesSent(anna.page);
    await new Promise((resolve) => setTimeout(resolve, 700));
    return JSON.stringify(await framesSent(anna.page)) === JSON.stringify(before);
  });
  await setHidden(ben.page, false);
  await seesFrames(ben.page);
});

test("who speaks is marked, with a word for those who don't see it", async () => {
  const [anna, ben, cleo] = [await company.person("Anna", 1_000), await company.person("Ben", 1_500), await company.person("Cleo", 2_000)];
  await acquainted(anna, ben, cleo);
  await talking(anna, ben);
  await addToCall(anna.page, cleo.handle);
  await at(cleo.page, "answer").click();
  await connected(cleo.page);
  for (const { page } of [anna, ben]) await at(page, "mute").click();
  // Cleo's tone alone is heard: her tile has the frame and the sign.
  const speaks = anna.page.locator('[data-testid="call-tile"][data-speaking="true"]');
  await until("one speaks", async () => (await speaks.getByTestId("tile-name").allTextContents()).join() === "Cleo of Anna");
  assert.equal(await speaks.getByTestId("tile-speaks").getAttribute("aria-label"), "speaks");
  await at(cleo.page, "mute").click();
  await until("nobody speaks", async () => (await speaks.count()) === 0);
});

test("a good connection is not remarked on, its figures are in a sheet, and of others there is a word", async () => {
  const { anna } = await seeing();
  await at(anna.page, "call-more").click();
  await at(anna.page, "open-connection").click();
  await anna.page.locator('[data-testid="connection-rating"][data-rating="good"]').waitFor();
  await at(anna.page, "others-connections").getByText("Good connection").waitFor();
  const figures = at(anna.page, "connection-figures");
  for (const what of ["Lost on the way up", "Round trip", "Jitter", "Pictures come as"]) await figures.getByText(what).waitFor();
  await figures.getByText(/\d+ × \d+/).first().waitFor();
  await at(anna.page, "dialog-close").click();
  for (const remark of ["quality", "their-quality"]) await at(anna.page, remark).waitFor({ state: "detached" });
});
