// A notice of a ringing call in a page that nobody sees. The browser's worker is a stand-in.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LocalMemory } from "../../src/home/local.ts";
import type { CallId } from "../../src/protocol.ts";
import { PushDesk } from "../../src/push/desk.ts";

class Worker {
  readonly active = {};
  shown: { tag: string; data: unknown; close: () => void }[] = [];
  #release: () => void = () => undefined;

  showNotification(_title: string, { tag, data }: NotificationOptions): Promise<void> {
    return new Promise((resolve) => {
      this.#release = () => {
        const notice = { tag: tag ?? "", data, close: () => void (this.shown = this.shown.filter((other) => other !== notice)) };
        this.shown.push(notice);
        resolve();
      };
    });
  }

  getNotifications({ tag }: { tag: string }): Promise<unknown[]> {
    return Promise.resolve(this.shown.filter((notice) => notice.tag === tag));
  }

  /** The browser shows what it was asked for. */
  shows(): void {
    this.#release();
  }
}

function stand(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, configurable: true });
}

test("a call that ends before the browser has shown its notice leaves none behind", async () => {
  const worker = new Worker();
  stand("document", { hidden: true });
  stand("window", { Notification: {} });
  stand("Notification", { permission: "granted" });
  stand("navigator", { serviceWorker: { addEventListener: () => undefined, register: () => Promise.resolve(worker) } });
  const memory = { setting: () => undefined } as unknown as LocalMemory;
  const desk = new PushDesk(memory, () => undefined, () => undefined);
  desk.start();
  await new Promise(setImmediate);
  const call = "0123456789abcdef0123456789abcdef" as CallId;
  desk.announce(call, "Mum", false, Date.now() + 30_000);
  desk.unannounce(call);
  await new Promise(setImmediate);
  worker.shows();
  await new Promise(setImmediate);
  assert.deepEqual(worker.shown, []);
});
