// The part of the walk through what parents see of their children, and the page behind the link in a consent's mail.
import { at, fill } from "./people.mjs";

export async function children(server, open, visit, anna) {
  await at(anna, "nav-household").click();
  await at(anna, "to-children").click();
  await at(anna, "no-children").waitFor();
  await visit(anna, "children-none");
  await at(anna, "submit-make-child").click();
  await at(anna, "open-consent").waitFor();
  await visit(anna, "children");
  await at(anna, "open-consent").click();
  await at(anna, "consent-text").waitFor();
  await visit(anna, "child-consent");
  await fill(anna, { guardian: "Anna Miller", email: "anna@example.org" });
  await at(anna, "field-read").check();
  await at(anna, "submit-consent").click();
  await at(anna, "consent-mail").waitFor();
  const past = (nth, change) => ({
    call: String(nth).repeat(32), direction: "outgoing", party: { handle: "ben", display_name: "Ben Ode" }, video: false, started_at_ms: Date.now() - nth * 7_200_000,
    answered_at_ms: null, ended_at_ms: Date.now() - nth * 7_200_000 + 90_000, reason: "no_answer", ...change,
  });
  server.childCalls = [past(1, { answered_at_ms: Date.now() - 7_190_000, reason: "hung_up" }), past(2, { direction: "incoming", video: true })];
  for (const part of ["limit-contacts", "child-calls"]) await at(anna, part).locator("summary").click();
  await at(anna, "child-call").first().waitFor();
  await visit(anna, "child-allowed");
  await at(anna, "withdraw-consent").click();
  await at(anna, "withdraw-sure").waitFor();
  await visit(anna, "child-withdraw");
  await at(anna, "dialog-close").click();
  await at(anna, "delete-child-data").click();
  await at(anna, "erase-sure").waitFor();
  await visit(anna, "child-erase");
  await at(anna, "erase-not").click();
  const mail = await open();
  await mail.goto(`${server.url}/consent#${"A".repeat(43)}`);
  await at(mail, "review").waitFor();
  await visit(mail, "consent-link");
  await at(mail, "withdraw").click();
  await at(mail, "withdraw-sure").waitFor();
  await visit(mail, "consent-link-withdraw");
  // Grown up again for the rest of the walk.
  await at(anna, "to-household").click();
  await anna.locator('[data-testid="member"][data-handle="carl"]').getByTestId("open-member").click();
  await at(anna, "field-role").selectOption("adult");
  await at(anna, "submit-role").click();
  await at(anna, "dialog-close").click();
}
