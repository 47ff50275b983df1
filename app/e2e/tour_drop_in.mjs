// The tour's part for drop-ins: Anna drops in on the hall, which is a display.
import { at } from "./people.mjs";
import { device } from "./tour.mjs";

export async function dropIn(server, visit, { anna, display }) {
  const hall = [...server.sessions.values()].find(({ device: id }) => server.households.values().next().value.devices.find((one) => one.id === id)?.label === "Hall");
  const settings = server.households.values().next().value.devices.find(({ id }) => id === hall.device).settings;
  settings.capabilities = { microphone: true, speaker: true, screen: true, camera: true };
  await at(display, "device-drop-in-controls").waitFor();
  await visit(display, "display-drop-in-allowed");
  await at(display, "motion").check();
  await display.locator('[data-testid="motion-state"][data-watch="looking"]').waitFor();
  await visit(display, "display-motion");
  await at(display, "motion").uncheck();
  await at(display, "drop-in-from").click();
  await at(display, "drop-in-place").first().waitFor();
  await visit(display, "display-drop-in-places");
  await at(display, "drop-in-from-close").click();
  server.near = [{ device: hall.device, handle: null, minutes_ago: 0 }];
  for (const session of server.sessions.values()) server.event(session, { type: "recently_active", devices: server.near });
  await at(anna, "nav-household").click();
  await at(anna, "near").first().waitFor();
  await visit(anna, "household-near");
  await device(anna, "Hall").click();
  await at(anna, "drop-in-sound").waitFor();
  await visit(anna, "device-sheet-drop-in");
  await at(anna, "drop-in-sound").click();
  await display.locator('[data-testid="drop-in"][data-drop-in="clear"]').waitFor();
  await anna.locator('[data-keys="sending"]').waitFor();
  await visit(display, "display-dropped-in-on");
  await visit(anna, "drop-in");
  await at(display, "drop-in-hush").click();
  await at(anna, "drop-in-stage").waitFor();
  await visit(anna, "drop-in-hushed");
  await visit(display, "display-hushed");
  await at(display, "drop-in-end").click();
  await at(display, "device-label").waitFor();
  await visit(anna, "drop-in-ended");
  await at(anna, "end-close").click();
  await at(display, "drop-in-switch").click();
  await display.locator('[data-testid="drop-in-switch"][data-off="true"]').waitFor();
  await visit(display, "display-drop-in-off");
  await device(anna, "Hall").click();
  await at(anna, "drop-in-sound").click();
  await at(anna, "end-reason").waitFor();
  await visit(anna, "drop-in-refused");
  await at(anna, "end-close").click();
  await at(display, "drop-in-switch").click();
  // What the hall wrote of all that.
  await at(anna, "to-ledger").click();
  await anna.locator('[data-testid="ledger-row"][data-kind="visit"]').waitFor();
  await visit(anna, "ledger");
  await at(anna, "nav-contacts").click();
}
