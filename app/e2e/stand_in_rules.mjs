// The stand-in's part for the rules of reaching people: keeps what is set and tells it, and rings nobody who is silent or has blocked the caller.

const DONE = { type: "done" };

export function newSettings() {
  return { do_not_disturb: { everywhere: false, schedule: null, exceptions: [] }, blocked: [], top_contact: null };
}

export function newDeviceSettings() {
  return {
    room: "", do_not_disturb: false, capabilities: { microphone: true, speaker: true, screen: false, camera: false }, switches: { microphone: true, camera: "on" }, drop_in: true, recently_active: true,
  };
}

/** The answer to a request about rules; undefined for any other. `server` is the stand-in. */
export function answerRule(server, session, account, household, body) {
  const device = household?.devices.find((candidate) => candidate.id === (body.device ?? session.device));
  const tellDevice = () => {
    server.tellHousehold(household, { type: "device_settings_changed", device: device.id, label: device.label, settings: device.settings }, session);
    return DONE;
  };
  const tellPerson = (event) => {
    for (const other of server.sessionsOf(account.id)) if (other !== session) server.event(other, event);
    return DONE;
  };
  switch (body.type) {
    case "set_role": {
      const member = household.members.find(({ id }) => id === body.account);
      member.role = body.role;
      household.children = household.children.filter((child) => child.account !== member.id);
      server.tellHousehold(household, { type: "member_changed", ...member });
      if (body.role === "child") tellChild(server, household, { account: member.id, limits: { calling: true, messaging: true, drop_in: false, contacts: [] }, consent: null });
      return DONE;
    }
    case "set_child_limits": return tellChild(server, household, { ...household.children.find((child) => child.account === body.account), limits: body.limits });
    case "remove_member": return leave(server, household, body.account, body.entries);
    case "leave_household": {
      if (body.entries.length > 0) return leave(server, household, account.id, body.entries, session);
      household.leave_requests.push(account.id);
      server.tellHousehold(household, { type: "leave_requested", account: account.id });
      return DONE;
    }
    case "deregister": {
      if (body.password !== account.password) throw Object.assign(new Error("That is not your password."), { code: "wrong_credentials" });
      for (const kept of household.devices) if (kept.account === account.id && kept.kind === "home_device" && body.hand_over_to !== null) kept.account = body.hand_over_to;
      server.accounts.delete(account.id);
      return leave(server, household, account.id, body.entries, session);
    }
    case "set_device":
      device.label = body.label ?? device.label;
      device.settings.room = body.room ?? device.settings.room;
      return tellDevice();
    case "set_capabilities": device.settings.capabilities = body.capabilities; return tellDevice();
    case "set_switches": device.settings.switches = body.switches; return tellDevice();
    case "set_device_do_not_disturb": device.settings.do_not_disturb = body.on; return tellDevice();
    case "set_drop_in": device.settings.drop_in = body.on; return tellDevice();
    case "set_recently_active": device.settings.recently_active = body.on; return tellDevice();
    case "put_drop_in_grant": {
      const grant = { id: body.grant, statement: body.statement };
      household.grants = [...(household.grants ?? []).filter(({ id }) => id !== grant.id), grant];
      server.tellHousehold(household, { type: "drop_in_grant_put", ...grant });
      return DONE;
    }
    case "set_do_not_disturb_everywhere":
      account.settings.do_not_disturb.everywhere = body.on;
      return tellPerson({ type: "do_not_disturb_changed", ...account.settings.do_not_disturb });
    case "set_do_not_disturb":
      account.settings.do_not_disturb = body.do_not_disturb;
      return tellPerson({ type: "do_not_disturb_changed", ...body.do_not_disturb });
    case "block": case "unblock":
      account.settings.blocked = account.settings.blocked.filter((handle) => handle !== body.handle);
      if (body.type === "block") account.settings.blocked.push(body.handle);
      return tellPerson({ type: "blocks_changed", blocked: account.settings.blocked });
    case "set_top_contact":
      account.settings.top_contact = body.top_contact;
      return tellPerson({ type: "top_contact_changed", top_contact: body.top_contact });
    default: return undefined;
  }
}

/** The sessions that a call rings: of a person, of one device, or of all home devices. */
export function rungBy(server, session, caller, to) {
  const others = [...server.sessions.values()].filter((other) => other !== session);
  const home = server.households.get(caller.household);
  const device = (other) => server.households.get(server.accounts.get(other.account)?.household)?.devices.find(({ id }) => id === other.device);
  if (to.device !== undefined) return others.filter((other) => other.device === to.device);
  if (to.guest !== undefined) return others.filter((other) => other.device === to.guest);
  if (to.place === "home") return others.filter((other) => home.devices.some(({ id, kind }) => id === other.device && kind === "home_device"));
  const callee = [...server.accounts.values()].find((candidate) => candidate.handle === to.handle);
  if (callee === undefined || callee.settings.blocked.includes(caller.handle) || callee.settings.do_not_disturb.everywhere) return [];
  return others.filter((other) => other.account === callee.id && device(other)?.settings.do_not_disturb !== true);
}

function tellChild(server, household, child) {
  household.children = [...household.children.filter(({ account }) => account !== child.account), child];
  server.tellHousehold(household, { type: "child_changed", ...child });
  return DONE;
}

function leave(server, household, accountId, entries, asking) {
  household.roster.push(...entries);
  const gone = household.devices.filter((device) => device.account === accountId).map(({ id }) => id);
  household.members = household.members.filter(({ id }) => id !== accountId);
  household.devices = household.devices.filter(({ id }) => !gone.includes(id));
  household.leave_requests = household.leave_requests.filter((id) => id !== accountId);
  household.children = household.children.filter(({ account }) => account !== accountId);
  for (const other of [...server.sessions.values()]) if (gone.includes(other.device) && other !== asking) server.goodbye(other, "device_revoked", "This device was removed from its household.");
  server.tellHousehold(household, { type: "roster_grew", entries, members: household.members, devices: household.devices });
  return DONE;
}
