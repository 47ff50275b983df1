//! Switches that do at once what they say, and fall back when it failed.

import { html, nothing, type TemplateResult } from "lit-html";
import { live } from "lit-html/directives/live.js";
import type { App } from "../app/app.ts";

export interface ToggleOptions {
  id: string;
  label: string;
  hint?: string | undefined;
  on: boolean;
  disabled?: boolean;
  set(on: boolean): Promise<unknown>;
}

export function toggle(app: App, { id, label, hint, on, disabled = false, set }: ToggleOptions): TemplateResult {
  return html`<label class="switch"><input type="checkbox" role="switch" data-testid=${id} .checked=${live(on)} ?disabled=${disabled} @change=${(event: Event) => {
    void app.attempt(() => set((event.currentTarget as HTMLInputElement).checked));
  }} /><span><strong>${label}</strong>${hint === undefined ? nothing : html`<small>${hint}</small>`}</span></label>`;
}
