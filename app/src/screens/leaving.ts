//! Leaving: the household, or Homeline altogether; what becomes of devices and contacts is said and chosen first.

import { html, nothing, type TemplateResult } from "lit-html";
import type { App } from "../app/app.ts";
import { deregister, leaveHousehold } from "../home/departures.ts";
import type { AccountId, Device } from "../protocol.ts";
import { dialog, field, form } from "../ui/parts.ts";

const REMOVE = "";

export function leavingButtons(app: App): TemplateResult {
  return html`<section class="panel">
    <h2>Leave</h2>
    <p class="hint">Signing out is for a while. Leaving is for good.</p>
    <div class="form-buttons">
      ${app.store.members.length < 2 ? nothing : html`<button class="text-button danger" data-testid="leave-household" @click=${() => show(app, "leave-household")}>Leave this household</button>`}
      <button class="button danger" data-testid="leave-homeline" @click=${() => show(app, "leave-homeline")}>Leave Homeline</button>
    </div>
    ${householdDialog(app)}${homelineDialog(app)}
  </section>`;
}

function show(app: App, name: string | undefined): void {
  app.drafts.set("dialog", name);
  app.changed();
}

/** What of the household's devices is this person's. */
function mine(app: App): Device[] {
  return app.store.devices.filter(({ account }) => account === app.store.home?.account.id);
}

function householdDialog(app: App): TemplateResult | typeof nothing {
  if (app.drafts.get("dialog") !== "leave-household") return nothing;
  const close = (): void => show(app, undefined);
  const devices = mine(app);
  return dialog("leave-household", "Leave this household?", close, html`
    <p>You are no longer a member of <strong>${app.store.roster?.name ?? "it"}</strong>. Contacts belong to the household and stay with it.</p>
    ${deviceList(devices, "These devices are removed, and signed out:")}
    <p class="hint">Your account stays, without a household: nobody reaches it until another household lets you in.${app.adult ? "" : " An adult's app has to sign it; until one is opened you are still a member."}</p>
    <button class="button danger wide" data-testid="leave-household-confirm" @click=${() => void app.attempt(async () => {
      const adult = app.adult;
      await over(app, () => leaveHousehold(app.departing(), devices.map(({ id }) => id)));
      close();
      if (!adult) return app.say("An adult of your household was asked to sign it.");
      await app.signOut(true);
      app.say("You have left the household.");
    })}>Leave the household</button>`);
}

function homelineDialog(app: App): TemplateResult | typeof nothing {
  if (app.drafts.get("dialog") !== "leave-homeline") return nothing;
  const devices = mine(app);
  const shared = devices.filter(({ kind }) => kind === "home_device");
  const heirs = app.store.members.filter(({ id, role }) => id !== app.store.home?.account.id && role !== "child");
  const alone = app.store.members.length < 2;
  return dialog("leave-homeline", "Leave Homeline?", () => show(app, undefined), html`
    <p>Your account is deleted at once and can't be brought back. You reach nobody here any more, and nobody reaches you. Your handle is nobody's for 30 days.</p>
    ${alone
      ? html`<p data-testid="leave-last">You are the last one: your household goes with you, with its contacts and all its devices.</p>`
      : html`<p>Contacts belong to the household and stay with it.</p>${deviceList(devices.filter(({ kind }) => kind === "app"), "Your apps are signed out:")}`}
    ${form(app, {
      name: "leave-homeline", submit: "Leave Homeline for good", danger: true,
      fields: html`
        ${alone || shared.length === 0 ? nothing : html`<label class="field"><span class="field-label">${shared.map(({ label }) => label).join(", ")}</span>
          <select name="heir" data-testid="field-heir"><option value=${REMOVE}>Remove ${shared.length === 1 ? "it" : "them"} from the household</option>
            ${heirs.map(({ id, display_name }) => html`<option value=${id}>Hand over to ${display_name}</option>`)}</select>
          <span class="hint">You are the default person there.</span></label>`}
        ${field({ name: "password", label: "Your password", type: "password", autocomplete: "current-password" })}
        <label class="check"><input type="checkbox" name="sure" required data-testid="field-sure" /><span>I know that this can't be undone.</span></label>`,
      run: (value) => leaveHomeline(app, value("password"), devices, value("heir")),
    })}`);
}

async function leaveHomeline(app: App, password: string, devices: readonly Device[], heir: AccountId): Promise<void> {
  const going = devices.filter(({ kind }) => kind === "app" || heir === REMOVE).map(({ id }) => id);
  await over(app, () => deregister(app.departing(), password, going, heir === REMOVE ? null : heir));
  await app.signOut(true);
  app.say("You have left Homeline. Your account is deleted.");
}

/** The session ends with what was asked for: its goodbye may come before the answer. */
async function over(app: App, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (app.linkUp !== undefined) throw error;
  }
}

function deviceList(devices: readonly Device[], words: string): TemplateResult | typeof nothing {
  return devices.length === 0 ? nothing : html`<p>${words} ${devices.map(({ label }) => label).join(", ")}.</p>`;
}
