//! Requests about drop-in grants: signing them, and opening what an adult of the household signed.

import { fromBase64Url, toBase64Url } from "../bytes.ts";
import { type DropInGrant, GRANT_TO, OPENING, openGrant, signGrant } from "../identity/drop_in.ts";
import type { Grant } from "../port.ts";
import { type Handlers, type Prefixed, readId, readKey } from "./handlers.ts";
import type { Home } from "./home.ts";

export function grantDesk(home: Home): Handlers<Prefixed<"grant">> {
  return {
    "grant.sign": (grant) => {
      const { vault, roster } = home.adult();
      return { statement: toBase64Url(signGrant(readGrant(grant, roster.genesis), vault.pair)) };
    },
    "grant.open": async ({ statement }) => {
      const opened = openGrant(fromBase64Url(statement), home.roster());
      await home.acceptRevision(`grant ${opened.id}`, opened.revision);
      return showGrant(opened);
    },
  };
}

function readGrant({ to, opening, ...grant }: Grant, genesis: DropInGrant["genesis"]): DropInGrant {
  const whom = to.type === "home"
    ? { to: GRANT_TO.home, contact: undefined, person: "", people: [] }
    : {
        to: to.type === "person" ? GRANT_TO.person : GRANT_TO.household,
        contact: { id: readId(to.contact), genesis: readKey(to.theirGenesis) },
        person: to.type === "person" ? to.person : "",
        people: to.type === "household" ? to.people : [],
      };
  const openings = { at_once: OPENING.atOnce, knock_until_yes: OPENING.knockUntilYes, knock_unless_no: OPENING.knockUnlessNo };
  return {
    ...grant, genesis, id: readId(grant.id), ...whom, devices: grant.devices.map(readKey), hours: grant.hours, opening: openings[opening],
  };
}

function showGrant({ id, revision, contact, person, people, devices, hours, picture, opening, signedAtMs, expiresAtMs, revoked, to }: DropInGrant): Grant {
  return {
    id, revision, to: showWhom(to, contact, { person, people }), devices: devices.map(toBase64Url), hours, picture,
    opening: opening === OPENING.atOnce ? "at_once" : opening === OPENING.knockUntilYes ? "knock_until_yes" : "knock_unless_no",
    signedAtMs, expiresAtMs, revoked,
  };
}

function showWhom(to: DropInGrant["to"], contact: DropInGrant["contact"], named: { person: string; people: string[] }): Grant["to"] {
  if (contact === undefined) return { type: "home" };
  const theirs = { contact: contact.id, theirGenesis: toBase64Url(contact.genesis) };
  return to === GRANT_TO.person ? { type: "person", ...theirs, person: named.person } : { type: "household", ...theirs, people: named.people };
}
