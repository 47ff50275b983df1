//! What a notice of a call says, and where a tap on it leads. Pure; the page and the service worker share it.

import type { CallId, EndReason, PushNotice } from "../protocol.ts";

/** What the browser is asked to show; some of it is missing from TypeScript's own type. */
export interface Shown extends NotificationOptions {
  tag: string;
  data: NoticeData;
  actions?: { action: NoticeAction; title: string }[];
  renotify?: boolean;
  vibrate?: number[];
}

export type NoticeAction = "answer" | "decline";

/** What a notice remembers for the moment in which it is tapped. */
export interface NoticeData {
  call: CallId;
  rings: boolean;
  /** When a ringing call stops to ring; a tap after that answers nothing. */
  expiresAtMs: number;
  /** Declines the call without a session; absent where the page itself rings. */
  decline: string | undefined;
}

export interface Notice {
  title: string;
  shown: Shown;
}

const LOOK = { icon: "/icon-192.png", badge: "/badge.png" };
/** Long and short, as a ringing phone. */
const RING_PATTERN = [600, 300, 600, 300, 600];

/** Notices of one call replace each other. */
export function tagOf(call: CallId): string {
  return `homeline-call-${call}`;
}

/** `name` is the own contact's; without one nobody is named. */
export function noticeOf(notice: PushNotice, name: string | undefined, nowMs: number): Notice {
  switch (notice.type) {
    case "ring": {
      const { call, video, expires_at_ms: expiresAtMs, decline } = notice;
      return expiresAtMs <= nowMs ? missed(call, name) : ringing({ call, video, expiresAtMs, decline }, name);
    }
    case "over": return over(notice.call, notice.reason);
    case "missed": return missed(notice.call, name);
  }
}

export function ringing(
  { call, video, expiresAtMs, decline }: { call: CallId; video: boolean; expiresAtMs: number; decline: string | undefined }, name: string | undefined,
): Notice {
  return {
    title: video ? "Incoming video call" : "Incoming call",
    shown: {
      ...LOOK, tag: tagOf(call), body: name ?? "Open Homeline to see who it is.", requireInteraction: true, renotify: true, vibrate: RING_PATTERN,
      actions: [{ action: "answer", title: "Answer" }, { action: "decline", title: "Decline" }],
      data: { call, rings: true, expiresAtMs, decline },
    },
  };
}

function missed(call: CallId, name: string | undefined): Notice {
  return { title: "Missed call", shown: { ...LOOK, tag: tagOf(call), body: name ?? "Open Homeline to see who it was.", data: quiet(call) } };
}

/** A word in place of the ringing, without a sound: browsers want to see something for each push. */
function over(call: CallId, reason: EndReason): Notice {
  const title = reason === "answered_elsewhere" ? "Answered on another device" : reason === "declined" ? "Call declined" : "The call is over";
  return { title, shown: { ...LOOK, tag: tagOf(call), silent: true, data: quiet(call) } };
}

/** The decline did not get through. */
export function notDeclined(call: CallId): Notice {
  return { title: "The call could not be declined", shown: { ...LOOK, tag: tagOf(call), body: "The server can't be reached.", data: quiet(call) } };
}

function quiet(call: CallId): NoticeData {
  return { call, rings: false, expiresAtMs: 0, decline: undefined };
}

/** Where a tap on a notice (not on Decline) leads. */
export function pathAfter(data: NoticeData, action: string, nowMs: number): string {
  if (!data.rings) return "/#/history";
  if (data.expiresAtMs <= nowMs) return "/#/history";
  return action === "answer" ? `/#answer/${data.call}` : "/";
}
