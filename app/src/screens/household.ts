//! The household: its members, its devices, letting others in, and taking devices out.

import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import type { App } from "../app/app.ts";
import { joinLink } from "../home/links.ts";
import type { Account, Device, JoinRequest } from "../protocol.ts";
import { icons } from "../ui/icons.ts";
import { avatar, copy, dialog, field, form } from "../ui/parts.ts";
import { qr } from "../ui/qr.ts";
import { presenceWords } from "../ui/words.ts";
import { answering, answeringMark } from "./answering.ts";

export function household(app: App): TemplateResult {
  const home = app.store.home;
  return html`
    <header class="page-head">
      <h1 data-testid="household-name">${app.store.roster?.name ?? "Household"}</h1>
      ${app.adult ? html`<div class="page-actions">
        <button class="button" data-testid="invite-member" @click=${() => void app.attempt(() => invite(app))}>Invite a member</button>
        <button class="button primary" data-testid="add-device" @click=${() => app.startAddDevice()}>${icons.plus}Add a device</button>
      </div>` : nothing}
    </header>
    ${repeat(home?.join_requests ?? [], ({ account }) => account.id, (request) => joinRequest(app, request))}
    <h2 class="section">Members</h2>
    <ul class="list" data-testid="members">${repeat(app.store.members, ({ id }) => id, (member) => memberRow(app, member))}</ul>
    <h2 class="section">Devices</h2>
    <ul class="list" data-testid="devices">${repeat(app.store.devices, ({ id }) => id, (device) => deviceRow(app, device))}</ul>
    ${(home?.invitations.length ?? 0) === 0 ? nothing : html`<h2 class="section">Open invitations</h2>
      <ul class="list">${home?.invitations.map((invitation) => html`<li class="row"><span class="row-text pad"><strong>Invitation</strong>
        <small>ends ${new Date(invitation.expires_at_ms).toLocaleString()}</small></span>
        ${app.adult ? html`<button class="text-button" data-testid="cancel-invitation" @click=${() => void app.attempt(() => session(app).done({ type: "cancel_invitation", invitation: invitation.id }))}>Withdraw</button>` : nothing}</li>`)}</ul>`}
    ${addDevice(app)}
    ${inviteDialog(app)}
    ${deviceDialog(app)}`;
}

function session(app: App): NonNullable<App["linkUp"]>["session"] {
  if (app.linkUp === undefined) throw new Error("You are signed out.");
  return app.linkUp.session;
}

function memberRow(app: App, member: Account): TemplateResult {
  const self = member.id === app.store.home?.account.id;
  const peer = { handle: member.handle, name: member.display_name, contact: undefined, genesis: ownGenesis(app), verdict: "own" as const };
  return html`<li class="row" data-testid="member" data-handle=${member.handle}>
    <span class="row-main still">${avatar(member.display_name)}<span class="row-text"><strong>${member.display_name}${self ? " (you)" : ""}</strong><small>@${member.handle}</small></span></span>
    ${self ? nothing : html`
      <button class="icon-button go" aria-label=${`Call ${member.display_name}`} data-testid="call-voice" @click=${() => app.call(peer, false)}>${icons.phone}</button>
      <button class="icon-button go" aria-label=${`Video call ${member.display_name}`} data-testid="call-video" @click=${() => app.call(peer, true)}>${icons.video}</button>`}
  </li>`;
}

function ownGenesis(app: App): string | undefined {
  return app.identity.state === "ready" ? app.identity.who.genesis : undefined;
}

function deviceRow(app: App, device: Device): TemplateResult {
  const owner = app.store.members.find(({ id }) => id === device.account);
  const self = app.identity.state === "ready" && app.identity.who.device === device.id;
  return html`<li class="row" data-testid="device" data-device=${device.id} data-presence=${device.presence}>
    <button class="row-main" data-testid="open-device" @click=${() => {
      app.drafts.set("dialog", `device:${device.id}`);
      app.changed();
    }}>
      <span class="avatar avatar-small tint-none">${device.kind === "app" ? icons.tablet : icons.speaker}</span>
      <span class="row-text"><strong>${device.label}</strong>
        <small><span class="dot dot-${device.presence}"></span>${self ? "This one" : presenceWords(device.presence)} · ${owner?.display_name ?? "nobody's"}${device.adult ? " · adult" : ""}${answeringMark(app, device)}</small></span>
    </button></li>`;
}

function deviceDialog(app: App): TemplateResult | typeof nothing {
  const name = app.drafts.get<string>("dialog");
  const device = name?.startsWith("device:") === true ? app.store.device(name.slice(7)) : undefined;
  if (device === undefined) return nothing;
  const close = (): void => {
    app.drafts.set("dialog", undefined);
    app.changed();
  };
  const self = app.identity.state === "ready" && app.identity.who.device === device.id;
  return dialog("device", device.label, close, html`
    <p class="hint">${device.kind === "app" ? "An app." : "A home device."} ${device.presence === "asleep" ? "Its browser tab is asleep: it can't ring until somebody opens it." : `${presenceWords(device.presence)}.`}</p>
    ${answering(app, device)}
    ${app.adult && !self ? html`<p>A removed device is signed out at once and can read nothing that comes later.</p>
      <button class="button danger wide" data-testid="remove-device" @click=${async () => {
        if (await app.attempt(() => removeDevice(app, device))) close();
      }}>${icons.trash}Remove ${device.label}</button>` : html`<p class="hint">${self ? "This is the app you are using. To leave, sign out under Settings." : "Only an adult's app can remove devices."}</p>`}`);
}

async function removeDevice(app: App, device: Device): Promise<void> {
  const known = app.store.roster?.devices.find((candidate) => candidate.device === device.id);
  if (known === undefined) throw new Error("This device is not in the signed roster of your household.");
  const { entry } = await app.e2ee.request("roster.remove_device", { deviceKey: known.deviceKey });
  await session(app).done({ type: "remove_device", device: device.id, entry });
}

function joinRequest(app: App, request: JoinRequest): TemplateResult {
  const { account } = request;
  const mine = app.memory.setting(`invited.${request.invitation}`) === "on";
  return html`<section class="request" data-testid="join-request" data-handle=${account.handle}>
    ${avatar(account.display_name)}
    <div class="row-text"><strong>${account.display_name}</strong><small>@${account.handle} would like to join your household</small>
      ${mine || !app.adult ? nothing : html`<small>Only the app that made the invitation can let them in.</small>`}</div>
    ${app.adult ? html`<div class="request-buttons">
      <label class="check"><input type="checkbox" data-testid="admit-adult" @change=${(event: Event) => {
        app.drafts.set(`adult:${account.id}`, (event.currentTarget as HTMLInputElement).checked);
      }} /><span>Adult: may add contacts and devices</span></label>
      <button class="button" data-testid="refuse-member" @click=${() => void app.attempt(() => refuse(app, request))}>Turn away</button>
      <button class="button primary" data-testid="admit-member" @click=${() => void app.attempt(() => admit(app, request))}>Let in</button>
    </div>` : nothing}
  </section>`;
}

async function admit(app: App, request: JoinRequest): Promise<void> {
  const { invitation, account, app_key: appKey, label, proof } = request;
  const adult = app.drafts.get<boolean>(`adult:${account.id}`) ?? false;
  const { entry, chain } = await app.e2ee.request("invite.admit", { invitation, appKey, person: account.id, label, proof, adult });
  const { device } = await app.e2ee.request("chain.inspect", { chain });
  await session(app).done({ type: "admit_member", invitation, account: account.id, device, adult, entry, chain });
  dropRequest(app, request);
  app.say(`${account.display_name} is in.`);
}

async function refuse(app: App, request: JoinRequest): Promise<void> {
  await session(app).done({ type: "refuse_member", invitation: request.invitation, account: request.account.id });
  dropRequest(app, request);
}

function dropRequest(app: App, { account }: JoinRequest): void {
  const home = app.store.home;
  if (home !== undefined) home.join_requests = home.join_requests.filter((other) => other.account.id !== account.id);
}

async function invite(app: App): Promise<void> {
  const { secret, fingerprint } = await app.e2ee.request("invite.make", {});
  const invitation = await session(app).request({ type: "create_invitation" }, "invitation");
  await app.e2ee.request("invite.keep", { invitation: invitation.id, secret });
  app.memory.keepSetting(`invited.${invitation.id}`, "on");
  app.drafts.set("invite-link", joinLink(location.origin, invitation.id, secret, fingerprint));
  app.changed();
}

function inviteDialog(app: App): TemplateResult | typeof nothing {
  const link = app.drafts.get<string>("invite-link");
  if (link === undefined) return nothing;
  const close = (): void => {
    app.drafts.set("invite-link", undefined);
    app.changed();
  };
  return dialog("invite", "Invite a member", close, html`
    <p class="hint">For one person. Let them scan it, or send it on a way that you trust. When they have signed up, you let them in here.</p>
    <div class="qr-frame">${qr(link, "Invitation as a QR code")}</div>
    <p class="link-text" data-testid="join-link">${link}</p>
    <button class="button primary wide" data-testid="copy-invitation" @click=${() => void copy(app, link, "The invitation is copied.")}>${icons.copy}Copy</button>`);
}

function addDevice(app: App): TemplateResult | typeof nothing {
  const view = app.addDevice?.view;
  if (view === undefined) return nothing;
  const close = (): void => app.stopAddDevice();
  const handle = app.store.home?.account.handle ?? "";
  switch (view.at) {
    case "listening":
      return dialog("add-device", "Add a device", close, html`<div data-testid="add-device-listening">
        <p>On the new device, open <strong class="nobreak">${location.host}/device</strong> (or here "Add this browser", for another app of yours) and enter</p>
        <p class="handle big">@${handle}</p><div class="spinner"></div><p class="hint">Waiting for the device…</p></div>`);
    case "exchanging":
      return dialog("add-device", "Add a device", close, html`<div class="spinner"></div><p class="hint">A device answers…</p>`);
    case "digits":
      return dialog("add-device", view.label, close, html`
        <p>${view.kind === "app" ? "An app" : "A home device"} that calls itself <strong data-testid="new-device-label">${view.label}</strong> wants to be added. Type the six digits that it shows or speaks.</p>
        ${form(app, {
          name: "certify", submit: "Add it",
          fields: html`
            ${field({ name: "digits", label: "Six digits", inputmode: "numeric", autocomplete: "one-time-code", pattern: "[0-9]{3} ?[0-9]{3}", maxlength: 7, autofocus: true })}
            <label class="field"><span class="field-label">Whose is it?</span><select name="person" data-testid="field-person">
              ${app.store.members.map((member) => html`<option value=${member.id} ?selected=${member.id === app.store.home?.account.id}>${member.display_name}</option>`)}</select></label>
            ${view.kind === "app" ? html`<label class="check"><input type="checkbox" name="adult" value="yes" checked data-testid="field-adult" /><span>Adult: may add contacts and devices</span></label>` : nothing}`,
          run: async (value) => app.addDevice?.certify(value("digits").replace(/\D/g, ""), value("person"), value("adult") === "yes"),
        })}`);
    case "done":
      return dialog("add-device", "Added", close, html`<p data-testid="device-added">${icons.check} <strong>${view.label}</strong> belongs to your household now.</p>
        <button class="button primary wide" data-testid="add-device-done" @click=${close}>Done</button>`);
    case "failed":
      return dialog("add-device", "Not added", close, html`<p class="error" role="alert" data-testid="add-device-failed">${view.why}</p>
        <button class="button primary wide" data-testid="add-device-again" @click=${() => app.startAddDevice()}>Try again</button>`);
  }
}

