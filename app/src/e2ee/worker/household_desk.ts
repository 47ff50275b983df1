//! Requests about the household: roster, pairing of devices, admission of members, contact cards, answer policies.

import { fromBase64Url, toBase64Url } from "../bytes.ts";
import { KIND, RIGHTS } from "../identity/certificate.ts";
import { encodeChain } from "../identity/chain.ts";
import { type ContactCard, NO_KEY, openContactCard, signContactCard } from "../identity/contact.ts";
import { deviceIdOf, fingerprintOf, householdIdOf } from "../identity/ids.ts";
import { checkJoinProof, SECRET_LENGTH } from "../identity/invitation.ts";
import { MODE, openPolicy, signPolicy } from "../identity/policy.ts";
import type { Device } from "../identity/roster.ts";
import type { Card, PolicyRule } from "../port.ts";
import { DeskError } from "./errors.ts";
import { type Handlers, NOTHING, type Prefixed, randomBytes, readBytes, readId, readKey } from "./handlers.ts";
import { type Home, viewOf } from "./home.ts";
import { addDevice } from "./identity_desk.ts";

type Names = Prefixed<"roster"> | Prefixed<"invite"> | Prefixed<"contact"> | Prefixed<"policy">;

export function householdDesk(home: Home): Handlers<Names> {
  return {
    "roster.load": async ({ entries }) => viewOf(await home.loadRoster(entries.map(fromBase64Url))),
    "roster.remove_device": ({ deviceKey }) => {
      const device = listed(home, deviceKey);
      return { entry: toBase64Url(home.entry({ kind: "remove_device", device: device.key })) };
    },
    "roster.remove_devices": ({ deviceKeys }) => {
      const changes = deviceKeys.map((key) => ({ kind: "remove_device" as const, device: listed(home, key).key }));
      return { entries: home.entries(changes).map(toBase64Url) };
    },
    "roster.set_adult": ({ deviceKey, adult }) => {
      const device = listed(home, deviceKey);
      if (adult && device.kind !== KIND.app) throw new DeskError("bad_request", "a home device is never adult");
      const rights = adult ? RIGHTS.adult : RIGHTS.none;
      return { entry: toBase64Url(home.entry({ kind: "set_rights", device: device.key, rights })) };
    },

    "invite.make": () => {
      const { roster } = home.adult();
      return { secret: toBase64Url(randomBytes(SECRET_LENGTH)), fingerprint: toBase64Url(fingerprintOf(roster.genesis)) };
    },
    "invite.keep": async ({ invitation, secret }) => {
      await home.keepInvitation(invitation, readBytes(secret, SECRET_LENGTH));
      return NOTHING;
    },
    "invite.admit": ({ invitation, appKey, person, label, proof, adult }) => {
      const secret = home.ready().invitations.get(invitation);
      if (secret === undefined) throw new DeskError("unknown_invitation", "another app made this invitation");
      const key = readKey(appKey);
      if (!checkJoinProof(secret, key, person, fromBase64Url(proof))) {
        throw new DeskError("bad_proof", "whoever asks to join does not have the link");
      }
      return admit(home, { key, kind: KIND.app, rights: adult ? RIGHTS.adult : RIGHTS.none, person, label });
    },

    "contact.sign": (card) => {
      const { vault, roster } = home.adult();
      return { card: toBase64Url(signContactCard(readCard(card, roster.genesis), vault.pair)) };
    },
    "contact.open": async ({ card }) => {
      const opened = openContactCard(fromBase64Url(card), home.roster());
      await home.acceptRevision(`contact ${opened.contactId}`, opened.revision);
      return showCard(opened);
    },
    "contact.fingerprint": ({ genesis }) => {
      const key = readKey(genesis);
      return { fingerprint: toBase64Url(fingerprintOf(key)), household: householdIdOf(key) };
    },

    "policy.sign": ({ deviceKey, revision, rules }) => {
      const { vault, roster } = home.adult();
      const device = readKey(deviceKey);
      const policy = { genesis: roster.genesis, device, revision, rules: rules.map(readRule) };
      return { policy: toBase64Url(signPolicy(policy, vault.pair)) };
    },
    "policy.open": async ({ policy }) => {
      const opened = openPolicy(fromBase64Url(policy), home.roster());
      await home.acceptRevision(`policy ${deviceIdOf(opened.device)}`, opened.revision);
      const rules = opened.rules.map(({ theirGenesis, person, mode }) => ({
        theirGenesis: toBase64Url(theirGenesis), person, mode: mode === MODE.auto ? ("auto" as const) : ("echo" as const),
      }));
      return { deviceKey: toBase64Url(opened.device), revision: opened.revision, rules };
    },
  };
}

/** The roster entry and the chain that make a key a device of this household. */
export function admit(home: Home, device: Omit<Device, "id">): { entry: string; chain: string } {
  const entry = home.entry(addDevice(device));
  const chain = home.certify(device, home.roster().seq + 1);
  return { entry: toBase64Url(entry), chain: toBase64Url(encodeChain(chain)) };
}

function listed(home: Home, deviceKey: string): Device {
  const device = home.roster().device(readKey(deviceKey));
  if (device === undefined) throw new DeskError("unknown_device", "the household has no such device");
  return device;
}

function readCard(card: Card, genesis: ContactCard["genesis"]): ContactCard {
  const { contactId, revision, name, handle, pin, theirGenesis } = card;
  const pinned = theirGenesis === undefined ? NO_KEY : readKey(theirGenesis);
  if ((pin === 1 || pin === 2) === (theirGenesis === undefined)) {
    throw new DeskError("bad_request", "a key goes with a pin of 1 or 2");
  }
  return { genesis, contactId: readId(contactId), revision, name, handle, pin, theirGenesis: pinned };
}

function showCard({ contactId, revision, name, handle, pin, theirGenesis }: ContactCard): Card {
  const key = pin === 1 || pin === 2 ? toBase64Url(theirGenesis) : undefined;
  return { contactId, revision, name, handle, pin, theirGenesis: key };
}

function readRule(rule: PolicyRule) {
  return { theirGenesis: readKey(rule.theirGenesis), person: rule.person, mode: MODE[rule.mode] };
}
