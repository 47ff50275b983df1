// What people do in the app, step by step, as their hands would.

/** Collects what should not happen in a page: errors and blocked content. */
export function watch(page, complaints) {
  page.on("pageerror", (error) => complaints.push(`page: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" && !/Failed to load resource/.test(message.text())) complaints.push(`console: ${message.text()}`);
  });
}

export const at = (page, id) => page.getByTestId(id);

export async function fill(page, fields) {
  for (const [name, value] of Object.entries(fields)) await at(page, `field-${name}`).fill(value);
}

/** Signs up and keeps the recovery code. Returns it. */
export async function signUp(page, url, { name, handle, household, password = "correct horse" }) {
  await page.goto(url);
  await at(page, "go-sign-up").click();
  await fill(page, { name, handle, password, household });
  await at(page, "submit-sign-up").click();
  await at(page, "recovery-code").waitFor();
  const code = (await at(page, "recovery-code").locator("span").allTextContents()).join("-");
  await fill(page, { last: code.slice(-4) });
  await at(page, "submit-recovery-kept").click();
  await at(page, "add-contact").waitFor();
  return code;
}

export async function addContact(page, name, handle) {
  await at(page, "nav-contacts").click();
  await at(page, "add-contact").click();
  await fill(page, { name, handle });
  await at(page, "submit-add-contact").click();
  await contact(page, handle).waitFor();
}

export function contact(page, handle) {
  return page.locator(`[data-testid="contact"][data-handle="${handle}"]`);
}

export async function call(page, handle, kind = "video") {
  await contact(page, handle).getByTestId(`call-${kind}`).click();
}

/** Pairs the page at `/device` with the household of the signed-in `app`. */
export async function pairDevice(app, device, url, { handle, label, shape = "display" }) {
  await at(app, "nav-household").click();
  await at(app, "add-device").click();
  await at(app, "add-device-listening").waitFor();
  await device.goto(`${url}/device`);
  await at(device, `shape-${shape}`).check();
  await fill(device, { label, handle });
  await at(device, "submit-device-setup").click();
  const digits = await at(device, "pairing-digits").textContent();
  await fill(app, { digits });
  await at(app, "submit-certify").click();
  await at(app, "device-added").waitFor();
  await at(app, "add-device-done").click();
  await at(device, "device-label").waitFor();
}

/** A further member of the household of the signed-in `inviter`: "adult", "signs" (an adult whose app may sign) or "child". */
export async function join(inviter, page, { name, handle, password = "correct horse" }, as) {
  await at(inviter, "nav-household").click();
  await at(inviter, "invite-member").click();
  const link = await at(inviter, "join-link").textContent();
  await at(inviter, "dialog-close").click();
  await page.goto(link);
  await fill(page, { name, handle, password });
  await at(page, "submit-join").click();
  await at(inviter, "admit-as").selectOption(as);
  await at(inviter, "admit-member").click();
  await at(page, "my-link").waitFor();
}

/** An adult agrees to a child's using it, on the page of the children. */
export async function consent(adult) {
  await at(adult, "open-consent").click();
  await fill(adult, { guardian: "Anna Miller", email: "anna@example.org" });
  await at(adult, "field-read").check();
  await at(adult, "submit-consent").click();
  await adult.locator('[data-testid="child"][data-consent="given"]').waitFor();
}
