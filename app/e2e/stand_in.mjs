// A stand-in for the server, for tests of the screens and of the session client alone: all in memory, no media, checks nothing.
// Everything that crosses a call's media or the real rules is tested against the real server (calls.e2e.mjs).
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { createHash, randomBytes } from "node:crypto";
import { extname } from "node:path";
import { answerGuest, guestCame, knock } from "./stand_in_guests.mjs";
import { answerChildren, reviewed } from "./stand_in_children.mjs";
import { answerCompany, isBusy } from "./stand_in_company.mjs";
import { answerAnnouncement } from "./stand_in_announcements.mjs";
import { answerDropIn } from "./stand_in_drop_in.mjs";
import { answerRule, newDeviceSettings, newSettings, rungBy } from "./stand_in_rules.mjs";
import { accept } from "./stand_in_socket.mjs";

export const CSP = "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self' ws: wss:; manifest-src 'self'; media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".webmanifest": "application/manifest+json" };
const DIST = new URL("../dist/", import.meta.url);
const id = () => randomBytes(16).toString("hex");
const deviceId = (key) => createHash("sha256").update("homeline device v1").update(Buffer.from(key, "base64url")).digest("hex").slice(0, 32);
const DONE = { type: "done" };

export class StandIn {
  accounts = new Map();
  households = new Map();
  tokens = new Map();
  sessions = new Map();
  calls = new Map();
  pairings = new Map();
  invitations = new Map();
  links = new Map();
  history = [];
  /** The session protocol's version that it claims. */
  protocol = 1;
  /** Answers offers, if a test wants to. */
  answerOffer = () => new Promise(() => undefined);

  async start() {
    this.server = createServer((request, response) => void this.#http(request, response).catch((error) => {
      response.writeHead(error.status ?? 500, { "content-type": "application/json" });
      response.end(JSON.stringify({ code: error.code ?? "internal", message: error.message }));
    }));
    this.server.on("upgrade", (request, socket) => this.#session(request, socket));
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.url = `http://localhost:${this.server.address().port}`;
    return this;
  }

  stop() {
    for (const session of this.sessions.values()) session.socket?.cut();
    this.server.closeAllConnections();
    this.server.close();
  }

  /** Cuts every connection, as a bad network does; sessions stay and can be resumed. */
  cut() {
    for (const session of this.sessions.values()) session.socket?.cut();
  }

  sessionsOf(accountId) {
    return [...this.sessions.values()].filter((session) => session.account === accountId);
  }

  event(session, body) {
    const frame = { type: "event", seq: ++session.seq, body };
    session.outbox.push(frame);
    session.socket?.send(JSON.stringify(frame));
  }

  goodbye(session, code, message) {
    session.socket?.send(JSON.stringify({ type: "goodbye", error: { code, message } }));
    session.socket?.end();
    this.sessions.delete(session.id);
  }

  async #http(request, response) {
    const url = new URL(request.url, "http://x");
    if (!url.pathname.startsWith("/v1/")) {
      const path = url.pathname === "/" ? "index.html" : url.pathname === "/device" ? "device.html" : url.pathname === "/consent" ? "consent.html" : url.pathname === "/outside" ? "outside.html" : url.pathname.slice(1);
      const content = await readFile(new URL(path, DIST)).catch(() => undefined);
      response.writeHead(content === undefined ? 404 : 200, { "content-type": TYPES[extname(path)] ?? "text/plain", "content-security-policy": CSP });
      return response.end(content);
    }
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString());
    const answer = await this.#api(`${request.method} ${url.pathname}`, body, url);
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(answer ?? {}));
  }

  async #api(route, body, url) {
    if (route === "POST /v1/sign-up") return this.#signUp(body);
    if (route === "POST /v1/sign-in") return this.#signIn(body);
    if (route === "POST /v1/sign-out") return {};
    if (route === "POST /v1/guests") return knock(this, body);
    if (route === "POST /v1/consent/review") return reviewed();
    if (route === "GET /v1/about") return { version: "0.1.0", protocol: 1, app_hash: "0".repeat(64) };
    if (route === "POST /v1/pairings") return this.#openPairing(body);
    const [, pairingId, rest] = /^\w+ \/v1\/pairings\/(\w+)(\/reveal)?$/.exec(route) ?? [];
    const pairing = this.pairings.get(pairingId);
    if (pairing === undefined) throw refusal(404, "not_found", "No such thing.");
    if (rest !== undefined) {
      pairing.app && this.event(pairing.app, { type: "pairing_revealed", pairing: pairingId, ...body });
      return {};
    }
    for (let waited = 0; pairing.step <= Number(url.searchParams.get("after")) && waited < 100; waited++) await new Promise((resolve) => setTimeout(resolve, 100));
    return pairing.state;
  }

  #signUp({ handle, password, display_name, app, home }) {
    if ([...this.accounts.values()].some((account) => account.handle === handle)) throw refusal(409, "handle_taken", "Somebody has that handle already. Choose another.");
    const account = { id: home.account, handle, display_name, settings: newSettings() };
    this.accounts.set(account.id, account);
    account.password = password;
    const device = { id: deviceId(app.key), kind: "app", account: account.id, label: app.label, adult: true, presence: "online", chain: home.chain, settings: newDeviceSettings() };
    if (home.type === "join") {
      const household = this.households.get(this.invitations.get(home.invitation));
      const request = { invitation: home.invitation, account: shown(account), app_key: app.key, label: app.label, proof: home.proof };
      household.join_requests.push(request);
      this.tellHousehold(household, { type: "join_requested", ...request });
      return this.token(account, device.id, null);
    }
    const household = {
      id: createHash("sha256").update("homeline household v1").update(Buffer.from(home.genesis, "base64url")).digest("hex").slice(0, 32),
      genesis: home.genesis, roster: home.roster, recovery_certificate: home.recovery_certificate, members: [{ ...shown(account), role: "owner" }], devices: [device],
      contacts: [], join_requests: [], invitations: [], children: [], leave_requests: [],
    };
    this.households.set(household.id, household);
    account.household = household.id;
    return this.token(account, device.id, household.id);
  }

  #signIn({ handle, password, app }) {
    const account = [...this.accounts.values()].find((candidate) => candidate.handle === handle && candidate.password === password);
    if (account === undefined) throw refusal(401, "wrong_credentials", "Handle and password do not match.");
    return this.token(account, app?.device ?? null, account.household ?? null);
  }

  token(account, device, household) {
    const token = id();
    this.tokens.set(token, { account: account.id, device });
    return { token, account: account.id, device, household };
  }

  #openPairing({ handle, commit }) {
    const pairing = { id: id(), step: 0, state: { type: "waiting" } };
    this.pairings.set(pairing.id, pairing);
    const account = [...this.accounts.values()].find((candidate) => candidate.handle === handle);
    const offer = () => {
      pairing.app = this.sessionsOf(account?.id).find((session) => session.listening);
      if (pairing.app === undefined) return void setTimeout(offer, 200);
      this.event(pairing.app, { type: "pairing_offered", pairing: pairing.id, commit });
    };
    offer();
    return { pairing: pairing.id, secret: id(), expires_at_ms: Date.now() + 600_000 };
  }

  #session(request, raw) {
    let session;
    const socket = accept(request, raw, {
      text: (message) => {
        const frame = JSON.parse(message);
        if (frame.type === "hello") session = this.#hello(frame, socket);
        else if (frame.type === "ping") socket.send('{"type":"pong"}');
        else if (frame.type === "request" && session !== undefined) void this.#answer(session, frame);
      },
      closed: () => {
        if (session?.socket === socket) session.socket = undefined;
      },
    });
  }

  #hello({ token, resume, protocol }, socket) {
    const speaker = this.tokens.get(token);
    const refuse = (code, message) => {
      socket.send(JSON.stringify({ type: "goodbye", error: { code, message } }));
      socket.end();
    };
    if (protocol !== this.protocol) return refuse("protocol_version", "This page is older than the server. Reload it to go on.");
    if (speaker === undefined) return refuse("unauthorized", "Sign in first.");
    const old = resume === null ? undefined : this.sessions.get(resume.session);
    const session = old ?? { id: id(), ...speaker, seq: 0, outbox: [], replies: new Map() };
    this.sessions.set(session.id, session);
    session.socket = socket;
    const account = this.accounts.get(session.account);
    socket.send(JSON.stringify({
      type: "welcome", protocol: 1, session: session.id, resumed: old !== undefined, heartbeat_secs: 20, server_time_ms: Date.now(),
      account: session.account, device: session.device, household: account.household ?? null,
    }));
    if (old === undefined) guestCame(this, session);
    if (old !== undefined) for (const frame of session.outbox) if (frame.seq > resume.last_event) socket.send(JSON.stringify(frame));
    return session;
  }

  async #answer(session, { id: number, body }) {
    let result = session.replies.get(number);
    if (result === undefined) {
      try {
        result = { ok: (await this.#do(session, body)) ?? DONE };
      } catch (error) {
        result = { error: { code: error.code ?? "internal", message: error.message } };
      }
      session.replies.set(number, result);
    }
    session.socket?.send(JSON.stringify({ type: "reply", id: number, result }));
  }

  tellHousehold(household, event, except) {
    for (const session of this.sessions.values()) {
      if (session !== except && this.accounts.get(session.account)?.household === household.id) this.event(session, event);
    }
  }

  async #do(session, body) {
    const account = this.accounts.get(session.account);
    const household = this.households.get(account.household);
    const call = this.calls.get(body.call);
    const answer = answerCompany(this, session, account, body) ?? answerChildren(this, household, account, body) ?? answerDropIn(this, session, account, household, body)
      ?? answerAnnouncement(this, session, household, body);
    if (answer !== undefined) return answer;
    switch (body.type) {
      case "get_home": return {
        type: "home", account: shown(account), household: household ?? null, contacts: household?.contacts ?? [],
        invitations: household?.invitations ?? [], join_requests: household?.join_requests ?? [], answer_policies: household?.policies ?? [], drop_in_grants: household?.grants ?? [],
        settings: account.settings, children: household?.children ?? [], leave_requests: household?.leave_requests ?? [],
      };
      case "set_display_name": account.display_name = body.name; return DONE;
      case "set_presence": {
        const device = household.devices.find((candidate) => candidate.id === session.device);
        device.presence = body.presence;
        return void this.tellHousehold(household, { type: "presence_changed", device: device.id, presence: body.presence });
      }
      case "put_answer_policy": {
        const policy = { device: body.device, policy: body.policy };
        household.policies = [...(household.policies ?? []).filter((other) => other.device !== policy.device), policy];
        return void this.tellHousehold(household, { type: "answer_policy_put", ...policy }, session);
      }
      case "put_contact": {
        const contact = { id: body.contact, name: body.name, handle: body.handle, card: body.card };
        household.contacts = [...household.contacts.filter((other) => other.id !== contact.id), contact];
        return void this.tellHousehold(household, { type: "contact_put", ...contact }, session);
      }
      case "delete_contact":
        household.contacts = household.contacts.filter((other) => other.id !== body.contact);
        return void this.tellHousehold(household, { type: "contact_deleted", contact: body.contact }, session);
      case "create_invitation": {
        const invitation = { id: id(), expires_at_ms: Date.now() + 86_400_000 };
        this.invitations.set(invitation.id, household.id);
        return { type: "invitation", ...invitation };
      }
      case "admit_member": {
        const member = this.accounts.get(body.account);
        member.household = household.id;
        household.roster.push(body.entry);
        household.members.push({ ...shown(member), role: body.role ?? "adult" });
        if (body.role === "child") household.children.push({ account: member.id, limits: { calling: true, messaging: true, drop_in: false, contacts: [] }, consent: null });
        household.devices.push({ id: body.device, kind: "app", account: member.id, label: "App", adult: body.adult, presence: "online", chain: body.chain, settings: newDeviceSettings() });
        household.join_requests = household.join_requests.filter((request) => request.account.id !== member.id);
        for (const other of this.sessionsOf(member.id)) this.event(other, { type: "admitted", household: household.id, chain: body.chain, roster: household.roster });
        this.#grew(household, [body.entry]);
        for (const child of household.children.filter(({ account }) => account === member.id)) this.tellHousehold(household, { type: "child_changed", ...child });
        return undefined;
      }
      case "listen_for_pairing": session.listening = body.on; return DONE;
      case "accept_pairing": return void this.#step(body.pairing, 1, { type: "accepted", commit: body.commit });
      case "reveal_pairing": return void this.#step(body.pairing, 2, { type: "revealed", genesis: body.genesis, app_key: body.app_key, nonce: body.nonce });
      case "refuse_pairing": return void this.#step(body.pairing, 3, { type: "refused" });
      case "certify_pairing": {
        household.roster.push(body.entry);
        household.devices.push({ id: body.device, kind: body.kind, account: body.account, label: body.label, adult: body.adult, presence: "online", chain: body.chain, settings: newDeviceSettings() });
        const { token } = this.token(this.accounts.get(body.account), body.device, household.id);
        this.#step(body.pairing, 3, { type: "certified", chain: body.chain, roster: household.roster, token, account: body.account, household: household.id });
        return void this.#grew(household, [body.entry]);
      }
      case "remove_device":
        household.roster.push(body.entry);
        household.devices = household.devices.filter((device) => device.id !== body.device);
        for (const other of [...this.sessions.values()]) if (other.device === body.device) this.goodbye(other, "device_revoked", "This device was removed from its household.");
        return void this.#grew(household, [body.entry]);
      case "start_call": return this.#startCall(session, account, body);
      case "ringing":
        call.ringing.set(session.device, body);
        return void this.event(call.caller, { type: "device_ringing", call: body.call, device: session.device, key_package: body.key_package, statement: body.statement });
      case "answer": {
        if (call.answered !== undefined) throw refusal(409, "answered_elsewhere", "Answered on another device.");
        call.answered = session;
        for (const other of call.rung) if (other !== session) this.event(other, { type: "call_ended", call: body.call, reason: "answered_elsewhere" });
        const { key_package, statement } = call.ringing.get(session.device);
        return void this.event(call.caller, { type: "call_answered", call: body.call, device: session.device, media: body.media, key_package, statement });
      }
      case "decline": return this.#end(body.call, "declined");
      case "cancel": return this.#end(body.call, "cancelled");
      case "hang_up": return this.#end(body.call, body.reason);
      case "set_media": case "set_views": return DONE;
      case "get_address_book": return { type: "address_book", import: false, region: "US", entries: 0, number: null, verification: false };
      case "list_imported": return { type: "imported_entries", entries: [], more: false };
      case "list_contact_numbers": return { type: "contact_numbers", contacts: [], more: false };
      case "list_history": return { type: "history", calls: this.history.filter((past) => body.before_ms === null || past.started_at_ms < body.before_ms).slice(0, body.limit) };
      case "offer_media": return this.answerOffer(session, body);
      case "send_commit":
        for (const member of [call.caller, call.answered]) {
          if (member.device === body.welcome?.device) this.event(member, { type: "group_welcome", call: body.call, welcome: body.welcome.welcome, participants: [] });
          else this.event(member, { type: "group_commit", call: body.call, epoch: body.epoch, author: session.device, commit: body.commit });
        }
        return DONE;
      case "epoch_ready":
        for (const member of [call.caller, call.answered]) this.event(member, { type: "epoch_execute", call: body.call, epoch: body.epoch });
        return DONE;
      case "send_group_message":
        for (const member of [call.caller, call.answered]) {
          if (member !== session) this.event(member, { type: "group_message", call: body.call, author: session.device, message: body.message });
        }
        return DONE;
      default: return answerRule(this, session, account, household, body) ?? answerGuest(this, session, account, body) ?? DONE;
    }
  }

  #grew(household, entries) {
    this.tellHousehold(household, { type: "roster_grew", entries, members: household.members, devices: household.devices });
  }

  #step(pairingId, step, state) {
    Object.assign(this.pairings.get(pairingId), { step, state });
  }

  #startCall(session, account, { call, to, video, invitation }) {
    const rung = rungBy(this, session, account, to);
    this.calls.set(call, { caller: session, rung, ringing: new Map() });
    if (rung.length === 0) return this.#end(call, "unreachable");
    for (const other of rung) {
      this.event(other, { type: isBusy(this, other) ? "call_waiting" : "incoming_call", call, from: { handle: account.handle, display_name: account.display_name }, to: shown(to.place === "home" ? account : this.accounts.get(other.account)), video, invitation, expires_at_ms: Date.now() + 45_000 });
    }
    return DONE;
  }

  #end(callId, reason) {
    const call = this.calls.get(callId);
    call.over = true;
    for (const session of new Set([call.caller, ...call.rung])) this.event(session, { type: "call_ended", call: callId, reason });
    return DONE;
  }
}

function shown({ id: account, handle, display_name }) {
  return { id: account, handle, display_name };
}

function refusal(status, code, message) {
  return Object.assign(new Error(message), { status, code });
}
