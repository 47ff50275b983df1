//! The shape of a group of request handlers, and the small readers that they share.

import { type Bytes, fromBase64Url } from "../bytes.ts";
import { KEY_LENGTH } from "../identity/encoding.ts";
import type { Args, Reply, RequestName } from "../port.ts";
import { DeskError } from "./errors.ts";

export type Handlers<K extends RequestName> = {
  [N in K]: (args: Args<N>) => Reply<N> | Promise<Reply<N>>;
};

/** Names that begin with this and a dot. */
export type Prefixed<P extends string> = Extract<RequestName, `${P}.${string}`>;

export const NOTHING: Record<string, never> = {};

export function randomBytes(length: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(length));
}

export function readBytes(text: string, length: number): Bytes {
  const bytes = fromBase64Url(text);
  if (bytes.length !== length) throw new DeskError("bad_request", `${length} bytes are wanted`);
  return bytes;
}

export function readKey(text: string): Bytes {
  return readBytes(text, KEY_LENGTH);
}

/** An id of sixteen bytes: 32 hexadecimal digits, or a UUID. */
export function readId(text: string): string {
  const id = text.toLowerCase().replaceAll("-", "");
  if (!/^[0-9a-f]{32}$/.test(id)) throw new DeskError("bad_request", "an id has 32 hexadecimal digits");
  return id;
}
