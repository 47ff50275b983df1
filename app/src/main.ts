//! The app's entry: one worker for keys, one model, one rendering a frame at most. A call link opens a guest's page instead.

import { render } from "lit-html";
import { App } from "./app/app.ts";
import { guestPage } from "./guest/screens.ts";
import { Visit } from "./guest/visit.ts";
import { isGuestLink } from "./home/links.ts";
import { root } from "./screens/root.ts";
import { drawLoop } from "./ui/draw.ts";

const target = document.getElementById("app");
if (target !== null && isGuestLink(location.hash)) {
  const visit = new Visit();
  const draw = drawLoop(() => render(guestPage(visit), target), () => visit.calls?.state.at === "running");
  visit.start(draw);
} else if (target !== null) {
  const app = new App(new Worker("/e2ee-worker.js", { type: "module" }));
  const draw = drawLoop(() => render(root(app), target), () => app.linkUp?.calls.state.at === "running" || app.recorder.open);
  void app.start(draw);
}
