//! Reads ledgers of the household's devices for the page, part by part, and says what is wrong with one.

import { type Bytes, fromBase64Url, toBase64Url } from "../bytes.ts";
import { OPENING } from "../identity/drop_in.ts";
import { HASH_LENGTH, KEY_LENGTH } from "../identity/encoding.ts";
import { type LedgerEnd, LedgerFaultError, LedgerReader, noEntries } from "../identity/ledger.ts";
import { decodeEntry, ENDED_BY, GRANT_CHANGE, type LedgerWhat, type LedgerWho } from "../identity/ledger_entry.ts";
import { decodeSigned } from "../identity/signed.ts";
import type { LedgerLine, LedgerParty, LedgerPoint, LedgerRead, LedgerReadArgs, LedgerReadReply } from "../port_ledger.ts";
import { type Handlers, type Prefixed, readBytes, readId } from "./handlers.ts";
import type { Home } from "./home.ts";

const NOBODY = toBase64Url(new Uint8Array(KEY_LENGTH));

export function ledgersDesk(home: Home): Handlers<Prefixed<"ledgers">> {
  return { "ledgers.read": (args) => read(home.roster().genesis, args) };
}

function read(genesis: Bytes, { device, entries, more, remembered, began, at }: LedgerReadArgs): LedgerReadReply {
  const blobs = entries.map(fromBase64Url);
  const from = { began, end: at.hash === undefined ? startOf(at.length, blobs[0]) : endOf(at) };
  const reader = new LedgerReader(genesis, readId(device), remembered === undefined ? noEntries() : endOf(remembered), from);
  const found: LedgerRead[] = [];
  const reply = (): LedgerReadReply => ({ entries: found, end: { length: reader.end.length, hash: toBase64Url(reader.end.hash) } });
  try {
    for (const blob of blobs) {
      const { index, atMs, what } = reader.read(blob);
      found.push({ index, atMs, line: show(what) });
    }
    if (!more) reader.finish();
    return reply();
  } catch (error) {
    if (!(error instanceof LedgerFaultError)) throw error;
    return { ...reply(), trouble: error.fault.fault };
  }
}

function endOf({ length, hash }: LedgerPoint): LedgerEnd {
  return { length, hash: hash === undefined ? noEntries().hash : readBytes(hash, HASH_LENGTH) };
}

/** In the middle of a ledger the first entry says what came before it; that it is right is found at the remembered end. */
function startOf(length: number, first: Bytes | undefined): LedgerEnd {
  if (length === 0 || first === undefined) return { length, hash: noEntries().hash };
  try {
    return { length, hash: decodeEntry(decodeSigned(first).body).prev };
  } catch {
    return { length, hash: noEntries().hash };
  }
}

function show(what: LedgerWhat): LedgerLine {
  switch (what.kind) {
    case "opened": {
      const { call, who, grant, picture, opening } = what;
      return { kind: "opened", call, who: party(who), grant, picture, knocked: opening !== OPENING.atOnce };
    }
    case "ended": return { kind: "ended", call: what.call, lastedMs: what.lastedMs, by: endedBy(what.by) };
    case "refused": return { kind: "refused", call: what.call, who: party(what.who), refusal: what.refusal };
    case "grant_taken": {
      const change = what.change === GRANT_CHANGE.given ? "given" : what.change === GRANT_CHANGE.changed ? "changed" : "revoked";
      return { kind: "grant_taken", grant: what.grant, revision: what.revision, change };
    }
    case "put_out": return { kind: "put_out" };
    case "switched": return { kind: "switched", on: what.on };
    case "grant_refused": return { kind: "grant_refused", refusal: what.refusal };
    case "resumed": return { kind: "resumed", length: what.length };
  }
}

function endedBy(by: (typeof ENDED_BY)[keyof typeof ENDED_BY]): Extract<LedgerLine, { kind: "ended" }>["by"] {
  switch (by) {
    case ENDED_BY.target: return "target";
    case ENDED_BY.initiator: return "initiator";
    case ENDED_BY.grant: return "grant";
    case ENDED_BY.everyonePutOut: return "everyone_out";
    case ENDED_BY.connection: return "connection";
  }
}

function party({ genesis, person, label }: LedgerWho): LedgerParty {
  const key = toBase64Url(genesis);
  return { genesis: key === NOBODY ? "" : key, person, label };
}
