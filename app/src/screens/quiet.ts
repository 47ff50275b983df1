//! Do not disturb: here, everywhere, on each device, by the clock, and who gets through all the same.

import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import type { App } from "../app/app.ts";
import { EXCEPTIONS_MAX, longDay, readWindow, scheduleWords, shortDay, timeOf, WEEKDAYS, WINDOWS_MAX } from "../home/quiet.ts";
import type { Device, QuietWindow } from "../protocol.ts";
import { toggle } from "../ui/controls.ts";
import { icons } from "../ui/icons.ts";
import { form } from "../ui/parts.ts";

/** What callers notice, in one place, so that it is said the same everywhere. */
export const WHAT_CALLERS_HEAR = "Callers are not told: to them it rings as if nobody came. Only your own household hears the reason.";

/** A line of the editor: its fields keep what is typed, these are their first values. */
interface Line {
  key: number;
  window: QuietWindow | undefined;
}

const LINES = "quiet-lines";
/** What a new line proposes. */
const NIGHT: QuietWindow = { days: [...WEEKDAYS], from_minute: 22 * 60, to_minute: 7 * 60 };

export function quiet(app: App): TemplateResult {
  const { rules } = app.store;
  const { everywhere, schedule } = rules.mine.do_not_disturb;
  const self = app.self;
  const here = self === undefined ? undefined : app.store.device(self);
  const others = app.store.devices.filter((device) => device.id !== self && app.maySilence(device));
  return html`<header class="page-head"><h1>Do not disturb</h1></header>
    <p class="hint">${WHAT_CALLERS_HEAR} It lasts until you switch it off.</p>
    <section class="panel" aria-label="Now">
      <h2>Now</h2>
      ${here === undefined ? nothing : deviceToggle(app, here, "This app")}
      ${toggle(app, {
        id: "quiet-everywhere", label: "Everywhere", hint: "All that is yours: every app, and every device whose default person you are.", on: everywhere,
        set: (on) => rules.silenceEverything(on),
      })}
    </section>
    ${others.length === 0 ? nothing : html`<section class="panel" aria-label="Each device">
      <h2>Each device</h2>
      <p class="hint">A device that is switched to silent here does not ring. Your app still does.</p>
      ${repeat(others, ({ id }) => id, (device) => deviceToggle(app, device, device.label))}
    </section>`}
    <section class="panel" aria-label="By the clock">
      <h2>By the clock</h2>
      <p class="hint" data-testid="quiet-schedule">${scheduleWords(schedule)}</p>
      ${editor(app)}
    </section>`;
}

export function deviceToggle(app: App, device: Device, label: string): TemplateResult {
  return toggle(app, {
    id: "quiet-device", label, hint: device.settings.room || undefined, on: device.settings.do_not_disturb,
    set: (on) => app.store.rules.silence(device.id, on),
  });
}

function editor(app: App): TemplateResult {
  const { do_not_disturb: now } = app.store.rules.mine;
  const lines = app.drafts.get<Line[]>(LINES) ?? (now.schedule?.windows ?? []).map((window, key) => ({ key, window }));
  const change = (next: Line[]): void => {
    app.drafts.set(LINES, next);
    app.changed();
  };
  const add = (): void => change([...lines, { key: Math.max(-1, ...lines.map(({ key }) => key)) + 1, window: NIGHT }]);
  return form(app, {
    name: "quiet", submit: "Save",
    fields: html`
      ${repeat(lines, ({ key }) => key, (line, index) => lineFields(line, index, () => change(lines.filter(({ key }) => key !== line.key))))}
      <button class="text-button start" type="button" data-testid="quiet-add" ?disabled=${lines.length >= WINDOWS_MAX} @click=${add}>${icons.plus}Add a time</button>
      ${lines.length === 0 ? nothing : zoneField(now.schedule?.time_zone)}
      ${exceptions(app)}`,
    run: async (value) => {
      const windows = lines.map(({ key }) => readWindow(WEEKDAYS.filter((day) => value(`day-${key}-${day}`) !== ""), value(`from-${key}`), value(`to-${key}`)));
      const chosen = app.store.sortedContacts().map(({ id }) => id).filter((id) => value(`through-${id}`) !== "");
      if (chosen.length > EXCEPTIONS_MAX) throw new Error(`At most ${EXCEPTIONS_MAX} people can get through.`);
      const schedule = windows.length === 0 ? null : { time_zone: value("zone"), windows };
      await app.store.rules.setDoNotDisturb({ everywhere: app.store.rules.mine.do_not_disturb.everywhere, schedule, exceptions: chosen });
      app.drafts.set(LINES, undefined);
      app.say("Saved.");
    },
  });
}

function lineFields({ key, window = NIGHT }: Line, index: number, remove: () => void): TemplateResult {
  return html`<fieldset class="quiet-line" data-testid="quiet-line">
    <legend class="field-label">Time ${index + 1}</legend>
    <div class="days">${WEEKDAYS.map((day) => html`<label class="day"><input type="checkbox" name=${`day-${key}-${day}`} aria-label=${longDay(day)} data-testid=${`day-${day}`}
      .defaultChecked=${window.days.includes(day)} /><span aria-hidden="true">${shortDay(day)}</span></label>`)}</div>
    <div class="times">
      <label class="field"><span class="field-label">From</span><input type="time" name=${`from-${key}`} data-testid="quiet-from" required .defaultValue=${timeOf(window.from_minute)} /></label>
      <label class="field"><span class="field-label">To</span><input type="time" name=${`to-${key}`} data-testid="quiet-to" required .defaultValue=${timeOf(window.to_minute)} /></label>
    </div>
    <div class="line-foot"><p class="hint">An end before the beginning, or the same, is on the next day.</p>
      <button class="icon-button" type="button" aria-label=${`Remove time ${index + 1}`} data-testid="quiet-remove" @click=${remove}>${icons.trash}</button></div>
  </fieldset>`;
}

/** The browser's own zone, until another was chosen. */
function zoneField(chosen: string | undefined): TemplateResult {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const wanted = chosen ?? own;
  const zones = [...new Set([own, wanted, ...Intl.supportedValuesOf("timeZone")])].sort();
  return html`<label class="field"><span class="field-label">Time zone</span><select name="zone" data-testid="quiet-zone">
    ${zones.map((zone) => html`<option value=${zone} ?selected=${zone === wanted}>${zone.replaceAll("_", " ")}</option>`)}</select></label>`;
}

function exceptions(app: App): TemplateResult | typeof nothing {
  const contacts = app.store.sortedContacts();
  if (contacts.length === 0) return nothing;
  const { exceptions: chosen } = app.store.rules.mine.do_not_disturb;
  return html`<fieldset class="choices"><legend class="field-label">Who gets through all the same</legend>
    <p class="hint">Through “everywhere” and through these times. A device that is switched to silent by itself stays silent for them too.</p>
    ${contacts.map(({ id, name, handle }) => html`<label class="check"><input type="checkbox" name=${`through-${id}`} data-testid="quiet-exception" data-handle=${handle}
      .defaultChecked=${chosen.includes(id)} /><span>${name} <small>@${handle}</small></span></label>`)}</fieldset>`;
}

/** On every page while all is silent: nobody should wonder why it never rings. */
export function quietBanner(app: App): TemplateResult | typeof nothing {
  const { rules } = app.store;
  const here = app.self === undefined ? undefined : app.store.device(app.self);
  const everywhere = rules.mine.do_not_disturb.everywhere;
  if (!everywhere && here?.settings.do_not_disturb !== true) return nothing;
  const off = (): Promise<void> => (everywhere || here === undefined ? rules.silenceEverything(false) : rules.silence(here.id, false));
  return html`<div class="banner banner-quiet" role="status" data-testid="quiet-banner">${icons.moon}<span>Do not disturb is on${everywhere ? " everywhere" : " in this app"}.</span>
    <button class="text-button" data-testid="quiet-off" @click=${() => void app.attempt(off)}>Switch off</button></div>`;
}
