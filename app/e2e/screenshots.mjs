// Takes a picture of every screen at the size of a phone and of a desk, by day and by night, into a directory (printed).
// Runs over the stand-in server: no media is needed to look at a screen.
// With `--call FILE` it takes one picture instead, of a call over the real server (docs/call.png).
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DESKTOP, fromDist, launch, PHONE } from "./browser.mjs";
import { serve } from "./homeline.mjs";
import { addContact, at, call, contact, fill, pairDevice, signUp } from "./people.mjs";
import { portrait } from "./portraits.mjs";
import { seesFrames, spyOnConnections, toneFile } from "./sound.mjs";
import { StandIn } from "./stand_in.mjs";

const directory = process.argv[2] === "--call" ? undefined : process.argv[2] ?? await mkdtemp(join(tmpdir(), "homeline-screens-"));
const browser = await launch();

async function round(name, viewport, colorScheme) {
  const server = await new StandIn().start();
  const open = async (size = viewport) => {
    const page = await (await browser.newContext({ viewport: size, colorScheme })).newPage();
    page.setDefaultTimeout(15_000);
    return page;
  };
  let number = 0;
  const shot = (page, what) => page.screenshot({ path: join(directory, `${name}-${String(++number).padStart(2, "0")}-${what}.png`) });

  const anna = await open();
  await anna.goto(server.url);
  await at(anna, "go-sign-up").waitFor();
  await shot(anna, "welcome");
  for (const [button, what] of [["go-sign-up", "sign-up"], ["go-sign-in", "sign-in"], ["go-second-app", "second-app"]]) {
    await at(anna, button).click();
    await anna.locator("form").waitFor();
    await shot(anna, what);
    await at(anna, "back").click();
  }
  await at(anna, "go-sign-in").click();
  await at(anna, "go-recover").click();
  await shot(anna, "recover");
  await anna.goto(server.url);
  await at(anna, "go-sign-up").click();
  await fill(anna, { name: "Anna Miller", handle: "anna", password: "correct horse", household: "The Millers" });
  await at(anna, "submit-sign-up").click();
  await at(anna, "recovery-code").waitFor();
  await shot(anna, "recovery-code");
  const code = await at(anna, "recovery-code").locator("span").last().textContent();
  await fill(anna, { last: code });
  await at(anna, "submit-recovery-kept").click();
  await at(anna, "no-contacts").waitFor();
  await shot(anna, "contacts-empty");
  await at(anna, "add-contact").click();
  await at(anna, "field-handle").waitFor();
  await shot(anna, "add-contact");
  await at(anna, "dialog-close").click();

  const ben = await open();
  await signUp(ben, server.url, { name: "Ben Ode", handle: "ben", household: "Elm Street 5" });
  await addContact(ben, "Mum", "anna");
  for (const [who, handle] of [["Grandpa Joe", "joe-1938"], ["Ben", "ben"], ["Dr. Elisabeth von Hohenstein-Papadopoulos", "elisabeth"], ["Maria", "maria"]]) await addContact(anna, who, handle);
  await shot(anna, "contacts");
  await contact(anna, "ben").getByTestId("open-card").click();
  await at(anna, "dialog-card").waitFor();
  await shot(anna, "card");
  await anna.getByText("Change or delete").click();
  await shot(anna, "card-open");
  await at(anna, "dialog-close").click();
  await at(anna, "my-link").click();
  await at(anna, "contact-link").waitFor();
  await shot(anna, "my-link");
  await at(anna, "dialog-close").click();

  await call(anna, "ben");
  await at(ben, "incoming-call").waitFor();
  await shot(ben, "incoming");
  await anna.locator('[data-call-state="ringing"]').waitFor();
  await at(anna, "own-picture").waitFor();
  await shot(anna, "outgoing");
  await at(ben, "answer-video").click();
  await anna.locator('[data-keys="sending"]').waitFor();
  await shot(anna, "call-connecting");
  await at(anna, "encryption-state").click();
  await at(anna, "call-code").waitFor();
  await shot(anna, "call-code");
  await at(anna, "code-close").click();
  await at(anna, "mute").click();
  await at(anna, "toggle-video").click();
  await shot(anna, "call-muted");
  await at(anna, "hang-up").click();
  await shot(anna, "call-ended");
  await at(anna, "end-close").click();
  await at(ben, "end-close").click();

  await at(anna, "nav-household").click();
  await at(anna, "invite-member").click();
  const link = await at(anna, "join-link").textContent();
  await shot(anna, "invite");
  await at(anna, "dialog-close").click();
  const carl = await open();
  await carl.goto(link);
  await at(carl, "form-join").waitFor();
  await shot(carl, "join");
  await fill(carl, { name: "Carl Miller", handle: "carl", password: "correct horse" });
  await at(carl, "submit-join").click();
  await at(carl, "waiting").waitFor();
  await shot(carl, "waiting");
  await at(anna, "join-request").waitFor();
  await shot(anna, "join-request");
  await at(anna, "admit-member").click();
  await at(anna, "join-request").waitFor({ state: "detached" });

  const speaker = await open();
  await at(anna, "add-device").click();
  await at(anna, "add-device-listening").waitFor();
  await shot(anna, "add-device");
  await at(anna, "dialog-close").click();
  await speaker.goto(`${server.url}/device`);
  await at(speaker, "form-device-setup").waitFor();
  await shot(speaker, "device-setup");
  await pairDevice(anna, speaker, server.url, { handle: "anna", label: "Kitchen", shape: "speaker" });
  await speaker.locator("time").waitFor();
  await shot(speaker, "device-idle");
  const display = await open();
  await at(anna, "add-device").click();
  await at(anna, "add-device-listening").waitFor();
  await display.goto(`${server.url}/device`);
  await fill(display, { label: "Hall", handle: "anna" });
  await at(display, "submit-device-setup").click();
  const digits = await at(display, "pairing-digits").textContent();
  await shot(display, "device-digits");
  await at(anna, "field-digits").waitFor();
  await shot(anna, "add-device-digits");
  await fill(anna, { digits });
  await at(anna, "submit-certify").click();
  await at(anna, "device-added").waitFor();
  await at(anna, "add-device-done").click();
  await shot(anna, "household");
  await at(anna, "open-device").nth(2).click();
  await at(anna, "answering").waitFor();
  await shot(anna, "answering");
  await at(anna, "dialog-close").click();
  await at(anna, "nav-contacts").click();
  await call(ben, "anna");
  for (const page of [speaker, display]) await at(page, "caller-name").waitFor();
  await shot(speaker, "speaker-ringing");
  await shot(display, "display-ringing");
  await at(speaker, "answer").click();
  await speaker.locator('[data-keys="sending"]').waitFor();
  await shot(speaker, "speaker-call");
  await at(speaker, "hang-up").click();
  await at(ben, "end-close").click();
  await at(speaker, "end-close").click();
  await at(display, "device-label").waitFor();

  const day = 86_400_000;
  const past = (n, change) => ({ call: String(n).repeat(32), direction: "outgoing", party: { handle: "ben", display_name: "Ben Ode" }, video: true, started_at_ms: Date.now() - n * day / 2, answered_at_ms: null, ended_at_ms: Date.now() - n * day / 2 + 20_000, reason: "no_answer", ...change });
  server.history = [
    past(1, { answered_at_ms: Date.now() - day / 2, ended_at_ms: Date.now() - day / 2 + 754_000, reason: "hung_up" }), past(2, { direction: "incoming", reason: "cancelled", video: false }),
    past(3, { direction: "incoming", party: { handle: "stranger", display_name: "Lena" }, reason: "no_answer" }), past(4, { reason: "busy" }), past(5, { reason: "encryption_refused" }), past(6, { reason: "unreachable" }),
  ];
  await at(anna, "nav-history").click();
  await at(anna, "past-call").first().waitFor();
  await shot(anna, "history");
  await at(anna, "nav-settings").click();
  await shot(anna, "settings");
  server.cut();
  server.protocol = 2;
  await at(anna, "stopped").waitFor();
  await shot(anna, "old-version");
  for (const context of browser.contexts()) await context.close();
  server.stop();
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
  await jonas.locator('[data-call-state="connected"]').waitFor();
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
  await round("phone-day", PHONE, "light");
  await round("desk-day", DESKTOP, "light");
  await round("phone-night", PHONE, "dark");
  await round("desk-night", DESKTOP, "dark");
  console.log(directory);
}
await browser.close();
