//! Tells a call's media where a picture is shown, for as long as its element is on the page.

import { noChange } from "lit-html";
import { AsyncDirective, directive } from "lit-html/async-directive.js";
import type { ElementPart } from "lit-html/directive.js";
import type { Views } from "../media/views.ts";
import type { DeviceId } from "../protocol.ts";

class Viewed extends AsyncDirective {
  #element: Element | undefined;
  #views: Views | undefined;
  #device: DeviceId | undefined;

  override render(_views: Views | undefined, _device: DeviceId | undefined): unknown {
    return noChange;
  }

  override update(part: ElementPart, [views, device]: [Views | undefined, DeviceId | undefined]): unknown {
    if (this.#element === part.element && this.#views === views && this.#device === device) return noChange;
    this.#stop();
    [this.#element, this.#views, this.#device] = [part.element, views, device];
    this.#start();
    return noChange;
  }

  override disconnected(): void {
    this.#stop();
  }

  override reconnected(): void {
    this.#start();
  }

  #start(): void {
    const [element, views, device] = [this.#element, this.#views, this.#device];
    if (element !== undefined && device !== undefined) views?.watch(element, device);
  }

  #stop(): void {
    if (this.#element !== undefined && this.#device !== undefined) this.#views?.unwatch(this.#element);
  }
}

/** `device`: whose picture it is; undefined while none is shown. */
export const viewed = directive(Viewed);
