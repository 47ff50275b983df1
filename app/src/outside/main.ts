//! The page behind the link of a test from outside: tries each way into the home, without a sign-in.

import { html, nothing, render, type TemplateResult } from "lit-html";
import type { OutsideState } from "../protocol.ts";
import { type Progress, test } from "./tester.ts";
import { findings, trying } from "./view.ts";

type View = { at: "ready"; why?: string } | { at: "running"; progress: Progress } | { at: "done"; progress: Progress; state: OutsideState };

/** Behind the `#`, which no server sees. */
const secret = location.hash.slice(1);
const target = document.getElementById("app");

function show(view: View): void {
  if (target !== null) render(page(view), target);
}

function page(view: View): TemplateResult {
  return html`<main class="door"><div class="door-card consent-card">
    <img class="logo" src="/icon.svg" alt="" width="56" height="56" /><h1>Reachable from outside?</h1>${body(view)}</div></main>`;
}

function body(view: View): TemplateResult {
  if (view.at === "ready") {
    return html`<p>This page tries each way into the home. It tells something only outside: switch Wi-Fi and any VPN off first.</p>
      ${view.why === undefined ? nothing : html`<p class="error" role="alert" data-testid="test-failed">${view.why}</p>`}
      <button class="button primary wide" data-testid="test-start" @click=${() => void run()}>Start the test</button>`;
  }
  const { progress } = view;
  const { begun } = progress;
  return html`
    ${begun === undefined ? html`<div class="spinner"></div>` : html`
      ${begun.from === "inside" ? html`<p class="error" role="alert" data-testid="test-inside">This device is inside the home's network, or its router sends it back into it. What works from here proves little. Switch its Wi-Fi off and start again.</p>` : nothing}
      ${begun.from === "unclear" ? html`<p class="note" data-testid="test-unclear">The server can't tell whether this device is outside. Make sure that Wi-Fi and VPN are off.</p>` : nothing}
      ${trying(begun.ways, progress.tried, progress.trying)}`}
    ${view.at === "done" ? html`<div data-testid="test-done">${findings(view.state.findings)}</div>
      <button class="button wide" data-testid="test-again" @click=${() => void run()}>Test again</button>` : nothing}`;
}

async function run(): Promise<void> {
  let progress: Progress = { tried: [] };
  show({ at: "running", progress });
  try {
    const state = await test(secret, (now) => {
      progress = now;
      show({ at: "running", progress });
    });
    show({ at: "done", progress, state });
  } catch (error) {
    show({ at: "ready", why: error instanceof Error ? error.message : String(error) });
  }
}

show({ at: "ready" });
