// All stories: two files side by side, which wait for each other's people more than for the processor. What measures
// times comes last, when nothing runs beside it.
import { spawn } from "node:child_process";
import { readdir } from "node:fs/promises";

/** They assert how fast something happens, or how much gets through. */
const LAST = ["networks", "outside", "encodings", "layers", "pictures"];

const here = new URL(".", import.meta.url).pathname;
const all = (await readdir(here)).filter((name) => name.endsWith(".e2e.mjs")).map((name) => name.replace(".e2e.mjs", "")).sort();
for (const name of LAST) if (!all.includes(name)) throw new Error(`there are no stories ${name}`);

function run(names, sideBySide) {
  const files = names.map((name) => `${here}${name}.e2e.mjs`);
  const words = ["--test", `--test-concurrency=${sideBySide}`, "--test-reporter=spec", ...files];
  const child = spawn(process.execPath, words, { stdio: ["ignore", "inherit", "inherit"] });
  return new Promise((resolve) => child.once("close", resolve));
}

const codes = [await run(all.filter((name) => !LAST.includes(name)), 2), await run(LAST, 1)];
process.exitCode = codes.every((code) => code === 0) ? 0 : 1;
