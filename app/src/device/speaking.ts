//! What is announced from this home device: where to, said or typed, and which one is shown with what became of it.

import type { AnnouncedContent } from "../e2ee/port.ts";
import type { Said } from "../home/announcing.ts";
import type { Recorder } from "../media/recorder.ts";
import type { AnnouncementId, AnnounceTo, Device, DeviceId } from "../protocol.ts";
import { type Destination, destinations } from "../ui/announce_words.ts";
import type { Hearing } from "./hearing.ts";

/** Then nobody hears it any more who has not, and the screen is the clock's again. */
const SHOWN_MS = 5 * 60 * 1_000;

export type SpeakingState =
  | { at: "closed" }
  /** Somebody chooses where and says or types it. `to`: which of the places. */
  | { at: "asking"; to: string; typing: boolean; sending: boolean; problem: string | undefined }
  /** Announced: what became of it in each room. */
  | { at: "sent"; id: AnnouncementId; untilMs: number };

/** The device around it. */
export interface SpeakingHost {
  readonly recorder: Pick<Recorder, "open" | "state" | "begin" | "end" | "discard">;
  readonly hearing: Pick<Hearing, "announcing" | "answering">;
  /** Its microphone may be opened: no switch is off. */
  mayRecord(): boolean;
  /** In a call or a drop-in, or one rings; not what only plays here. */
  inCall(): boolean;
  /** An announcement plays here, recorded or live. */
  plays(): boolean;
  announceLive(to: AnnounceTo, name: string): void;
  devices(): readonly Device[];
  self(): DeviceId | undefined;
  changed(): void;
  now?: () => number;
}

export class Speaking {
  readonly #host: SpeakingHost;
  #timer: ReturnType<typeof setTimeout> | undefined;
  state: SpeakingState = { at: "closed" };

  constructor(host: SpeakingHost) {
    this.#host = host;
  }

  /** Everywhere first; none where no other home device is. This one plays nothing of its own. */
  get places(): Destination[] {
    const self = this.#host.self();
    const places = destinations(this.#host.devices().filter(({ id }) => id !== self));
    return places.length > 1 ? places : [];
  }

  /** The one that is shown with its rooms. */
  get said(): Said | undefined {
    return this.state.at === "sent" ? this.#host.hearing.announcing?.of(this.state.id) : undefined;
  }

  /** No microphone is opened while an announcement plays. */
  get maySpeak(): boolean {
    const { plays, mayRecord, inCall } = this.#host;
    return mayRecord() && !inCall() && !plays();
  }

  open(): void {
    const { hearing, inCall } = this.#host;
    // The recorder is the answer's until that is sent or discarded.
    if (inCall() || hearing.answering !== undefined || this.places.length === 0) return;
    this.#become({ at: "asking", to: "home", typing: false, sending: false, problem: undefined });
  }

  choose(to: string): void {
    if (this.state.at === "asking" && !this.state.sending) this.#become({ ...this.state, to });
  }

  type(typing: boolean): void {
    if (this.state.at === "asking" && !this.state.sending) this.#become({ ...this.state, typing, problem: undefined });
  }

  record(): void {
    if (this.state.at !== "asking" || !this.maySpeak) return;
    this.#become({ ...this.state, typing: false, problem: undefined });
    void this.#host.recorder.begin();
  }

  /** As it is spoken; nothing is kept, and what was recorded is discarded. */
  live(): void {
    const place = this.#place();
    if (this.state.at !== "asking" || this.state.sending || place === undefined || !this.maySpeak) return;
    this.close();
    this.#host.announceLive(place.to, place.label);
  }

  /** What was spoken live is over. */
  spoken(id: AnnouncementId): void {
    if (this.state.at === "closed") this.#become({ at: "sent", id, untilMs: this.#now() + SHOWN_MS });
  }

  discard(): void {
    if (this.state.at !== "asking" || this.state.sending) return;
    this.#host.recorder.discard();
    this.#become({ ...this.state, problem: undefined });
  }

  /** Once: what fails is said beside its buttons, and can be sent again. */
  async send(content: AnnouncedContent): Promise<void> {
    const { state } = this;
    const { hearing, recorder } = this.#host;
    const place = this.#place();
    if (state.at !== "asking" || state.sending || place === undefined || hearing.announcing === undefined) return;
    this.#become({ ...state, sending: true, problem: undefined });
    try {
      const id = await hearing.announcing.announce(place.to, content);
      // A call that came meanwhile has taken the screen.
      if (this.state.at !== "asking") return;
      recorder.discard();
      this.#become({ at: "sent", id, untilMs: this.#now() + SHOWN_MS });
    } catch (error) {
      if (this.state.at === "asking") this.#become({ ...this.state, sending: false, problem: error instanceof Error ? error.message : String(error) });
    }
  }

  /** Nothing of it is kept. */
  close(): void {
    if (this.state.at === "closed") return;
    const asked = this.state.at === "asking";
    this.#become({ at: "closed" });
    if (asked) this.#host.recorder.discard();
  }

  /** This device leaves its session. */
  end(): void {
    clearTimeout(this.#timer);
    this.state = { at: "closed" };
  }

  /** After every change. */
  look(): void {
    const { state } = this;
    if (state.at === "asking") {
      if (this.#host.inCall()) return this.close();
      // The device that was meant has gone meanwhile.
      if (this.#place() === undefined) this.choose("home");
    }
    if (state.at === "sent" && (this.said === undefined || this.#now() >= state.untilMs)) this.close();
  }

  #place(): Destination | undefined {
    const { state, places } = this;
    return state.at === "asking" ? places.find(({ value }) => value === state.to) : undefined;
  }

  #become(state: SpeakingState): void {
    clearTimeout(this.#timer);
    this.state = state;
    if (state.at === "sent") this.#timer = setTimeout(() => this.look(), state.untilMs - this.#now());
    this.#host.changed();
  }

  #now(): number {
    return (this.#host.now ?? (() => performance.now()))();
  }
}
