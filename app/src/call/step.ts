//! One step of the call machine, and the short words in which its parts say it.

import type { CallState, Effect, Input } from "./state.ts";

export interface Step {
  state: CallState;
  effects: Effect[];
}

export type On<K extends Input["on"]> = Extract<Input, { on: K }>;
export type At<K extends CallState["at"]> = Extract<CallState, { at: K }>;

export function stay(state: CallState): Step {
  return { state, effects: [] };
}

export function to(state: CallState, ...effects: Effect[]): Step {
  return { state, effects };
}
