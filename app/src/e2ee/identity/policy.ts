//! Answer policies: whom a home device may put through by itself, signed by an adult of its household.

import { type Bytes, equalBytes } from "../bytes.ts";
import { decode, MalformedError, readVersion, Writer } from "./encoding.ts";
import type { KeyPair } from "./keys.ts";
import type { Roster } from "./roster.ts";
import { decodeSigned, encodeSigned, SignatureError, sign, verifySigned } from "./signed.ts";

const CONTEXT = "homeline answer policy v1";
export const POLICY_RULES_MAX = 512;

export const MODE = { auto: 1, echo: 2 } as const;
export type Mode = (typeof MODE)[keyof typeof MODE];

export interface PolicyRule {
  theirGenesis: Bytes;
  /** Empty: everybody of that household. */
  person: string;
  mode: Mode;
}

export interface AnswerPolicy {
  genesis: Bytes;
  device: Bytes;
  revision: number;
  rules: PolicyRule[];
}

export function signPolicy(policy: AnswerPolicy, signer: KeyPair): Bytes {
  return encodeSigned(sign(CONTEXT, encodePolicy(policy), signer));
}

export function openPolicy(blob: Uint8Array, roster: Roster): AnswerPolicy {
  const signed = decodeSigned(blob);
  verifySigned(CONTEXT, signed);
  const policy = decodePolicy(signed.body);
  const ours = equalBytes(policy.genesis, roster.genesis);
  if (!ours || !roster.isAdultApp(signed.signer)) throw new SignatureError("answer policy");
  return policy;
}

export function encodePolicy(policy: AnswerPolicy): Bytes {
  return new Writer()
    .u8(1).key(policy.genesis).key(policy.device).u64(policy.revision)
    .list16(policy.rules, (writer, rule) => writer.key(rule.theirGenesis).string(rule.person).u8(rule.mode))
    .bytes();
}

export function decodePolicy(body: Uint8Array): AnswerPolicy {
  return decode(body, (reader) => {
    readVersion(reader);
    return {
      genesis: reader.key(),
      device: reader.key(),
      revision: reader.u64(),
      rules: reader.list16(POLICY_RULES_MAX, (item) => ({
        theirGenesis: item.key(), person: item.string(), mode: readMode(item.u8()),
      })),
    };
  });
}

function readMode(value: number): Mode {
  if (value !== MODE.auto && value !== MODE.echo) throw new MalformedError("an answer mode that is not known here");
  return value;
}
