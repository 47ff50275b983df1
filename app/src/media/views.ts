//! How large pictures of others are shown here, told to the server: nothing larger is sent, and nothing of what is not seen.

import type { DeviceId, Track, TrackId, TrackView } from "../protocol.ts";

/** Sizes change many times while a window is drawn larger; what comes into sight is asked for at once. */
const SETTLE_MS = 200;
/** Larger than any screen; the wire's own bound is 65,535. */
const SIDE_MAX = 8_192;

export interface Shown {
  device: DeviceId;
  /** In the page's own pixels. */
  width: number;
  height: number;
  /** Scrolled into sight. */
  inSight: boolean;
}

/** The largest place where each camera is shown, in physical pixels; none is 0 by 0. Pure. */
export function viewsOf(cameras: readonly Track[], shown: readonly Shown[], ratio: number, hidden: boolean): TrackView[] {
  return cameras.map(({ track, device }) => {
    const places = hidden ? [] : shown.filter((one) => one.device === device && one.inSight);
    const side = (pick: "width" | "height"): number => Math.min(SIDE_MAX, Math.round(ratio * Math.max(0, ...places.map((one) => one[pick]))));
    const [width, height] = [side("width"), side("height")];
    // A place without height shows nothing, however wide it is.
    return width === 0 || height === 0 ? { track, width: 0, height: 0 } : { track, width, height };
  });
}

export class Views {
  readonly #send: (views: TrackView[]) => Promise<void>;
  readonly #shown = new Map<Element, Shown>();
  readonly #said = new Map<TrackId, TrackView>();
  readonly #resized: ResizeObserver;
  readonly #moved: IntersectionObserver;
  readonly #abort = new AbortController();
  #cameras: readonly Track[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(send: (views: TrackView[]) => Promise<void>) {
    this.#send = send;
    this.#resized = new ResizeObserver((entries) => {
      for (const { target, contentRect: { width, height } } of entries) this.#update(target, { width, height });
    });
    this.#moved = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) this.#update(target, { inSight: isIntersecting });
    });
    document.addEventListener("visibilitychange", () => this.#tell(), { signal: this.#abort.signal });
  }

  /** These cameras are received now. All is said anew: of what was not received before nothing was kept. */
  received(tracks: readonly Track[]): void {
    this.#cameras = tracks.filter(({ source }) => source === "camera");
    this.#said.clear();
    this.#plan();
  }

  /** This element shows a device's camera. */
  watch(element: Element, device: DeviceId): void {
    const { width, height } = element.getBoundingClientRect();
    this.#shown.set(element, { device, width, height, inSight: true });
    this.#resized.observe(element);
    this.#moved.observe(element);
    this.#plan();
  }

  unwatch(element: Element): void {
    this.#shown.delete(element);
    this.#resized.unobserve(element);
    this.#moved.unobserve(element);
    this.#plan();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#abort.abort();
    this.#resized.disconnect();
    this.#moved.disconnect();
    this.#shown.clear();
  }

  #update(element: Element, change: Partial<Shown>): void {
    const before = this.#shown.get(element);
    if (before === undefined) return;
    this.#shown.set(element, { ...before, ...change });
    this.#plan();
  }

  #now(): TrackView[] {
    return viewsOf(this.#cameras, [...this.#shown.values()], devicePixelRatio, document.hidden);
  }

  #plan(): void {
    if (this.#abort.signal.aborted) return;
    clearTimeout(this.#timer);
    const appears = this.#now().some(({ track, width }) => width > 0 && this.#said.get(track)?.width === 0);
    this.#timer = setTimeout(() => this.#tell(), appears ? 0 : SETTLE_MS);
  }

  #tell(): void {
    clearTimeout(this.#timer);
    const changed = this.#now().filter((view) => {
      const said = this.#said.get(view.track);
      return said === undefined || said.width !== view.width || said.height !== view.height;
    });
    if (changed.length === 0) return;
    for (const view of changed) this.#said.set(view.track, view);
    this.#send(changed).catch(() => {
      // A participant has gone meanwhile, or the session is lost: it is said again with the next change.
      for (const view of changed) if (this.#said.get(view.track) === view) this.#said.delete(view.track);
    });
  }
}
