//! Gives a stream to a media element and keeps it playing; says when the browser wants a touch first.

import { noChange } from "lit-html";
import { Directive, directive, type ElementPart, type PartInfo } from "lit-html/directive.js";

type Blocked = (blocked: boolean) => void;

class Sink extends Directive {
  #stream: MediaStream | undefined;

  constructor(part: PartInfo) {
    super(part);
  }

  override render(_stream: MediaStream | undefined, _blocked?: Blocked): unknown {
    return noChange;
  }

  override update(part: ElementPart, [stream, blocked]: [MediaStream | undefined, Blocked?]): unknown {
    const element = part.element as HTMLMediaElement;
    if (element.srcObject === (stream ?? null) && this.#stream === stream) return noChange;
    this.#stream = stream;
    element.srcObject = stream ?? null;
    // Muted as a property: the attribute alone does not silence an element made by a script.
    if (element instanceof HTMLVideoElement) element.muted = true;
    if (stream !== undefined) {
      element.play().then(() => blocked?.(false), (error: unknown) => {
        if (error instanceof DOMException && error.name === "NotAllowedError") blocked?.(true);
      });
    }
    return noChange;
  }
}

export const sink = directive(Sink);
