//! Opus packets out of WebM, as a browser's recorder writes it: one audio track, no lacing. Nothing else is read.

/** What a recorder made is not what was asked for. */
export class RecordingError extends Error {
  constructor(what: string) {
    super(`The recording can't be used: ${what}.`);
    this.name = "RecordingError";
  }
}

export interface OpusStream {
  /** The track's "OpusHead" (RFC 7845). */
  head: Uint8Array;
  packets: Uint8Array[];
}

// Elements (RFC 9559) that are looked into rather than skipped. A recorder does not know the size of the first two.
const SEGMENT = 0x18538067, CLUSTER = 0x1f43b675, TRACKS = 0x1654ae6b, TRACK_ENTRY = 0xae, BLOCK_GROUP = 0xa0;
const INSIDE: ReadonlySet<number> = new Set([SEGMENT, CLUSTER, TRACKS, TRACK_ENTRY, BLOCK_GROUP]);
const CODEC_ID = 0x86, CODEC_PRIVATE = 0x63a2, SIMPLE_BLOCK = 0xa3, BLOCK = 0xa1;

/** The bits of a block's flags that say how frames are laced. */
const LACING = 0x06;
/** Of a block after its track number: two bytes of time, one of flags. */
const BLOCK_HEAD = 3;

export function opusOf(file: Uint8Array): OpusStream {
  let head: Uint8Array | undefined;
  let codec: string | undefined;
  const packets: Uint8Array[] = [];
  for (const { id, body } of elements(file)) {
    if (id === CODEC_ID) codec = new TextDecoder().decode(body);
    if (id === CODEC_PRIVATE) head = body;
    if (id === SIMPLE_BLOCK || id === BLOCK) packets.push(packetOf(body));
  }
  if (codec !== "A_OPUS" || head === undefined) throw new RecordingError("it is no Opus");
  return { head, packets };
}

/** All that is not looked into, in the order of the file. What the recorder did not finish ends it. */
function* elements(file: Uint8Array): Generator<{ id: number; body: Uint8Array }> {
  for (let at = 0; at < file.length;) {
    const id = number(file, at, true);
    const size = number(file, at + id.length, false);
    const begin = at + id.length + size.length;
    if (INSIDE.has(id.value)) {
      at = begin;
      continue;
    }
    if (size.unknown) throw new RecordingError("a part of unknown size");
    const end = begin + size.value;
    if (end > file.length) return;
    yield { id: id.value, body: file.subarray(begin, end) };
    at = end;
  }
}

function packetOf(block: Uint8Array): Uint8Array {
  const track = number(block, 0, false);
  const flags = block[track.length + BLOCK_HEAD - 1];
  if (flags === undefined || (flags & LACING) !== 0) throw new RecordingError("laced frames");
  return block.subarray(track.length + BLOCK_HEAD);
}

/** A number as EBML (RFC 8794) writes it: the zeros before the first one tell its length, which an id keeps. */
function number(bytes: Uint8Array, at: number, isId: boolean): { value: number; length: number; unknown: boolean } {
  const first = bytes[at];
  if (first === undefined || first === 0) throw new RecordingError("it is no WebM");
  const length = Math.clz32(first) - 23;
  if (at + length > bytes.length || (isId && length > 4)) throw new RecordingError("it is no WebM");
  const mask = 0xff >> length;
  let value = isId ? first : first & mask;
  let unknown = (first & mask) === mask;
  for (let i = 1; i < length; i++) {
    const byte = bytes[at + i] as number;
    value = value * 256 + byte;
    unknown &&= byte === 0xff;
  }
  return { value, length, unknown };
}
