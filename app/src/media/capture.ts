//! Microphone and camera: getting them, losing them, and saying in one word why there is none.

import type { DeviceProblem } from "../call/state.ts";

export type SourceKind = "microphone" | "camera";

export interface CaptureListener {
  /** The track to send now, if any, and what is wrong if there is none. */
  captured(kind: SourceKind, track: MediaStreamTrack | undefined, problem: DeviceProblem | undefined): void;
}

/** A camera that is asked for more than this costs battery and helps nobody on a household's uplink. */
const PICTURE: MediaTrackConstraints = {
  width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 }, facingMode: "user",
};

export class Capture {
  readonly #listener: CaptureListener;
  readonly #tracks = new Map<SourceKind, MediaStreamTrack>();
  readonly #wanted = new Set<SourceKind>();
  /** False while the device's own switch is off: nothing is captured then, whoever asks. */
  readonly #allowed: (kind: SourceKind) => boolean;
  #original: boolean;
  #closed = false;

  constructor(listener: CaptureListener, original: boolean, allowed: (kind: SourceKind) => boolean = () => true) {
    this.#allowed = allowed;
    this.#listener = listener;
    this.#original = original;
    navigator.mediaDevices?.addEventListener("devicechange", this.#onDeviceChange);
  }

  track(kind: SourceKind): MediaStreamTrack | undefined {
    return this.#tracks.get(kind);
  }

  /** Asks for one source, or both with one question to the person. */
  async open(kinds: readonly SourceKind[]): Promise<void> {
    for (const kind of kinds) this.#wanted.add(kind);
    if (kinds.length < 2 || !kinds.every((kind) => this.#allowed(kind))) {
      for (const kind of kinds) await this.#openOne(kind);
      return;
    }
    try {
      const stream = await this.#ask(kinds);
      for (const kind of kinds) this.#take(kind, stream);
    } catch {
      // One of the two is in the way: find out which, and use the other.
      for (const kind of kinds) await this.#openOne(kind);
    }
  }

  /** Ends a source: the device's light goes out. */
  close(kind: SourceKind): void {
    this.#wanted.delete(kind);
    const track = this.#tracks.get(kind);
    this.#tracks.delete(kind);
    if (track === undefined) return;
    track.onended = null;
    track.stop();
  }

  /** Cuts what may be captured no more, and takes up again what may. */
  heedSwitches(): void {
    for (const kind of [...this.#wanted]) {
      const track = this.#tracks.get(kind);
      if (this.#allowed(kind)) {
        if (track === undefined) void this.#openOne(kind);
      } else if (track !== undefined) {
        this.close(kind);
        this.#wanted.add(kind);
        this.#listener.captured(kind, undefined, "switched_off");
      }
    }
  }

  /** A muted microphone stays open, so that unmuting is heard at once. */
  mute(muted: boolean): void {
    const track = this.#tracks.get("microphone");
    if (track !== undefined) track.enabled = !muted;
  }

  /** Sound as the microphone hears it (music, an instrument), or cleaned for speech. */
  async original(on: boolean): Promise<void> {
    this.#original = on;
    const before = this.#tracks.get("microphone");
    if (before === undefined) return;
    const muted = !before.enabled;
    this.close("microphone");
    this.#wanted.add("microphone");
    await this.#openOne("microphone");
    this.mute(muted);
  }

  end(): void {
    this.#closed = true;
    navigator.mediaDevices?.removeEventListener("devicechange", this.#onDeviceChange);
    this.close("microphone");
    this.close("camera");
  }

  readonly #onDeviceChange = (): void => {
    // A headset that comes back is taken up without being asked for.
    for (const kind of this.#wanted) {
      if (!this.#tracks.has(kind)) void this.#openOne(kind);
    }
  };

  async #openOne(kind: SourceKind): Promise<void> {
    if (!this.#allowed(kind)) return this.#listener.captured(kind, undefined, "switched_off");
    try {
      this.#take(kind, await this.#ask([kind]));
    } catch (error) {
      if (!this.#closed) this.#listener.captured(kind, undefined, problemOf(error));
    }
  }

  #ask(kinds: readonly SourceKind[]): Promise<MediaStream> {
    if (navigator.mediaDevices === undefined) return Promise.reject(new DOMException("not a secure page", "SecurityError"));
    const clean = !this.#original;
    return navigator.mediaDevices.getUserMedia({
      audio: kinds.includes("microphone") ? { echoCancellation: clean, noiseSuppression: clean, autoGainControl: clean } : false,
      video: kinds.includes("camera") ? PICTURE : false,
    });
  }

  #take(kind: SourceKind, stream: MediaStream): void {
    const track = stream.getTracks().find((candidate) => candidate.kind === (kind === "camera" ? "video" : "audio"));
    if (track === undefined) return;
    if (this.#closed || !this.#wanted.has(kind)) {
      track.stop();
      return;
    }
    // Switched off while the browser asked for it.
    if (!this.#allowed(kind)) {
      track.stop();
      return this.#listener.captured(kind, undefined, "switched_off");
    }
    this.#tracks.get(kind)?.stop();
    this.#tracks.set(kind, track);
    track.contentHint = kind === "camera" ? "motion" : this.#original ? "music" : "speech";
    track.onended = () => {
      if (this.#tracks.get(kind) !== track) return;
      this.#tracks.delete(kind);
      this.#listener.captured(kind, undefined, "lost");
    };
    this.#listener.captured(kind, track, undefined);
  }
}

export function problemOf(error: unknown): DeviceProblem {
  switch (error instanceof DOMException ? error.name : "") {
    case "NotFoundError": case "OverconstrainedError": return "missing";
    case "NotAllowedError": return "refused";
    case "SecurityError": case "TypeError": return "insecure";
    default: return "busy";
  }
}
