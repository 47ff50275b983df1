// All stories, in two lanes side by side: beside those that call, those that only look at screens. What measures
// times comes last, when nothing runs beside it.
import { spawn } from "node:child_process";
import { readdir } from "node:fs/promises";

/** Against a stand-in of the server, or one without media: they need a processor and nobody's patience. */
const SCREENS = ["accessibility", "screens", "rules_screens"];
/** They assert how fast something happens, or how much gets through. */
const LAST = ["networks", "outside", "encodings", "layers", "pictures"];

const here = new URL(".", import.meta.url).pathname;
const all = (await readdir(here)).filter((name) => name.endsWith(".e2e.mjs")).map((name) => name.replace(".e2e.mjs", "")).sort();
const calls = all.filter((name) => !SCREENS.includes(name) && !LAST.includes(name));
const lanes = [
  { names: [...calls, ...LAST], print: "at once" },
  { names: SCREENS, print: "when the other is over" },
];
for (const name of [...SCREENS, ...LAST]) if (!all.includes(name)) throw new Error(`there are no stories ${name}`);

const results = lanes.map(({ names, print }) => {
  const files = names.map((name) => `${here}${name}.e2e.mjs`);
  const words = ["--test", "--test-concurrency=1", "--test-reporter=spec", ...files];
  const child = spawn(process.execPath, words, { stdio: ["ignore", print === "at once" ? "inherit" : "pipe", "inherit"] });
  let said = "";
  child.stdout?.on("data", (data) => {
    said += data;
  });
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, said: () => said })));
});
const ended = await Promise.all(results);
for (const { said } of ended) process.stdout.write(said());
process.exitCode = ended.every(({ code }) => code === 0) ? 0 : 1;
