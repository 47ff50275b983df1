//! Looks for movement while it may: opens the camera for it, a tiny grey frame each second, and closes it as soon as it may not.
//!
//! No frame leaves this page, and none is kept but the last one, for the next to be compared with.

import { grey, LOOKED_AT, Motion } from "./motion.ts";

export const LOOK_EVERY_MS = 1_000;
/** Small and slow: it is made smaller still. */
const PICTURE: MediaTrackConstraints = { width: { ideal: 320 }, height: { ideal: 240 }, frameRate: { ideal: 5, max: 30 } };

/** An open camera. */
export interface Eye {
  /** Undefined while there is none yet. */
  frame(): Uint8Array | undefined;
  /** The camera's light goes out. */
  close(): void;
}

export interface MotionHost {
  may(): boolean;
  /** `lost`: the camera is gone. */
  open(lost: () => void): Promise<Eye>;
  moved(): void;
  changed(): void;
}

type Watch =
  | { at: "closed" }
  /** The browser is asked for the camera. */
  | { at: "opening" }
  | { at: "looking"; eye: Eye; timer: ReturnType<typeof setInterval> }
  /** It gave none. Tried again once it may not look for a while, and may again. */
  | { at: "failed" };

export class MotionWatch {
  readonly #host: MotionHost;
  readonly #motion = new Motion();
  #watch: Watch = { at: "closed" };

  constructor(host: MotionHost) {
    this.#host = host;
  }

  get at(): Watch["at"] {
    return this.#watch.at;
  }

  /** After every change. */
  look(): void {
    if (!this.#host.may()) return this.end();
    if (this.#watch.at === "closed") void this.#open();
  }

  end(): void {
    const watch = this.#watch;
    this.#watch = { at: "closed" };
    if (watch.at !== "looking") return;
    clearInterval(watch.timer);
    watch.eye.close();
    this.#motion.forget();
  }

  async #open(): Promise<void> {
    const opening: Watch = { at: "opening" };
    this.#watch = opening;
    const lost = (): void => {
      this.end();
      this.#watch = { at: "failed" };
      this.#host.changed();
    };
    const eye = await this.#host.open(lost).catch(() => undefined);
    // It may not look any more, or begins anew by now.
    if (this.#watch !== opening) return eye?.close();
    this.#watch = eye === undefined ? { at: "failed" } : { at: "looking", eye, timer: setInterval(() => this.#glance(eye), LOOK_EVERY_MS) };
    this.#host.changed();
  }

  #glance(eye: Eye): void {
    // Switches are moved, and pages hidden, without a word to this one.
    if (!this.#host.may()) return this.end();
    const frame = eye.frame();
    if (frame !== undefined && this.#motion.moved(frame)) this.#host.moved();
  }
}

/** The browser's camera. */
export async function openEye(lost: () => void): Promise<Eye> {
  const stream = await navigator.mediaDevices.getUserMedia({ video: PICTURE, audio: false });
  const close = (): void => {
    for (const track of stream.getTracks()) {
      track.onended = null;
      track.stop();
    }
    video.srcObject = null;
  };
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  video.srcObject = stream;
  for (const track of stream.getTracks()) track.onended = lost;
  void video.play().catch(() => undefined);
  const { width, height } = LOOKED_AT;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) {
    close();
    throw new Error("this browser draws no pictures");
  }
  context.imageSmoothingQuality = "high";
  return {
    frame: () => {
      if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return undefined;
      context.drawImage(video, 0, 0, width, height);
      return grey(context.getImageData(0, 0, width, height).data);
    },
    close,
  };
}
