//! Records what is announced: the microphone is open from the press that begins until the one that ends, a minute at most.

import type { DeviceProblem } from "../call/state.ts";
import { problemOf } from "./capture.ts";
import { oggOf, type Sound } from "./ogg.ts";
import { opusOf } from "./webm.ts";

/** As an announcement may last. */
export const RECORDED_MS_MAX = 60_000;
/** WebM is what every browser with a recorder can write; it is put into Ogg afterwards. */
const TYPE = "audio/webm;codecs=opus";
/** A minute of it stays below what the server takes. */
const BITS_PER_SECOND = 24_000;

export type RecorderState =
  | { at: "idle"; problem?: DeviceProblem | "unsupported" | undefined }
  /** The browser asks for the microphone. */
  | { at: "opening" }
  | { at: "recording"; sinceMs: number }
  /** Stopped, and nobody has said yet what is to become of it. */
  | { at: "recorded"; sound: Sound };

/** What the browser gives. */
export interface RecorderParts {
  supported(): boolean;
  /** `original`: as the microphone hears it, not cleaned for speech. */
  microphone(original: boolean): Promise<MediaStream>;
  recorder(stream: MediaStream): MediaRecorder;
  now(): number;
}

export class Recorder {
  readonly #changed: () => void;
  readonly #original: () => boolean;
  readonly #parts: RecorderParts;
  state: RecorderState = { at: "idle" };
  /** Of the newest recording: an older one that ends late means nothing. */
  #number = 0;
  #recorder: MediaRecorder | undefined;
  #stream: MediaStream | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(changed: () => void, original: () => boolean = () => false, parts: RecorderParts = BROWSER) {
    this.#changed = changed;
    this.#original = original;
    this.#parts = parts;
  }

  /** True while a microphone is open, or asked for. */
  get open(): boolean {
    return this.state.at === "opening" || this.state.at === "recording";
  }

  async begin(): Promise<void> {
    this.discard();
    if (!this.#parts.supported()) return this.#become({ at: "idle", problem: "unsupported" });
    const number = ++this.#number;
    this.#become({ at: "opening" });
    let stream: MediaStream;
    try {
      stream = await this.#parts.microphone(this.#original());
    } catch (error) {
      if (number === this.#number) this.#become({ at: "idle", problem: problemOf(error) });
      return;
    }
    // Given up while the browser asked.
    if (number !== this.#number) return stop(stream);
    this.#stream = stream;
    try {
      this.#record(stream, number);
    } catch {
      // Unplugged in this very moment.
      return this.#fail();
    }
    this.#become({ at: "recording", sinceMs: this.#parts.now() });
  }

  /** Closes the microphone; what was said is there as soon as the browser has written it. */
  end(): void {
    clearTimeout(this.#timer);
    if (this.#recorder?.state === "recording") this.#recorder.stop();
  }

  discard(): void {
    this.#number += 1;
    this.#close();
    if (this.state.at !== "idle" || this.state.problem !== undefined) this.#become({ at: "idle" });
  }

  #record(stream: MediaStream, number: number): void {
    const recorder = this.#parts.recorder(stream);
    const parts: Blob[] = [];
    recorder.ondataavailable = ({ data }) => parts.push(data);
    recorder.onstop = () => void this.#written(new Blob(parts), number);
    recorder.onerror = () => number === this.#number && this.#fail();
    this.#recorder = recorder;
    recorder.start();
    this.#timer = setTimeout(() => this.end(), RECORDED_MS_MAX);
  }

  async #written(blob: Blob, number: number): Promise<void> {
    if (number !== this.#number) return;
    this.#close();
    try {
      const sound = oggOf(opusOf(new Uint8Array(await blob.arrayBuffer())), RECORDED_MS_MAX);
      if (number === this.#number) this.#become({ at: "recorded", sound });
    } catch {
      if (number === this.#number) this.#fail();
    }
  }

  #fail(): void {
    this.#close();
    this.#become({ at: "idle", problem: "busy" });
  }

  #close(): void {
    clearTimeout(this.#timer);
    if (this.#recorder !== undefined) {
      this.#recorder.onerror = this.#recorder.onstop = null;
      if (this.#recorder.state === "recording") this.#recorder.stop();
    }
    this.#recorder = undefined;
    if (this.#stream !== undefined) stop(this.#stream);
    this.#stream = undefined;
  }

  #become(state: RecorderState): void {
    this.state = state;
    this.#changed();
  }
}

/** The microphone's light goes out. */
function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

/** At a constant rate, so that noise costs no more than speech. */
const OPTIONS: MediaRecorderOptions & { audioBitrateMode: "constant" } = { mimeType: TYPE, audioBitsPerSecond: BITS_PER_SECOND, audioBitrateMode: "constant" };

const BROWSER: RecorderParts = {
  supported: () => "MediaRecorder" in globalThis && MediaRecorder.isTypeSupported(TYPE),
  microphone: (original) => (navigator.mediaDevices === undefined
    ? Promise.reject(new DOMException("not a secure page", "SecurityError"))
    : navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: !original, noiseSuppression: !original, autoGainControl: !original } })),
  recorder: (stream) => new MediaRecorder(stream, OPTIONS),
  now: () => performance.now(),
};
