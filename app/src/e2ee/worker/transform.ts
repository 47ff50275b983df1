//! The frames of a track on their way through this worker: sealed going out, opened coming in, dropped without a key.

import type { Bytes } from "../bytes.ts";
import { ReceiveTrack } from "../frames/receive.ts";
import type { TransformOptions } from "../port.ts";
import type { Calls } from "./calls.ts";

/** True only in the control build of one test (build.mjs); the bundler removes the branch everywhere else. */
declare const __HOMELINE_PLAINTEXT_CONTROL__: boolean;

/** What `RTCEncodedAudioFrame` and `RTCEncodedVideoFrame` have in common. */
export interface EncodedFrame {
  data: ArrayBuffer;
}

export interface Transformer {
  readonly options: unknown;
  readonly readable: ReadableStream<EncodedFrame>;
  readonly writable: WritableStream<EncodedFrame>;
}

export function attach(transformer: Transformer, calls: Calls, now: () => number): void {
  const options = transformer.options as TransformOptions;
  if (__HOMELINE_PLAINTEXT_CONTROL__) {
    console.warn("homeline-plaintext-control: frames are not encrypted");
    void transformer.readable.pipeTo(transformer.writable);
    return;
  }
  const stream = options.direction === "send" ? sealing(options, calls) : opening(options, calls, now);
  // Ends, in whatever way, with its track.
  transformer.readable.pipeThrough(stream).pipeTo(transformer.writable).catch(() => undefined);
}

function sealing(options: TransformOptions, calls: Calls): TransformStream<EncodedFrame, EncodedFrame> {
  return new TransformStream({
    async transform(frame, controller) {
      if (isSilence(frame, options)) return controller.enqueue(frame);
      const sealed = await calls.keyring(options.call)?.encrypt(frame.data).catch(() => undefined);
      if (sealed === undefined) return;
      frame.data = sealed.buffer;
      controller.enqueue(frame);
    },
  });
}

function opening(
  options: TransformOptions & { direction: "receive" }, calls: Calls, now: () => number,
): TransformStream<EncodedFrame, EncodedFrame> {
  let deliver: (frame: EncodedFrame, data: ArrayBuffer) => void = () => undefined;
  const track = new ReceiveTrack<EncodedFrame>(() => calls.keyring(options.call), options.owner, (frame, data) => deliver(frame, data));
  const known = calls.addTrack(options.call, track);
  return new TransformStream({
    start(controller) {
      deliver = (frame, data) => {
        frame.data = data;
        controller.enqueue(frame);
      };
    },
    async transform(frame, controller) {
      if (!known) return;
      if (isSilence(frame, options)) return controller.enqueue(frame);
      await track.push(now(), frame, new Uint8Array(frame.data) as Bytes);
    },
    flush: () => calls.removeTrack(track),
    cancel: () => calls.removeTrack(track),
  } as Transformer$<EncodedFrame>);
}

/** `cancel` is in the standard and in Chromium, and not in the library's types yet. */
type Transformer$<F> = globalThis.Transformer<F, F> & { cancel?: () => void };

/** Discontinuous transmission: an empty frame of sound says nothing, and there is nothing in it to seal. */
function isSilence(frame: EncodedFrame, options: TransformOptions): boolean {
  return options.kind === "audio" && frame.data.byteLength === 0;
}
