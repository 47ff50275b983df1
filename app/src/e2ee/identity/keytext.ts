//! Public keys as map keys.

import { equalBytes, toBase64Url } from "../bytes.ts";

export type KeyText = string & { readonly brand: "KeyText" };

export function keyText(key: Uint8Array): KeyText {
  return toBase64Url(key) as KeyText;
}

export function equalKeys(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === 32 && equalBytes(a, b);
}
