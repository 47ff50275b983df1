//! The Rust crate's example `member`, spoken to in JSON lines. `HOMELINE_E2EE_MEMBER` names it when it is built already.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Writable } from "node:stream";
import { type Bytes, fromBase64Url, toBase64Url } from "../../src/e2ee/bytes.ts";
import type { Me } from "../../src/e2ee/call/group.ts";
import { encodeChain } from "../../src/e2ee/identity/chain.ts";
import { deviceIdOf } from "../../src/e2ee/identity/ids.ts";
import { CALL, type Logged, type Seat, type SeatInput } from "./server.ts";

export type Json = { [name: string]: any };

export const HAS_CARGO = spawnSync("cargo", ["--version"]).status === 0;

export class Rust {
  readonly #process: ChildProcess;
  readonly #input: Writable;
  readonly #waiting: ((line: string) => void)[] = [];

  constructor() {
    const repository = join(process.env["HOMELINE_APP"] as string, "..");
    const built = process.env["HOMELINE_E2EE_MEMBER"];
    const args = ["run", "-q", "-p", "homeline-e2ee", "--example", "member"];
    const child = spawn(built ?? "cargo", built === undefined ? args : [], { cwd: repository, stdio: ["pipe", "pipe", "inherit"] });
    this.#process = child;
    this.#input = child.stdin;
    createInterface(child.stdout).on("line", (line) => this.#waiting.shift()?.(line));
  }

  /** The reply, or an error with its text. */
  async ask(op: string, fields: Json): Promise<Json> {
    const reply = new Promise<string>((resolve, reject) => {
      this.#waiting.push(resolve);
      this.#process.once("exit", () => reject(new Error("the Rust member ended")));
    });
    this.#input.write(`${JSON.stringify(encode({ op, ...fields }))}\n`);
    const answer = JSON.parse(await reply) as Json;
    this.#process.removeAllListeners("exit");
    if (answer["ok"] !== true) throw new Error(`${op}: ${answer["error"]}`);
    return answer;
  }

  end(): void {
    this.#input.end();
  }
}

/** A member of a call with the epoch machine of the Rust crate; a guest has no entries, and says so in `more`. */
export async function rustSeat(
  rust: Rust, name: string, now: number, me: Me, entries: Bytes[] | undefined, households: Bytes[], more: Json = {},
): Promise<Seat> {
  const fields = { member: name, seed: me.pair.seed, chain: encodeChain(me.chain), call: CALL, entries, households, now_ms: now, ...more };
  await rust.ask("machine", fields);
  const offer = await rust.ask("machine_key_package", { member: name, now_ms: now });
  let code = "";
  return {
    device: deviceIdOf(me.pair.publicKey),
    me,
    log: [],
    keyPackage: fromBase64Url(offer["key_package"]),
    statement: fromBase64Url(offer["statement"]),
    get code() {
      return code;
    },
    async step(at, input) {
      const reply = await rust.ask("machine_step", { member: name, now_ms: at, ...inputFields(input) });
      code = reply["call_code"];
      return (reply["outputs"] as Json[]).map(readOutput);
    },
    async encrypt(frame) {
      return fromBase64Url((await rust.ask("machine_encrypt", { member: name, frame }))["frame"]);
    },
    async decrypt(owner, frame) {
      const reply = await rust.ask("machine_decrypt", { member: name, owner, frame, now_ms: Date.now() });
      return fromBase64Url(reply["frame"]);
    },
  };
}

function inputFields(input: SeatInput): Json {
  const { type, ...rest } = input;
  return { input: type, ...rest };
}

function readOutput(output: Json): Logged {
  const bytes = (name: string) => (typeof output[name] === "string" ? { [name]: fromBase64Url(output[name]) } : {});
  const welcome = output["welcome"] && { device: output["welcome"].device, welcome: fromBase64Url(output["welcome"].welcome) };
  return { ...output, ...bytes("commit"), ...bytes("message"), ...(output["type"] === "send_commit" && { welcome }) } as Logged;
}

/** Bytes become base64url, keys snake_case. */
function encode(value: unknown): unknown {
  if (value instanceof Uint8Array) return toBase64Url(value);
  if (Array.isArray(value)) return value.map(encode);
  if (typeof value !== "object" || value === null) return value;
  const entry = ([name, inner]: [string, unknown]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), encode(inner)];
  return Object.fromEntries(Object.entries(value).map(entry));
}
