//! Bytes and their texts: hexadecimal, base64url without padding, UTF-8, comparison.

/** Bytes over a plain buffer, as WebCrypto wants them. */
export type Bytes = Uint8Array<ArrayBuffer>;

const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const BASE64URL_VALUE = new Map([...BASE64URL].map((character, value) => [character, value]));

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Takes the same time wherever two byte strings of one length differ. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number);
  return difference === 0;
}

/** As numbers, the first difference counts. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const at = a.findIndex((byte, place) => byte !== b[place]);
  return at === -1 ? a.length - b.length : (a[at] as number) - (b[at] ?? -1);
}

export function utf8(text: string): Bytes {
  return new TextEncoder().encode(text);
}

/** Refuses what is not UTF-8, and keeps a byte order mark, so that decoding loses nothing. */
export function fromUtf8(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function fromHex(text: string): Bytes {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) throw new RangeError("not hexadecimal");
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export function toBase64Url(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const left = Math.min(3, bytes.length - i);
    const triple = ((bytes[i] as number) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    for (let n = 0; n <= left; n++) text += BASE64URL[(triple >> (18 - 6 * n)) & 63];
  }
  return text;
}

/** Refuses padding, other alphabets and stray bits: one text for each byte string. */
export function fromBase64Url(text: string): Bytes {
  if (text.length % 4 === 1) throw new RangeError("not base64url");
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const character of text) {
    const value = BASE64URL_VALUE.get(character);
    if (value === undefined) throw new RangeError("not base64url");
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (held >> bits) & 0xff;
    }
  }
  if ((held & ((1 << bits) - 1)) !== 0) throw new RangeError("not base64url");
  return bytes;
}
