//! The app's entry: one worker for keys, one model, one rendering a frame at most.

import { render } from "lit-html";
import { App } from "./app/app.ts";
import { root } from "./screens/root.ts";
import { drawLoop } from "./ui/draw.ts";

const app = new App(new Worker("/e2ee-worker.js", { type: "module" }));
const target = document.getElementById("app");
if (target !== null) {
  const draw = drawLoop(() => render(root(app), target), () => app.linkUp?.calls.state.at === "running");
  void app.start(draw);
}
