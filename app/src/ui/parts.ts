//! Small parts that many screens use: pictures of people, forms, dialogs, marks.

import { html, nothing, type TemplateResult } from "lit-html";
import { ref } from "lit-html/directives/ref.js";
import type { App } from "../app/app.ts";
import type { Drafts } from "../app/drafts.ts";
import { icons } from "./icons.ts";

const AVATAR_COLOURS = 8;

export function avatar(name: string, size: "small" | "large" | "huge" = "small"): TemplateResult {
  const initials = name.trim().split(/\s+/).slice(0, 2).map((word) => [...word][0] ?? "").join("").toUpperCase();
  let sum = 0;
  for (const character of name) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 997;
  return html`<span class="avatar avatar-${size} tint-${sum % AVATAR_COLOURS}" aria-hidden="true">${initials || "?"}</span>`;
}

export interface FieldOptions {
  name: string;
  label: string;
  type?: string;
  hint?: string | undefined;
  autocomplete?: string;
  value?: string;
  required?: boolean;
  minlength?: number;
  maxlength?: number;
  pattern?: string;
  inputmode?: string;
  capitalize?: "off" | "words";
  autofocus?: boolean;
}

export function field(options: FieldOptions): TemplateResult {
  const { name, label, type = "text", hint, value = "", required = true } = options;
  return html`<label class="field">
    <span class="field-label">${label}</span>
    <input name=${name} type=${type} data-testid=${`field-${name}`} .defaultValue=${value} ?required=${required} ?autofocus=${options.autofocus ?? false}
      autocomplete=${options.autocomplete ?? "off"} minlength=${options.minlength ?? nothing} maxlength=${options.maxlength ?? nothing}
      pattern=${options.pattern ?? nothing} inputmode=${options.inputmode ?? nothing} autocapitalize=${options.capitalize ?? nothing}
      autocorrect=${options.capitalize === "off" ? "off" : nothing} spellcheck="false" />
    ${hint === undefined ? nothing : html`<span class="hint">${hint}</span>`}
  </label>`;
}

export interface FormOptions {
  name: string;
  submit: string;
  fields: TemplateResult | readonly TemplateResult[];
  /** Throws what should be shown. */
  run(values: (field: string) => string): Promise<unknown>;
  secondary?: TemplateResult | typeof nothing;
  /** What it does can't be undone. */
  danger?: boolean;
}

interface FormHost {
  readonly drafts: Drafts;
  changed(): void;
}

/** A form that shows that it works, and says what went wrong beside its button. */
export function form(host: FormHost, { name, submit, fields, run, secondary, danger = false }: FormOptions): TemplateResult {
  const busy = host.drafts.get<boolean>(`busy:${name}`) ?? false;
  const error = host.drafts.get<string>(`error:${name}`);
  const onSubmit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (host.drafts.get(`busy:${name}`) === true) return;
    const data = new FormData(event.currentTarget as HTMLFormElement);
    host.drafts.set(`busy:${name}`, true);
    host.drafts.set(`error:${name}`, undefined);
    host.changed();
    try {
      await run((key) => String(data.get(key) ?? "").trim());
    } catch (failure) {
      host.drafts.set(`error:${name}`, failure instanceof Error ? failure.message : String(failure));
    } finally {
      host.drafts.set(`busy:${name}`, undefined);
      host.changed();
    }
  };
  return html`<form class="form" data-testid=${`form-${name}`} @submit=${onSubmit}>
    ${fields}
    ${error === undefined ? nothing : html`<p class="error" role="alert" data-testid=${`error-${name}`}>${error}</p>`}
    <div class="form-buttons">
      ${secondary ?? nothing}
      <button class="button ${danger ? "danger" : "primary"}" data-testid=${`submit-${name}`} ?disabled=${busy} aria-busy=${busy ? "true" : "false"}>${submit}</button>
    </div>
  </form>`;
}

/** A native modal dialog: Escape closes it, the keyboard stays inside. */
export function dialog(name: string, title: string, close: () => void, content: TemplateResult): TemplateResult {
  const open = (element?: Element): void => {
    if (element instanceof HTMLDialogElement && !element.open) queueMicrotask(() => element.isConnected && !element.open && element.showModal());
  };
  const onClick = (event: MouseEvent): void => {
    if (event.target === event.currentTarget) close();
  };
  return html`<dialog class="dialog" data-testid=${`dialog-${name}`} aria-label=${title} ${ref(open)} @cancel=${(event: Event) => {
    event.preventDefault();
    close();
  }} @click=${onClick}>
    <div class="dialog-body">
      <header class="dialog-head">
        <h2>${title}</h2>
        <button class="icon-button" type="button" aria-label="Close" data-testid="dialog-close" @click=${close}>${icons.close}</button>
      </header>
      ${content}
    </div>
  </dialog>`;
}

export function pinMark(pin: 0 | 1 | 2 | 3, trouble: boolean, changed: boolean): TemplateResult | typeof nothing {
  if (trouble || changed) return html`<span class="mark mark-alarm" data-testid="pin-changed">${icons.alarm}Key changed</span>`;
  if (pin === 2) return html`<span class="mark mark-good" data-testid="pin-verified">${icons.shield}Verified</span>`;
  if (pin === 1) return html`<span class="mark" data-testid="pin-unverified">Unverified</span>`;
  return html`<span class="mark" data-testid="pin-none">Not met yet</span>`;
}

/** Whoever came by a call link is shown as that everywhere. */
export function guestMark(): TemplateResult {
  return html`<span class="mark mark-guest" data-testid="guest-mark">Guest</span>`;
}

export async function copy(app: App, text: string, said: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    app.say(said);
  } catch {
    app.say("The browser does not allow copying. Mark the text and copy it by hand.");
  }
}
