//! Relays (TURN) for networks that block media: asked of the server, kept while their credential counts, and given to ICE, which takes them only when nothing nearer works.

import type { RelayServer, RelayServers } from "../protocol.ts";

/** A call waits so long for the server's word about relays; then it begins without one. */
const WAIT_MS = 2_000;
/** A credential that ends this soon is asked for anew: a call's transport takes a while to be made. */
const SPARE_MS = 10 * 60_000;

export class Relays {
  readonly #ask: () => Promise<RelayServers>;
  readonly #here: () => string;
  #known: { servers: RTCIceServer[]; until: number } | undefined;
  #asking: Promise<void> | undefined;

  /** `here`: the host at which this server is reached. */
  constructor(ask: () => Promise<RelayServers>, here: () => string) {
    this.#ask = ask;
    this.#here = here;
  }

  /** What ICE is given. None when the server has none, or does not say so in time. */
  async servers(now = Date.now()): Promise<RTCIceServer[]> {
    if (this.#known === undefined || this.#known.until < now + SPARE_MS) {
      this.#asking ??= this.#refresh().finally(() => {
        this.#asking = undefined;
      });
      await Promise.race([this.#asking, new Promise((resolve) => setTimeout(resolve, WAIT_MS))]);
    }
    return this.#known?.servers ?? [];
  }

  /** The server may have been started anew, and with it the secret that its credentials come from. */
  forget(): void {
    this.#known = undefined;
  }

  async #refresh(): Promise<void> {
    try {
      const relays = await this.#ask();
      const urls = relays.servers.map((server) => url(server, this.#here()));
      const servers = urls.length === 0 ? [] : [{ urls, username: relays.username, credential: relays.credential }];
      this.#known = { servers, until: relays.expires_at_ms };
    } catch {
      // A call without a relay is better than none; the next one asks again.
    }
  }
}

/** RFC 7065. */
export function url({ host, port, transport }: RelayServer, here: string): string {
  const scheme = transport === "tls" ? "turns" : "turn";
  return `${scheme}:${host ?? here}:${port}?transport=${transport === "udp" ? "udp" : "tcp"}`;
}
