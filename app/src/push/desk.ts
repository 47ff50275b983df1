//! The page's side of ringing while the app is closed: the permission, the subscription, and the notices that an open page shows.

import type { HomeStore } from "../home/store.ts";
import type { LocalMemory } from "../home/local.ts";
import { fromBase64Url, toBase64Url } from "../e2ee/bytes.ts";
import type { CallId, PushAddress } from "../protocol.ts";
import type { Session } from "../session/client.ts";
import { api } from "../session/http.ts";
import { keepNames, type KnownName } from "./names.ts";
import { ringing, tagOf } from "./notices.ts";
import type { WorkerSays } from "./scope.ts";

export type PushState =
  /** The browser can't. `home_screen`: an iPhone can, once the app stands on its home screen. */
  | { at: "missing"; what: "secure_page" | "push" | "home_screen" }
  /** The person, or the browser's settings, said no to notices. */
  | { at: "blocked" }
  | { at: "off"; failed: string | undefined }
  | { at: "changing"; on: boolean }
  | { at: "on" };

const SETTING = "push";

export class PushDesk {
  state: PushState = { at: "off", failed: undefined };
  readonly #memory: LocalMemory;
  readonly #changed: () => void;
  readonly #says: (says: WorkerSays) => void;
  #registration: ServiceWorkerRegistration | undefined;
  #ready: Promise<void> = Promise.resolve();
  #known: string | undefined;
  #fallback: Notification | undefined;
  /** The last notice that was asked for, until it is there. */
  #showing: Promise<void> | undefined;

  constructor(memory: LocalMemory, says: (says: WorkerSays) => void, changed: () => void) {
    this.#memory = memory;
    this.#says = says;
    this.#changed = changed;
  }

  /** Sets the worker up, which asks nobody anything. */
  start(): void {
    this.#settle();
    if (!("serviceWorker" in navigator)) return;
    navigator.serviceWorker.addEventListener("message", (event) => this.#says(event.data as WorkerSays));
    this.#ready = navigator.serviceWorker.register("/push-worker.js", { scope: "/" }).then(
      (registration) => {
        this.#registration = registration;
      },
      // A page that the browser does not trust gets none: the switch says what is missing.
      () => undefined,
    );
  }

  /** On a click, since the browser asks the person then. */
  async switchOn(session: Session): Promise<void> {
    this.#become({ at: "changing", on: true });
    try {
      const permission = await Notification.requestPermission();
      if (permission === "denied") return this.#become({ at: "blocked" });
      if (permission !== "granted") return this.#become({ at: "off", failed: "The browser was not allowed to show notifications, so nothing was changed." });
      await this.#subscribe(session);
      this.#memory.keepSetting(SETTING, "on");
      this.#become({ at: "on" });
    } catch (error) {
      this.#become({ at: "off", failed: reason(error) });
    }
  }

  async switchOff(session: Session): Promise<void> {
    this.#become({ at: "changing", on: false });
    this.#memory.keepSetting(SETTING, undefined);
    const endpoint = await this.forget();
    if (endpoint !== undefined) await session.done({ type: "delete_push_address", endpoint }).catch(() => undefined);
    this.#settle();
  }

  /** A new session: the address may have changed, or the server may have forgotten it. */
  async renew(session: Session): Promise<void> {
    this.#settle();
    if (this.state.at !== "on") return;
    try {
      await this.#subscribe(session);
    } catch (error) {
      this.#become({ at: "off", failed: reason(error) });
    }
  }

  /** This browser rings for nobody any more. Returns the endpoint that it had. */
  async forget(): Promise<string | undefined> {
    this.#known = undefined;
    await keepNames([]).catch(() => undefined);
    await this.#ready;
    const subscription = await this.#registration?.pushManager?.getSubscription().catch(() => null);
    await subscription?.unsubscribe().catch(() => false);
    return subscription?.endpoint;
  }

  /** Keeps the names that a notice may show, as their signed cards say them. */
  follow(store: HomeStore): void {
    if (this.state.at !== "on") return;
    const names: KnownName[] = store.sortedContacts().filter(({ trouble }) => trouble === undefined).map(({ handle, name }) => ({ handle, name }));
    const known = JSON.stringify(names);
    if (known === this.#known) return;
    this.#known = known;
    void keepNames(names).catch(() => undefined);
  }

  /** It rings in this page. A notice is needed only where nobody sees the page. */
  announce(call: CallId, name: string, video: boolean, expiresAtMs: number): void {
    if (!document.hidden) return void this.#close(call);
    if (!("Notification" in window) || Notification.permission !== "granted") return;
    const { title, shown } = ringing({ call, video, expiresAtMs, decline: undefined }, name);
    if (this.#registration?.active != null) {
      this.#showing = this.#registration.showNotification(title, shown).catch(() => undefined);
      return;
    }
    this.#fallback = new Notification(title, { body: name, tag: shown.tag, requireInteraction: true, icon: "/icon.svg" });
    this.#fallback.onclick = () => {
      window.focus();
      this.#fallback?.close();
    };
  }

  /** It rings here no more. */
  unannounce(call: CallId): void {
    this.#fallback?.close();
    this.#fallback = undefined;
    void this.#close(call);
  }

  async #close(call: CallId): Promise<void> {
    // A notice that is only being shown could not be found yet, and would stay.
    await this.#showing;
    const notices = await this.#registration?.getNotifications({ tag: tagOf(call) }).catch(() => []);
    for (const notice of notices ?? []) if ((notice.data as { rings?: boolean } | null)?.rings === true) notice.close();
  }

  async #subscribe(session: Session): Promise<void> {
    await this.#ready;
    const manager = this.#registration?.pushManager;
    if (manager === undefined) throw new Error("This browser could not set up what rings while the app is closed. Reload the page and try again.");
    const { key } = await api.pushKey();
    const before = await manager.getSubscription();
    // A server that was set up anew has another key, and could not send to what was subscribed with the old one.
    const fits = before !== null && keyOf(before) === key;
    if (before !== null && !fits) await before.unsubscribe();
    const subscription = before !== null && fits ? before : await manager.subscribe({ userVisibleOnly: true, applicationServerKey: fromBase64Url(key) });
    await session.done({ type: "put_push_address", ...address(subscription) });
  }

  #settle(): void {
    const missing = whatIsMissing();
    if (missing !== undefined) return this.#become({ at: "missing", what: missing });
    if (Notification.permission === "denied") return this.#become({ at: "blocked" });
    const on = this.#memory.setting(SETTING) === "on" && Notification.permission === "granted";
    this.#become(on ? { at: "on" } : { at: "off", failed: undefined });
  }

  #become(state: PushState): void {
    this.state = state;
    this.#changed();
  }
}

function whatIsMissing(): Extract<PushState, { at: "missing" }>["what"] | undefined {
  if (!window.isSecureContext) return "secure_page";
  if ("serviceWorker" in navigator && "PushManager" in window && "Notification" in window) return undefined;
  return /iPhone|iPad/.test(navigator.userAgent) ? "home_screen" : "push";
}

function keyOf(subscription: PushSubscription): string | undefined {
  const key = subscription.options.applicationServerKey;
  return key === null ? undefined : toBase64Url(new Uint8Array(key));
}

function address(subscription: PushSubscription): PushAddress {
  const key = (name: PushEncryptionKeyName): string => toBase64Url(new Uint8Array(subscription.getKey(name) ?? new ArrayBuffer(0)));
  return { endpoint: subscription.endpoint, p256dh: key("p256dh"), auth: key("auth"), kind: "web_push" };
}

function reason(error: unknown): string {
  if (error instanceof DOMException) return "This browser has no push service, or can't reach it now. Check its connection and try again.";
  return error instanceof Error ? error.message : String(error);
}
