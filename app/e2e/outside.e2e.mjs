// Can the home be reached from outside? A real browser in the world, a real server in a home, and a router with NAT between them.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, afterEach, before, test } from "node:test";
import { BINARY } from "./homeline.mjs";
import { DESKTOP, fromDist, launch } from "./browser.mjs";
import { GENEROUS } from "./company.mjs";
import { HomeBehindRouter, HTTPS_PORT, possible } from "./netns.mjs";
import { at, signUp, watch } from "./people.mjs";

const whyNot = possible();
if (whyNot !== undefined) console.error(`NOT TESTED, the test from outside: ${whyNot}`);
const story = whyNot === undefined ? test : test.skip;

const OUTSIDE = `https://203.0.113.1:${HTTPS_PORT}`;
const INSIDE = `https://192.168.1.5:${HTTPS_PORT}`;
const PORTS = {
  HOMELINE_MEDIA__UDP_PORT: "8444", HOMELINE_MEDIA__TURN__UDP_PORT: "3478", HOMELINE_MEDIA__TURN__TCP_PORT: "8445",
  HOMELINE_MEDIA__ADVERTISED_ADDRESSES: '["192.168.1.5", "203.0.113.1"]',
};

let network;
let server;
let world;
let home;
let contexts = [];
let complaints = [];

before(async () => {
  if (whyNot !== undefined) return;
  network = new HomeBehindRouter();
  await network.open();
  server = await network.serve({ ...GENEROUS, ...PORTS });
  for (const port of [HTTPS_PORT, 8444, 8445]) network.forward("tcp", port);
  const flags = ["--ignore-certificate-errors"];
  world = await launch({ program: await network.chromium(network.world), flags });
  home = await launch({ program: await network.chromium(network.home), flags });
});

after(async () => {
  for (const browser of [world, home]) await browser?.close();
  await server?.stop();
  await network?.close();
});

afterEach(async () => {
  for (const context of contexts) await context.close();
  contexts = [];
  const said = complaints;
  complaints = [];
  assert.deepEqual(said, []);
});

async function open(browser) {
  const context = await browser.newContext({ viewport: DESKTOP });
  contexts.push(context);
  await fromDist(context);
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  watch(page, complaints);
  return page;
}

/** An adult in the home asks for a link; the app makes it lead to the home's address outside. */
async function linkOf(anna) {
  await at(anna, "nav-settings").click();
  await at(anna, "go-outside").click();
  await at(anna, "outside-link").click();
  return at(anna, "outside-url").textContent();
}

async function run(page, url) {
  // A link differs from itself in nothing: the page would stay.
  await page.goto("about:blank");
  await page.goto(url);
  await at(page, "test-start").click();
  await at(page, "test-done").waitFor({ timeout: 90_000 });
  return results(page);
}

async function results(page) {
  const ways = await page.getByTestId("way").evaluateAll((rows) => rows.map((row) => [row.dataset.way, row.dataset.works === "true"]));
  const codes = await page.getByTestId("finding").evaluateAll((all) => all.map((one) => one.dataset.code));
  return { ways: Object.fromEntries(ways), codes, text: await page.locator("main").textContent() };
}

/** What `homeline reachability` prints on the server's machine. */
function command() {
  const settings = Object.entries({ ...PORTS, HOMELINE_SERVER__HTTPS_PORT: String(HTTPS_PORT) }).map(([name, value]) => `${name}=${value}`);
  return execFileSync("ip", ["netns", "exec", network.home, "env", ...settings, BINARY, "reachability", "--data-dir", server.data]).toString();
}

story("a tester outside is told that UDP is not forwarded and what to enter in the router, and after that that all is well", async () => {
  const anna = await open(home);
  await signUp(anna, INSIDE, { name: "Anna", handle: "anna", household: "Anna's home" });
  const url = await linkOf(anna);
  assert.match(url, /^https:\/\/203\.0\.113\.1:8443\/outside#[\w-]{43}$/);

  const phone = await open(world);
  const blocked = await run(phone, url);
  assert.deepEqual(blocked.ways, { web: true, web_socket: true, media_udp: false, media_tcp: true, relay_udp: false, relay_tcp: true, relay_tls: true });
  assert.equal(blocked.codes[0], "udp_blocked");
  for (const step of ["Forward UDP 8444 to 192.168.1.5 in the router", "Forward UDP 3478 to 192.168.1.5 in the router"]) assert.ok(blocked.text.includes(step), blocked.text);

  network.forward("udp", 8444);
  network.forward("udp", 3478);
  const open_ = await run(phone, url);
  assert.ok(Object.values(open_.ways).every((works) => works), JSON.stringify(open_.ways));
  assert.equal(open_.codes[0], "all_well");

  await at(anna, "outside-again").click();
  await anna.locator('[data-code="all_well"]').waitFor();
  assert.equal((await results(anna)).ways.media_udp, true);
  const printed = command();
  assert.match(printed, /media over UDP +UDP 8444 +yes \(from outside, just now\)/);
  assert.match(printed, /This home can be reached from outside, on every way\./);
  assert.match(server.log(), /reachable from outside\?/);
});

story("a tester inside is told that it proves little", async () => {
  const ben = await open(home);
  await signUp(ben, INSIDE, { name: "Ben", handle: "ben", household: "Ben's home" });
  const url = (await linkOf(ben)).replace(OUTSIDE, INSIDE);
  const phone = await open(home);
  const { text, ways } = await run(phone, url);
  assert.equal(ways.media_udp, true);
  assert.match(text, /This device is inside the home's network/);
  assert.match(text, /It proves little/);
});

story("a link that has ended opens nothing", async () => {
  const phone = await open(world);
  await phone.goto(`${OUTSIDE}/outside#${"A".repeat(43)}`);
  await at(phone, "test-start").click();
  await at(phone, "test-failed").waitFor();
  assert.match(await at(phone, "test-failed").textContent(), /This link has ended/);
});
