//! The media of one call: capture, transport, what is heard and seen, and how good the connection is.

import type { E2ee } from "../e2ee/page.ts";
import { Capture, type SourceKind } from "../media/capture.ts";
import { figures, LossMeter, rate, type Figures, type Rating } from "../media/quality.ts";
import { Transport, type MediaAnswer, type OfferMedia } from "../media/transport.ts";
import type { CallId, DeviceId, Quality, Track } from "../protocol.ts";
import type { DeviceProblem, Path } from "./state.ts";

const QUALITY_EVERY_MS = 3_000;

export interface Remote {
  audio: MediaStream | undefined;
  video: MediaStream | undefined;
}

export interface CallMediaListener {
  offer(offer: OfferMedia): Promise<MediaAnswer>;
  quality(call: CallId): Promise<Quality>;
  captured(source: SourceKind, problem: DeviceProblem | undefined): void;
  path(path: Path): void;
  failed(): void;
  silent(): void;
  changed(): void;
}

export class CallMedia {
  readonly call: CallId;
  localVideo: MediaStream | undefined;
  /** What is received, by device. */
  readonly #remotes = new Map<DeviceId, Remote>();
  path: Path = "connecting";
  rating: Rating = "unknown";
  figures: Figures | undefined;
  original: boolean;
  readonly #listener: CallMediaListener;
  readonly #transport: Transport;
  readonly #capture: Capture;
  readonly #meter = new LossMeter();
  readonly #timer: ReturnType<typeof setInterval>;
  #muted = false;
  #closed = false;

  constructor(call: CallId, e2ee: E2ee, listener: CallMediaListener, original: boolean, maySend: (source: SourceKind) => boolean) {
    this.call = call;
    this.original = original;
    this.#listener = listener;
    this.#capture = new Capture({ captured: (kind, track, problem) => this.#captured(kind, track, problem) }, original, maySend);
    this.#transport = new Transport(call, e2ee, {
      offer: (offer) => listener.offer(offer),
      path: (path) => {
        this.path = path;
        listener.path(path);
      },
      failed: () => listener.failed(),
      silent: () => listener.silent(),
      received: (tracks) => this.#received([...tracks.values()]),
    });
    this.#timer = setInterval(() => void this.#measure(), QUALITY_EVERY_MS);
  }

  /** What is heard and seen of a participant. */
  of(device: DeviceId | undefined): Remote {
    return (device === undefined ? undefined : this.#remotes.get(device)) ?? { audio: undefined, video: undefined };
  }

  /** Connects without a sound: the sections stand, and get their tracks by `open`. */
  connect(camera: boolean): void {
    this.#transport.start(camera);
  }

  /** Asks for the devices. */
  open(camera: boolean): void {
    void this.#capture.open(camera ? ["microphone", "camera"] : ["microphone"]);
  }

  switch(source: SourceKind, on: boolean): void {
    if (source === "microphone") {
      this.#muted = !on;
      if (this.#capture.track("microphone") === undefined && on) void this.#capture.open(["microphone"]);
      this.#capture.mute(!on);
      return;
    }
    if (on) {
      void this.#capture.open(["camera"]);
      return;
    }
    this.#capture.close("camera");
    this.localVideo = undefined;
    void this.#transport.send("camera", null);
    this.#listener.changed();
  }

  /** The device's own switches were moved: what is off is cut at once, what is on again comes back. */
  switchesChanged(): void {
    this.#capture.heedSwitches();
  }

  async setOriginal(on: boolean): Promise<void> {
    this.original = on;
    this.#listener.changed();
    await this.#capture.original(on);
  }

  subscribe(tracks: readonly Track[]): void {
    this.#transport.subscribe(tracks);
  }

  restart(): void {
    this.#transport.restart();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#capture.end();
    this.#transport.close();
  }

  #captured(kind: SourceKind, track: MediaStreamTrack | undefined, problem: DeviceProblem | undefined): void {
    if (kind === "microphone" && track !== undefined) track.enabled = !this.#muted;
    if (kind === "camera") this.localVideo = track === undefined ? undefined : new MediaStream([track]);
    // The sender's track is replaced, never removed: the encrypting transform stays where it is.
    void this.#transport.send(kind, track ?? null);
    this.#listener.captured(kind, problem);
    this.#listener.changed();
  }

  #received(tracks: { track: Track; media: MediaStreamTrack }[]): void {
    const of = (device: DeviceId, kind: string) =>
      tracks.filter(({ track, media }) => track.device === device && media.kind === kind).map(({ media }) => media);
    const devices = new Set(tracks.map(({ track }) => track.device));
    for (const device of this.#remotes.keys()) if (!devices.has(device)) this.#remotes.delete(device);
    for (const device of devices) {
      const before = this.#remotes.get(device);
      const audio = sameOrNew(before?.audio, of(device, "audio"));
      const video = sameOrNew(before?.video, of(device, "video").slice(-1));
      this.#remotes.set(device, { audio, video });
    }
    this.#listener.changed();
  }

  async #measure(): Promise<void> {
    const [server, report] = await Promise.all([
      this.#listener.quality(this.call).catch(() => undefined),
      this.#transport.stats(),
    ]);
    if (this.#closed) return;
    this.figures = figures(server, report, this.#meter);
    this.rating = rate(this.figures);
    this.#listener.changed();
  }
}

/** A stream that did not change keeps its element playing. */
function sameOrNew(stream: MediaStream | undefined, tracks: MediaStreamTrack[]): MediaStream | undefined {
  if (tracks.length === 0) return undefined;
  const before = stream?.getTracks() ?? [];
  const same = before.length === tracks.length && tracks.every((track) => before.includes(track));
  return same && stream !== undefined ? stream : new MediaStream(tracks);
}
