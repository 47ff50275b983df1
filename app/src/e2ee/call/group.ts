//! A call's MLS group (RFC 9420, suite 0x0001) on ts-mls: who is in it, and the commits that change that.
//!
//! Commits are made, kept aside, and applied only when the server says that they won their epoch. Only what this
//! profile uses is accepted: private messages, by-value adds and removes, path updates. No external commits.

import {
  type CiphersuiteImpl, type ClientConfig, type ClientState, createApplicationMessage, createCommit, createGroup,
  decodeMlsMessage, defaultCryptoProvider, defaultKeyPackageEqualityConfig, defaultKeyRetentionConfig,
  defaultLifetimeConfig, defaultPaddingConfig, emptyPskIndex, encodeMlsMessage, generateKeyPackageWithKey,
  getCiphersuiteFromName, getCiphersuiteImpl, type IncomingMessageCallback, joinGroup, type KeyPackage,
  type MLSMessage, mlsExporter, type PrivateKeyPackage, type PrivateMessage, processPrivateMessage, type Proposal, zeroOutUint8Array,
} from "ts-mls";
import { decryptSenderData } from "ts-mls/privateMessage.js";
import { type Bytes, equalBytes, fromHex } from "../bytes.ts";
import { CLOCK_SKEW_MS, LIFETIME_MS } from "../identity/certificate.ts";
import { type Chain, encodeChain, type Identity } from "../identity/chain.ts";
import type { KeyPair } from "../identity/keys.ts";
import { type Expect, MemberAuthentication, type RefusedMember } from "./expect.ts";

const SUITE = "MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519";
const SFRAME_LABEL = "SFrame 1.0 Base Key";
const SFRAME_KEY_LENGTH = 16;
const NO_CONTEXT = new Uint8Array(0);

/** This device, as a member. */
export interface Me {
  pair: KeyPair;
  chain: Chain;
}

export interface Member {
  leaf: number;
  identity: Identity;
}

/** A key package of ours that waits for its welcome. */
export interface OwnKeyPackage {
  publicPackage: KeyPackage;
  privatePackage: PrivateKeyPackage;
  /** As it goes over the wire. */
  encoded: Bytes;
}

export interface Staged {
  commit: Bytes;
  welcome: Bytes | undefined;
}

export type CommitResult =
  | { type: "applied"; own: boolean; joined: Member[]; left: Member[] }
  /** The commit removed this member. */
  | { type: "removed" };

/** Why a group operation failed. `refused` tells whom, when it failed over a member. */
export class GroupError extends Error {
  readonly refused: RefusedMember | undefined;
  constructor(message: string, refused?: RefusedMember) {
    super(message);
    this.name = "GroupError";
    this.refused = refused;
  }
}

export async function makeKeyPackage(me: Me, now: number): Promise<OwnKeyPackage> {
  const credential = { credentialType: "basic" as const, identity: encodeChain(me.chain) };
  const capabilities = {
    versions: ["mls10" as const], ciphersuites: [SUITE as typeof SUITE], extensions: [], proposals: [],
    credentials: ["basic" as const],
  };
  const seconds = (milliseconds: number) => BigInt(Math.floor(milliseconds / 1000));
  const lifetime = { notBefore: seconds(now - CLOCK_SKEW_MS), notAfter: seconds(now + LIFETIME_MS) };
  const keys = { signKey: me.pair.seed, publicKey: me.pair.publicKey };
  const made = await generateKeyPackageWithKey(credential, capabilities, lifetime, [], keys, await suite());
  const message: MLSMessage = { version: "mls10", wireformat: "mls_key_package", keyPackage: made.publicPackage };
  return { ...made, encoded: Uint8Array.from(encodeMlsMessage(message)) };
}

export class Group {
  #state: ClientState;
  #staged: { state: ClientState; consumed: Uint8Array[]; commit: Bytes } | undefined;
  readonly #authentication: MemberAuthentication;
  readonly #suite: CiphersuiteImpl;

  private constructor(state: ClientState, authentication: MemberAuthentication, ciphersuite: CiphersuiteImpl) {
    this.#state = state;
    this.#authentication = authentication;
    this.#suite = ciphersuite;
  }

  /** A group with this device alone in it. */
  static async create(call: string, me: Me, expect: Expect, now: number): Promise<Group> {
    const own = await makeKeyPackage(me, now);
    const authentication = authenticationAt(expect, now);
    return guarded(authentication, async () => {
      const ciphersuite = await suite();
      const self = authentication.authenticate(own.publicPackage.leafNode.credential, me.pair.publicKey);
      if ("reason" in self) throw new GroupError("this device is not of its household", self);
      const state = await createGroup(
        fromHex(call), own.publicPackage, own.privatePackage, [], ciphersuite, config(authentication),
      );
      return new Group(state, authentication, ciphersuite);
    });
  }

  /** Checks every member of the group that the welcome describes. */
  static async join(call: string, welcome: Uint8Array, own: OwnKeyPackage, expect: Expect, now: number): Promise<Group> {
    const authentication = authenticationAt(expect, now);
    return guarded(authentication, async () => {
      const message = readMessage(welcome);
      if (message.wireformat !== "mls_welcome") throw new GroupError("not a welcome");
      // ts-mls does not look at it.
      if (message.welcome.cipherSuite !== SUITE) throw new GroupError("a welcome of another suite");
      const ciphersuite = await suite();
      const state = await joinGroup(
        message.welcome, own.publicPackage, own.privatePackage, emptyPskIndex, ciphersuite, undefined, undefined,
        config(authentication),
      );
      if (!equalBytes(state.groupContext.groupId, fromHex(call))) throw new GroupError("the group of another call");
      if (state.groupContext.extensions.length !== 0) throw new GroupError("a group with extensions");
      return new Group(state, authentication, ciphersuite);
    });
  }

  get epoch(): number {
    return Number(this.#state.groupContext.epoch);
  }

  get ownLeaf(): number {
    return this.#state.privatePath.leafIndex;
  }

  get members(): Member[] {
    return membersOf(this.#state, this.#authentication);
  }

  get epochAuthenticator(): Uint8Array {
    return this.#state.keySchedule.epochAuthenticator;
  }

  /** The SFrame base key of this epoch (RFC 9605 section 5.2). */
  async frameBaseKey(): Promise<Bytes> {
    const secret = this.#state.keySchedule.exporterSecret;
    return Uint8Array.from(await mlsExporter(secret, SFRAME_LABEL, NO_CONTEXT, SFRAME_KEY_LENGTH, this.#suite));
  }

  /** Who a key package would add. Throws `GroupError` with `refused` when nobody expects that. */
  inspect(keyPackage: Uint8Array, now: number): Identity {
    this.#authentication.now = now;
    const { leafNode } = readKeyPackage(keyPackage);
    const result = this.#authentication.authenticate(leafNode.credential, leafNode.signaturePublicKey);
    if ("reason" in result) throw new GroupError("a member is refused", result);
    return result;
  }

  /** Makes a commit and keeps it aside. Without changes it is an update: new keys for everybody. */
  async stage(changes: { remove: readonly number[]; add?: Uint8Array | undefined }, now: number): Promise<Staged> {
    this.#authentication.now = now;
    return guarded(this.#authentication, async () => {
      const proposals: Proposal[] = changes.remove.map((leaf) => ({ proposalType: "remove", remove: { removed: leaf } }));
      if (changes.add !== undefined) {
        proposals.push({ proposalType: "add", add: { keyPackage: readKeyPackage(changes.add) } });
      }
      const context = { state: this.#state, cipherSuite: this.#suite };
      const made = await createCommit(context, { extraProposals: proposals, ratchetTreeExtension: true });
      const commit = Uint8Array.from(encodeMlsMessage(made.commit));
      this.#staged = { state: made.newState, consumed: made.consumed, commit };
      return { commit, welcome: encodeWelcome(made.welcome) };
    });
  }

  discardStaged(): void {
    this.#staged = undefined;
  }

  /** The commit that won. One's own is recognised by its bytes. The group stays as it was when this throws. */
  async apply(commit: Uint8Array, now: number): Promise<CommitResult> {
    this.#authentication.now = now;
    return guarded(this.#authentication, async () => {
      const before = this.members;
      const staged = this.#staged;
      const own = staged !== undefined && equalBytes(staged.commit, commit);
      if (own) {
        this.#advance(staged.state, staged.consumed);
      } else {
        const removed = await this.#process(commit, before);
        if (removed) return { type: "removed" };
      }
      return { type: "applied", own, ...difference(before, this.members) };
    });
  }

  /** An application message, encrypted for the group. */
  async encrypt(data: Uint8Array): Promise<Bytes> {
    const made = await createApplicationMessage(this.#state, data, this.#suite);
    this.#state = made.newState;
    made.consumed.forEach(zeroOutUint8Array);
    const message: MLSMessage = { version: "mls10", wireformat: "mls_private_message", privateMessage: made.privateMessage };
    return Uint8Array.from(encodeMlsMessage(message));
  }

  /** An application message of another member. `leaf` is the sender's, in the epoch of the message. */
  async decrypt(encoded: Uint8Array, now: number): Promise<{ leaf: number; epoch: number; data: Uint8Array }> {
    this.#authentication.now = now;
    return guarded(this.#authentication, async () => {
      const message = this.#readPrivate(encoded);
      if (message.contentType !== "application") throw new GroupError("not an application message");
      const leaf = await this.#senderOf(message);
      const result = await processPrivateMessage(this.#state, message, emptyPskIndex, this.#suite, () => "reject");
      if (result.kind !== "applicationMessage") throw new GroupError("not an application message");
      this.#state = result.newState;
      result.consumed.forEach(zeroOutUint8Array);
      return { leaf, epoch: Number(message.epoch), data: result.message };
    });
  }

  /** True when the commit removed this member. */
  async #process(commit: Uint8Array, before: readonly Member[]): Promise<boolean> {
    const message = this.#readPrivate(commit);
    if (message.contentType !== "commit") throw new GroupError("not a commit");
    if (message.epoch !== this.#state.groupContext.epoch) throw new GroupError("a commit of another epoch");
    const removed = new Set<number>();
    const judge: IncomingMessageCallback = (incoming) => {
      if (incoming.kind !== "commit" || incoming.senderLeafIndex === undefined) return "reject";
      for (const { proposal } of incoming.proposals) {
        if (proposal.proposalType === "remove") removed.add(proposal.remove.removed);
        else if (proposal.proposalType !== "add") return "reject";
      }
      return "accept";
    };
    let result: Awaited<ReturnType<typeof processPrivateMessage>>;
    try {
      result = await processPrivateMessage(this.#state, message, emptyPskIndex, this.#suite, judge);
    } catch (error) {
      // ts-mls notices its own removal by an empty leaf. A device that takes this one's place is in that leaf, so that it
      // goes on and fails; the proposals were authenticated before they were judged.
      if (removed.has(this.ownLeaf)) return true;
      throw error;
    }
    if (removed.has(this.ownLeaf)) return true;
    if (result.kind !== "newState" || result.actionTaken === "reject") throw new GroupError("a commit that this profile has not");
    if (result.newState.groupActiveState.kind === "removedFromGroup") return true;
    refuseChangedIdentities(before, membersOf(result.newState, this.#authentication), removed);
    this.#advance(result.newState, result.consumed);
    return false;
  }

  #advance(state: ClientState, consumed: readonly Uint8Array[]): void {
    this.#state = state;
    this.#staged = undefined;
    consumed.forEach(zeroOutUint8Array);
  }

  /** ts-mls says what a message contains, not who sent it. The signature over the same leaf is checked when it is processed. */
  async #senderOf(message: PrivateMessage): Promise<number> {
    const historical = this.#state.historicalReceiverData.get(message.epoch);
    const secret = historical?.senderDataSecret ?? this.#state.keySchedule.senderDataSecret;
    const sender = await decryptSenderData(message, secret, this.#suite);
    if (sender === undefined) throw new GroupError("a message without a sender");
    return sender.leafIndex;
  }

  #readPrivate(encoded: Uint8Array): PrivateMessage {
    const message = readMessage(encoded);
    if (message.wireformat !== "mls_private_message") throw new GroupError("not a private message");
    if (!equalBytes(message.privateMessage.groupId, this.#state.groupContext.groupId)) {
      throw new GroupError("a message of another group");
    }
    return message.privateMessage;
  }
}

let suitePromise: Promise<CiphersuiteImpl> | undefined;

function suite(): Promise<CiphersuiteImpl> {
  suitePromise ??= getCiphersuiteImpl(getCiphersuiteFromName(SUITE), defaultCryptoProvider);
  return suitePromise;
}

function config(authService: MemberAuthentication): ClientConfig {
  return {
    keyRetentionConfig: defaultKeyRetentionConfig,
    lifetimeConfig: defaultLifetimeConfig,
    keyPackageEqualityConfig: defaultKeyPackageEqualityConfig,
    paddingConfig: defaultPaddingConfig,
    authService,
  };
}

function authenticationAt(expect: Expect, now: number): MemberAuthentication {
  const authentication = new MemberAuthentication(expect);
  authentication.now = now;
  return authentication;
}

/** Whatever ts-mls throws over foreign bytes becomes a `GroupError`, with the member that was refused. */
async function guarded<T>(authentication: MemberAuthentication, run: () => Promise<T>): Promise<T> {
  authentication.takeRefused();
  try {
    return await run();
  } catch (error) {
    const refused = authentication.takeRefused();
    if (error instanceof GroupError && refused === undefined) throw error;
    throw new GroupError(error instanceof Error ? error.message : "the group operation failed", refused);
  }
}

function readMessage(encoded: Uint8Array): MLSMessage {
  let read: ReturnType<typeof decodeMlsMessage>;
  try {
    read = decodeMlsMessage(encoded, 0);
  } catch {
    // Some malformed lengths make ts-mls throw instead of answering `undefined`.
    read = undefined;
  }
  if (read === undefined || read[1] !== encoded.length) throw new GroupError("not an MLS message");
  return read[0];
}

function readKeyPackage(encoded: Uint8Array): KeyPackage {
  const message = readMessage(encoded);
  if (message.wireformat !== "mls_key_package") throw new GroupError("not a key package");
  return message.keyPackage;
}

function encodeWelcome(welcome: Awaited<ReturnType<typeof createCommit>>["welcome"]): Bytes | undefined {
  if (welcome === undefined) return undefined;
  return Uint8Array.from(encodeMlsMessage({ version: "mls10", wireformat: "mls_welcome", welcome }));
}

/** Every leaf of the tree: nobody is in the group whom this list hides. */
function membersOf(state: ClientState, authentication: MemberAuthentication): Member[] {
  return state.ratchetTree.flatMap((node, index) => {
    if (node === undefined || node.nodeType !== "leaf") return [];
    const identity = authentication.identityOf(node.leaf.credential);
    if (identity === undefined) throw new GroupError("a member that was never accepted");
    return [{ leaf: index / 2, identity }];
  });
}

/** A member may renew its chain in a commit, not become somebody else. */
function refuseChangedIdentities(before: readonly Member[], after: readonly Member[], removed: ReadonlySet<number>): void {
  for (const old of before) {
    if (removed.has(old.leaf)) continue;
    const now = after.find((member) => member.leaf === old.leaf);
    if (now === undefined || !sameDevice(old, now)) throw new GroupError("a member became somebody else");
  }
}

function difference(before: readonly Member[], after: readonly Member[]): { joined: Member[]; left: Member[] } {
  const without = (from: readonly Member[], others: readonly Member[]) =>
    from.filter((one) => !others.some((other) => other.leaf === one.leaf && sameDevice(one, other)));
  return { joined: without(after, before), left: without(before, after) };
}

function sameDevice(a: Member, b: Member): boolean {
  return equalBytes(a.identity.deviceKey, b.identity.deviceKey) && equalBytes(a.identity.genesis, b.identity.genesis);
}
