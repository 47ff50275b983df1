// Takes a picture of every screen at the size of a phone and of a desk, by day and by night, into a directory (printed).
// Runs over the stand-in server: no media is needed to look at a screen. A second argument, as "phone-day", takes one round alone.
// With `--call FILE` it takes one picture instead, of a call over the real server (docs/call.png).
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DESKTOP, fromDist, launch, PHONE } from "./browser.mjs";
import { connected } from "./company.mjs";
import { serve } from "./homeline.mjs";
import { addContact, at, call, signUp } from "./people.mjs";
import { portrait } from "./portraits.mjs";
import { seesFrames, spyOnConnections, toneFile } from "./sound.mjs";
import { tour } from "./tour.mjs";

const directory = process.argv[2] === "--call" ? undefined : process.argv[2] ?? await mkdtemp(join(tmpdir(), "homeline-screens-"));
const browser = await launch();

async function round(name, viewport, colorScheme) {
  const open = async () => {
    const page = await (await browser.newContext({ viewport, colorScheme })).newPage();
    page.setDefaultTimeout(15_000);
    return page;
  };
  let number = 0;
  await tour(open, (page, what) => page.screenshot({ path: join(directory, `${name}-${String(++number).padStart(2, "0")}-${what}.png`) }));
  for (const context of browser.contexts()) await context.close();
}

async function callPicture(path) {
  const work = await mkdtemp(join(tmpdir(), "homeline-picture-"));
  const server = await serve();
  const sound = await toneFile(join(work, "quiet.wav"), 200);
  const people = [];
  const someone = async (who, viewport) => {
    const picture = join(work, `${who}.mjpeg`);
    await writeFile(picture, await portrait(browser, who));
    const own = await launch({ sound, picture });
    people.push(own);
    const context = await own.newContext({ viewport });
    await fromDist(context);
    await spyOnConnections(context);
    return context.newPage();
  };
  const [jonas, rosa] = [await someone("man", DESKTOP), await someone("grandmother", DESKTOP)];
  await signUp(jonas, server.url, { name: "Jonas Miller", handle: "jonas", household: "The Millers" });
  await signUp(rosa, server.url, { name: "Rosa", handle: "rosa", household: "Elm Street 5" });
  await addContact(jonas, "Grandma Rosa", "rosa");
  await call(jonas, "rosa");
  await at(rosa, "answer-video").click();
  await connected(jonas);
  await at(jonas, "encryption-state").click();
  await at(jonas, "code-same").click();
  if (await at(jonas, "call-code").isVisible()) await at(jonas, "code-close").click();
  // The sender begins low: the picture grows once its bandwidth is known, and is then drawn for a while.
  const grown = () => document.querySelector('[data-testid="remote-video"]')?.videoWidth >= 1_280;
  await jonas.waitForFunction(grown, undefined, { timeout: 40_000 }).catch(() => console.warn("the picture stayed small"));
  await seesFrames(jonas, 60, 30_000);
  await jonas.mouse.move(640, 300);
  await jonas.screenshot({ path });
  for (const own of people) await own.close();
  await server.stop();
  await rm(work, { recursive: true, force: true });
}

if (directory === undefined) {
  await callPicture(process.argv[3]);
} else {
  const only = process.argv[3];
  for (const [name, viewport, scheme] of [["phone-day", PHONE, "light"], ["desk-day", DESKTOP, "light"], ["phone-night", PHONE, "dark"], ["desk-night", DESKTOP, "dark"]]) {
    if (only === undefined || only === name) await round(name, viewport, scheme);
  }
  console.log(directory);
}
await browser.close();
