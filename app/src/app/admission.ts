//! Letting a guest in: a call to them, or into the call that runs.

import type { Knock } from "../home/call_links.ts";
import type { App } from "./app.ts";

export async function letIn(app: App, knock: Knock): Promise<void> {
  const { who } = knock;
  app.callLinks?.answered(knock);
  app.tones.play("none");
  if (app.calls.state.at === "running") return app.calls.guests.letIn(who);
  app.call({ handle: who.device, name: who.label, contact: undefined, genesis: who.genesis, verdict: "guest", target: { guest: who.device } }, false);
}

/** A knock is shown, and heard, where it can be answered: not while something rings, nor into a live announcement. */
export function mayKnock(app: App): boolean {
  const state = app.linkUp?.calls.state;
  return state?.at === "idle" || state?.at === "ended" || (state?.at === "running" && state.live === undefined);
}
