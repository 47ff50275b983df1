//! WebM as a browser's recorder writes it, and packets of Opus.

export const bytes = (...parts: (number | string | Uint8Array)[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === "number" ? [part] : typeof part === "string" ? [...new TextEncoder().encode(part)] : [...part])));

/** An element with its size in eight bytes, or of unknown size. */
function element(id: number[], body: Uint8Array, known = true): Uint8Array {
  const size = new Uint8Array(8);
  new DataView(size.buffer).setBigUint64(0, BigInt(body.length));
  size[0]! |= 1;
  return bytes(...id, ...(known ? [size] : [1, ...Array(7).fill(255)]), body);
}

export function opusHead(skip: number, channels = 2, family = 0): Uint8Array {
  return bytes("OpusHead", 1, channels, skip & 255, skip >> 8, 0x80, 0xbb, 0, 0, 0, 0, family);
}

/** As Chromium's recorder writes: a segment and clusters of unknown size. */
export function webm(clusters: Uint8Array[][], { head = opusHead(312), codec = "A_OPUS", flags = 0x80, grouped = false } = {}): Uint8Array {
  const block = (packet: Uint8Array): Uint8Array => (grouped
    ? element([0xa0], element([0xa1], bytes(0x81, 0, 0, flags, packet))) : element([0xa3], bytes(0x81, 0, 0, flags, packet)));
  const tracks = element([0x16, 0x54, 0xae, 0x6b], element([0xae], bytes(
    element([0xd7], bytes(1)), element([0x86], bytes(codec)), element([0x63, 0xa2], head), element([0xe1], element([0x9f], bytes(2))),
  )));
  const body = clusters.map((packets) => element([0x1f, 0x43, 0xb6, 0x75], bytes(element([0xe7], bytes(0)), ...packets.map(block)), false));
  return bytes(element([0x1a, 0x45, 0xdf, 0xa3], bytes(element([0x42, 0x82], bytes("webm")))), element([0x18, 0x53, 0x80, 0x67], bytes(tracks, ...body), false));
}

/** A packet of 20 ms: SILK wideband, one frame; or of 60 ms. */
export const packet = (fill: number, length = 40, toc = 9 << 3): Uint8Array => bytes(toc, new Uint8Array(length - 1).fill(fill));
export const LONG = 11 << 3;
