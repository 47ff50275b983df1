//! Announcing in the own household: to whom, sealed by the key worker, and what became of it in each room.

import type { LiveOver } from "../call/controller.ts";
import { afterwards } from "../call/live.ts";
import type { LiveRoom } from "../call/state.ts";
import type { E2ee } from "../e2ee/page.ts";
import type { AnnouncedContent } from "../e2ee/port.ts";
import type { AnnouncementFate, AnnouncementHeard, AnnouncementId, AnnounceTo, Device, DeviceId, Event } from "../protocol.ts";
import type { Session } from "../session/client.ts";

/** Announcements that are shown with what became of them; the oldest goes. */
const SAID_MAX = 10;

export type InRoom = AnnouncementFate | AnnouncementHeard | LiveRoom;

/** Something that was announced by this app or device. */
export interface Said {
  id: AnnouncementId;
  atMs: number;
  to: AnnounceTo;
  content: { kind: "sound"; lengthMs: number } | { kind: "text"; text: string } | { kind: "live"; lengthMs: number };
  /** The server has said which devices it is for. */
  answered: boolean;
  rooms: ReadonlyMap<DeviceId, InRoom>;
}

export interface AnnouncingHost {
  devices(): readonly Device[];
  changed(): void;
  now?: () => number;
}

export class Announcing {
  readonly #e2ee: Pick<E2ee, "request">;
  readonly #session: Pick<Session, "request">;
  readonly #host: AnnouncingHost;
  /** The newest first. */
  said: Said[] = [];

  constructor(e2ee: Pick<E2ee, "request">, session: Pick<Session, "request">, host: AnnouncingHost) {
    this.#e2ee = e2ee;
    this.#session = session;
    this.#host = host;
  }

  /** `replyTo`: the announcement that it answers. */
  async announce(to: AnnounceTo, content: AnnouncedContent, replyTo?: AnnouncementId): Promise<AnnouncementId> {
    const { keys } = await this.#session.request({ type: "get_sealing_keys" }, "sealing_keys");
    const meant = new Set(receivers(this.#host.devices(), to).map(({ id }) => id));
    const sealed = await this.#e2ee.request("announcement.seal", { to: keys.filter(({ device }) => meant.has(device)), content, replyTo });
    const id = sealed.announcement;
    const shown = content.kind === "text" ? content : { kind: content.kind, lengthMs: content.lengthMs };
    const one: Said = { id, atMs: (this.#host.now ?? Date.now)(), to, content: shown, answered: false, rooms: new Map() };
    this.said = [one, ...this.said].slice(0, SAID_MAX);
    try {
      const { receivers: told } = await this.#session.request({ type: "announce", announcement: id, to, statement: sealed.statement, content: sealed.content }, "announced");
      // A quick device may have said that it heard it before the server answered here.
      this.#mark(id, told.filter(({ device }) => !this.of(id)?.rooms.has(device)).map(({ device, fate }) => [device, fate]), true);
      return id;
    } catch (error) {
      this.said = this.said.filter((other) => other.id !== id);
      throw error;
    } finally {
      this.#host.changed();
    }
  }

  /** What was spoken live, under its call's id. False: it reached nobody, and there is nothing to show. */
  liveOver({ call, live, lengthMs }: LiveOver): boolean {
    if (live.side !== "speaks" || live.rooms === undefined) return false;
    const rooms = new Map(Object.entries(live.rooms).map(([device, room]) => [device, afterwards(room)]));
    const atMs = (this.#host.now ?? Date.now)() - lengthMs;
    this.said = [{ id: call, atMs, to: live.to, content: { kind: "live" as const, lengthMs }, answered: true, rooms }, ...this.said].slice(0, SAID_MAX);
    this.#host.changed();
    return true;
  }

  handle(event: Event): void {
    if (event.type !== "announcement_heard") return;
    this.#mark(event.announcement, [[event.device, event.heard]]);
    this.#host.changed();
  }

  /** Forgotten once it is one of the oldest. */
  of(id: AnnouncementId): Said | undefined {
    return this.said.find((one) => one.id === id);
  }

  #mark(id: AnnouncementId, news: readonly (readonly [DeviceId, InRoom])[], answered = false): void {
    this.said = this.said.map((one) => (one.id === id ? { ...one, answered: one.answered || answered, rooms: new Map([...one.rooms, ...news]) } : one));
  }
}

/** The home devices that it goes to, as the server counts them too. */
export function receivers(devices: readonly Device[], to: AnnounceTo): Device[] {
  return devices.filter(({ kind }) => kind === "home_device").filter(({ id, settings }) => {
    switch (to.type) {
      case "home": return true;
      case "device": return id === to.device;
      case "zone": return sameRoom(settings.room, to.room);
    }
  });
}

/** The rooms that home devices stand in, each once, as one of them writes it. */
export function zones(devices: readonly Device[]): string[] {
  const rooms = new Map<string, string>();
  for (const { settings } of receivers(devices, { type: "home" })) {
    const room = settings.room.trim();
    if (room !== "" && !rooms.has(room.toLowerCase())) rooms.set(room.toLowerCase(), room);
  }
  return [...rooms.values()].sort((one, other) => one.localeCompare(other));
}

function sameRoom(one: string, other: string): boolean {
  return one.trim().toLowerCase() === other.trim().toLowerCase();
}
