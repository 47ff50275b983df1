// The stand-in's part for announcements: it relays what it can't read, for as long as anybody looks.

const DONE = { type: "done" };
const FRESH_MS = 300_000;

/** The answer to a request about an announcement; undefined for any other. */
export function answerAnnouncement(server, session, household, body) {
  switch (body.type) {
    case "get_time": return { type: "time", server_time_ms: Date.now() };
    case "put_sealing_key": {
      kept(household).keys.set(session.device, body.statement);
      return DONE;
    }
    case "get_sealing_keys": return { type: "sealing_keys", keys: [...kept(household).keys].map(([device, statement]) => ({ device, statement })) };
    case "announce": return announce(server, session, household, body);
    case "list_announcements": {
      const mine = kept(household).announced.filter(({ open }) => open.has(session.device));
      return { type: "announcements", announcements: mine.map(({ told, open }) => ({ ...told, play: open.get(session.device) })) };
    }
    case "get_announcement": return { type: "announcement_content", content: find(household, body).content };
    case "heard_announcement": {
      const one = find(household, body);
      one.open.delete(session.device);
      server.event(one.from, { type: "announcement_heard", announcement: body.announcement, device: session.device, heard: body.heard });
      return DONE;
    }
    case "announce_live": return announceLive(server, session, household, body);
    case "hear_live": {
      const call = server.calls.get(body.call);
      call.answered = session;
      const media = { microphone: false, camera: false };
      server.event(call.caller, { type: "call_answered", call: body.call, device: session.device, media, key_package: body.key_package, statement: body.statement });
      const participants = [call.caller, session].map(({ device }) => ({ device, account: "", party: { handle: "anna", display_name: "Anna" }, media }));
      server.event(call.caller, { type: "participants", call: body.call, participants });
      return DONE;
    }
    default: return undefined;
  }
}

function announce(server, session, household, { announcement, statement, content, to }) {
  const told = { announcement, statement, begin_at_ms: Date.now() + 250, expires_at_ms: Date.now() + FRESH_MS };
  const one = { told, content, from: session, open: new Map() };
  kept(household).announced.push(one);
  const goes = ({ id, settings }) => to.type === "home" || to.device === id || to.room?.toLowerCase() === settings.room.toLowerCase();
  const receivers = household.devices.filter((device) => device.kind === "home_device" && device.id !== session.device && goes(device)).map(({ id, settings }) => {
    const there = [...server.sessions.values()].find(({ device }) => device === id);
    const play = !settings.do_not_disturb;
    one.open.set(id, play);
    if (there !== undefined && play) server.event(there, { type: "announced", ...told, play });
    return { device: id, fate: !play ? "quiet" : there === undefined ? "away" : "told" };
  });
  return { type: "announced", receivers };
}

/** One room hears it at a time: that is all that screens need. */
function announceLive(server, session, household, { call, statement, to }) {
  const rung = [];
  const receivers = household.devices.filter((device) => device.kind === "home_device" && device.id !== session.device && (to.type === "home" || to.device === device.id)).map(({ id, settings }) => {
    const there = [...server.sessions.values()].find(({ device }) => device === id);
    const told = there !== undefined && !settings.do_not_disturb;
    if (told) rung.push(there);
    return { device: id, fate: told ? "told" : there === undefined ? "away" : "quiet" };
  });
  server.calls.set(call, { caller: session, rung, ringing: new Map() });
  for (const one of rung) server.event(one, { type: "live_announcement", call, device: session.device, statement });
  return { type: "announced", receivers };
}

function find(household, { announcement }) {
  return kept(household).announced.find(({ told }) => told.announcement === announcement);
}

function kept(household) {
  return (household.announcements ??= { keys: new Map(), announced: [] });
}
