// The app's own encodings in a real browser, without a server: three sizes arrive, what nobody takes stops, and comes back.
//
// The receiving end is a second connection of the page that takes each size as a section of its own: the extensions for mid and rid change
// places in the offer, and what the sender writes as rid is read as mid.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { build } from "esbuild";
import { launch } from "./browser.mjs";
import { options } from "../build.mjs";

let browser;
let page;

before(async () => {
  const { outputFiles } = await build({
    ...options(false), format: "iife", globalName: "app", write: false, absWorkingDir: new URL("..", import.meta.url).pathname,
    stdin: { contents: 'export * from "./src/media/encodings.ts"; export { SentPicture } from "./src/media/sent_picture.ts";', resolveDir: new URL("..", import.meta.url).pathname, loader: "ts" },
  });
  browser = await launch();
  page = await browser.newPage();
  await page.goto("about:blank");
  await page.addScriptTag({ content: outputFiles[0].text.replace("var app", "globalThis.app") });
  await page.addScriptTag({ content: `(${inPage})()` });
});
after(() => browser.close());

/** Runs in the page. */
function inPage() {
  const MID = "urn:ietf:params:rtp-hdrext:sdes:mid";
  const RID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
  const swap = (sdp) => sdp.replaceAll(MID, "\0").replaceAll(RID, MID).replaceAll("\0", RID);
  const split = (sdp) => sdp.split(/(?=^m=)/m);
  const RIDS = ["q", "h", "f"];

  /** Each size as a section of its own. */
  function offerOf(sdp) {
    const [session, section] = split(swap(sdp));
    const plain = section.split("\r\n").filter((line) => !/^a=(rid|simulcast|ssrc|ssrc-group|mid|msid):/.test(line)).join("\r\n");
    return session.replace(/^a=group:BUNDLE .*$/m, `a=group:BUNDLE ${RIDS.join(" ")}`) + RIDS.map((rid) => `${plain}a=mid:${rid}\r\na=msid:s ${rid}\r\n`).join("");
  }

  function answerOf(sdp, mid) {
    const [session, section] = split(swap(sdp));
    const taken = `${section.replace(/^a=mid:.*\r\n/m, `a=mid:${mid}\r\n`)}${RIDS.map((rid) => `a=rid:${rid} recv\r\n`).join("")}a=simulcast:recv ${RIDS.join(";")}\r\n`;
    return session.replace(/^a=group:BUNDLE .*$/m, `a=group:BUNDLE ${mid}`) + taken;
  }

  globalThis.begin = async (mode = "simulcast") => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 1280, height: 720 });
    const context = canvas.getContext("2d");
    let hue = 0;
    setInterval(() => {
      context.fillStyle = `hsl(${hue++ % 360} 60% 50%)`;
      context.fillRect(0, 0, 1280, 720);
      context.fillStyle = "#fff";
      context.fillRect((hue * 7) % 1200, (hue * 3) % 640, 80, 80);
    }, 33);
    const [track] = canvas.captureStream(30).getVideoTracks();
    const [from, to] = [new RTCPeerConnection(), new RTCPeerConnection()];
    from.onicecandidate = ({ candidate }) => candidate && to.addIceCandidate({ candidate: candidate.candidate, sdpMLineIndex: 0 });
    to.onicecandidate = ({ candidate }) => candidate && from.addIceCandidate({ candidate: candidate.candidate, sdpMLineIndex: 0 });
    const transceiver = from.addTransceiver("video", { direction: "sendonly", sendEncodings: app.beginning(mode) });
    transceiver.setCodecPreferences(RTCRtpSender.getCapabilities("video").codecs.filter(({ mimeType, sdpFmtpLine = "" }) => (mode === "simulcast" ? /VP8|rtx/i : /VP9|rtx/i).test(mimeType) && !/profile-id=[1-9]/.test(sdpFmtpLine)));
    globalThis.picture = new app.SentPicture(transceiver.sender);
    await transceiver.sender.replaceTrack(track);
    await picture.captured(track);
    await from.setLocalDescription();
    globalThis.offered = from.localDescription.sdp;
    await to.setRemoteDescription({ type: "offer", sdp: mode === "simulcast" ? offerOf(offered) : offered });
    await to.setLocalDescription();
    globalThis.answered = app.startHigh(mode === "simulcast" ? answerOf(to.localDescription.sdp, transceiver.mid) : to.localDescription.sdp);
    await from.setRemoteDescription({ type: "answer", sdp: answered });
    picture.negotiated();
    globalThis.sending = async () => {
      const sizes = {};
      (await from.getStats()).forEach((entry) => {
        if (entry.type === "outbound-rtp" && entry.kind === "video") sizes[entry.rid ?? "all"] = { active: entry.active, frames: entry.framesSent ?? 0, width: entry.frameWidth, mode: entry.scalabilityMode, kbit: Math.round((entry.targetBitrate ?? 0) / 1000) };
      });
      return sizes;
    };
    globalThis.arriving = async () => {
      const widths = {};
      (await to.getStats()).forEach((entry) => {
        if (entry.type === "inbound-rtp" && entry.kind === "video") widths[entry.mid] = { frames: entry.framesDecoded ?? 0, width: entry.frameWidth };
      });
      return widths;
    };
  };
}

/** Asks the page until it says yes: `waitForFunction` takes a promise for a yes. */
async function until(predicate, argument) {
  for (const end = Date.now() + 20_000; Date.now() < end;) {
    if (await page.evaluate(predicate, argument)) return;
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 100)));
  }
  throw new Error(`not within 20 s: ${JSON.stringify(await page.evaluate(() => sending()))}`);
}

/** Waits until all of these sizes have grown by some frames, and for most of a second none of the others by any. */
async function grow(which, others) {
  await page.evaluate(() => void delete globalThis.seen);
  await until(async ([which, others]) => {
    const now = await sending();
    globalThis.seen ??= { now, at: performance.now() };
    const more = (rid) => (now[rid]?.frames ?? 0) - (seen.now[rid]?.frames ?? 0);
    if (others.some((rid) => more(rid) > 0)) {
      globalThis.seen = undefined;
      return false;
    }
    return which.every((rid) => more(rid) >= 8) && performance.now() - seen.at > 700;
  }, [which, others]);
}

test("three sizes of one capture arrive, what nobody takes stops, and what is wanted again comes back", async () => {
  await page.evaluate(() => begin());
  assert.match(await page.evaluate(() => offered), /a=simulcast:send q;h;f/);
  assert.match(await page.evaluate(() => offered), /dependency-descriptor/);
  await grow(["q", "h", "f"], []);
  await until(async () => {
    const { q, h, f } = await arriving();
    return q?.width === 320 && h?.width === 640 && f?.width === 1280 && Math.min(q.frames, h.frames, f.frames) > 5;
  });
  await page.evaluate(() => picture.wanted([0]));
  await grow(["q"], ["h", "f"]);
  await page.evaluate(() => picture.wanted([0, 2]));
  await grow(["q", "f"], ["h"]);
  await page.evaluate(() => picture.wanted([]));
  await grow([], ["q", "h", "f"]);
  await page.evaluate(() => picture.wanted([1]));
  await grow(["h"], ["q", "f"]);
});

test("VP9 is sent in layers of one encoding, and stops as a whole", async () => {
  await page.evaluate(() => begin("layered"));
  assert.doesNotMatch(await page.evaluate(() => offered), /a=simulcast/);
  assert.match(await page.evaluate(() => offered), /dependency-descriptor/);
  await grow(["all"], []);
  await until(async () => {
    const { all } = await sending();
    return all?.mode === "L3T3_KEY" && all.width === 1280;
  });
  await page.evaluate(() => picture.wanted([]));
  await grow([], ["all"]);
  await page.evaluate(() => picture.wanted([0, 1]));
  await grow(["all"], []);
});
