//! How a home device answers: for the own household and for each contact, chosen by an adult, signed by this app.

import { html, nothing, type TemplateResult } from "lit-html";
import type { App } from "../app/app.ts";
import type { PolicyRule } from "../e2ee/port.ts";
import { type AnswerMode, modeFor } from "../home/policies.ts";
import type { Device } from "../protocol.ts";
import { form } from "../ui/parts.ts";

/** One household that can be named: a pinned key, and who of it is known here. */
interface Named {
  genesis: string;
  label: string;
  hint: string;
}

const MODES: readonly (readonly [AnswerMode, string])[] = [["ask", "Ask"], ["auto", "Auto"], ["echo", "Echo"]];

/** In the list of devices; nothing while it asks for everybody. */
export function answeringMark(app: App, device: Device): TemplateResult | typeof nothing {
  const answered = new Set(app.store.policies.rules(device.id).map(({ theirGenesis }) => theirGenesis));
  return answered.size === 0 ? nothing : html` · <span data-testid="answers-itself">answers by itself for ${answered.size}</span>`;
}

export function answering(app: App, device: Device): TemplateResult | typeof nothing {
  if (device.kind !== "home_device" || app.identity.state !== "ready") return nothing;
  const rules = app.store.policies.rules(device.id);
  const named = namedHouseholds(app, app.identity.who.genesis, rules);
  const unmet = app.store.sortedContacts().filter(({ theirGenesis }) => theirGenesis === undefined);
  const intro = html`<h3>How it answers</h3>
    <dl class="modes">
      <dt>Ask</dt><dd>It rings until somebody touches it.</dd>
      <dt>Auto</dt><dd>It rings for two seconds, then answers by itself. They hear your home and are heard in it without anybody touching the device. Its camera stays off.</dd>
      <dt>Echo</dt><dd>It answers and plays back what it hears, to try the line. A device that runs in a browser asks instead.</dd>
    </dl>`;
  if (!app.adult) {
    const lines = named.map(({ genesis, label }) => ({ label, mode: modeFor(rules, genesis, "") })).filter(({ mode }) => mode !== "ask");
    return html`<section class="answering" data-testid="answering">${intro}
      <p>${lines.length === 0 ? "It asks for everybody." : lines.map(({ label, mode }) => `${label}: ${mode}`).join(", ")}</p></section>`;
  }
  return html`<section class="answering" data-testid="answering">${intro}
    ${form(app, {
      name: "answering", submit: "Save",
      fields: html`${named.map((one) => choice(one, modeFor(rules, one.genesis, "")))}
        ${unmet.length === 0 ? nothing : html`<p class="hint" data-testid="answering-unmet">${unmet.map(({ name }) => name).join(", ")}: can't be named yet. A household's key is remembered at the first call with it.</p>`}`,
      run: async (value) => {
        const kept = rules.filter(({ person }) => person !== "");
        const chosen = named.flatMap(({ genesis }): PolicyRule[] => {
          const mode = value(genesis);
          return mode === "auto" || mode === "echo" ? [{ theirGenesis: genesis, person: "", mode }] : [];
        });
        // A household that is set to "ask" is asked about whole: no rule for one of its people outlives that.
        const asked = new Set(named.filter(({ genesis }) => value(genesis) === "ask").map(({ genesis }) => genesis));
        await app.store.putPolicy(device.id, [...kept.filter(({ theirGenesis }) => !asked.has(theirGenesis)), ...chosen]);
        app.say(`${device.label} has been told.`);
      },
    })}</section>`;
}

function choice({ genesis, label, hint }: Named, mode: AnswerMode): TemplateResult {
  return html`<label class="choice"><span class="row-text"><strong>${label}</strong><small>${hint}</small></span>
    <select name=${genesis} data-testid="answering-mode" data-label=${label}>
      ${MODES.map(([value, word]) => html`<option value=${value} ?selected=${value === mode}>${word}</option>`)}</select></label>`;
}

/** Contacts of one household share its key, so they are named together. A rule whose contact is gone is shown, to be taken back. */
function namedHouseholds(app: App, own: string, rules: readonly PolicyRule[]): Named[] {
  const found = new Map<string, Named>([[own, { genesis: own, label: "Your own household", hint: "Everybody of it" }]]);
  for (const { name, handle, theirGenesis } of app.store.sortedContacts()) {
    if (theirGenesis === undefined || theirGenesis === own) continue;
    const same = found.get(theirGenesis);
    found.set(theirGenesis, same === undefined
      ? { genesis: theirGenesis, label: name, hint: `@${handle} and their household` }
      : { ...same, label: `${same.label}, ${name}`, hint: "And their household" });
  }
  for (const { theirGenesis } of rules) {
    if (!found.has(theirGenesis)) found.set(theirGenesis, { genesis: theirGenesis, label: "Somebody else", hint: "No longer in your contacts" });
  }
  return [...found.values()];
}
