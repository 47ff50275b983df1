// The part of the walk that a call link takes: its maker's screens, and the guest's page.
import { at, fill } from "./people.mjs";

export async function guests(open, visit, anna) {
  const guest = await open();
  const url = await theLink(visit, anna);
  await guest.goto(url);
  await at(guest, "form-knock").waitFor();
  await visit(guest, "guest-door");
  await at(guest, "what-is-checked").click();
  await visit(guest, "guest-what-is-checked");
  await knock(guest, "Aunt Marguerite from Lyon");
  await visit(guest, "guest-waiting");
  await at(anna, "knock").waitFor();
  await visit(anna, "knock");
  await at(anna, "refuse-guest").click();
  await at(guest, "turned-away").waitFor();
  await visit(guest, "guest-turned-away");
  await at(guest, "knock-again").click();
  await at(guest, "with-picture").check();
  await knock(guest, "Aunt Marguerite from Lyon");
  await at(anna, "let-in").click();
  for (const page of [anna, guest]) await page.locator('[data-keys="sending"]').waitFor();
  await visit(anna, "call-with-guest");
  await visit(guest, "guest-call");
  await at(anna, "add-somebody").click();
  await at(anna, "invite-guest").click();
  await at(anna, "dialog-invite-guest").waitFor();
  await visit(anna, "invite-in-call");
  await at(anna, "dialog-close").click();
  const second = await open();
  await second.goto(url);
  await knock(second, "Gus");
  await at(anna, "knock").waitFor();
  await visit(anna, "knock-in-call");
  await at(anna, "refuse-guest").click();
  await at(anna, "hang-up").click();
  await at(guest, "guest-over").waitFor();
  await visit(guest, "guest-over");
  await visit(anna, "call-with-guest-ended");
  await at(anna, "end-close").click();
  await revoked(visit, anna, second);
}

async function theLink(visit, anna) {
  await at(anna, "call-links-page").click();
  await at(anna, "no-call-links").waitFor();
  await visit(anna, "call-links-empty");
  await fill(anna, { label: "Sunday lunch" });
  await at(anna, "submit-call-link").click();
  const url = await at(anna, "call-link-url").textContent();
  await visit(anna, "call-link");
  await close(anna);
  await fill(anna, { label: "The neighbours, for the keys" });
  await at(anna, "field-hours").selectOption("720");
  await at(anna, "submit-call-link").click();
  await at(anna, "call-link-url").waitFor();
  await close(anna);
  await visit(anna, "call-links");
  return url;
}

async function close(page) {
  await at(page, "dialog-close").click();
  await at(page, "dialog-call-link").waitFor({ state: "detached" });
}

async function revoked(visit, anna, guest) {
  await at(anna, "open-call-link").last().click();
  await at(anna, "revoke-call-link").click();
  await at(anna, "dialog-call-link").waitFor({ state: "detached" });
  await at(guest, "knock-again").click();
  await fill(guest, { name: "Gus" });
  await at(guest, "submit-knock").click();
  await at(guest, "no-link").waitFor();
  await visit(guest, "guest-no-link");
  await at(anna, "to-contacts").click();
}

async function knock(page, name) {
  await fill(page, { name });
  await at(page, "submit-knock").click();
  await at(page, "guest-waiting").waitFor();
}
