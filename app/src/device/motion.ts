//! Whether something moved between two tiny grey pictures. Pure: frames in, a word out; the last frame alone is kept, in memory.

/** All that is looked at of a picture: enough for a person in the room, too little for who it is. */
export const LOOKED_AT = { width: 16, height: 12 } as const;

/** The noise of a camera in a dim room, averaged over a cell, stays below this (of 255); a sleeve before a wall does not. */
const DIFFERENT = 20;
/** Of 192 cells: a person at the far wall covers more, a fly does not. */
const CELLS_MIN = 3;

export class Motion {
  #before: Uint8Array | undefined;

  /** The first frame moves nothing. */
  moved(frame: Uint8Array): boolean {
    const before = this.#before;
    this.#before = frame;
    if (before === undefined || before.length !== frame.length) return false;
    // A lamp, a cloud, or the camera's own exposure makes the whole picture brighter: nobody has moved by that.
    const brighter = mean(frame) - mean(before);
    return frame.reduce((cells, level, at) => cells + (Math.abs(level - (before[at] ?? 0) - brighter) > DIFFERENT ? 1 : 0), 0) >= CELLS_MIN;
  }

  /** It looked away meanwhile: what changed until it looks again is no movement that it saw. */
  forget(): void {
    this.#before = undefined;
  }
}

/** Of red, green, blue and opacity the brightness alone. */
export function grey(rgba: Uint8ClampedArray): Uint8Array {
  return Uint8Array.from({ length: rgba.length / 4 }, (_, at) => ((rgba[4 * at] ?? 0) * 77 + (rgba[4 * at + 1] ?? 0) * 150 + (rgba[4 * at + 2] ?? 0) * 29) >> 8);
}

/** What decides whether the device may look. */
export interface Lookout {
  /** Somebody has switched it on at the device itself. */
  on: boolean;
  /** It has a camera of its own, neither switched off nor covered. */
  camera: boolean;
  /** The page can be seen, and so can what it says. */
  visible: boolean;
  /** Nothing else wants the camera: no call, no drop-in. */
  idle: boolean;
  /** There is somebody who would be told. */
  told: boolean;
}

/** All of it: a camera that looks for nobody stays off. */
export function mayLook({ on, camera, visible, idle, told }: Lookout): boolean {
  return on && camera && visible && idle && told;
}

function mean(frame: Uint8Array): number {
  return frame.reduce((sum, level) => sum + level, 0) / frame.length;
}
