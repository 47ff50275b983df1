//! Frosted glass: a camera as 16 by 9 samples, drawn large. Made before the encoder, so that nobody who receives it can undo it.

/** All that is left of a picture. */
export const SAMPLES = { width: 16, height: 9 } as const;
/** How large they are drawn: enough for a smooth surface, and one small size for the encoder. */
const DRAWN = { width: 320, height: 180 } as const;
const FRAMES_A_SECOND = 10;

export class Frost {
  readonly track: MediaStreamTrack;
  readonly #video = document.createElement("video");
  readonly #samples = context(SAMPLES);
  readonly #drawn = context(DRAWN);
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(camera: MediaStreamTrack) {
    const { canvas } = this.#drawn;
    const [track] = canvas.captureStream(FRAMES_A_SECOND).getVideoTracks();
    if (track === undefined) throw new Error("this browser draws no pictures to send");
    this.track = track;
    this.#video.muted = true;
    this.#video.playsInline = true;
    this.#video.srcObject = new MediaStream([camera]);
    void this.#video.play().catch(() => undefined);
    // No animation frame: those stop in a tab that nobody looks at.
    this.#timer = setInterval(() => this.#draw(), 1_000 / FRAMES_A_SECOND);
  }

  /** The camera itself goes on: it is not this one's to end. */
  stop(): void {
    clearInterval(this.#timer);
    this.track.stop();
    this.#video.srcObject = null;
  }

  #draw(): void {
    if (this.#video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
    this.#samples.drawImage(this.#video, 0, 0, SAMPLES.width, SAMPLES.height);
    this.#drawn.drawImage(this.#samples.canvas, 0, 0, DRAWN.width, DRAWN.height);
  }
}

function context({ width, height }: { width: number; height: number }): CanvasRenderingContext2D {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const made = canvas.getContext("2d");
  if (made === null) throw new Error("this browser draws no pictures");
  made.imageSmoothingEnabled = true;
  made.imageSmoothingQuality = "high";
  return made;
}
