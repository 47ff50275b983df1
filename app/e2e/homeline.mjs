// A real `homeline` process of a test's own: its own data directory, free ports, ended with the test.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export const BINARY = process.env.HOMELINE_BIN ?? new URL("../../target/debug/homeline", import.meta.url).pathname;

/** `again`: a server that was killed, to be started anew on its data and its port. `within`: what runs it, with its arguments. */
export async function serve(settings = {}, again = undefined, within = []) {
  if (!existsSync(BINARY)) throw new Error(`no binary at ${BINARY}: build it, or name it in HOMELINE_BIN`);
  const data = again?.data ?? await mkdtemp(join(tmpdir(), "homeline-e2e-"));
  const port = again === undefined ? "0" : new URL(again.url).port;
  const [program, ...words] = [...within, BINARY, "serve", "--data-dir", data];
  const child = spawn(program, words, {
    cwd: new URL("../..", import.meta.url).pathname,
    env: { ...process.env, HOMELINE_SERVER__HTTP_PORT: port, HOMELINE_SERVER__HTTPS_PORT: "0", HOMELINE_MEDIA__UDP_PORT: "0", HOMELINE_MEDIA__TURN__UDP_PORT: "0", HOMELINE_MEDIA__TURN__TCP_PORT: "0", HOMELINE_LOG__FILTER: "debug", ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  child.stderr.on("data", (data) => {
    log += data;
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const url = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      log += `${line}\n`;
      const found = /http:\/\/localhost:\d+/.exec(line);
      if (found !== null) resolve(found[0]);
    });
    void ended.then((code) => reject(new Error(`the server ended with ${code}:\n${log}`)));
  });
  return {
    url,
    data,
    log: () => log,
    /** Nothing of it answers any more until `wake`, as with a network that is cut. */
    sleep: () => child.kill("SIGSTOP"),
    wake: () => child.kill("SIGCONT"),
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
    async stop() {
      child.kill("SIGTERM");
      await ended;
      await rm(data, { recursive: true, force: true });
    },
  };
}
