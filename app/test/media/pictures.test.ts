//! In which sizes a camera is sent, how large pictures are shown, and how good a connection is.

import assert from "node:assert/strict";
import { test } from "node:test";
import { beginning, fitted, startHigh, takesSeveral } from "../../src/media/encodings.ts";
import { Meter, rate } from "../../src/media/quality.ts";
import { viewsOf, type Shown } from "../../src/media/views.ts";
import type { OwnConnection, Track } from "../../src/protocol.ts";

const sizes = (side: number, wanted?: number[]): string[] => fitted(beginning("simulcast"), side, wanted)
  .map(({ rid, active, scaleResolutionDownBy: scale, maxBitrate }) => (active === true ? `${rid}/${scale}@${(maxBitrate ?? 0) / 1_000}` : `${rid} off`));

test("a large capture is sent in three sizes, a smaller one in two or one, the smallest always first", () => {
  assert.deepEqual(sizes(1_280), ["q/4@150", "h/2@500", "f/1@1500"]);
  assert.deepEqual(sizes(640), ["q/2@150", "h/1@500", "f off"]);
  assert.deepEqual(sizes(320), ["q/1@150", "h off", "f off"]);
});

test("what nobody takes is off, and what the capture can't give stays off", () => {
  assert.deepEqual(sizes(1_280, [0, 2]), ["q/4@150", "h off", "f/1@1500"]);
  assert.deepEqual(sizes(1_280, []), ["q off", "h off", "f off"]);
  assert.deepEqual(sizes(640, [2]), ["q off", "h off", "f off"]);
});

test("a server that takes one encoding gets the whole picture", () => {
  const [first] = beginning("simulcast");
  assert.ok(first);
  const [only] = fitted([first], 1_280, undefined);
  assert.deepEqual([only?.scaleResolutionDownBy, only?.maxBitrate, only?.active], [1, 1_500_000, true]);
});

test("an answer says whether it takes several sizes, section by section", () => {
  const several = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=recvonly\r\na=simulcast:recv q;h;f\r\n";
  const one = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:12\r\na=recvonly\r\n";
  assert.deepEqual(["1", "12", "2"].map((mid) => takesSeveral(`v=0\r\n${one}${several}`, mid)), [true, false, false]);
});

test("layers of one encoding stop as a whole", () => {
  const layered = beginning("layered");
  assert.equal(layered.length, 1);
  assert.equal(fitted(layered, 1_280, [0])[0]?.active, true);
  assert.equal(fitted(layered, 1_280, [])[0]?.active, false);
  assert.equal(fitted(layered, 1_280, [])[0]?.scaleResolutionDownBy, undefined);
});

const section = (lines: string[]): string => `m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n${lines.join("\r\n")}\r\n`;

test("the first estimate is high where more than one size is taken, and nowhere else", () => {
  const head = "v=0\r\ns=-\r\n";
  const taken = section(["a=recvonly", "a=rtpmap:96 VP8/90000", "a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96", "a=simulcast:recv q;h;f"]);
  assert.match(startHigh(head + taken), /a=rtpmap:96 VP8\/90000\r\na=fmtp:96 x-google-start-bitrate=1500\r\n/);
  const layered = section(["a=recvonly", "a=rtpmap:98 VP9/90000", "a=fmtp:98 profile-id=0"]);
  assert.match(startHigh(head + layered), /a=fmtp:98 profile-id=0;x-google-start-bitrate=1500\r\n/);
  for (const left of [section(["a=recvonly", "a=rtpmap:96 VP8/90000"]), section(["a=sendonly", "a=rtpmap:98 VP9/90000"])]) assert.equal(startHigh(head + left), head + left);
  assert.equal(startHigh(startHigh(head + taken)), startHigh(head + taken));
});

const cameras: Track[] = [{ track: "t1", device: "d1", source: "camera" }, { track: "t2", device: "d2", source: "camera" }];
const place = (device: string, width: number, height: number, inSight = true): Shown => ({ device, width, height, inSight });

test("a picture is asked for in physical pixels of its largest place, and not at all where it is not seen", () => {
  const shown = [place("d1", 320, 180), place("d1", 100, 300), place("d2", 640, 360, false)];
  assert.deepEqual(viewsOf(cameras, shown, 2, false), [{ track: "t1", width: 640, height: 600 }, { track: "t2", width: 0, height: 0 }]);
  assert.deepEqual(viewsOf(cameras, shown, 2, true), cameras.map(({ track }) => ({ track, width: 0, height: 0 })));
  assert.deepEqual(viewsOf(cameras.slice(0, 1), [place("d1", 300, 0)], 1, false), [{ track: "t1", width: 0, height: 0 }]);
  assert.deepEqual(viewsOf(cameras.slice(0, 1), [place("d1", 90_000, 90_000)], 3, false), [{ track: "t1", width: 8_192, height: 8_192 }]);
});

const OWN: OwnConnection = { grade: "good", loss_up_percent: 0, loss_down_percent: 0, round_trip_ms: 20, jitter_ms: 2, estimate_kbit_per_second: 900 };
const report = (...entries: object[]): RTCStatsReport => new Map(entries.map((entry, nth) => [String(nth), entry])) as unknown as RTCStatsReport;

test("the worse of the server's word and of what this side sees counts", () => {
  const figures = new Meter().figures(OWN, report({ type: "candidate-pair", nominated: true, currentRoundTripTime: 0.3, availableOutgoingBitrate: 2_000_000 }));
  assert.deepEqual([figures.roundTripMs, figures.estimateUpKbit, figures.estimateDownKbit], [20, 2_000, 900]);
  assert.equal(rate(figures), "good");
  assert.equal(rate(figures, "fair"), "fair");
  assert.equal(rate({ ...figures, lossDownPercent: 4 }), "fair");
  assert.equal(rate({ ...figures, jitterMs: 120 }, "fair"), "poor");
});

test("loss is that between two looks, and few packets say nothing", () => {
  const meter = new Meter();
  const look = (packetsLost: number, packetsReceived: number): number =>
    meter.figures(undefined, report({ type: "inbound-rtp", kind: "audio", packetsLost, packetsReceived, jitter: 0.004 })).lossDownPercent;
  assert.equal(look(5, 5), 0);
  assert.equal(look(0, 100), 0);
  assert.equal(look(20, 180), 20);
  assert.equal(look(20, 300), 0);
  assert.equal(look(0, 60), 0, "a stream that ended took its count with it");
  assert.equal(look(50, 110), 50);
});
