//! The part of a service worker's surroundings that ours uses: TypeScript's types for it can't stand beside those of a page.

import type { NoticeData } from "./notices.ts";

interface Lasting extends globalThis.Event {
  /** Keeps the worker alive until it is done. */
  waitUntil(work: Promise<unknown>): void;
}

export interface PushEvent extends Lasting {
  readonly data: { json(): unknown } | null;
}

export interface NoticeClickEvent extends Lasting {
  readonly action: string;
  readonly notification: Notification & { readonly data: NoticeData | null };
}

export interface OpenPage {
  readonly url: string;
  readonly focused: boolean;
  focus(): Promise<OpenPage>;
  postMessage(message: WorkerSays): void;
}

export interface WorkerScope {
  readonly registration: ServiceWorkerRegistration;
  readonly location: Location;
  readonly clients: {
    matchAll(options: { type: "window"; includeUncontrolled: boolean }): Promise<readonly OpenPage[]>;
    openWindow(url: string): Promise<OpenPage | null>;
    claim(): Promise<void>;
  };
  skipWaiting(): Promise<void>;
  addEventListener(type: "push", listener: (event: PushEvent) => void): void;
  addEventListener(type: "notificationclick", listener: (event: NoticeClickEvent) => void): void;
  addEventListener(type: "install" | "activate", listener: (event: Lasting) => void): void;
}

/** What the worker tells an open page of the app. */
export type WorkerSays =
  | { type: "go"; path: string }
  /** Of a notice that the page itself showed. */
  | { type: "decline"; call: string };
