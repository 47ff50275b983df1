//! More than two in a call, and a call that moves to another device: the part of the call machine for both. Pure.

import type { Participant } from "../protocol.ts";
import { pinAfter } from "./pins.ts";
import type { Company, Input, Running } from "./state.ts";
import type { At, On, Step } from "./step.ts";
import { stay, to } from "./step.ts";

export const ALONE: Company = {
  known: {}, lost: [], theirParty: undefined, adding: undefined, notAdded: undefined, joining: undefined, moving: undefined, notMoved: undefined, waiting: undefined,
  speaking: [], lead: undefined, grades: {},
};

/** Everybody besides this device: the first of them stands for the call, the others beside. */
export function present(state: Running, participants: readonly Participant[]): Pick<Running, "theirDevice" | "theirParty" | "theirMedia" | "theirConnected" | "others" | "lost"> {
  const [first, ...others] = participants;
  const lost = state.lost.filter((device) => participants.some((one) => one.device === device));
  if (first === undefined) {
    const { theirDevice, theirParty, theirMedia, theirConnected } = state;
    return { theirDevice, theirParty, theirMedia, theirConnected, others: state.others, lost };
  }
  return { theirDevice: first.device, theirParty: first.party, theirMedia: first.media, theirConnected: !lost.includes(first.device), others, lost };
}

export function company(state: At<"running">, input: Input): Step {
  switch (input.on) {
    case "member": return member(state, input);
    case "add": return add(state, input);
    case "stop_adding": return state.adding === undefined ? stay(state) : to(state, { do: "stop_adding", call: state.call });
    case "adding_rings": return state.adding === undefined ? stay(state) : to({ ...state, adding: { ...state.adding, ringing: true } });
    case "adding_answered": return answered(state, input);
    case "not_added": return state.adding === undefined ? stay(state) : to({ ...state, adding: undefined, notAdded: { name: state.adding.name, why: input.why } });
    case "move": {
      const { device, label } = input;
      return to({ ...state, moving: { device, label }, notMoved: undefined }, { do: "move", call: state.call, device, video: state.video });
    }
    case "not_moved":
      return state.moving?.device === input.device ? to({ ...state, moving: undefined, notMoved: { name: state.moving.label, why: input.why } }) : stay(state);
    case "speakers": return to({ ...state, speaking: input.devices, lead: input.devices.find((device) => device !== input.self) ?? state.lead });
    case "connections": return to({ ...state, grades: Object.fromEntries(input.others.map(({ device, grade }) => [device, grade])) });
    case "notes_read": return to({ ...state, notAdded: undefined, notMoved: undefined });
    default: return stay(state);
  }
}

/** Only in the group is it sure who came: the first meeting is pinned. */
function member(state: At<"running">, { device, known }: On<"member">): Step {
  const next = { ...state, known: { ...state.known, [device]: known } };
  const { joining } = state;
  if (joining?.device !== device) return to(next);
  const { contact, genesis, verdict } = joining;
  const done = { ...next, joining: undefined };
  return contact === undefined || pinAfter(verdict) === undefined ? to(done) : to(done, { do: "pin", contact, genesis, verdict });
}

/** One at a time: whoever comes is told by their invitation which households they will find. */
function add(state: At<"running">, { handle, name, contact, genesis }: On<"add">): Step {
  if (state.adding !== undefined) return stay(state);
  const adding = { handle, name, contact, genesis, ringing: false };
  return to({ ...state, adding, notAdded: undefined }, { do: "add", call: state.call, handle, video: state.video });
}

/** Whoever answers must be of the household that was meant; else nobody is let in, and the call goes on without them. */
function answered(state: At<"running">, { device, who, keyPackage, statement }: On<"adding_answered">): Step {
  const { call, adding } = state;
  if (adding === undefined) return stay(state);
  const next: At<"running"> = { ...state, adding: undefined };
  if (who === undefined || who.verdict === "changed" || (adding.genesis ?? who.genesis) !== who.genesis) {
    return to({ ...next, notAdded: { name: adding.name, why: "encryption_refused" } }, { do: "stop_adding", call });
  }
  const joining = { device, contact: adding.contact, ...who };
  return to({ ...next, joining }, { do: "let_in", call, device, genesis: who.genesis, keyPackage, statement });
}
