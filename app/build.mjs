// Builds the browser app into dist/: one bundle for each entry below, the static files beside them.
//
// --control builds the variant in which SFrame is off. It exists for one test (the server sees nothing: a control run
// must see everything), goes to dist-control/, and is never embedded in the server.
import { build } from "esbuild";
import { cp, mkdir, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tsMlsPatches } from "./patches.mjs";

const control = process.argv.includes("--control");
const outdir = new URL(control ? "dist-control/" : "dist/", import.meta.url).pathname;

/** ts-mls imports these for suites that Homeline does not use; they are not installed. */
export const ABSENT = ["@hpke/chacha20poly1305", "@hpke/dhkem-x448", "@hpke/hybridkem-x-wing", "@hpke/ml-kem", "@noble/post-quantum/*"];

/** What every bundle of the app is built with. */
export function options(plaintextControl) {
  return {
    bundle: true,
    format: "esm",
    target: "es2023",
    minify: true,
    legalComments: "none",
    external: ABSENT,
    plugins: [tsMlsPatches],
    define: { __HOMELINE_PLAINTEXT_CONTROL__: String(plaintextControl) },
  };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  await rm(outdir, { recursive: true, force: true });
  await mkdir(outdir, { recursive: true });
  const entryPoints = [
    { in: "src/e2ee/worker.ts", out: "e2ee-worker" },
    { in: "src/main.ts", out: "main" },
    { in: "src/device/main.ts", out: "device" },
    { in: "src/consent/main.ts", out: "consent" },
    { in: "src/outside/main.ts", out: "outside" },
  ];
  await build({ ...options(control), absWorkingDir: new URL(".", import.meta.url).pathname, entryPoints, outdir });
  // One file without imports: not every browser takes a module as a service worker.
  const worker = { ...options(control), format: "iife", entryPoints: [{ in: "src/push/worker.ts", out: "push-worker" }], outdir };
  await build({ ...worker, absWorkingDir: new URL(".", import.meta.url).pathname });
  if (existsSync(new URL("static", import.meta.url))) await cp(new URL("static", import.meta.url), outdir, { recursive: true });
}
