// The stand-in's part for drop-ins: it relays between the one who drops in and the device, and decides nothing.

const DONE = { type: "done" };

/** The answer to a request about a drop-in, its ledger, or who is near; undefined for any other. */
export function answerDropIn(server, session, account, household, body) {
  const call = server.calls.get(body.call);
  switch (body.type) {
    case "may_drop_in": return DONE;
    case "get_recently_active": return { type: "recently_active", devices: server.near ?? [] };
    case "get_ledger_heads": return { type: "ledger_heads", heads: [...ledgers(household)].map(([device, entries]) => ({ device, length: entries.length })) };
    case "list_ledger": return { type: "ledger", entries: (ledgers(household).get(body.device) ?? []).slice(body.from), more: false };
    case "append_ledger": {
      const entries = ledgers(household).get(session.device) ?? [];
      ledgers(household).set(session.device, entries);
      entries[body.index] = body.entry;
      for (const one of server.sessions.values()) server.event(one, { type: "ledger_grew", device: session.device, index: body.index, entry: body.entry });
      return DONE;
    }
    case "drop_in": {
      const target = [...server.sessions.values()].find(({ device }) => device === body.to.device);
      server.calls.set(body.call, { caller: target, rung: [session], ringing: new Map(), dropIn: { key_package: body.key_package, statement: body.asking } });
      server.event(target, {
        type: "drop_in_asked", call: body.call, from: { handle: account.handle, display_name: account.display_name }, picture: body.picture, asking: body.asking,
        key_package: body.key_package, grant: household.grants.at(-1), expires_at_ms: Date.now() + 8_000,
      });
      return DONE;
    }
    case "refuse_drop_in":
      call.over = true;
      for (const one of call.rung) server.event(one, { type: "drop_in_refused", call: body.call, refusal: body.refusal });
      return DONE;
    case "open_drop_in": {
      const [initiator] = call.rung;
      call.answered = initiator;
      const label = household.devices.find(({ id }) => id === session.device).label;
      server.event(session, { type: "call_answered", call: body.call, device: initiator.device, media: { microphone: true, camera: false }, ...call.dropIn });
      server.event(initiator, { type: "drop_in_opened", call: body.call, device: session.device, label });
      server.event(initiator, { type: "drop_in_stage", call: body.call, stage: body.stage });
      return DONE;
    }
    case "set_drop_in_stage":
      for (const one of call.rung) server.event(one, { type: "drop_in_stage", call: body.call, stage: body.stage });
      return DONE;
    default: return undefined;
  }
}

/** What each home device wrote. */
function ledgers(household) {
  return (household.ledgers ??= new Map());
}
