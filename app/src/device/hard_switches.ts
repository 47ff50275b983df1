//! The device's own switches for microphone and camera: what is off stays off, whoever calls, and after a reload too.

import type { LocalMemory } from "../home/local.ts";
import type { SourceKind } from "../media/capture.ts";
import type { Capabilities, Switches } from "../protocol.ts";
import type { Shape } from "./model.ts";

const MICROPHONE_OFF = "switch.microphone-off";
const COVERED = "switch.camera-covered";

export class HardSwitches {
  readonly #memory: Pick<LocalMemory, "setting" | "keepSetting">;
  readonly #shape: () => Shape;

  constructor(memory: Pick<LocalMemory, "setting" | "keepSetting">, shape: () => Shape) {
    this.#memory = memory;
    this.#shape = shape;
  }

  get now(): Switches {
    const microphone = this.#memory.setting(MICROPHONE_OFF) !== "on";
    // The button that cuts the microphone of a device with a camera cuts both; the shutter leaves the microphone.
    if (!microphone && this.#shape() === "display") return { microphone, camera: "off" };
    return { microphone, camera: this.covered ? "shutter" : "on" };
  }

  get covered(): boolean {
    return this.#memory.setting(COVERED) === "on";
  }

  maySend(source: SourceKind): boolean {
    const { microphone, camera } = this.now;
    return source === "microphone" ? microphone : camera === "on";
  }

  flipMicrophone(): void {
    this.#memory.keepSetting(MICROPHONE_OFF, this.now.microphone ? "on" : undefined);
  }

  flipCover(): void {
    this.#memory.keepSetting(COVERED, this.covered ? undefined : "on");
  }
}

/** What the browser has, without asking for any of it. A page can't ask for loudspeakers; a browser has them. */
export async function capabilities(shape: Shape): Promise<Capabilities> {
  const devices = await navigator.mediaDevices?.enumerateDevices().catch(() => []) ?? [];
  const has = (kind: MediaDeviceKind): boolean => devices.some((device) => device.kind === kind);
  const display = shape === "display";
  return { microphone: has("audioinput"), speaker: true, screen: display, camera: display && has("videoinput") };
}
