// A walk through every screen of the app and of a home device over the stand-in server: `visit(page, name)` is called at each.
import { addContact, at, call, contact, fill, pairDevice, signUp } from "./people.mjs";
import { StandIn } from "./stand_in.mjs";
import { guests } from "./tour_guests.mjs";
import { announcements } from "./tour_announcements.mjs";
import { children } from "./tour_children.mjs";
import { company } from "./tour_company.mjs";
import { dropIn } from "./tour_drop_in.mjs";

/** `open()` gives a fresh page of a fresh browser context; the walk closes none. */
export async function tour(open, visit) {
  const server = await new StandIn().start();
  try {
    const anna = await theDoor(server, open, visit);
    const ben = await contactsAndCalls(server, open, visit, anna);
    await guests(open, visit, anna);
    const carl = await theHousehold(server, open, visit, anna);
    const { speaker } = await devices(server, open, visit, { anna, ben });
    await company(server, visit, { anna, ben, carl, speaker });
    await children(server, open, visit, anna);
    await rules(server, open, visit, { anna, ben, carl });
    await historyAndSettings(server, visit, { anna, ben });
    server.cut();
    server.protocol = 2;
    await at(anna, "stopped").waitFor();
    await visit(anna, "old-version");
  } finally {
    server.stop();
  }
}

async function theDoor(server, open, visit) {
  const anna = await open();
  await anna.goto(server.url);
  await at(anna, "go-sign-up").waitFor();
  await visit(anna, "welcome");
  for (const [button, what] of [["go-sign-up", "sign-up"], ["go-sign-in", "sign-in"], ["go-second-app", "second-app"]]) {
    await at(anna, button).click();
    await anna.locator("form").waitFor();
    await visit(anna, what);
    await at(anna, "back").click();
  }
  await at(anna, "go-sign-in").click();
  await at(anna, "go-recover").click();
  await visit(anna, "recover");
  await anna.goto(server.url);
  await at(anna, "go-sign-up").click();
  await fill(anna, { name: "Anna Miller", handle: "anna", password: "correct horse", household: "The Millers" });
  await at(anna, "submit-sign-up").click();
  await at(anna, "recovery-code").waitFor();
  await visit(anna, "recovery-code");
  const code = await at(anna, "recovery-code").locator("span").last().textContent();
  await fill(anna, { last: code });
  await at(anna, "submit-recovery-kept").click();
  await at(anna, "no-contacts").waitFor();
  await visit(anna, "contacts-empty");
  await at(anna, "add-contact").click();
  await at(anna, "field-handle").waitFor();
  await visit(anna, "add-contact");
  await at(anna, "dialog-close").click();
  return anna;
}

async function contactsAndCalls(server, open, visit, anna) {
  const ben = await open();
  await signUp(ben, server.url, { name: "Ben Ode", handle: "ben", household: "Elm Street 5" });
  await addContact(ben, "Mum", "anna");
  for (const [who, handle] of [["Grandpa Joe", "joe-1938"], ["Ben", "ben"], ["Dr. Elisabeth von Hohenstein-Papadopoulos", "elisabeth"], ["Maria", "maria"]]) await addContact(anna, who, handle);
  await visit(anna, "contacts");
  await contact(anna, "ben").getByTestId("open-card").click();
  await at(anna, "dialog-card").waitFor();
  await visit(anna, "card");
  await anna.getByText("Change or delete").click();
  await visit(anna, "card-open");
  await at(anna, "card-drop-in").click();
  await visit(anna, "card-drop-in");
  await at(anna, "dialog-close").click();
  await at(anna, "my-link").click();
  await at(anna, "contact-link").waitFor();
  await visit(anna, "my-link");
  await at(anna, "dialog-close").click();

  await call(anna, "ben");
  await at(ben, "incoming-call").waitFor();
  await visit(ben, "incoming");
  await anna.locator('[data-call-state="ringing"]').waitFor();
  await at(anna, "own-picture").waitFor();
  await visit(anna, "outgoing");
  await at(ben, "answer-video").click();
  await anna.locator('[data-keys="sending"]').waitFor();
  await visit(anna, "call-connecting");
  await at(anna, "encryption-state").click();
  await at(anna, "call-code").waitFor();
  await visit(anna, "call-code");
  await at(anna, "code-close").click();
  await at(anna, "mute").click();
  await at(anna, "toggle-video").click();
  await visit(anna, "call-muted");
  await at(anna, "hang-up").click();
  await visit(anna, "call-ended");
  await at(anna, "end-close").click();
  await at(ben, "end-close").click();
  return ben;
}

async function theHousehold(server, open, visit, anna) {
  await at(anna, "nav-household").click();
  await at(anna, "invite-member").click();
  const link = await at(anna, "join-link").textContent();
  await visit(anna, "invite");
  await at(anna, "dialog-close").click();
  const carl = await open();
  await carl.goto(link);
  await at(carl, "form-join").waitFor();
  await visit(carl, "join");
  await fill(carl, { name: "Carl Miller", handle: "carl", password: "correct horse" });
  await at(carl, "submit-join").click();
  await at(carl, "waiting").waitFor();
  await visit(carl, "waiting");
  await at(anna, "join-request").waitFor();
  await visit(anna, "join-request");
  await at(anna, "admit-member").click();
  await at(anna, "join-request").waitFor({ state: "detached" });
  return carl;
}

async function devices(server, open, visit, { anna, ben }) {
  const speaker = await open();
  await at(anna, "add-device").click();
  await at(anna, "add-device-listening").waitFor();
  await visit(anna, "add-device");
  await at(anna, "dialog-close").click();
  await speaker.goto(`${server.url}/device`);
  await at(speaker, "form-device-setup").waitFor();
  await visit(speaker, "device-setup");
  await pairDevice(anna, speaker, server.url, { handle: "anna", label: "Kitchen", shape: "speaker" });
  await speaker.locator("time").waitFor();
  await visit(speaker, "device-idle");
  const display = await open();
  await at(anna, "add-device").click();
  await at(anna, "add-device-listening").waitFor();
  await display.goto(`${server.url}/device`);
  await fill(display, { label: "Hall", handle: "anna" });
  await at(display, "submit-device-setup").click();
  const digits = await at(display, "pairing-digits").textContent();
  await visit(display, "device-digits");
  await at(anna, "field-digits").waitFor();
  await visit(anna, "add-device-digits");
  await fill(anna, { digits });
  await at(anna, "submit-certify").click();
  await at(anna, "device-added").waitFor();
  await at(anna, "add-device-done").click();
  await visit(anna, "household");
  await at(anna, "drop-in-open").click();
  await at(anna, "drop-in-hours").check();
  // From midnight to midnight: the tour goes on at any hour.
  await at(anna, "drop-in-hours-from").fill("00:00");
  await at(anna, "drop-in-hours-to").fill("00:00");
  await visit(anna, "household-drop-in");
  await at(anna, "submit-drop-in").click();
  await at(anna, "drop-in-take-back").waitFor();
  await visit(anna, "household-drop-in-given");
  await device(anna, "Kitchen").click();
  await at(anna, "answering").waitFor();
  await visit(anna, "device-sheet");
  await fill(anna, { room: "Ground floor" });
  await at(anna, "submit-device").click();
  await at(anna, "quiet-device").check();
  await at(anna, "submit-answering").scrollIntoViewIfNeeded();
  await visit(anna, "answering");
  await at(anna, "quiet-device").uncheck();
  await at(anna, "dialog-close").click();

  await at(anna, "nav-contacts").click();
  await call(ben, "anna");
  for (const page of [speaker, display]) await at(page, "caller-name").waitFor();
  await visit(speaker, "speaker-ringing");
  await visit(display, "display-ringing");
  await at(speaker, "answer").click();
  await speaker.locator('[data-keys="sending"]').waitFor();
  await visit(speaker, "speaker-call");
  await at(speaker, "switch-microphone").click();
  await visit(speaker, "speaker-call-microphone-off");
  await at(speaker, "hang-up").click();
  await at(ben, "end-close").click();
  await at(speaker, "end-close").click();
  await at(display, "device-label").waitFor();
  await deviceButtons(visit, { anna, ben, speaker, display });
  await dropIn(server, visit, { anna, display });
  await announcements(visit, { anna, speaker, display });
  return { speaker };
}

async function deviceButtons(visit, { anna, ben, speaker, display }) {
  await contact(anna, "ben").getByTestId("open-card").click();
  await at(anna, "top-contact").check();
  await at(anna, "dialog-close").click();
  await at(anna, "top-mark").waitFor();
  await at(speaker, "top-button").waitFor();
  await at(speaker, "switch-quiet").click();
  await at(speaker, "silent").waitFor();
  await visit(speaker, "device-off-and-silent");
  await at(speaker, "switch-quiet").click();
  await at(speaker, "switch-microphone").click();
  await at(display, "switch-camera").click();
  await visit(display, "display-covered");
  await at(display, "top-button").dblclick();
  await at(ben, "incoming-call").waitFor();
  await at(ben, "answer").click();
  await display.locator('[data-keys="sending"]').waitFor();
  await at(display, "switch-microphone").click();
  await visit(display, "display-call-off");
  await at(display, "hang-up").click();
  await at(display, "end-close").click();
  await at(ben, "end-close").click();
  await at(display, "switch-microphone").click();
  await at(display, "switch-camera").click();
}

async function rules(server, open, visit, { anna, ben, carl }) {
  await at(anna, "nav-household").click();
  await member(anna, "carl").click();
  await anna.getByText("Remove from the household").click();
  await visit(anna, "member-sheet");
  await at(anna, "field-role").selectOption("child");
  await at(anna, "submit-role").click();
  await at(anna, "limits").waitFor();
  await at(anna, "limit-contacts").locator("summary").click();
  await at(anna, "limit-contact").first().check();
  await at(anna, "limits").scrollIntoViewIfNeeded();
  await visit(anna, "child-sheet");
  await at(anna, "dialog-close").click();
  await visit(anna, "household-of-three");

  await at(carl, "nav-settings").click();
  await at(carl, "leave-household").click();
  await visit(carl, "leave-household");
  await at(carl, "leave-household-confirm").click();
  await at(anna, "leave-request").waitFor();
  await visit(anna, "leave-request");
  await at(carl, "leave-homeline").click();
  await visit(carl, "child-leaves");
  await at(carl, "dialog-close").click();

  await at(anna, "nav-settings").click();
  await at(anna, "leave-homeline").click();
  await visit(anna, "leave-homeline");
  await at(anna, "dialog-close").click();
  await at(anna, "go-quiet").click();
  await visit(anna, "quiet");
  await at(anna, "quiet-everywhere").check();
  await at(anna, "quiet-add").click();
  await at(anna, "quiet-add").click();
  await at(anna, "day-saturday").last().uncheck();
  await at(anna, "quiet-exception").first().check();
  await at(anna, "submit-quiet").click();
  await anna.getByText("Saved.").first().waitFor();
  await visit(anna, "quiet-schedule");
  await at(anna, "nav-contacts").click();
  await contact(anna, "maria").getByTestId("open-card").click();
  await at(anna, "card-block").click();
  await at(anna, "block").click();
  await at(anna, "unblock").waitFor();
  await visit(anna, "card-blocked");
  await at(anna, "dialog-close").click();
  await visit(anna, "contacts-while-silent");
  await at(anna, "quiet-off").click();
}

async function historyAndSettings(server, visit, { anna, ben }) {
  const day = 86_400_000;
  const past = (n, change) => ({ call: String(n).repeat(32), direction: "outgoing", party: { handle: "ben", display_name: "Ben Ode" }, video: true, started_at_ms: Date.now() - n * day / 2, answered_at_ms: null, ended_at_ms: Date.now() - n * day / 2 + 20_000, reason: "no_answer", ...change });
  server.history = [
    past(1, { answered_at_ms: Date.now() - day / 2, ended_at_ms: Date.now() - day / 2 + 754_000, reason: "hung_up" }), past(2, { direction: "incoming", reason: "cancelled", video: false }),
    past(3, { direction: "incoming", party: { handle: "stranger", display_name: "Lena" }, reason: "no_answer" }), past(4, { reason: "busy" }), past(5, { reason: "encryption_refused" }), past(6, { reason: "unreachable" }),
    past(7, { party: { handle: "9".repeat(32), display_name: "Aunt Marguerite", guest: true }, answered_at_ms: Date.now() - 3.5 * day, ended_at_ms: Date.now() - 3.5 * day + 300_000, reason: "hung_up" }),
  ];
  await at(anna, "nav-history").click();
  await at(anna, "past-call").first().waitFor();
  await visit(anna, "history");
  await at(anna, "open-past").nth(2).click();
  await at(anna, "block").waitFor();
  await visit(anna, "past-call");
  await at(anna, "dialog-close").click();
  await at(anna, "nav-settings").click();
  await visit(anna, "settings");
}

/** The button that opens a device's sheet. */
export function device(page, label) {
  return page.locator('[data-testid="device"]').filter({ hasText: label }).getByTestId("open-device");
}

export function member(page, handle) {
  return page.locator(`[data-testid="member"][data-handle="${handle}"]`).getByTestId("open-member");
}
