// The stand-in's part for a second call and for what a test says by itself: who is in a call, and which call runs elsewhere.

const DONE = { type: "done" };

/** The answer to a request about a call that moves, or runs elsewhere; undefined for any other. */
export function answerCompany(server, session, account, body) {
  const call = server.calls.get(body.call);
  const moves = call !== undefined && call.movesTo === session;
  switch (body.type) {
    case "list_calls": return { type: "calls", calls: server.elsewhere ?? [] };
    case "move_call": {
      const target = [...server.sessions.values()].find(({ device }) => device === body.to);
      const other = server.accounts.get((call.caller === session ? call.answered : call.caller).account);
      Object.assign(call, { movesTo: target, movesFrom: session });
      server.event(target, {
        type: "move_offered", call: body.call, from: session.device, party: { handle: other.handle, display_name: other.display_name },
        to: { id: account.id, handle: account.handle, display_name: account.display_name }, video: false, invitation: body.invitation, expires_at_ms: Date.now() + 30_000,
      });
      return DONE;
    }
    case "ringing": return moves ? DONE : undefined;
    case "decline":
      if (!moves) return undefined;
      call.movesTo = undefined;
      server.event(session, { type: "call_ended", call: body.call, reason: "declined" });
      server.event(call.movesFrom, { type: "move_ended", call: body.call, device: session.device, reason: "declined" });
      return DONE;
    default: return undefined;
  }
}

/** Whether a session takes part in a call that was answered. */
export function isBusy(server, session) {
  return [...server.calls.values()].some(({ over, caller, answered }) => over !== true && answered !== undefined && (caller === session || answered === session));
}

/** Everybody of these names is in the call of the one with this handle, besides the one who is. */
export function crowd(server, handle, names) {
  const { session, id } = callOf(server, handle);
  const { caller, answered } = server.calls.get(id);
  const other = caller === session ? answered : caller;
  const media = { microphone: true, camera: false };
  const account = server.accounts.get(other.account);
  const first = { device: other.device, account: other.account, party: { handle: account.handle, display_name: account.display_name }, media };
  const rest = names.map((name, nth) => ({
    device: nth.toString(16).padStart(32, "d"), account: nth.toString(16).padStart(32, "e"), party: { handle: name.toLowerCase().replaceAll(/\W/g, "-"), display_name: name },
    media: { ...media, microphone: nth % 3 !== 1 },
  }));
  server.event(session, { type: "participants", call: id, participants: [first, ...rest] });
}

/** Says something about the call that somebody is in. */
export function tell(server, handle, event) {
  const { session, id } = callOf(server, handle);
  server.event(session, { ...event, call: id });
}

function callOf(server, handle) {
  for (const [id, { over, caller, answered }] of server.calls) {
    const session = [caller, answered].find((one) => one !== undefined && server.accounts.get(one.account).handle === handle);
    if (over !== true && session !== undefined) return { session, id };
  }
  throw new Error(`${handle} is in no call`);
}
