//! A second call while the first goes on: the part of the call machine for it. Pure.
//!
//! Answering it ends the first call for this device; the server does that with the answer, so the first one goes on here
//! until the answer is taken. Who gives up in the same moment leaves the first call as it was.

import type { Effect, Input } from "./state.ts";
import type { At, Step } from "./step.ts";
import { stay, to } from "./step.ts";

/** `begun`: what becomes of the state once the second call is the call. */
export function waiting(state: At<"running">, input: Input, begun: (state: At<"running">, camera: boolean, nowMs: number) => Step): Step {
  const second = state.waiting;
  if (second === undefined) return stay(state);
  switch (input.on) {
    case "participants":
      return to({ ...state, waiting: { ...second, participants: input.participants.filter(({ device }) => device !== input.self) } });
    case "answer_waiting":
      if (second.answering) return stay(state);
      return to(
        { ...state, waiting: { ...second, answering: true } },
        { do: "tone", tone: "none" },
        { do: "answer_waiting", call: second.call, genesis: second.peer.genesis, media: { microphone: true, camera: second.video && state.camera.on } },
      );
    case "waiting_answered": return begun(state, second.video, input.nowMs);
    case "decline_waiting": return gone(state, { do: "decline", call: second.call });
    case "over": case "ring_expired": case "answer_failed": return gone(state);
    default: return stay(state);
  }
}

/** It waits no more: declined, given up, or answered on another device. */
function gone(state: At<"running">, ...effects: Effect[]): Step {
  if (state.waiting === undefined) return stay(state);
  return to({ ...state, waiting: undefined }, ...effects, { do: "tone", tone: "none" }, { do: "close", call: state.waiting.call });
}
