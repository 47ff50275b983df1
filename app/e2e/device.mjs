// A real `homeline-device` process: what it tells, one JSON object a line, and its control socket, by which somebody in the room speaks to it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { BINARY as SERVER } from "./homeline.mjs";
import { at, fill } from "./people.mjs";

const BINARY = process.env.HOMELINE_DEVICE_BIN ?? join(dirname(SERVER), "homeline-device");
// The server takes what begins with HOMELINE_ for its own settings, and refuses to start with one that it does not know.
delete process.env.HOMELINE_DEVICE_BIN;

/** Longer than a ring with a spoken name, on a busy machine. */
const PATIENCE = 40_000;

/** Whether a device on this machine can speak. */
export const SPEAKS = (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, "flite")));

/** A device's folder, where its keys and its control socket are. */
export async function newFolder() {
  const path = await mkdtemp(join(tmpdir(), "homeline-device-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Starts the program on a folder. */
export function start(folder, ...commandLine) {
  if (!existsSync(BINARY)) throw new Error(`no binary at ${BINARY}: build it, or name it in HOMELINE_DEVICE_BIN`);
  const child = spawn(BINARY, ["--json", "--folder", folder.path, ...commandLine], { stdio: ["ignore", "pipe", "pipe"] });
  const told = [];
  let log = "";
  let read = 0;
  let notice = () => undefined;
  child.stderr.on("data", (data) => {
    log += data;
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    told.push(JSON.parse(line));
    notice();
  });
  let code;
  const ended = new Promise((resolve) => child.once("close", (status, signal) => {
    code = status ?? signal;
    notice();
    resolve(code);
  }));
  const failed = (why) => new Error(`${why}; it told:\n${told.map((line) => JSON.stringify(line)).join("\n")}\n${log}`);
  return {
    ended,
    /** Waits for the next event of this name; those in between are passed over. */
    async event(wanted) {
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        notice();
      }, PATIENCE);
      try {
        for (;;) {
          while (read < told.length) if (told[read++].event === wanted) return told[read - 1];
          if (code !== undefined) throw failed(`the device ended with ${code} before "${wanted}"`);
          if (late) throw failed(`waited too long for "${wanted}"`);
          await new Promise((resolve) => {
            notice = resolve;
          });
        }
      } finally {
        clearTimeout(timer);
      }
    },
    /** Every light that it has shown by what was read so far. */
    lights: () => told.slice(0, read).filter(({ event }) => event === "light").map(({ light }) => light),
    /** Says something to it through its control socket. */
    say: (command) => new Promise((resolve, reject) => {
      const socket = connect(join(folder.path, "control"), () => socket.end(`${command}\n`));
      socket.once("error", reject).once("close", resolve).resume();
    }),
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** Starts it to wait for calls, with a tone for a microphone and, if one is named, a picture. */
export async function run(folder, { tone, listenFor, picture }) {
  const sound = ["--sound-in", `tone:${tone}`, "--listen-for", `${listenFor}`];
  const pictures = picture === undefined ? [] : ["--picture", picture];
  const device = start(folder, "run", ...sound, ...pictures, "--control", join(folder.path, "control"));
  try {
    await device.event("ready");
  } catch (error) {
    await device.stop();
    throw error;
  }
  return device;
}

/** Pairs the folder with the household of the signed-in `app`, by the digits that the device shows. Returns what it says of the household. */
export async function pair(app, folder, url, { handle, label }) {
  await at(app, "nav-household").click();
  await at(app, "add-device").click();
  await at(app, "add-device-listening").waitFor();
  const device = start(folder, "--server", url, "pair", "--handle", handle, "--label", label, "--quiet");
  try {
    const { digits } = await device.event("digits");
    await fill(app, { digits });
    await at(app, "submit-certify").click();
    const { household } = await device.event("paired");
    await at(app, "device-added").waitFor();
    await at(app, "add-device-done").click();
    assert.equal(await device.ended, 0);
    return household;
  } finally {
    await device.stop();
  }
}
