// Bundles every test file and runs them with node's own runner; arguments pick files by a part of their name.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { options } from "../build.mjs";

const root = new URL(".", import.meta.url).pathname;
const wanted = process.argv.slice(2);
const files = readdirSync(root, { recursive: true })
  .filter((file) => file.endsWith(".test.ts") && (wanted.length === 0 || wanted.some((part) => file.includes(part))));
// Below node_modules, so that what stays external is found.
const outdir = mkdtempSync(join(root, "../node_modules/.test-"));
try {
  await build({
    ...options(false),
    minify: false,
    sourcemap: "inline",
    platform: "node",
    entryPoints: files.map((file) => join(root, file)),
    outbase: root,
    outdir,
    outExtension: { ".js": ".mjs" },
    external: [...options(false).external, "playwright-core", "esbuild"],
    logLevel: "warning",
  });
  const bundles = files.map((file) => join(outdir, file.replace(/\.ts$/, ".mjs")));
  const run = spawnSync(process.execPath, ["--enable-source-maps", "--test-reporter=spec", "--test", ...bundles], {
    stdio: "inherit",
    env: { ...process.env, HOMELINE_APP: new URL("..", import.meta.url).pathname },
  });
  process.exitCode = run.status ?? 1;
} finally {
  rmSync(outdir, { recursive: true, force: true });
}
