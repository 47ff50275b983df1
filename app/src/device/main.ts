//! The home device's entry.

import { render } from "lit-html";
import { drawLoop } from "../ui/draw.ts";
import { DeviceModel } from "./model.ts";
import { screen } from "./screens.ts";

const device = new DeviceModel(new Worker("/e2ee-worker.js", { type: "module" }));
const target = document.getElementById("app");
if (target !== null) void device.start(drawLoop(() => render(screen(device), target), () => device.stage.at === "ready"));
