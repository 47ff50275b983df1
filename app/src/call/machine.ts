//! The call as a state machine: `step(state, input)` gives the next state and what is to be done. Pure.
//!
//! Inputs about another call than the present one change nothing: a late event never touches a newer call.

import type { CallId, DropInRefusal, MediaState } from "../protocol.ts";
import { ALONE, company, present } from "./company.ts";
import { dropIn } from "./drop_in.ts";
import { capturesNothing, ended, live, roomsWith } from "./live.ts";
import { pinAfter } from "./pins.ts";
import type { At, On, Step } from "./step.ts";
import { stay, to } from "./step.ts";
import type { CallState, Effect, Ending, Input, PeerView, Running, Source, Waiting, Warning } from "./state.ts";
import { waiting } from "./waiting.ts";

export type { Step } from "./step.ts";

const OFF: Source = { on: false, problem: undefined };
const ON: Source = { on: true, problem: undefined };

/** These bring a call of their own. */
const BEGINS: ReadonlySet<Input["on"]> = new Set(["dial", "incoming", "rejoin", "drop_in", "drop_in_arrives", "live_speaks", "live_hears"]);

export function step(state: CallState, input: Input): Step {
  if (capturesNothing(state, input)) return stay(state);
  const next = stepOf(state, input);
  const over = ended(state, next.state, input);
  return over === undefined ? next : { ...next, effects: [...next.effects, over] };
}

function stepOf(state: CallState, input: Input): Step {
  if ("call" in input && !BEGINS.has(input.on)) {
    if (state.at === "running" && state.waiting?.call === input.call) return waiting(state, input, begun);
    if (input.on !== "take_over" && (state.at === "idle" || state.call !== input.call)) return stay(state);
  }
  switch (input.on) {
    case "dial": return dial(state, input);
    case "incoming": return incoming(state, input);
    case "rejoin": return rejoin(state, input);
    case "take_over": return takeOver(state, input);
    case "over": return over(state, input.reason, input.nowMs);
    case "dismiss": return state.at === "ended" ? to({ at: "idle" }) : stay(state);
    case "hang_up": return hangUp(state, input);
    case "drop_in": case "drop_in_opened": case "drop_in_refused": case "drop_in_arrives": case "drop_in_opens": case "drop_in_answered":
    case "drop_in_stage": case "drop_in_over":
      return dropIn(state, input, { begin, end });
    case "live_speaks": case "live_announced": case "live_declined": case "live_answered": case "live_hears": return live(state, input, { begin });
  }
  if (state.at === "outgoing") return outgoing(state, input);
  if (state.at === "incoming") return ringing(state, input);
  if (state.at === "running") return running(state, input);
  return stay(state);
}

function dial(state: CallState, { call, peer, video }: On<"dial">): Step {
  if (state.at !== "idle" && state.at !== "ended") return stay(state);
  return to(
    { at: "outgoing", call, peer, video, ringing: false, microphone: ON, camera: video ? ON : OFF, warnings: [], theirSwitches: {} },
    { do: "tone", tone: "none" },
    { do: "start", call, peer, video },
    { do: "open_media", call, camera: video },
  );
}

function incoming(state: CallState, input: On<"incoming">): Step {
  if (state.at !== "idle" && state.at !== "ended") return stay(state);
  const { call, peer, video, to: person, expiresAtMs, moves = false, outgoing: mine = false } = input;
  return to(
    { at: "incoming", call, peer, video, to: person, expiresAtMs, theirSwitches: {}, moves, outgoing: mine },
    { do: "tone", tone: "ring" },
    { do: "announce", call, peer, video, moves },
    { do: "connect_media", call, camera: video },
  );
}

/** After a reload: in the call still, with new keys. */
function rejoin(state: CallState, { call, peer, video, outgoing: mine, nowMs }: On<"rejoin">): Step {
  if (state.at !== "idle") return stay(state);
  const next = { ...begin(call, peer, video, mine, nowMs, ON, video ? ON : OFF), rejoined: true };
  return to(
    next,
    { do: "rejoin", call, genesis: peer.genesis, media: media(next) },
    { do: "open_media", call, camera: video },
    ...remember(next),
  );
}

/** Asked for at this device, so nothing rings: it goes on here, with the microphone alone. */
function takeOver(state: CallState, { call, peer, video, outgoing: mine, nowMs }: On<"take_over">): Step {
  if (state.at !== "idle" && state.at !== "ended") return stay(state);
  const next = begin(call, peer, video, mine, nowMs, ON, OFF);
  return to(
    next,
    { do: "answer", call, genesis: peer.genesis, media: media(next) },
    { do: "open_media", call, camera: false },
    { do: "tone", tone: "answered" },
    ...remember(next),
  );
}

/** The second call has become the first. */
function begun(state: At<"running">, video: boolean, nowMs: number): Step {
  const { waiting: second } = state;
  if (second === undefined) return stay(state);
  const camera = video && state.camera.on ? ON : OFF;
  const fresh = begin(second.call, second.peer, second.video, false, nowMs, ON, camera);
  const next = { ...fresh, ...present(fresh, second.participants) };
  return to(
    next,
    { do: "close", call: state.call },
    { do: "tone", tone: "none" },
    { do: "open_media", call: next.call, camera: camera.on },
    ...remember(next),
  );
}

function outgoing(state: At<"outgoing">, input: Input): Step {
  switch (input.on) {
    case "start_failed":
      return end(state, input.reason, 0);
    case "device_rings": {
      if (input.verdict === "changed") return refuse(state, input.genesis);
      const peer = { ...state.peer, verdict: input.verdict, genesis: input.genesis };
      return state.ringing ? to({ ...state, peer }) : to({ ...state, peer, ringing: true }, { do: "tone", tone: "ringback" });
    }
    case "device_refused":
      return to({ ...state, warnings: warn(state.warnings, "refused_device") });
    case "their_switches":
      return to({ ...state, theirSwitches: { ...state.theirSwitches, [input.device]: input.media } });
    case "answered":
      return answered(state, input);
    case "cancel": {
      const ended = end(state, "cancelled", 0);
      return { ...ended, effects: [givenUp(state), ...ended.effects] };
    }
    case "toggle": return toggle(state, input);
    case "captured": return captured(state, input);
    default: return stay(state);
  }
}

/** A household came with another key than the pinned one: that device is not let in, and the person hears of it. */
function refuse(state: At<"outgoing">, genesis: string): Step {
  const effects: Effect[] = state.peer.contact === undefined ? [] : [{ do: "changed_key", contact: state.peer.contact, genesis }];
  return to({ ...state, warnings: warn(state.warnings, "refused_device") }, ...effects);
}

function answered(state: At<"outgoing">, input: On<"answered">): Step {
  if (input.verdict === "changed") {
    const refused = refuse(state, input.genesis);
    const ended = end(refused.state as At<"outgoing">, "encryption_refused", 0, input.genesis);
    return {
      state: ended.state,
      effects: [...refused.effects, { do: "hang_up", call: state.call, reason: "encryption_refused" }, ...ended.effects],
    };
  }
  const peer = { ...state.peer, verdict: input.verdict, genesis: input.genesis };
  const next = begin(state.call, peer, state.video, true, input.nowMs, state.microphone, state.camera);
  return to(
    { ...next, path: input.path, theirDevice: input.device, theirMedia: input.media, warnings: state.warnings },
    { do: "admit", call: state.call, device: input.device, genesis: input.genesis, ...asGuest(input), keyPackage: input.keyPackage, statement: input.statement, create: false },
    // Switched or found missing while it rang: the other side hears of it now.
    { do: "tell_media", call: state.call, media: media(next) },
    { do: "tone", tone: "answered" },
    ...remember(next),
  );
}

function asGuest({ verdict }: On<"answered">): { guest?: true } {
  return verdict === "guest" ? { guest: true } : {};
}

function ringing(state: At<"incoming">, input: Input): Step {
  switch (input.on) {
    case "ring_expired":
      return silently(state);
    case "their_switches":
      return to({ ...state, theirSwitches: { ...state.theirSwitches, [input.device]: input.media } });
    case "decline": {
      const quiet = silently(state);
      return { ...quiet, effects: [{ do: "decline", call: state.call }, ...quiet.effects] };
    }
    case "answer": {
      const fresh = begin(state.call, state.peer, state.video, state.outgoing, input.nowMs, ON, input.video ? ON : OFF);
      const next = { ...fresh, path: input.path, theirMedia: Object.values(state.theirSwitches).at(-1) ?? fresh.theirMedia };
      return to(
        next,
        { do: "tone", tone: "none" },
        { do: "unannounce" },
        { do: "answer", call: state.call, genesis: state.peer.genesis, media: media(next) },
        { do: "open_media", call: state.call, camera: input.video },
        ...remember(next),
      );
    }
    default:
      return stay(state);
  }
}

function running(state: At<"running">, input: Input): Step {
  switch (input.on) {
    case "answer_failed": return over(state, input.reason, state.sinceMs);
    case "start_failed": return state.live === undefined ? stay(state) : over(state, input.reason, state.sinceMs);
    case "answered": return joinedAnew(state, input);
    case "toggle": return toggle(state, input);
    case "captured": return captured(state, input);
    case "path": return to({ ...state, path: input.path });
    case "participants": {
      const heard = state.live && roomsWith(state.live, input.participants, input.self);
      return to({ ...state, live: heard, ...present(state, input.participants.filter(({ device }) => device !== input.self)) });
    }
    case "their_connection": {
      const others = state.lost.filter((device) => device !== input.device);
      const lost = input.connected ? others : [...others, input.device];
      return to({ ...state, lost, theirConnected: state.theirDevice === undefined || !lost.includes(state.theirDevice) });
    }
    case "sending": return sending(state);
    case "code": return to({ ...state, code: input.code });
    case "warning": return warned(state, input.warning);
    case "not_admitted": return hangUp(state, { on: "hang_up", reason: "encryption_refused", nowMs: input.nowMs });
    case "stopped": return to({ ...state, keys: input.reason });
    case "peer_pinned":
      return input.contact === state.peer.contact ? to({ ...state, peer: { ...state.peer, verdict: input.verdict } }) : stay(state);
    case "waiting": return state.waiting === undefined ? to({ ...state, waiting: input.waiting }, { do: "tone", tone: "waiting" }) : stay(state);
    case "answer_waiting": case "decline_waiting": return waiting(state, input, begun);
    case "end_for_everyone": {
      const ended = end(state, "hung_up", input.nowMs);
      return { ...ended, effects: [{ do: "end_for_everyone", call: state.call }, ...ended.effects] };
    }
    default: return company(state, input);
  }
}

/** The other side came back as a new member after a reload. */
function joinedAnew(state: At<"running">, input: On<"answered">): Step {
  // In company it may be any of them; of whom the group knew the household, that one and no other comes back.
  const before = state.known[input.device];
  const inCompany = before !== undefined && before.genesis === input.genesis && input.genesis !== state.peer.genesis;
  if (inCompany || state.others.some((other) => other.device === input.device)) {
    const { call, device, keyPackage, statement } = input;
    return to(state, { do: "admit_again", call, device, keyPackage, statement });
  }
  if (input.verdict === "changed" || (state.peer.genesis !== undefined && state.peer.genesis !== input.genesis)) {
    return to({ ...state, warnings: warn(state.warnings, "refused_device") });
  }
  const { call, device, genesis, keyPackage, statement } = input;
  const create = state.rejoined && state.keys === "waiting";
  return to(
    { ...state, theirDevice: device, theirMedia: input.media, theirConnected: true, peer: { ...state.peer, genesis } },
    { do: "admit", call, device, genesis, ...asGuest(input), keyPackage, statement, create },
  );
}

/** After a member that nobody invited, or a commit that is not valid, the group can't be trusted: the call ends, and says why. */
function warned(state: At<"running">, warning: Warning): Step {
  const next = { ...state, warnings: warn(state.warnings, warning) };
  if (warning !== "refused_member" && warning !== "invalid_commit") return to(next);
  const ended = end(next, "encryption_refused", next.sinceMs);
  return { ...ended, effects: [{ do: "hang_up", call: state.call, reason: "encryption_refused" }, ...ended.effects] };
}

/** Only now is it sure who is there: the first meeting is pinned. */
function sending(state: At<"running">): Step {
  const next: At<"running"> = { ...state, keys: "sending" };
  const { contact, genesis, verdict } = state.peer;
  if (contact === undefined || genesis === undefined || verdict === undefined || pinAfter(verdict) === undefined) return to(next);
  return to(next, { do: "pin", contact, genesis, verdict });
}

function hangUp(state: CallState, { reason, nowMs }: On<"hang_up">): Step {
  if (state.at === "outgoing") {
    const ended = end(state, reason === "hung_up" ? "cancelled" : reason, nowMs);
    const effect: Effect = reason === "hung_up" ? givenUp(state) : { do: "hang_up", call: state.call, reason };
    return { ...ended, effects: [effect, ...ended.effects] };
  }
  if (state.at !== "running") return stay(state);
  const ended = end(state, reason, nowMs);
  return { ...ended, effects: [{ do: "hang_up", call: state.call, reason }, ...ended.effects] };
}

function givenUp({ call, dropIn: drops }: At<"outgoing">): Effect {
  return drops === undefined ? { do: "cancel", call } : { do: "hang_up", call, reason: "hung_up" };
}

/** The server says that it is over. */
function over(state: CallState, reason: Ending, nowMs: number): Step {
  if (state.at === "incoming") {
    return silently(state);
  }
  if (state.at === "arriving") return to({ at: "idle" }, { do: "close", call: state.call });
  return state.at === "outgoing" || state.at === "running" ? end(state, reason, nowMs) : stay(state);
}

/** Stops ringing without a screen of its own: the history tells. */
function silently(state: At<"incoming">): Step {
  return to({ at: "idle" }, { do: "tone", tone: "none" }, { do: "unannounce" }, { do: "close", call: state.call });
}

function end(state: At<"outgoing"> | At<"running">, reason: Ending, nowMs: number, changedKey?: string, refusal?: DropInRefusal): Step {
  const drops = state.dropIn === undefined ? {} : { dropIn: { refusal } };
  const second = state.at === "running" ? state.waiting : undefined;
  // What was refused for safety is read before anything else; the second call rings on at other devices.
  if (state.at === "running" && second !== undefined && (reason !== "encryption_refused" || state.live !== undefined)) return nextInLine(state, second, nowMs);
  const { call, peer, video } = state;
  // Nobody at the target answered anything, so nothing is to be closed; what was refused for safety is read all the same.
  if (state.at === "running" && state.dropIn?.side === "target" && reason !== "encryption_refused") {
    return to({ at: "idle" }, { do: "tone", tone: "ended" }, { do: "close", call }, { do: "forget" });
  }
  // What became of it stands in its list; at the device that heard it everything is as before.
  if (state.at === "running" && state.live !== undefined) return to({ at: "idle" }, { do: "tone", tone: "ended" }, { do: "close", call }, { do: "forget" });
  const mine = state.at === "outgoing" || state.outgoing;
  const seconds = state.at === "running" ? Math.max(0, Math.round((nowMs - state.sinceMs) / 1_000)) : undefined;
  const movedTo = state.at === "running" && reason === "moved" ? state.moving?.label : undefined;
  return to(
    { at: "ended", call, peer, video, outgoing: mine, reason, changedKey, seconds, movedTo, ...drops },
    { do: "tone", tone: "ended" },
    { do: "unannounce" },
    { do: "close", call },
    ...(second === undefined ? [] : [{ do: "close", call: second.call } as const]),
    { do: "forget" },
  );
}

/** The first call is over while a second one waits: it rings now, or is the call if it was answered. */
function nextInLine(state: At<"running">, { call, peer, video, to: person, expiresAtMs, answering }: Waiting, nowMs: number): Step {
  if (answering) return begun(state, video, nowMs);
  const next = incoming({ at: "idle" }, { on: "incoming", call, peer, video, to: person, expiresAtMs });
  return { ...next, effects: [{ do: "close", call: state.call }, { do: "forget" }, ...next.effects] };
}

function begin(call: CallId, peer: PeerView, video: boolean, mine: boolean, nowMs: number, microphone: Source, camera: Source): At<"running"> {
  const next: Running = {
    call, peer, video, outgoing: mine, rejoined: false, sinceMs: nowMs, microphone, camera, path: "connecting", keys: "waiting", code: undefined,
    dropIn: undefined, live: undefined, warnings: [], theirDevice: undefined, theirMedia: { microphone: true, camera: false }, theirConnected: true, others: [], ...ALONE,
  };
  return { at: "running", ...next };
}

function toggle(state: At<"outgoing"> | At<"running">, { source, to: on }: On<"toggle">): Step {
  const next = { ...state, [source]: { on, problem: undefined } };
  const effects: Effect[] = [{ do: "switch", source, on }];
  if (next.at === "running") effects.push({ do: "tell_media", call: next.call, media: media(next) });
  return to(next, ...effects);
}

function captured(state: At<"outgoing"> | At<"running">, { source, problem }: On<"captured">): Step {
  const before = state[source];
  // Muted by the person: that is what is shown and kept, whatever becomes of the device meanwhile.
  if (problem !== undefined && !before.on && before.problem === undefined) return stay(state);
  // Who switched it off meanwhile keeps it off; a device that failed is off, says why, and is on again once it is plugged in.
  const on = problem === undefined && (before.on || before.problem !== undefined);
  const next = { ...state, [source]: { on, problem } };
  if (next.at !== "running" || next[source].on === before.on) return to(next);
  return to(next, { do: "tell_media", call: next.call, media: media(next) });
}

function media(state: { microphone: Source; camera: Source }): MediaState {
  return { microphone: state.microphone.on, camera: state.camera.on };
}

function remember(state: At<"running">): Effect[] {
  const { call, peer, video, outgoing: mine } = state;
  return [{ do: "remember", call, peer, video, outgoing: mine }];
}

function warn(warnings: readonly Warning[], warning: Warning): Warning[] {
  return warnings.includes(warning) ? [...warnings] : [...warnings, warning];
}
