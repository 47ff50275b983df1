//! The media transport of one call: one peer connection that always offers, with an encryption transform on every track.
//!
//! There is no plaintext mode: a sender whose transform is missing gets no track, and a track that arrives without one is stopped.

import type { E2ee } from "../e2ee/page.ts";
import type { PublishSection, Reply, Request, Source, SubscribeSection, Track, TrackId } from "../protocol.ts";
import { RequestError } from "../session/errors.ts";
import { beginning, type PictureMode, startHigh, takesSeveral } from "./encodings.ts";
import { LOOK_EVERY_MS, packets, PathWatch } from "./path_watch.ts";
import { SentPicture } from "./sent_picture.ts";

const DEPENDENCY_DESCRIPTOR = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";
/** The browser says "disconnected" after seconds of silence: little is left to wait for. A restart leaves the old path in use until the new one works. */
const RESTART_AFTER_MS = 200;
/** Again until the server ends the call. */
const RESTART_EVERY_MS = 4_000;
/** Several signs of one change of network are one restart. */
const RESTART_ONCE_MS = 1_500;
/** An offer that could not be made is made again. */
const AGAIN_AFTER_MS = 1_500;
/** Offers that the server could not take for a reason of its own, before the call is given up. */
const FAULTS_MAX = 3;
/** Tracks that one call carries to this side; a call between two people needs two. */
const SUBSCRIBED_MAX = 32;

export type MediaAnswer = Extract<Reply, { type: "media_answer" }>;
export type OfferMedia = Extract<Request, { type: "offer_media" }>;

export interface TransportListener {
  offer(offer: OfferMedia): Promise<MediaAnswer>;
  /** The relays of the moment; ICE takes one only when no nearer path works. */
  relays(): Promise<RTCIceServer[]>;
  /** False: it is left alone, whatever the server says. */
  takes(track: Track): boolean;
  path(path: "connecting" | "connected" | "reconnecting"): void;
  /** The tracks that are received now. */
  received(tracks: ReadonlyMap<TrackId, { track: Track; media: MediaStreamTrack }>): void;
  /** The server has answered: these tracks are subscribed to. */
  subscribed(tracks: readonly Track[]): void;
  failed(): void;
  /** What is sent brings nothing back: the network may have changed. ICE is restarted already. */
  silent(): void;
}

interface HeaderExtension {
  uri: string;
  direction: RTCRtpTransceiverDirection;
}
type Negotiating = RTCRtpTransceiver & {
  getHeaderExtensionsToNegotiate?(): HeaderExtension[];
  setHeaderExtensionsToNegotiate?(extensions: HeaderExtension[]): void;
};

export class Transport {
  readonly #call: string;
  readonly #e2ee: E2ee;
  readonly #listener: TransportListener;
  readonly #connection: RTCPeerConnection;
  readonly #publishes: boolean;
  #mode: PictureMode;
  readonly #senders = new Map<Source, RTCRtpTransceiver>();
  #picture: SentPicture | undefined;
  /** What the camera sends or is about to. */
  #camera: MediaStreamTrack | null = null;
  readonly #receivers = new Map<TrackId, { track: Track; transceiver: RTCRtpTransceiver }>();
  readonly #received = new Map<TrackId, { track: Track; media: MediaStreamTrack }>();
  #wanted = new Map<TrackId, Track>();
  #negotiating = false;
  #again = false;
  #iceRestart = false;
  #faults = 0;
  #everConnected = false;
  #closed = false;
  #restartedAtMs = -Infinity;
  #restartTimer: ReturnType<typeof setTimeout> | undefined;
  #offerTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #watch = new PathWatch();
  #watchTimer: ReturnType<typeof setInterval> | undefined;

  /** `publishes` false: it has no section to send in, and offers once there is something to hear. */
  constructor(call: string, e2ee: E2ee, { mode, publishes }: { mode: PictureMode; publishes: boolean }, listener: TransportListener) {
    this.#publishes = publishes;
    this.#mode = mode;
    this.#call = call;
    this.#e2ee = e2ee;
    this.#listener = listener;
    this.#connection = new RTCPeerConnection({ bundlePolicy: "max-bundle", iceServers: [] });
    this.#connection.ontrack = (event) => this.#onTrack(event);
    this.#connection.onconnectionstatechange = () => this.#onConnection();
    if (publishes) this.#publish("microphone");
  }

  /** Offers what there is. Sections for camera and subscriptions are added as they are wanted. */
  start(camera: boolean): void {
    if (!this.#publishes) return;
    if (camera) this.#publish("camera");
    void this.#negotiate();
  }

  async send(source: Source, track: MediaStreamTrack | null): Promise<void> {
    if (this.#closed || !this.#publishes) return;
    if (source === "camera") this.#camera = track;
    let transceiver = this.#senders.get(source);
    if (transceiver === undefined) {
      if (track === null) return;
      transceiver = this.#publish(source);
      void this.#negotiate();
    }
    if (transceiver.sender.transform == null) {
      track?.stop();
      this.#listener.failed();
      return;
    }
    // Refused by a section that has ended meanwhile: its successor was given the same track.
    await transceiver.sender.replaceTrack(track).catch(() => undefined);
    if (source === "camera") await this.#picture?.captured(track);
  }

  /** All tracks of the others, as the server lists them now. */
  subscribe(tracks: readonly Track[]): void {
    if (this.#closed) return;
    this.#wanted = new Map(tracks.filter((track) => this.#listener.takes(track)).slice(0, SUBSCRIBED_MAX).map((track) => [track.track, track]));
    const same = this.#wanted.size === this.#receivers.size && [...this.#wanted.keys()].every((id) => this.#receivers.has(id));
    if (!same) void this.#negotiate();
  }

  /** Which sizes of the own picture somebody takes. */
  layersWanted(layers: readonly number[]): void {
    this.#picture?.wanted(layers);
  }

  /** The server lost its side: what it said of the old tracks counts no more. */
  renew(): void {
    this.#picture?.renewed();
    // Whatever was tried a moment ago was tried with what is gone.
    this.#restartedAtMs = -Infinity;
    this.restart();
  }

  /** The network changed. */
  restart(): void {
    // Several signs of one change come within a moment; a second restart would void what the first has found.
    if (this.#closed || performance.now() - this.#restartedAtMs < RESTART_ONCE_MS) return;
    this.#restartedAtMs = performance.now();
    this.#iceRestart = true;
    void this.#negotiate();
  }

  stats(): Promise<RTCStatsReport> {
    return this.#connection.getStats();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#restartTimer);
    clearTimeout(this.#offerTimer);
    clearInterval(this.#watchTimer);
    this.#connection.close();
  }

  #publish(source: Source): RTCRtpTransceiver {
    const kind = source === "camera" ? "video" : "audio";
    const encodings = kind === "video" ? { sendEncodings: beginning(this.#mode) } : {};
    const transceiver = this.#connection.addTransceiver(kind, { direction: "sendonly", ...encodings });
    transceiver.sender.transform = this.#e2ee.sendTransform({ call: this.#call, kind, track: source });
    prepare(transceiver, kind, "send", this.#mode);
    if (kind === "video") this.#picture = new SentPicture(transceiver.sender);
    this.#senders.set(source, transceiver);
    return transceiver;
  }

  #onTrack({ transceiver, receiver, track }: RTCTrackEvent): void {
    const entry = [...this.#receivers.values()].find((candidate) => candidate.transceiver === transceiver);
    if (entry === undefined || receiver.transform == null) {
      track.stop();
      return;
    }
    this.#received.set(entry.track.track, { track: entry.track, media: track });
    this.#listener.received(this.#received);
  }

  async #negotiate(): Promise<void> {
    if (this.#negotiating) {
      this.#again = true;
      return;
    }
    // An offer needs a section: what only hears has none before its first track.
    if (!this.#publishes && this.#wanted.size === 0 && this.#connection.localDescription === null) return;
    this.#negotiating = true;
    try {
      do {
        this.#again = false;
        await this.#offerOnce();
      } while (this.#again && !this.#closed);
    } catch (error) {
      this.#onFault(error);
    } finally {
      this.#negotiating = false;
    }
  }

  async #offerOnce(): Promise<void> {
    this.#applySubscriptions();
    const iceRestart = this.#iceRestart;
    this.#iceRestart = false;
    const connection = this.#connection;
    try {
      // Before candidates are gathered, and again with a restart, since a credential counts for some hours.
      if (iceRestart || connection.localDescription === null) {
        const iceServers = await this.#listener.relays();
        if (this.#closed) return;
        connection.setConfiguration({ ...connection.getConfiguration(), iceServers });
      }
      await connection.setLocalDescription(await connection.createOffer({ iceRestart }));
      const sdp = connection.localDescription?.sdp ?? "";
      const subscribed = [...this.#receivers.values()].map(({ track }) => track);
      const answer = await this.#listener.offer({
        type: "offer_media", call: this.#call, sdp, publish: this.#publishSections(), subscribe: this.#subscribeSections(),
      });
      if (this.#closed) return;
      // Before anything is awaited: a `tracks` event that comes meanwhile is newer than this list.
      this.subscribe(answer.tracks);
      await connection.setRemoteDescription({ type: "answer", sdp: startHigh(answer.sdp) });
      this.#faults = 0;
      this.#settle(answer.sdp);
      this.#picture?.negotiated();
      this.#listener.subscribed(subscribed);
    } catch (error) {
      this.#iceRestart ||= iceRestart;
      throw error;
    }
  }

  /**
   * A server that takes one size gets a section of one size: of several it would not know the streams. The old section ends, since
   * Chromium offers its sizes again without the extension that names them, and then refuses its own offer.
   */
  #settle(answer: string): void {
    const camera = this.#senders.get("camera");
    if (this.#mode !== "simulcast" || camera?.mid == null || takesSeveral(answer, camera.mid)) return;
    this.#mode = "single";
    camera.stop();
    this.#publish("camera");
    this.#again = true;
    if (this.#camera !== null) void this.send("camera", this.#camera);
  }

  #applySubscriptions(): void {
    for (const [id, { transceiver }] of this.#receivers) {
      if (this.#wanted.has(id)) continue;
      transceiver.direction = "inactive";
      this.#receivers.delete(id);
      if (this.#received.delete(id)) this.#listener.received(this.#received);
    }
    for (const [id, track] of this.#wanted) {
      if (this.#receivers.has(id)) continue;
      const kind = track.source === "camera" ? "video" : "audio";
      const transceiver = this.#connection.addTransceiver(kind, { direction: "recvonly" });
      transceiver.receiver.transform = this.#e2ee.receiveTransform({ call: this.#call, kind, track: id, owner: track.device });
      prepare(transceiver, kind, "receive", this.#mode);
      this.#receivers.set(id, { track, transceiver });
    }
  }

  #publishSections(): PublishSection[] {
    return [...this.#senders].flatMap(([source, { mid }]) => (mid === null ? [] : [{ mid, source }]));
  }

  #subscribeSections(): SubscribeSection[] {
    return [...this.#receivers].flatMap(([track, { transceiver: { mid } }]) => (mid === null ? [] : [{ mid, track }]));
  }

  #onFault(error: unknown): void {
    if (this.#closed) return;
    const code = error instanceof RequestError ? error.code : "internal";
    // The call's own end arrives as an event.
    if (code === "call_ended" || code === "not_found") return;
    const fatal = code === "bad_offer" || (code !== "session_lost" && code !== "offline" && ++this.#faults >= FAULTS_MAX);
    if (fatal) this.#listener.failed();
    else this.#scheduleOffer();
  }

  #onConnection(): void {
    if (this.#closed) return;
    switch (this.#connection.connectionState) {
      case "connected":
        this.#everConnected = true;
        clearTimeout(this.#restartTimer);
        this.#watchTimer ??= setInterval(() => void this.#look(), LOOK_EVERY_MS);
        this.#listener.path("connected");
        return;
      case "disconnected":
        this.#listener.path("reconnecting");
        this.#scheduleRestart(RESTART_AFTER_MS);
        return;
      case "failed":
        this.#listener.path(this.#everConnected ? "reconnecting" : "connecting");
        this.#scheduleRestart(0);
        return;
    }
  }

  #scheduleOffer(): void {
    clearTimeout(this.#offerTimer);
    this.#offerTimer = setTimeout(() => void (this.#closed || this.#negotiate()), AGAIN_AFTER_MS);
  }

  async #look(): Promise<void> {
    // While it is not connected, restarts have their own time; two that don't know of each other void each other.
    if (this.#connection.connectionState !== "connected") return;
    const { sent, received } = packets(await this.#connection.getStats());
    if (this.#closed || !this.#watch.look(performance.now(), sent, received)) return;
    this.#listener.silent();
    this.restart();
  }

  #scheduleRestart(wait: number): void {
    clearTimeout(this.#restartTimer);
    this.#restartTimer = setTimeout(() => {
      if (this.#closed || this.#connection.connectionState === "connected") return;
      this.restart();
      this.#scheduleRestart(RESTART_EVERY_MS);
    }, wait);
  }
}

/** Opus without RED, VP8 or VP9 with the dependency descriptor: what is encrypted whole and still routed (e2ee.md, "Browser"). */
function prepare(transceiver: Negotiating, kind: "audio" | "video", way: "send" | "receive", mode: PictureMode): void {
  const capabilities = way === "send" ? RTCRtpSender.getCapabilities(kind) : RTCRtpReceiver.getCapabilities(kind);
  const wanted = kind === "audio" ? ["audio/opus"] : [...pictureCodecs(way, mode), "video/rtx"];
  const codecs = wanted.flatMap((type) => capabilities?.codecs.filter(({ mimeType, sdpFmtpLine }) =>
    mimeType.toLowerCase() === type.toLowerCase() && !/profile-id=[1-9]/.test(sdpFmtpLine ?? "")) ?? []);
  if (codecs.length > 0) transceiver.setCodecPreferences(codecs);
  if (kind !== "video") return;
  const extensions = transceiver.getHeaderExtensionsToNegotiate?.();
  if (extensions === undefined || transceiver.setHeaderExtensionsToNegotiate === undefined) return;
  for (const extension of extensions) {
    if (extension.uri === DEPENDENCY_DESCRIPTOR) extension.direction = "sendrecv";
  }
  transceiver.setHeaderExtensionsToNegotiate(extensions);
}

/** Either may come from others. Layers take VP9; a browser without it sends VP8 in one size. */
function pictureCodecs(way: "send" | "receive", mode: PictureMode): string[] {
  if (way === "receive") return ["video/VP8", "video/VP9"];
  return mode === "layered" ? ["video/VP9", "video/VP8"] : ["video/VP8"];
}
