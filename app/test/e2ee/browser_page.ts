//! The page of browser.test.ts: two key workers of two households, and a call between two peer connections.

import { E2ee } from "../../src/e2ee/page.ts";
import type { FrameCounters } from "../../src/e2ee/port.ts";

const CALL = "00112233445566778899aabbccddeeff";
const PERSON = "aa".repeat(16);
const DESCRIPTOR = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";

interface Side {
  e2ee: E2ee;
  device: string;
  genesis: string;
  code: Promise<string>;
}

export interface Outcome {
  codes: string[];
  framesDecoded: number;
  audioEnergy: number;
  receiver: FrameCounters;
  sender: FrameCounters;
  /** Of a track that is said to be of another device. */
  misledEnergy: number;
  exported: string;
  device: string;
  reopened: string;
}

async function side(slot: "app" | "device"): Promise<Side> {
  const e2ee = new E2ee(new Worker("/e2ee-worker.js", { type: "module" }));
  await e2ee.request("open", { slot });
  const { genesis, who } = await e2ee.request("found", { householdName: slot, person: PERSON, label: slot });
  await e2ee.request("confirm", {});
  const code = new Promise<string>((resolve) => e2ee.on("call_code", (event) => resolve(event.code)));
  return { e2ee, device: who.device, genesis, code };
}

/** Does what a server would. */
function relay(from: Side, to: Side): void {
  from.e2ee.on("send", async (sent) => {
    if (sent.type === "send_commit") {
      await from.e2ee.request("call.deliver", { type: "group_commit", call: CALL, epoch: sent.epoch, commit: sent.commit });
      if (sent.welcome !== null) {
        await to.e2ee.request("call.deliver", { type: "group_welcome", call: CALL, welcome: sent.welcome.welcome });
      }
    }
    if (sent.type === "send_group_message") {
      await to.e2ee.request("call.deliver", { type: "group_message", call: CALL, message: sent.message });
    }
  });
}

async function connect(sender: Side, receiver: Side, stream: MediaStream): Promise<RTCPeerConnection> {
  const [out, into] = [new RTCPeerConnection(), new RTCPeerConnection()];
  out.onicecandidate = ({ candidate }) => void into.addIceCandidate(candidate ?? undefined);
  into.onicecandidate = ({ candidate }) => void out.addIceCandidate(candidate ?? undefined);
  for (const track of stream.getTracks()) {
    const kind = track.kind as "audio" | "video";
    const transceiver = out.addTransceiver(track, { direction: "sendonly", streams: [stream] });
    transceiver.sender.transform = sender.e2ee.sendTransform({ call: CALL, kind, track: kind });
    negotiate(transceiver);
  }
  into.ontrack = ({ receiver: rtp, track }) => {
    const kind = track.kind as "audio" | "video";
    rtp.transform = receiver.e2ee.receiveTransform({ call: CALL, kind, track: kind, owner: sender.device });
    const element = document.createElement(kind);
    element.srcObject = new MediaStream([track]);
    element.muted = kind === "video";
    document.body.append(element);
    void element.play();
  };
  await out.setLocalDescription();
  await into.setRemoteDescription(out.localDescription as RTCSessionDescription);
  for (const transceiver of into.getTransceivers()) negotiate(transceiver);
  await into.setLocalDescription();
  await out.setRemoteDescription(into.localDescription as RTCSessionDescription);
  return into;
}

/** VP8 with the dependency descriptor, as e2ee.md says: without it encrypted frames are misread as key frames. */
function negotiate(transceiver: RTCRtpTransceiver): void {
  if (transceiver.receiver.track.kind !== "video") return;
  const codecs = RTCRtpReceiver.getCapabilities("video")?.codecs ?? [];
  transceiver.setCodecPreferences(codecs.filter(({ mimeType }) => ["video/VP8", "video/rtx"].includes(mimeType)));
  const extended = transceiver as unknown as {
    getHeaderExtensionsToNegotiate(): { uri: string; direction: string }[];
    setHeaderExtensionsToNegotiate(extensions: { uri: string; direction: string }[]): void;
  };
  const extensions = extended.getHeaderExtensionsToNegotiate();
  for (const extension of extensions) if (extension.uri === DESCRIPTOR) extension.direction = "sendrecv";
  extended.setHeaderExtensionsToNegotiate(extensions);
}

async function stats(connection: RTCPeerConnection): Promise<{ framesDecoded: number; audioEnergy: number }> {
  const sum = { framesDecoded: 0, audioEnergy: 0 };
  for (const report of (await connection.getStats()).values()) {
    if (report.type !== "inbound-rtp") continue;
    sum.framesDecoded += report.framesDecoded ?? 0;
    sum.audioEnergy += report.totalAudioEnergy ?? 0;
  }
  return sum;
}

/** Is true in the end, or the test's own time runs out. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 100));
}

/** What a thief of the storage would try. */
async function exportWrappingKey(): Promise<string> {
  const request = indexedDB.open("homeline-keys");
  await new Promise((resolve) => (request.onsuccess = resolve));
  const found = request.result.transaction("records").objectStore("records").get("wrapping-key");
  await new Promise((resolve) => (found.onsuccess = resolve));
  return crypto.subtle.exportKey("raw", found.result as CryptoKey).then(() => "exported", (error: Error) => error.name);
}

async function run(): Promise<Outcome> {
  const [anna, ben] = [await side("app"), await side("device")];
  relay(anna, ben);
  relay(ben, anna);
  await ben.e2ee.request("call.expect", { call: CALL, expect: { genesis: [anna.genesis] } });
  const ringing = await ben.e2ee.request("call.ringing", { call: CALL });
  await anna.e2ee.request("call.create", { call: CALL, expect: { genesis: [ben.genesis] } });
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 360 } });
  // Media before keys: nothing may pass, and nothing may be lost for good.
  const connection = await connect(anna, ben, stream);
  const misled = { ...anna, device: ben.device };
  const other = await connect(misled, ben, new MediaStream(stream.getAudioTracks().map((track) => track.clone())));
  await until(async () => (await anna.e2ee.request("call.counters", { call: CALL })).noSendKey > 5);
  const early = await stats(connection);
  if (early.framesDecoded > 0 || early.audioEnergy > 0) throw new Error("frames passed without a key");
  await anna.e2ee.request("call.add", { call: CALL, ...ringing });
  const codes = await Promise.all([anna.code, ben.code]);
  await until(async () => {
    const now = await stats(connection);
    return now.framesDecoded > 10 && now.audioEnergy > 0;
  });
  const counters = (who: Side) => who.e2ee.request("call.counters", { call: CALL });
  await until(async () => (await counters(ben)).wrongSender > 5);
  const again = new E2ee(new Worker("/e2ee-worker.js", { type: "module" }));
  const reopened = await again.request("open", { slot: "app" });
  return {
    codes, ...(await stats(connection)), receiver: await counters(ben), sender: await counters(anna),
    misledEnergy: (await stats(other)).audioEnergy,
    exported: await exportWrappingKey(), device: anna.device, reopened: reopened.state === "ready" ? reopened.who.device : reopened.state,
  };
}

declare global {
  interface Window {
    outcome: Promise<Outcome>;
  }
}

window.outcome = run();
