//! The byte encoding of docs/identity.md: big-endian integers, length-prefixed bytes, nothing left over.

import { type Bytes, concat, fromUtf8, utf8 } from "../bytes.ts";

export const KEY_LENGTH = 32;
export const SIGNATURE_LENGTH = 64;
export const HASH_LENGTH = 32;
/** A blob that is longer is not read: rosters travel entry by entry, chains have six links at most. */
export const BLOB_LENGTH_MAX = 256 * 1024;

/** Bytes that do not follow the format. */
export class MalformedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "MalformedError";
  }
}

export class Writer {
  readonly #parts: Uint8Array[] = [];

  u8(value: number): this {
    return this.#integer(value, 1);
  }

  u16(value: number): this {
    return this.#integer(value, 2);
  }

  u32(value: number): this {
    return this.#integer(value, 4);
  }

  /** Up to 2^53 - 1: times and sequence numbers never come near it. */
  u64(value: number): this {
    return this.#integer(value, 8);
  }

  opaque(bytes: Uint8Array, length: number): this {
    if (bytes.length !== length) throw new MalformedError(`${length} bytes are wanted here`);
    this.#parts.push(Uint8Array.from(bytes));
    return this;
  }

  key(bytes: Uint8Array): this {
    return this.opaque(bytes, KEY_LENGTH);
  }

  vec16(bytes: Uint8Array): this {
    this.u16(bytes.length);
    return this.opaque(bytes, bytes.length);
  }

  vec32(bytes: Uint8Array): this {
    this.u32(bytes.length);
    return this.opaque(bytes, bytes.length);
  }

  string(text: string): this {
    return this.vec16(utf8(text));
  }

  list16<T>(items: readonly T[], write: (writer: Writer, item: T) => void): this {
    this.u16(items.length);
    for (const item of items) write(this, item);
    return this;
  }

  bytes(): Bytes {
    return concat(...this.#parts);
  }

  #integer(value: number, length: number): this {
    if (!Number.isSafeInteger(value) || value < 0 || value >= 2 ** (8 * length)) {
      throw new MalformedError(`${value} does not fit into ${length} bytes`);
    }
    const bytes = new Uint8Array(length);
    for (let i = length - 1, rest = value; i >= 0; i--, rest = Math.floor(rest / 256)) bytes[i] = rest % 256;
    this.#parts.push(bytes);
    return this;
  }
}

export class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    if (bytes.length > BLOB_LENGTH_MAX) throw new MalformedError("too long");
    this.#bytes = bytes;
  }

  u8(): number {
    return this.#integer(1);
  }

  u16(): number {
    return this.#integer(2);
  }

  u32(): number {
    return this.#integer(4);
  }

  u64(): number {
    return this.#integer(8);
  }

  opaque(length: number): Bytes {
    if (this.#bytes.length - this.#at < length) throw new MalformedError("cut short");
    this.#at += length;
    return Uint8Array.from(this.#bytes.subarray(this.#at - length, this.#at));
  }

  key(): Bytes {
    return this.opaque(KEY_LENGTH);
  }

  vec16(): Bytes {
    return this.opaque(this.u16());
  }

  vec32(): Bytes {
    return this.opaque(this.u32());
  }

  string(): string {
    const bytes = this.vec16();
    try {
      return fromUtf8(bytes);
    } catch {
      throw new MalformedError("a text is not UTF-8");
    }
  }

  list16<T>(max: number, read: (reader: Reader) => T): T[] {
    const count = this.u16();
    if (count > max) throw new MalformedError(`more than ${max} items`);
    return Array.from({ length: count }, () => read(this));
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new MalformedError("bytes are left over");
  }

  #integer(length: number): number {
    let value = 0;
    for (const byte of this.opaque(length)) value = value * 256 + byte;
    if (!Number.isSafeInteger(value)) throw new MalformedError("a number is out of range");
    return value;
  }
}

/** Reads one whole value, refusing trailing bytes. */
export function decode<T>(bytes: Uint8Array, read: (reader: Reader) => T): T {
  const reader = new Reader(bytes);
  const value = read(reader);
  reader.end();
  return value;
}

/** The first byte of every body: a version that this build does not know is refused. */
export function readVersion(reader: Reader): void {
  if (reader.u8() !== 1) throw new MalformedError("an unknown version");
}
