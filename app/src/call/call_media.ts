//! The media of one call: capture, transport, what is heard and seen, and how good the connection is.

import type { E2ee } from "../e2ee/page.ts";
import { Capture, type SourceKind } from "../media/capture.ts";
import { Frost } from "../media/frost.ts";
import type { PictureMode } from "../media/encodings.ts";
import { type Figures, Meter, rate, type Rating } from "../media/quality.ts";
import { Transport, type MediaAnswer, type OfferMedia } from "../media/transport.ts";
import { Views } from "../media/views.ts";
import type { CallId, DeviceId, OwnConnection, Track, TrackView } from "../protocol.ts";
import type { DeviceProblem, OneWay, Path } from "./state.ts";

/** People watch a sign, not a meter. */
const MEASURE_EVERY_MS = 3_000;

export interface Remote {
  audio: MediaStream | undefined;
  video: MediaStream | undefined;
}

export interface CallMediaListener {
  offer(offer: OfferMedia): Promise<MediaAnswer>;
  relays(): Promise<RTCIceServer[]>;
  /** How large pictures are shown here. */
  show(views: TrackView[]): Promise<void>;
  captured(source: SourceKind, problem: DeviceProblem | undefined): void;
  path(path: Path): void;
  failed(): void;
  silent(): void;
  changed(): void;
}

export interface MediaOptions {
  /** Sound as the microphone hears it. */
  original: boolean;
  pictures: PictureMode;
  maySend: (source: SourceKind) => boolean;
  /** A live announcement's: one way. */
  only?: OneWay | undefined;
}

export class CallMedia {
  readonly call: CallId;
  readonly views: Views;
  localVideo: MediaStream | undefined;
  /** What is received, by device. */
  readonly #remotes = new Map<DeviceId, Remote>();
  path: Path = "connecting";
  rating: Rating = "unknown";
  figures: Figures | undefined;
  original: boolean;
  readonly #listener: CallMediaListener;
  readonly #transport: Transport;
  /** None at a device that only hears: there is nothing that could open its microphone. */
  readonly #capture: Capture | undefined;
  readonly #only: OneWay | undefined;
  readonly #meter = new Meter();
  #own: OwnConnection | undefined;
  readonly #timer: ReturnType<typeof setInterval>;
  #muted = false;
  /** A drop-in's picture, made before the encoder, until it may be clear. */
  #frosted = false;
  #frost: Frost | undefined;
  #closed = false;

  constructor(call: CallId, e2ee: E2ee, listener: CallMediaListener, { original, pictures, maySend, only }: MediaOptions) {
    this.call = call;
    this.original = original;
    this.#listener = listener;
    this.#only = only;
    const hears = typeof only === "object";
    this.#capture = hears ? undefined : new Capture({ captured: (kind, track, problem) => this.#captured(kind, track, problem) }, original, maySend);
    this.views = new Views((views) => listener.show(views));
    this.#transport = new Transport(call, e2ee, { mode: pictures, publishes: !hears }, {
      offer: (offer) => listener.offer(offer),
      relays: () => listener.relays(),
      takes: (track) => this.#takes(track),
      path: (path) => {
        this.path = path;
        listener.path(path);
      },
      failed: () => listener.failed(),
      silent: () => listener.silent(),
      received: (tracks) => this.#received([...tracks.values()]),
      subscribed: (tracks) => this.views.received(tracks),
    });
    this.#timer = setInterval(() => void this.#measure(), MEASURE_EVERY_MS);
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
    void this.#capture?.open(camera ? ["microphone", "camera"] : ["microphone"]);
  }

  switch(source: SourceKind, on: boolean): void {
    if (this.#capture === undefined) return;
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
    this.#frost?.stop();
    this.#frost = undefined;
    this.localVideo = undefined;
    void this.#transport.send("camera", null);
    this.#listener.changed();
  }

  /** At the target of a drop-in: its microphone is open or shut as a whole, and its picture frosted or clear. */
  dropIn(microphone: boolean, frosted: boolean): void {
    if (this.#capture === undefined) return;
    if (microphone && this.#capture.track("microphone") === undefined) void this.#capture.open(["microphone"]);
    if (!microphone) {
      this.#capture.close("microphone");
      void this.#transport.send("microphone", null);
    }
    if (frosted === this.#frosted) return;
    this.#frosted = frosted;
    const camera = this.#capture.track("camera");
    if (camera !== undefined) this.#showCamera(camera);
  }

  /** The device's own switches were moved: what is off is cut at once, what is on again comes back. */
  switchesChanged(): void {
    this.#capture?.heedSwitches();
  }

  async setOriginal(on: boolean): Promise<void> {
    this.original = on;
    this.#listener.changed();
    await this.#capture?.original(on);
  }

  subscribe(tracks: readonly Track[]): void {
    this.#transport.subscribe(tracks);
  }

  /** Who speaks live hears nothing of the call; who hears takes the sound of that one device. */
  #takes({ device, source }: Track): boolean {
    if (this.#only === undefined) return true;
    return this.#only !== "speaks" && device === this.#only.hears && source === "microphone";
  }

  /** Which sizes of the own picture somebody takes. */
  layersWanted(layers: readonly number[]): void {
    this.#transport.layersWanted(layers);
  }

  /** The server's figures of this side's connection. */
  connection(own: OwnConnection | undefined): void {
    this.#own = own;
    void this.#measure();
  }

  /** The server lost its side. */
  renew(): void {
    this.#transport.renew();
  }

  restart(): void {
    this.#transport.restart();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.views.close();
    this.#frost?.stop();
    this.#capture?.end();
    this.#transport.close();
  }

  #captured(kind: SourceKind, track: MediaStreamTrack | undefined, problem: DeviceProblem | undefined): void {
    if (kind === "microphone" && track !== undefined) track.enabled = !this.#muted;
    if (kind === "camera") this.#showCamera(track);
    // The sender's track is replaced, never removed: the encrypting transform stays where it is.
    else void this.#transport.send(kind, track ?? null);
    this.#listener.captured(kind, problem);
    this.#listener.changed();
  }

  /** What is sent is what the own picture shows. */
  #showCamera(camera: MediaStreamTrack | undefined): void {
    this.#frost?.stop();
    this.#frost = camera !== undefined && this.#frosted ? new Frost(camera) : undefined;
    const sent = this.#frost?.track ?? camera;
    this.localVideo = sent === undefined ? undefined : new MediaStream([sent]);
    void this.#transport.send("camera", sent ?? null);
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
    const report = await this.#transport.stats();
    if (this.#closed) return;
    this.figures = this.#meter.figures(this.#own, report);
    const rating = rate(this.figures, this.#own?.grade);
    // Before it is one, and while it is lost, no connection is good.
    this.rating = rating === "good" && this.path !== "connected" ? "unknown" : rating;
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
