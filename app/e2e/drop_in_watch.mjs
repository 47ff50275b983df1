// What a drop-in's two pages can be watched for: when its tone sounds, its light stands, a device is opened, the first sound arrives, and how sharp the picture is;
// and the steps of one, from the permission to its end.
import assert from "node:assert/strict";
import { DESKTOP, PHONE } from "./browser.mjs";
import { at, pairDevice } from "./people.mjs";
import { device } from "./tour.mjs";

/** Put in before the page loads. Times are `Date.now()`: all pages are on one machine. */
export async function watchDropIns(context) {
  await context.addInitScript(() => {
    const seen = { captures: 0, tone: undefined, toneEnd: undefined, indicator: undefined, captured: undefined, connected: undefined, sound: undefined, reported: [] };
    globalThis.seen = seen;
    globalThis.captured = [];
    const first = (name) => {
      seen[name] ??= Date.now();
    };
    const loudness = (analyser) => {
      const samples = new Float32Array(analyser.fftSize);
      analyser.getFloatTimeDomainData(samples);
      return Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length);
    };

    // Everything that the page itself sounds goes through here on its way to the loudspeaker.
    const taps = new Map();
    const connect = AudioNode.prototype.connect;
    AudioNode.prototype.connect = function (to, ...rest) {
      if (to instanceof AudioDestinationNode) {
        if (!taps.has(to)) taps.set(to, this.context.createAnalyser());
        connect.call(this, taps.get(to));
      }
      return connect.call(this, to, ...rest);
    };
    const ask = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
    if (ask !== undefined) {
      navigator.mediaDevices.getUserMedia = (what) => {
        first("captured");
        seen.captures += 1;
        return ask(what).then((stream) => {
          globalThis.captured.push(...stream.getTracks());
          return stream;
        });
      };
    }
    // Who was near, as the page tells the server.
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (message) {
      const { body } = JSON.parse(message);
      if (body?.type === "report_activity") seen.reported.push(body.activity);
      return send.call(this, message);
    };

    let ear;
    setInterval(() => {
      for (const tap of taps.values()) {
        if (loudness(tap) < 0.02) continue;
        first("tone");
        seen.toneEnd = Date.now();
      }
      if (document.querySelector('[data-testid="drop-in-indicator"]') !== null) first("indicator");
      if ((globalThis.connections ?? []).length > 0) first("connected");
      const stream = document.querySelector('[data-testid="remote-audio"]')?.srcObject ?? null;
      if (stream !== null && ear?.stream !== stream) {
        const context = ear?.context ?? new AudioContext();
        const analyser = context.createAnalyser();
        connect.call(context.createMediaStreamSource(stream), analyser);
        ear = { context, stream, analyser };
      }
      if (ear !== undefined && loudness(ear.analyser) > 0.01) first("sound");
    }, 20);
  });
}

/** What was seen of an earlier call or drop-in is forgotten; what was captured in all is not. */
export const anew = (...pages) => Promise.all(pages.map((page) => page.evaluate(() => {
  for (const name of ["tone", "toneEnd", "indicator", "captured", "connected", "sound"]) globalThis.seen[name] = undefined;
})));

/** Microphones and cameras of the page that are open now. */
export const live = (page) => page.evaluate(() => globalThis.captured.filter(({ readyState }) => readyState === "live").map(({ kind }) => kind).sort());

/** As if somebody had put another tab before it, or sees it again. */
export const hides = (page, hidden) => page.evaluate((hidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  Object.defineProperty(document, "visibilityState", { configurable: true, get: () => (hidden ? "hidden" : "visible") });
  document.dispatchEvent(new Event("visibilitychange"));
}, hidden);

export const seen = (page) => page.evaluate(() => globalThis.seen);

/** How many sharp edges the received picture has; undefined while there is none. */
export function edges(page) {
  return page.evaluate(() => {
    const video = document.querySelector('[data-testid="remote-video"]');
    if (video === null || video.videoWidth === 0 || video.readyState < 2) return undefined;
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [320, 180];
    const context = canvas.getContext("2d");
    context.drawImage(video, 0, 0, 320, 180);
    const { data } = context.getImageData(0, 0, 320, 180);
    const light = (at) => data[at] + data[at + 1] + data[at + 2];
    let count = 0;
    for (let at = 4; at < data.length; at += 4) if (at % 1_280 !== 0 && Math.abs(light(at) - light(at - 4)) > 100) count += 1;
    return count;
  });
}

/** Lets the page believe that it may drop in wherever it asks, as a client would that lies to itself. The server's other words stay. */
export async function believesItMay(page) {
  // A session that is taken up again on another connection gets its answers there.
  const asked = new Set();
  await page.routeWebSocket(/\/v1\//, (page) => {
    const server = page.connectToServer();
    page.onMessage((message) => {
      const frame = JSON.parse(message);
      if (frame.type === "hello" && !frame.resume) asked.clear();
      if (frame.type === "request" && frame.body.type === "may_drop_in") asked.add(frame.id);
      server.send(message);
    });
    server.onMessage((message) => {
      const frame = JSON.parse(message);
      page.send(frame.type === "reply" && asked.has(frame.id) ? JSON.stringify({ ...frame, result: { ok: { type: "done" } } }) : message);
    });
  });
}

/** Ben's app and his kitchen, a display, in which everybody of his household may drop in with picture. */
export async function home(company, { opening = "at_once", prepare = async () => undefined, prepareKitchen = async () => undefined, meets = async () => undefined, give = (page) => choose(page, opening) } = {}) {
  const page = await company.open(1_000, PHONE);
  await watchDropIns(page.context());
  await prepare(page);
  const ben = await company.person("Ben", 1_000, PHONE, page);
  await meets(ben);
  const kitchen = await company.open(2_000, DESKTOP);
  await watchDropIns(kitchen.context());
  await prepareKitchen(kitchen);
  await pairDevice(page, kitchen, company.url, { handle: ben.handle, label: "Kitchen" });
  await give(page, ben);
  await at(kitchen, "device-drop-in-controls").waitFor();
  return { ben, page, kitchen };
}

export async function choose(page, opening) {
  await at(page, "drop-in-open").click();
  await at(page, "drop-in-picture").selectOption("yes");
  await at(page, "drop-in-opening").selectOption(opening);
  await at(page, "submit-drop-in").click();
  await at(page, "drop-in-take-back").waitFor();
}

export async function dropIn(page, how = "video") {
  await device(page, "Kitchen").click();
  await at(page, `drop-in-${how}`).click();
}

export const stage = (page, name) => page.locator(`[data-drop-in="${name}"]`).waitFor();

export async function endsSaying(page, words) {
  await at(page, "end-reason").waitFor();
  const said = `${await at(page, "end-reason").textContent()} ${await at(page, "start-failure").allTextContents()}`;
  assert.ok(said.includes(words), said);
  await at(page, "end-close").click();
}

/** Nothing of it was captured, and no connection was made by which a packet could have left; beyond so many, for those that were let in. */
export async function nothingLeft(kitchen, { connections = 0, captures = 0 } = {}) {
  assert.equal(await kitchen.evaluate(() => globalThis.connections.length), connections);
  assert.equal((await seen(kitchen)).captures, captures);
}
