//! Tries each way into the home, one after the other, and tells the server what came of it.

import { url } from "../media/relays.ts";
import type { OutsideBegun, OutsideState, OutsideTried, OutsideWay, RelayTransport } from "../protocol.ts";
import { api } from "../session/http.ts";
import { bare, names, only } from "./candidates.ts";

/** How long one way may take. A browser repeats what is lost several times meanwhile; the server keeps its side for longer. */
const WAY_MS = 8_000;

export interface Progress {
  begun?: OutsideBegun;
  /** The way that is tried now. */
  trying?: OutsideWay | undefined;
  tried: OutsideTried[];
}

/** Shows every step; the server has kept the result when it returns. */
export async function test(secret: string, show: (progress: Progress) => void): Promise<OutsideState> {
  const begun = await api.outsideBegin({ secret });
  const progress: Progress = { begun, tried: [] };
  for (const way of begun.ways) {
    progress.trying = way;
    show(progress);
    progress.tried.push({ way, ...await tried(secret, begun, way) });
  }
  progress.trying = undefined;
  show(progress);
  return api.outsideReport({ secret, tried: progress.tried });
}

type Found = Pick<OutsideTried, "works" | "works_here">;
const told = (works: boolean): Found => ({ works, works_here: works });

async function tried(secret: string, begun: OutsideBegun, way: OutsideWay): Promise<Found> {
  switch (way) {
    // The server has just answered.
    case "web": return told(true);
    case "web_socket": return told(await webSocket());
    case "media_udp": return media(secret, "udp");
    case "media_tcp": return media(secret, "tcp");
    case "relay_udp": return told(await relay(begun, "udp"));
    case "relay_tcp": return told(await relay(begun, "tcp"));
    case "relay_tls": return told(await relay(begun, "tls"));
  }
}

function webSocket(): Promise<boolean> {
  const socket = new WebSocket(`${location.protocol === "http:" ? "ws" : "wss"}://${location.host}/v1/session`);
  const opened = within((done) => {
    socket.onopen = () => done(true);
    socket.onerror = () => done(false);
  });
  return opened.finally(() => socket.close());
}

/** As a call takes it; if that fails, at the address of this page, on the ports that are told. */
async function media(secret: string, protocol: "udp" | "tcp"): Promise<Found> {
  const host = bare(location.hostname);
  let known = false;
  const works = await connects(secret, (answer) => {
    known = names(answer, protocol, host);
    return only(answer, protocol);
  });
  if (works || known) return told(works);
  return { works, works_here: await connects(secret, (answer) => only(answer, protocol, host)) };
}

async function connects(secret: string, choose: (answer: string) => string): Promise<boolean> {
  const connection = new RTCPeerConnection({ bundlePolicy: "max-bundle", iceServers: [] });
  try {
    connection.addTransceiver("audio", { direction: "sendonly" });
    await connection.setLocalDescription(await connection.createOffer());
    const { sdp } = await api.outsideOffer({ secret, sdp: connection.localDescription?.sdp ?? "" });
    const up = within((done) => {
      connection.onconnectionstatechange = () => {
        if (connection.connectionState === "connected") done(true);
        if (connection.connectionState === "failed") done(false);
      };
    });
    const chosen = choose(sdp);
    if (!chosen.includes("a=candidate:")) return false;
    await connection.setRemoteDescription({ type: "answer", sdp: chosen });
    return await up;
  } finally {
    connection.close();
  }
}

/** A relay works if it gives this page an address: then it was reached, and the credential counts there. */
async function relay({ relays }: OutsideBegun, transport: RelayTransport): Promise<boolean> {
  const servers = relays.servers.filter((server) => server.transport === transport);
  if (servers.length === 0) return false;
  const urls = servers.map((server) => url(server, location.hostname));
  const iceServers = [{ urls, username: relays.username, credential: relays.credential }];
  const connection = new RTCPeerConnection({ iceServers, iceTransportPolicy: "relay" });
  try {
    connection.addTransceiver("audio", { direction: "sendonly" });
    const relayed = within((done) => {
      connection.onicecandidate = ({ candidate }) => {
        if (candidate?.type === "relay") done(true);
        if (candidate === null) done(false);
      };
    });
    await connection.setLocalDescription(await connection.createOffer());
    return await relayed;
  } finally {
    connection.close();
  }
}

function within(begin: (done: (worked: boolean) => void) => void): Promise<boolean> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(false), WAY_MS);
    begin(resolve);
  });
}
