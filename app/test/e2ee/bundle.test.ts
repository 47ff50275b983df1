//! What the built worker contains, and above all what it does not.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { build } from "esbuild";

const APP = process.env["HOMELINE_APP"] as string;

async function bundle(control: boolean): Promise<string> {
  const { options } = (await import(join(APP, "build.mjs"))) as { options: (control: boolean) => object };
  const made = await build({ ...options(control), entryPoints: [join(APP, "src/e2ee/worker.ts")], write: false });
  return made.outputFiles[0]?.text ?? "";
}

test("the normal build has no way to send plain frames; only the control build has", async () => {
  const normal = await bundle(false);
  assert.ok(normal.includes("SFrame 1.0 Secret key "));
  for (const trace of ["__HOMELINE_PLAINTEXT_CONTROL__", "homeline-plaintext-control"]) assert.ok(!normal.includes(trace));
  assert.ok((await bundle(true)).includes("homeline-plaintext-control"));
});

test("the worker needs neither eval nor foreign code", async () => {
  const normal = await bundle(false);
  assert.ok(!/\beval\(|new Function\(/.test(normal));
  assert.ok(!/https?:\/\//.test(normal.replace(/https?:\/\/(www\.)?(w3\.org|rfc-editor\.org)[^"'`]*/g, "")), "no address is built in");
});
