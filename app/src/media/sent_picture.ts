//! The camera as it is sent: its encodings fitted to the capture and to what somebody takes.

import { fitted } from "./encodings.ts";

export class SentPicture {
  readonly #sender: RTCRtpSender;
  #side = 0;
  #wanted: readonly number[] | undefined;
  #applying: Promise<void> = Promise.resolve();

  constructor(sender: RTCRtpSender) {
    this.#sender = sender;
  }

  /** Another capture is sent, or none. */
  captured(track: MediaStreamTrack | null): Promise<void> {
    const { width = 0, height = 0 } = track?.getSettings() ?? {};
    this.#side = Math.max(width, height);
    return this.#apply();
  }

  /** Encodings that nobody takes are not made any more, until this is said again. */
  wanted(layers: readonly number[]): void {
    this.#wanted = layers;
    void this.#apply();
  }

  /** The track is a new one at the server: what was wanted of the old one counts no more. */
  renewed(): void {
    this.#wanted = undefined;
    void this.#apply();
  }

  /** An answer came: it may have taken fewer encodings than were offered, and what was refused meanwhile is tried again. */
  negotiated(): void {
    void this.#apply();
  }

  /** One after the other: the browser takes parameters only in return for those it gave last. */
  #apply(): Promise<void> {
    this.#applying = this.#applying.then(async () => {
      if (this.#side === 0) return;
      const parameters = this.#sender.getParameters();
      if (parameters.encodings.length === 0) return;
      parameters.encodings = fitted(parameters.encodings, this.#side, this.#wanted);
      // Refused while an offer is in flight; it is tried again with the answer.
      await this.#sender.setParameters(parameters).catch(() => undefined);
    });
    return this.#applying;
  }
}
