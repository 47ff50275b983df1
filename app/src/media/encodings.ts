//! In which sizes a camera is sent: three pictures of one capture, or one picture in layers. Pure.

/** How a camera is sent: three VP8 encodings; one VP9 encoding in layers, which is sharper and costs more work; or one VP8 encoding. */
export type PictureMode = "simulcast" | "layered" | "single";

interface Step {
  scale: number;
  active: boolean;
}

/** The order is what `layers_wanted` counts in: the smallest picture first. */
const RIDS = ["q", "h", "f"] as const;
/** By the longest side of what is sent. A household's uplink carries all three at once. */
const BITS = [{ side: 320, bits: 150_000 }, { side: 640, bits: 500_000 }] as const;
export const BITS_MAX = 1_500_000;
/** A picture as small as a stamp needs no more. */
const FRAMES_SMALL = 20;
const FRAMES = 30;
const SMALL_SIDE = 320;
/** Below this longest side a capture is no picture of three sizes: Chromium makes two of it, and below the second one. */
const THREE_FROM = 960;
const TWO_FROM = 480;
/** Three spatial layers that lean on each other at key frames alone, so that each can be sent without those above. */
const LAYERED = "L3T3_KEY";

/** What a sender begins with, before a capture is known. Fewer than two encodings ask for no simulcast. */
export function beginning(mode: PictureMode): RTCRtpEncodingParameters[] {
  if (mode === "layered") return [{ maxBitrate: BITS_MAX, scalabilityMode: LAYERED } as RTCRtpEncodingParameters];
  if (mode === "single") return [{ maxBitrate: BITS_MAX }];
  return RIDS.map((rid, nth) => encoding(rid, { scale: 4 / 2 ** nth, active: true }, 1_280));
}

/** The encodings for a capture of this longest side, of which somebody takes `wanted`; undefined: nobody has said. */
export function fitted(before: readonly RTCRtpEncodingParameters[], side: number, wanted: readonly number[] | undefined): RTCRtpEncodingParameters[] {
  // Layers of one encoding are the node's to choose; it stops as a whole.
  const [only] = before;
  if (before.length === 1 && only !== undefined) {
    const layered = (only as { scalabilityMode?: string }).scalabilityMode !== undefined;
    return [{ ...only, active: wanted === undefined || wanted.length > 0, maxBitrate: BITS_MAX, ...(layered ? {} : { scaleResolutionDownBy: 1 }) }];
  }
  return before.map((one, nth) => {
    const step = ladder(side)[nth] ?? { scale: 1, active: false };
    const active = step.active && (wanted === undefined || wanted.includes(nth));
    return { ...one, ...encoding(one.rid ?? "", { ...step, active }, side) };
  });
}

function ladder(side: number): readonly Step[] {
  const off: Step = { scale: 1, active: false };
  const on = (scale: number): Step => ({ scale, active: true });
  if (side >= THREE_FROM) return [on(4), on(2), on(1)];
  return side >= TWO_FROM ? [on(2), on(1), off] : [on(1), off, off];
}

function encoding(rid: string, { scale, active }: Step, side: number): RTCRtpEncodingParameters {
  const sent = side / scale;
  const maxBitrate = BITS.find((one) => sent <= one.side)?.bits ?? BITS_MAX;
  return { rid, active, scaleResolutionDownBy: scale, maxBitrate, maxFramerate: sent <= SMALL_SIDE ? FRAMES_SMALL : FRAMES };
}

/** Whether an answer takes the several sizes that this section offers. */
export function takesSeveral(sdp: string, mid: string): boolean {
  const section = sdp.split(/(?=^m=)/m).find((one) => new RegExp(`^a=mid:${mid}\r?$`, "m").test(one));
  return section !== undefined && /^a=simulcast:/m.test(section);
}

/** What an uplink is trusted with before anything is measured: enough for all three sizes. */
const START_KBIT = 1_500;

/**
 * Lets the first estimate of what we send begin high, where the answer takes more than one size of it: else the largest
 * picture comes after many seconds. Of an answer that says so itself nothing is changed.
 */
export function startHigh(sdp: string): string {
  const [head = "", ...sections] = sdp.split(/(?=^m=)/m);
  return head + sections.map((section) => {
    const taken = section.startsWith("m=video") && /^a=recvonly/m.test(section) && (/^a=simulcast:/m.test(section) || /^a=rtpmap:\d+ VP9\//m.test(section));
    const type = /^a=rtpmap:(\d+) VP[89]\//m.exec(section)?.[1];
    if (!taken || type === undefined || section.includes("x-google-start-bitrate")) return section;
    const parameters = new RegExp(`^(a=fmtp:${type} [^\\r\\n]*)`, "m");
    const start = `x-google-start-bitrate=${START_KBIT}`;
    if (parameters.test(section)) return section.replace(parameters, `$1;${start}`);
    return section.replace(new RegExp(`^(a=rtpmap:${type} [^\\r\\n]*)`, "m"), `$1\r\na=fmtp:${type} ${start}`);
  }).join("");
}
