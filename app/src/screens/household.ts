//! The household: its members, its devices, calling them, and letting others in.

import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import type { App } from "../app/app.ts";
import { joinLink } from "../home/links.ts";
import type { AccountId, Device, JoinRequest, Member } from "../protocol.ts";
import { icons } from "../ui/icons.ts";
import { avatar, copy, dialog, field, form } from "../ui/parts.ts";
import { qr } from "../ui/qr.ts";
import { presenceWords, roleWords, switchWords } from "../ui/words.ts";
import { toAnnounce } from "./announce.ts";
import { answeringMark } from "./answering.ts";
import { isForAdults } from "./children.ts";
import { deviceSheet } from "./device_sheet.ts";
import { householdDropIn } from "./drop_in.ts";
import { toLedger } from "./ledger.ts";
import { nearMark } from "./drop_in_call.ts";
import { memberSheet, signOutOfHousehold } from "./member_sheet.ts";
import { topMark } from "./top_contact.ts";

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
    ${repeat(app.store.rules.leaveRequests, (id) => id, (id) => leaveRequest(app, id))}
    <h2 class="section">Members</h2>
    <ul class="list" data-testid="members">${repeat(app.store.members, ({ id }) => id, (member) => memberRow(app, member))}</ul>
    ${isForAdults(app) && app.store.members.length > 1 ? html`<button class="button children-link" data-testid="to-children" @click=${() => app.go("children")}>${icons.people}Children</button>` : nothing}
    <div class="section-head"><h2 class="section">Devices</h2><span class="section-actions">${toAnnounce(app)}${callHome(app)}</span></div>
    <ul class="list" data-testid="devices">${repeat(app.store.devices, ({ id }) => id, (device) => deviceRow(app, device))}</ul>
    ${householdDropIn(app)}
    ${toLedger(app)}
    ${(home?.invitations.length ?? 0) === 0 ? nothing : html`<h2 class="section">Open invitations</h2>
      <ul class="list">${home?.invitations.map((invitation) => html`<li class="row"><span class="row-text pad"><strong>Invitation</strong>
        <small>ends ${new Date(invitation.expires_at_ms).toLocaleString()}</small></span>
        ${app.adult ? html`<button class="text-button" data-testid="cancel-invitation" @click=${() => void app.attempt(() => session(app).done({ type: "cancel_invitation", invitation: invitation.id }))}>Withdraw</button>` : nothing}</li>`)}</ul>`}
    ${addDevice(app)}
    ${inviteDialog(app)}
    ${deviceSheet(app)}
    ${memberSheet(app)}`;
}

function session(app: App): NonNullable<App["linkUp"]>["session"] {
  if (app.linkUp === undefined) throw new Error("You are signed out.");
  return app.linkUp.session;
}

function open(app: App, sheet: string): void {
  app.drafts.set("dialog", sheet);
  app.changed();
}

function memberRow(app: App, member: Member): TemplateResult {
  const self = member.id === app.store.home?.account.id;
  const peer = { handle: member.handle, name: member.display_name, contact: undefined, genesis: ownGenesis(app), verdict: "own" as const };
  return html`<li class="row" data-testid="member" data-handle=${member.handle} data-role=${member.role}>
    <button class="row-main" data-testid="open-member" @click=${() => open(app, `member:${member.id}`)}>${avatar(member.display_name)}<span class="row-text"><strong>${member.display_name}${self ? " (you)" : ""}</strong>
      <small>@${member.handle} · ${roleWords(member.role)} ${topMark(app, { type: "person", handle: member.handle })}</small></span></button>
    ${self ? nothing : html`
      <button class="icon-button go" aria-label=${`Call ${member.display_name}`} data-testid="call-voice" @click=${() => app.call(peer, false)}>${icons.phone}</button>
      <button class="icon-button go" aria-label=${`Video call ${member.display_name}`} data-testid="call-video" @click=${() => app.call(peer, true)}>${icons.video}</button>`}
  </li>`;
}

/** All home devices at once; the invitation names the caller, who is of the household as everybody there. */
function callHome(app: App): TemplateResult | typeof nothing {
  const account = app.store.home?.account;
  if (account === undefined || !app.store.devices.some(({ kind }) => kind === "home_device")) return nothing;
  const peer = { handle: account.handle, name: "Home", contact: undefined, genesis: ownGenesis(app), verdict: "own" as const, target: { place: "home" as const } };
  return html`<button class="text-button" data-testid="call-home" @click=${() => app.call(peer, false)}>${icons.phone}Call home</button>`;
}

/** One room: its device rings, in the name of its default person. */
function callDevice(app: App, device: Device): TemplateResult | typeof nothing {
  const person = app.store.members.find(({ id }) => id === device.account);
  if (device.kind !== "home_device" || person === undefined) return nothing;
  const peer = { handle: person.handle, name: device.label, contact: undefined, genesis: ownGenesis(app), verdict: "own" as const, target: { device: device.id } };
  const { screen, camera } = device.settings.capabilities;
  return html`<button class="icon-button go" aria-label=${`Call ${device.label}`} data-testid="call-device" @click=${() => app.call(peer, screen && camera)}>${icons.phone}</button>`;
}

function ownGenesis(app: App): string | undefined {
  return app.identity.state === "ready" ? app.identity.who.genesis : undefined;
}

function deviceRow(app: App, device: Device): TemplateResult {
  const owner = app.store.members.find(({ id }) => id === device.account);
  const self = app.self === device.id;
  const off = switchWords(device.settings.switches);
  return html`<li class="row" data-testid="device" data-device=${device.id} data-presence=${device.presence}>
    <button class="row-main" data-testid="open-device" @click=${() => open(app, `device:${device.id}`)}>
      <span class="avatar avatar-small tint-none">${device.kind === "app" ? icons.tablet : icons.speaker}</span>
      <span class="row-text"><strong>${device.label}</strong>
        <small><span class="dot dot-${device.presence}"></span>${self ? "This one" : presenceWords(device.presence)} · ${device.settings.room === "" ? "" : `${device.settings.room} · `}${owner?.display_name ?? "nobody's"}${device.adult ? " · adult" : ""}${answeringMark(app, device)}
          ${device.settings.do_not_disturb ? html`<span class="mark" data-testid="device-silent">${icons.moon}Do not disturb</span>` : nothing}
          ${off === undefined ? nothing : html`<span class="mark mark-alarm" data-testid="device-off">${icons.micOff}${off}</span>`} ${nearMark(app.near?.atDevice(device.id))}</small></span>
    </button>${callDevice(app, device)}</li>`;
}

/** Of a member whose own app may not sign it. */
function leaveRequest(app: App, account: AccountId): TemplateResult | typeof nothing {
  const member = app.store.members.find(({ id }) => id === account);
  if (member === undefined) return nothing;
  return html`<section class="request" data-testid="leave-request" data-handle=${member.handle}>
    ${avatar(member.display_name)}
    <div class="row-text"><strong>${member.display_name}</strong><small>@${member.handle} would like to leave your household. All their devices are signed out with them.</small></div>
    ${app.adult ? html`<div class="request-buttons"><button class="button" data-testid="sign-leave" @click=${() => void app.attempt(() => signOutOfHousehold(app, account))}>Let them go</button></div>` : nothing}
  </section>`;
}

function joinRequest(app: App, request: JoinRequest): TemplateResult {
  const { account } = request;
  const mine = app.memory.setting(`invited.${request.invitation}`) === "on";
  return html`<section class="request" data-testid="join-request" data-handle=${account.handle}>
    ${avatar(account.display_name)}
    <div class="row-text"><strong>${account.display_name}</strong><small>@${account.handle} would like to join your household</small>
      ${mine || !app.adult ? nothing : html`<small>Only the app that made the invitation can let them in.</small>`}</div>
    ${app.adult ? html`<div class="request-buttons">
      <label class="field"><span class="field-label">Joins as</span><select data-testid="admit-as" @change=${(event: Event) => {
        app.drafts.set(`admit:${account.id}`, (event.currentTarget as HTMLSelectElement).value);
      }}><option value="adult">Adult</option><option value="signs">Adult who may add contacts and devices</option><option value="child">Child</option></select></label>
      <button class="button" data-testid="refuse-member" @click=${() => void app.attempt(() => refuse(app, request))}>Turn away</button>
      <button class="button primary" data-testid="admit-member" @click=${() => void app.attempt(() => admit(app, request))}>Let in</button>
    </div>` : nothing}
  </section>`;
}

async function admit(app: App, request: JoinRequest): Promise<void> {
  const { invitation, account, app_key: appKey, label, proof } = request;
  const as = app.drafts.get<string>(`admit:${account.id}`) ?? "adult";
  const adult = as === "signs";
  const { entry, chain } = await app.e2ee.request("invite.admit", { invitation, appKey, person: account.id, label, proof, adult });
  const { device } = await app.e2ee.request("chain.inspect", { chain });
  await session(app).done({ type: "admit_member", invitation, account: account.id, device, adult, entry, chain, role: as === "child" ? "child" : "adult" });
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

