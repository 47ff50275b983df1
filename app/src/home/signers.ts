//! Who signed a card or a policy, and whose signatures went with a device that was removed.

import { fromBase64Url, toBase64Url } from "../e2ee/bytes.ts";
import type { RosterView } from "../e2ee/port.ts";
import type { Blob } from "../protocol.ts";

const KEY_LENGTH = 32;

/** The signer's key in an envelope (docs/identity.md: vec32 body, key, signature); undefined when it is none. Nothing is verified here. */
export function signerOf(signed: Blob): Blob | undefined {
  const bytes = fromBase64Url(signed);
  if (bytes.length < 4) return undefined;
  const at = 4 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  return bytes.length < at + KEY_LENGTH ? undefined : toBase64Url(bytes.slice(at, at + KEY_LENGTH));
}

/** Keys of devices that were in the household before, and are no more. */
export function keysGone(before: RosterView | undefined, now: RosterView | undefined): ReadonlySet<Blob> {
  const here = new Set(now?.devices.map(({ deviceKey }) => deviceKey));
  return new Set((before?.devices ?? []).map(({ deviceKey }) => deviceKey).filter((key) => !here.has(key)));
}
