//! Requests about this identity: founding, joining, recovering, adopting, renewing, forgetting.

import { type Bytes, equalBytes, fromBase64Url, toBase64Url, utf8 } from "../bytes.ts";
import { KIND, RENEW_BELOW_MS, RIGHTS, signCertificate } from "../identity/certificate.ts";
import { type Chain, ChainError, decodeChain, encodeChain, type Identity, verifyChain } from "../identity/chain.ts";
import { MalformedError } from "../identity/encoding.ts";
import { equalKeys, keyText } from "../identity/keytext.ts";
import { deviceIdOf, fingerprintOf } from "../identity/ids.ts";
import { joinProof, SECRET_LENGTH } from "../identity/invitation.ts";
import { generateKeyPair, type KeyPair, signBytes } from "../identity/keys.ts";
import { CODE_BYTES, deriveRecovery, formatCode, parseCode, recoveryCertificate } from "../identity/recovery.ts";
import { encodeRecoveryProof, openRecoveryProof } from "../identity/recovery_proof.ts";
import { type Device, genesisEntry, Roster } from "../identity/roster.ts";
import { encodeSigned } from "../identity/signed.ts";
import type { Authority, Vault } from "../keys/keystore.ts";
import type { Reply } from "../port.ts";
import { DeskError } from "./errors.ts";
import { type Handlers, type Prefixed, randomBytes, readBytes } from "./handlers.ts";
import { certificateOf, type Home } from "./home.ts";

/** A pairing that has come as far as the digits: the household that was revealed, and the key that waits. */
export interface Revealed {
  pair: KeyPair;
  genesis: Bytes;
}

type Names =
  | "open" | "found" | "confirm" | "forget" | "adopt" | "sign_in.prove"
  | Prefixed<"chain"> | Prefixed<"recovery"> | "join.begin";

export function identityDesk(home: Home, takeRevealed: () => Revealed | undefined): Handlers<Names> {
  return {
    open: async ({ slot }) => {
      await home.open(slot);
      return home.status();
    },
    found: (args) => found(home, args),
    confirm: async () => {
      home.ready().home.confirmed = true;
      await home.save();
      return home.status();
    },
    forget: async () => {
      await home.forget();
      return home.status();
    },
    adopt: async ({ chain, roster }) => {
      await adopt(home, fromBase64Url(chain), roster.map(fromBase64Url), takeRevealed());
      return home.status();
    },
    "sign_in.prove": ({ handle }) => proveSignIn(home, handle),
    "chain.inspect": ({ chain }) => home.whoIs(verifyChain(decodeChain(fromBase64Url(chain)), home.now())),
    "chain.renew_due": ({ devices }) => ({ renewed: renewDue(home, devices) }),
    "chain.renewed": async ({ chain }) => {
      await renewed(home, fromBase64Url(chain));
      return home.status();
    },
    "recovery.secret": ({ code }) => ({ recoverySecret: toBase64Url(deriveRecovery(parseCode(code)).auth) }),
    "recovery.restore": (args) => restore(home, args),
    "recovery.renew": () => renewRecovery(home),
    "join.begin": async ({ secret, fingerprint, person }) => {
      const pair = generateKeyPair();
      const proof = joinProof(readBytes(secret, SECRET_LENGTH), pair.publicKey, person);
      await home.become(newVault(pair, { type: "waiting", fingerprint: readBytes(fingerprint, 32), person }));
      return { appKey: toBase64Url(pair.publicKey), proof: toBase64Url(proof) };
    },
  };
}

async function found(
  home: Home, { householdName, person, label }: { householdName: string; person: string; label: string },
): Promise<Reply<"found">> {
  home.refuseExisting();
  const now = home.now();
  const [genesis, app, code] = [generateKeyPair(), generateKeyPair(), randomBytes(CODE_BYTES)];
  const recovery = deriveRecovery(code);
  const device = { key: app.publicKey, kind: KIND.app, rights: RIGHTS.adult, person, label };
  const first = genesisEntry(householdName, recovery.pair.publicKey, now, genesis);
  const entries = [first, Roster.load([first]).next(addDevice(device), now, genesis)];
  const chain = encodeChain([signCertificate(certificateOf(device, genesis.publicKey, 1, now), genesis)]);
  const vault = newVault(app, { type: "ready", confirmed: false, genesis: genesis.publicKey, chain }, { type: "genesis", pair: genesis });
  await home.become(vault);
  await home.loadRoster(entries);
  return {
    recoveryCode: formatCode(code),
    recoverySecret: toBase64Url(recovery.auth),
    recoveryCertificate: toBase64Url(recoveryProof(recovery.pair, person, now, genesis)),
    genesis: toBase64Url(genesis.publicKey),
    appKey: toBase64Url(app.publicKey),
    chain: toBase64Url(chain),
    roster: entries.map(toBase64Url),
    who: home.whoIs(verifyChain(decodeChain(chain), now)),
  };
}

/** Takes the chain that an adult's app made for this key, of the household that was promised and no other. */
async function adopt(home: Home, chain: Bytes, entries: Bytes[], revealed: Revealed | undefined): Promise<void> {
  const waiting = home.vault?.home.type === "waiting" ? home.vault : undefined;
  const pair = revealed?.pair ?? waiting?.pair;
  if (pair === undefined) throw new DeskError("no_pairing", "nothing here waits for a certificate");
  const roster = Roster.load(entries);
  const promised = revealed !== undefined
    ? equalKeys(roster.genesis, revealed.genesis)
    : waiting?.home.type === "waiting" && equalBytes(fingerprintOf(roster.genesis), waiting.home.fingerprint);
  if (!promised) throw new DeskError("wrong_household", "this is another household than the one that was promised");
  const identity = verifyChain(decodeChain(chain), home.now());
  refuseForeign(identity, roster, pair);
  const vault = newVault(pair, { type: "ready", confirmed: true, genesis: roster.genesis, chain });
  vault.seen = { seq: roster.seq, head: roster.head };
  await home.become(vault, roster);
}

async function renewed(home: Home, chain: Bytes): Promise<void> {
  const vault = home.ready();
  const identity = verifyChain(decodeChain(chain), home.now());
  refuseForeign(identity, home.roster(), vault.pair);
  vault.home.chain = chain;
  await home.save();
}

function refuseForeign(identity: Identity, roster: Roster, own: KeyPair): void {
  if (!roster.admits(identity)) throw new DeskError("wrong_household", "the chain is of a device that the roster does not list");
  if (!equalKeys(identity.deviceKey, own.publicKey)) throw new DeskError("bad_chain", "the chain is for another key");
}

function renewDue(
  home: Home, devices: readonly { device: string; chain: string }[],
): { device: string; chain: string }[] {
  const { roster, vault } = home.adult();
  const listed = new Map(roster.devices.map((device) => [device.id, device]));
  return devices.flatMap(({ device: id, chain }) => {
    const device = listed.get(id);
    const ends = endOf(fromBase64Url(chain), device, roster, home.now());
    const own = device !== undefined && equalKeys(device.key, vault.pair.publicKey);
    // Without an authority of its own this app would only sign itself, which lasts no longer.
    if (device === undefined || ends - home.now() >= RENEW_BELOW_MS || (own && vault.authority === undefined)) return [];
    const made = home.certify(device, roster.seq);
    const identity = verifyChain(made, home.now());
    // Where this app's own chain hangs on somebody who was removed, it can help nobody.
    const better = identity.notAfterMs > ends && roster.admits(identity);
    return better ? [{ device: id, chain: toBase64Url(encodeChain(made)) }] : [];
  });
}

/** When this device's chain ends; 0 when it proves nothing any more, as when whoever certified it was removed. */
function endOf(encoded: Bytes, device: Device | undefined, roster: Roster, now: number): number {
  try {
    const identity = verifyChain(decodeChain(encoded), now);
    const holds = device !== undefined && keyText(identity.deviceKey) === keyText(device.key) && roster.admits(identity);
    return holds ? identity.notAfterMs : 0;
  } catch (error) {
    if (error instanceof ChainError || error instanceof MalformedError) return 0;
    throw error;
  }
}

async function restore(
  home: Home,
  args: { code: string; recoveryCertificate: string; roster: readonly string[]; person: string; label: string },
): Promise<Reply<"recovery.restore">> {
  home.refuseExisting();
  const now = home.now();
  const recovery = deriveRecovery(parseCode(args.code)).pair;
  const roster = Roster.load(args.roster.map(fromBase64Url));
  if (!equalKeys(roster.recovery, recovery.publicKey)) throw new DeskError("bad_code", "this code is not the household's newest");
  const signed = openRecoveryProof(fromBase64Url(args.recoveryCertificate), roster.genesis, recovery.publicKey);
  const app = generateKeyPair();
  const device = { key: app.publicKey, kind: KIND.app, rights: RIGHTS.adult, person: args.person, label: args.label };
  const entry = roster.next(addDevice(device), now, recovery);
  const leaf = signCertificate(certificateOf(device, roster.genesis, roster.seq + 1, now), recovery);
  const chain: Chain = [leaf, signed];
  const identity = verifyChain(chain, now);
  roster.append(entry);
  const state = { type: "ready" as const, confirmed: false, genesis: roster.genesis, chain: encodeChain(chain) };
  const vault = newVault(app, state, { type: "recovery", pair: recovery, certificate: encodeSigned(signed) });
  await home.become(vault, roster);
  return { entry: toBase64Url(entry), chain: toBase64Url(state.chain), appKey: toBase64Url(app.publicKey), who: home.whoIs(identity) };
}

function renewRecovery(home: Home): Reply<"recovery.renew"> {
  const { vault } = home.adult();
  if (vault.authority?.type !== "genesis") throw new DeskError("no_genesis", "only the app that founded the household can do that");
  const code = randomBytes(CODE_BYTES);
  const recovery = deriveRecovery(code);
  const identity = verifyChain(home.chain(), home.now());
  return {
    recoveryCode: formatCode(code),
    recoverySecret: toBase64Url(recovery.auth),
    recoveryCertificate: toBase64Url(recoveryProof(recovery.pair, identity.person, home.now(), vault.authority.pair)),
    entry: toBase64Url(home.entry({ kind: "recovery_key", recovery: recovery.pair.publicKey })),
  };
}

function recoveryProof(recovery: KeyPair, person: string, now: number, genesis: KeyPair): Bytes {
  return encodeRecoveryProof(recoveryCertificate(recovery.publicKey, person, now, genesis), genesis.publicKey, recovery);
}

/** Protocol: Ed25519 over "homeline sign-in v1" || 0x00 || handle || 0x00 || decimal time. */
function proveSignIn(home: Home, handle: string): Reply<"sign_in.prove"> {
  const pair = home.vault?.pair;
  if (pair === undefined) throw new DeskError("no_identity", "this browser holds no key");
  const at = home.now();
  const signature = signBytes(pair, utf8(`homeline sign-in v1\0${handle}\0${at}`));
  return { device: deviceIdOf(pair.publicKey), at_ms: at, signature: toBase64Url(signature) };
}

export function addDevice(device: Omit<Device, "id">) {
  const { key, kind, ...rest } = device;
  return { kind: "add_device" as const, device: key, deviceKind: kind, ...rest };
}

function newVault(pair: KeyPair, state: Vault["home"], authority?: Authority): Vault {
  return { pair, authority, home: state, seen: undefined, revisions: new Map(), invitations: new Map(), guestLinks: new Map() };
}

