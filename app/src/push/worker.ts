//! The service worker: shows calls when the app is closed, and opens or declines on a tap. It holds no session and no keys,
//! fetches nothing when a push comes, and answers no request of the page: the app is always the server's own.

import type { PushNotice } from "../protocol.ts";
import { nameOf } from "./names.ts";
import { type Notice, noticeOf, notDeclined, type NoticeData, pathAfter } from "./notices.ts";
import type { NoticeClickEvent, OpenPage, WorkerScope, WorkerSays } from "./scope.ts";

const worker = globalThis as unknown as WorkerScope;

/** Longer than a server takes; the browser stops a worker that waits for minutes. */
const DECLINE_TIMEOUT_MS = 10_000;

worker.addEventListener("install", (event) => event.waitUntil(worker.skipWaiting()));
worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener("push", (event) => event.waitUntil(pushed(event.data?.json() as PushNotice | undefined)));
worker.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(tapped(event));
});

async function pushed(notice: PushNotice | undefined): Promise<void> {
  if (notice === undefined || !("call" in notice)) return;
  const caller = "caller" in notice ? notice.caller : undefined;
  const name = caller === undefined ? undefined : await nameOf(notice.call, caller).catch(() => undefined);
  await show(noticeOf(notice, name, Date.now()));
}

function show({ title, shown }: Notice): Promise<void> {
  return worker.registration.showNotification(title, shown);
}

async function tapped({ action, notification }: NoticeClickEvent): Promise<void> {
  const data = notification.data;
  if (data === null) return;
  if (action === "decline") return decline(data);
  const path = pathAfter(data, action, Date.now());
  const page = await openPage();
  if (page === undefined) {
    await worker.clients.openWindow(path);
    return;
  }
  page.postMessage({ type: "go", path });
  await page.focus();
}

async function decline({ call, decline: secret }: NoticeData): Promise<void> {
  if (secret === undefined) {
    const says: WorkerSays = { type: "decline", call };
    (await openPage())?.postMessage(says);
    return;
  }
  try {
    const { status } = await fetch("/v1/push/decline", {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ call, decline: secret }),
      credentials: "omit", cache: "no-store", signal: AbortSignal.timeout(DECLINE_TIMEOUT_MS),
    });
    // A call that is over already needs no declining.
    if (status >= 500) await show(notDeclined(call));
  } catch {
    await show(notDeclined(call));
  }
}

/** The app itself, rather than a home device in another tab; the one in front, if there are several. */
async function openPage(): Promise<OpenPage | undefined> {
  const pages = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  const apps = pages.filter(({ url }) => new URL(url).pathname === "/");
  return apps.find(({ focused }) => focused) ?? apps[0];
}
