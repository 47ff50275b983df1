//! The ledgers of all devices as one list, newest first: a drop-in is one line, and so is a grant that many devices took.

import type { Grant } from "../e2ee/port.ts";
import type { LedgerLine, LedgerParty, LedgerRead } from "../e2ee/port_ledger.ts";
import type { AccountId, ContactId, DeviceId, DropInRefusal, GrantId } from "../protocol.ts";

type Ended = Extract<LedgerLine, { kind: "ended" }>;

export interface Happened {
  /** Unique in the list. */
  id: string;
  atMs: number;
  devices: DeviceId[];
  what:
    /** `ended` is absent while it goes on, or where its end was never written. */
    | { kind: "visit"; who: LedgerParty; picture: boolean; pictureRefused: boolean; knocked: boolean; ended: Pick<Ended, "lastedMs" | "by"> | undefined }
    | { kind: "refused"; who: LedgerParty; refusal: DropInRefusal }
    | { kind: "grant"; grant: GrantId; change: "given" | "changed" | "revoked" }
    | { kind: "put_out" }
    | { kind: "switched"; on: boolean }
    | { kind: "grant_refused"; refusal: DropInRefusal }
    | { kind: "resumed"; length: number };
}

export function merged(ledgers: Iterable<readonly [DeviceId, readonly LedgerRead[]]>): Happened[] {
  const list: Happened[] = [];
  const grants = new Map<string, Happened>();
  for (const [device, entries] of ledgers) {
    const visits = new Map<string, Extract<Happened["what"], { kind: "visit" }>>();
    // They wanted a picture too: a drop-in that has opened says so in its own line.
    const soundOnly = new Map<string, Happened>();
    for (const { index, atMs, line } of entries) {
      if (line.kind === "ended") {
        const visit = visits.get(line.call);
        if (visit !== undefined) visit.ended = { lastedMs: line.lastedMs, by: line.by };
        continue;
      }
      if (line.kind === "grant_taken") {
        const key = `${line.grant}.${line.revision}`;
        const before = grants.get(key);
        if (before === undefined) {
          const happened: Happened = { id: key, atMs, devices: [device], what: { kind: "grant", grant: line.grant, change: line.change } };
          grants.set(key, happened);
          list.push(happened);
        } else {
          before.devices.push(device);
          before.atMs = Math.min(before.atMs, atMs);
          // A device that came later was given what others had before.
          if (before.what.kind === "grant" && before.what.change === "given") before.what.change = line.change;
        }
        continue;
      }
      const what = one(line);
      const happened: Happened = { id: `${device}.${index}`, atMs, devices: [device], what };
      if (line.kind === "refused" && line.refusal === "sound_only") soundOnly.set(line.call, happened);
      if (what.kind === "visit" && line.kind === "opened") {
        visits.set(line.call, what);
        const refused = soundOnly.get(line.call);
        what.pictureRefused = refused !== undefined;
        if (refused !== undefined) list.splice(list.indexOf(refused), 1);
      }
      list.push(happened);
    }
  }
  return list.sort((a, b) => b.atMs - a.atMs);
}

function one(line: Exclude<LedgerLine, { kind: "ended" } | { kind: "grant_taken" }>): Happened["what"] {
  switch (line.kind) {
    case "opened": return { kind: "visit", who: line.who, picture: line.picture, pictureRefused: false, knocked: line.knocked, ended: undefined };
    case "refused": return { kind: "refused", who: line.who, refusal: line.refusal };
    case "put_out": case "switched": case "grant_refused": case "resumed": return line;
  }
}

/** Somebody who is new in a contact's household and wanted to drop in. */
export interface Newcomer {
  grant: Grant;
  contact: ContactId;
  person: AccountId;
  label: string;
}

/** Those of whom an adult has to decide: each once, as long as a grant to their household stands and does not name them. */
export function newcomers(list: readonly Happened[], grants: readonly Grant[], decided: (grant: GrantId, person: AccountId) => boolean): Newcomer[] {
  const found = new Map<string, Newcomer>();
  for (const { what } of list) {
    if (what.kind !== "refused" || what.refusal !== "new_member") continue;
    const { genesis, person, label } = what.who;
    for (const grant of grants) {
      const { to } = grant;
      if (to.type !== "household" || to.theirGenesis !== genesis || to.people.includes(person) || decided(grant.id, person)) continue;
      const key = `${grant.id}.${person}`;
      if (!found.has(key)) found.set(key, { grant, contact: to.contact, person, label });
    }
  }
  return [...found.values()];
}
