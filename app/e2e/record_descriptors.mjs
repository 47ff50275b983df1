// Records the dependency descriptors that Chromium writes, for the engine's stories: `node e2e/record_descriptors.mjs AV1 L3T3_KEY [PACKETS] > FILE`.
//
// Two connections of one page, with a relay between them that reads the headers that SRTP leaves in the clear. One line for a packet: the sequence
// number and the timestamp, both from the first on, `m` with the marker, the descriptor, and the payload's first bytes as they are (with SRTP).
// It begins with a key frame that is asked for once all layers flow, and another is asked for in the middle.
import { createSocket } from "node:dgram";
import { launch } from "./browser.mjs";

const [codec = "AV1", mode = "L3T3_KEY", count = "400"] = process.argv.slice(2);
const DESCRIPTOR = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";

const browser = await launch({ flags: ["--disable-features=WebRtcHideLocalIpsWithMdns"] });
const page = await browser.newPage();
await page.goto("about:blank");

/** Datagrams of one side go to the other. */
const relay = createSocket("udp4");
await new Promise((resolve) => relay.bind(0, "127.0.0.1", resolve));
let receiver;
let sender;
let id;
let type;
const packets = [];
relay.on("message", (datagram, { address, port }) => {
  const isReceiver = port === receiver?.port;
  if (!isReceiver) sender = { address, port };
  const to = isReceiver ? sender : receiver;
  if (to !== undefined) relay.send(datagram, to.port, to.address);
  if (!isReceiver && datagram[0] >> 6 === 2 && (datagram[1] & 0x7f) === type) note(datagram);
});

function note(datagram) {
  let at = 12;
  let descriptor;
  if (datagram[0] & 0x10) {
    const twoByte = datagram.readUInt16BE(12) !== 0xbede;
    const end = 16 + 4 * datagram.readUInt16BE(14);
    for (at = 16; at < end;) {
      if (datagram[at] === 0) {
        at++;
        continue;
      }
      const [own, length, head] = twoByte ? [datagram[at], datagram[at + 1], 2] : [datagram[at] >> 4, (datagram[at] & 15) + 1, 1];
      if (own === id) descriptor = datagram.subarray(at + head, at + head + length).toString("hex");
      at += head + length;
    }
    at = end;
  }
  if (descriptor === undefined) return;
  packets.push({ sequence: datagram.readUInt16BE(2), timestamp: datagram.readUInt32BE(4), marker: datagram[1] >> 7 === 1, descriptor, first: datagram.subarray(at, at + 4).toString("hex") });
}

const offered = await page.evaluate(async ({ codec, mode, port, DESCRIPTOR }) => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1280, height: 720 });
  const context = canvas.getContext("2d");
  let hue = 0;
  setInterval(() => {
    context.fillStyle = `hsl(${hue++ % 360} 60% 50%)`;
    context.fillRect(0, 0, 1280, 720);
    context.fillStyle = "#fff";
    context.fillRect((hue * 7) % 1200, (hue * 3) % 640, 80, 80);
  }, 33);
  const [from, to] = [new RTCPeerConnection(), new RTCPeerConnection()];
  const taken = new Promise((resolve) => {
    to.onicecandidate = ({ candidate }) => candidate?.protocol === "udp" && candidate.type === "host" && /^\d+\.\d+/.test(candidate.address) && resolve(candidate);
  });
  const transceiver = from.addTransceiver(canvas.captureStream(30).getVideoTracks()[0], { direction: "sendonly", sendEncodings: [{ scalabilityMode: mode, maxBitrate: 2_000_000 }] });
  transceiver.setCodecPreferences(RTCRtpSender.getCapabilities("video").codecs.filter(({ mimeType, sdpFmtpLine = "" }) => mimeType === `video/${codec}` && !/profile(-id)?=[1-9]/.test(sdpFmtpLine)));
  const extensions = transceiver.getHeaderExtensionsToNegotiate();
  for (const extension of extensions) if (extension.uri === DESCRIPTOR) extension.direction = "sendrecv";
  transceiver.setHeaderExtensionsToNegotiate(extensions);
  await from.setLocalDescription();
  await to.setRemoteDescription(from.localDescription);
  await to.setLocalDescription();
  const candidate = await Promise.race([taken, new Promise((_, refuse) => setTimeout(() => refuse(new Error("no IPv4 candidate")), 10_000))]);
  globalThis.from = from;
  globalThis.to = to;
  const lines = to.localDescription.sdp.split("\r\n").filter((line) => !line.startsWith("a=candidate"));
  const answer = lines.map((line) => (line.startsWith("a=fmtp") ? `${line};x-google-start-bitrate=2000` : line)).join("\r\n");
  await from.setRemoteDescription({ type: "answer", sdp: answer });
  await from.addIceCandidate({ candidate: `candidate:1 1 udp 2130706431 127.0.0.1 ${port} typ host`, sdpMLineIndex: 0 });
  globalThis.transceiver = transceiver;
  return { candidate: { address: candidate.address, port: candidate.port }, answer };
}, { codec, mode, port: relay.address().port, DESCRIPTOR });
receiver = offered.candidate;
id = Number(new RegExp(`a=extmap:(\\d+)[^ ]* ${DESCRIPTOR.replaceAll("/", "\\/")}`).exec(offered.answer)?.[1]);
type = Number(new RegExp(`a=rtpmap:(\\d+) ${codec}/`).exec(offered.answer)?.[1]);

const pause = (length) => new Promise((resolve) => setTimeout(resolve, length));
const askForKeyFrame = () => page.evaluate(() => transceiver.sender.setParameters(transceiver.sender.getParameters(), { encodingOptions: [{ keyFrame: true }] }));
const until = async (length) => {
  for (const end = Date.now() + 60_000; packets.length < length && Date.now() < end;) await pause(20);
};
await pause(6_000);
packets.length = 0;
await askForKeyFrame();
await until(Number(count) / 2);
await askForKeyFrame();
await until(Number(count) + 50);
const stats = await page.evaluate(async () => [...(await to.getStats()).values()].filter(({ type, kind }) => type === "inbound-rtp" && kind === "video").map(({ framesDecoded, frameWidth, decoderImplementation }) => ({ framesDecoded, frameWidth, decoderImplementation })));
console.error(JSON.stringify({ id, type, mode, packets: packets.length, version: browser.version(), stats }));
packets.sort((a, b) => ((a.sequence - b.sequence) << 16) >> 16);
// With the extended flags and a structure among them.
const first = packets.findIndex(({ descriptor }) => Number.parseInt(descriptor.slice(6, 8), 16) >> 7 === 1);
if (first === -1 || packets.length < first + Number(count)) {
  console.error(`only ${packets.length} packets`);
  process.exit(1);
}
const { sequence, timestamp } = packets[first];
for (const packet of packets.slice(first, first + Number(count))) {
  console.log([(packet.sequence - sequence) & 0xffff, (packet.timestamp - timestamp) >>> 0, packet.marker ? "m" : "-", packet.descriptor, packet.first].join(" "));
}
relay.close();
await browser.close();
