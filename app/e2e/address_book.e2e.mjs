// Bringing an address book into the app, a number of one's own, and finding people by it, over the real server.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { mkdir } from "node:fs/promises";
import { after, afterEach, before, test } from "node:test";
import { DESKTOP, launch, PHONE } from "./browser.mjs";
import { serve } from "./homeline.mjs";
import { pages } from "./pages.mjs";
import { at, contact, fill, signUp } from "./people.mjs";

/** With `SHOTS=DIR`, pictures of each screen are kept there, to be looked at. */
const SHOTS = process.env.SHOTS;

let messages;
let texts = [];
let server;
let browser;

before(async () => {
  // Stands in for a provider of text messages.
  messages = createServer((request, response) => {
    let body = "";
    request.on("data", (data) => (body += data));
    request.on("end", () => {
      texts.push(JSON.parse(body));
      response.writeHead(201).end("{}");
    });
  });
  await new Promise((resolve) => messages.listen(0, "127.0.0.1", resolve));
  browser = await launch({ devices: false });
  server = await serve({ HOMELINE_SIGNALING__SMS__URL: `http://127.0.0.1:${messages.address().port}/` });
  if (SHOTS !== undefined) await mkdir(SHOTS, { recursive: true });
});

after(async () => {
  await browser?.close();
  await server?.stop();
  messages?.close();
});

const { open: openIn } = pages();
afterEach(() => {
  texts = [];
});

const open = (viewport) => openIn(browser, viewport);

async function shot(page, name) {
  if (SHOTS === undefined) return;
  await page.screenshot({ path: `${SHOTS}/${name}.png`, animations: "disabled" });
}

const card = (name, ...lines) => ["BEGIN:VCARD", "VERSION:3.0", `FN:${name}`, `UID:${name}`, ...lines, "END:VCARD", ""].join("\r\n");
const vcf = (text) => ({ name: "contacts.vcf", mimeType: "text/vcard", buffer: Buffer.from(text) });

const crowd = ["Adam Ames", "Berta Bloom", "Carl Cole", "Dina Dale", "Emil Eriksson-Featherstonehaugh"].map((name, index) => card(name, `TEL;TYPE=HOME:(201) 555-01${40 + index}`));

/** Goes to an element by Tab alone. */
async function tabTo(page, id) {
  for (let steps = 0; steps < 60; steps++) {
    if (await at(page, id).evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`${id} is not reached by keyboard`);
}

for (const [size, viewport] of [["phone", PHONE], ["desktop", DESKTOP]]) {
  test(`whoever says no to importing is not asked again, and can change their mind (${size})`, async () => {
    const page = await open(viewport);
    await signUp(page, server.url, { name: "Zoe", handle: `zoe-${size}`, household: "Zoe's home" });
    await at(page, "import-ask").waitFor();
    await shot(page, `${size}-ask`);
    await tabTo(page, "import-refuse");
    await page.keyboard.press("Enter");
    await at(page, "import-ask").waitFor({ state: "detached" });
    await page.reload();
    await at(page, "no-contacts").waitFor();
    await at(page, "nav-settings").click();
    assert.equal(await at(page, "setting-import").isChecked(), false);
    await tabTo(page, "setting-import");
    await page.keyboard.press("Space");
    await at(page, "import-file").waitFor({ state: "attached" });
    assert.equal(await at(page, "import-ask").count(), 0);
  });

  test(`an address book is brought, refreshed, searched, hidden, met and deleted (${size})`, async () => {
    const [anna, ben] = [await open(viewport), await open(viewport)];
    const number = size === "phone" ? "(201) 555-0123" : "(201) 555-0124";
    await signUp(anna, server.url, { name: "Anna", handle: `anna-${size}`, household: "Anna's home" });
    const grandma = card("Grandma Rose", "TEL;TYPE=HOME:(201) 555-0101", "TEL;TYPE=CELL:(201) 555-0102");
    const benCard = card("Ben Miller", `TEL;TYPE=CELL:${number}`);
    await at(anna, "import-ask-file").setInputFiles(vcf([grandma, benCard, ...crowd, card("Nobody")].join("")));
    await anna.getByText("7 contacts are here. 1 without a name or a number were left out.").waitFor();
    const entry = (name) => anna.locator(`[data-testid="imported-entry"][data-name="${name}"]`);
    await entry("Grandma Rose").waitFor();
    await at(anna, "import-ask").waitFor({ state: "detached" });
    await shot(anna, `${size}-imported`);

    for (const searched of ["grand", "nobody at all", "555-0102", "nobody at all"]) {
      await at(anna, "contact-search").fill(searched);
      if (searched === "nobody at all") await at(anna, "no-imported").waitFor();
      else await entry("Grandma Rose").waitFor();
      await entry("Ben Miller").waitFor({ state: "detached" });
    }
    await at(anna, "contact-search").fill("");

    await entry("Grandma Rose").getByTestId("open-entry").focus();
    await anna.keyboard.press("Enter");
    await at(anna, "dialog-entry").waitFor();
    assert.deepEqual(await at(anna, "dialog-entry").getByTestId("numbers").locator("div").allTextContents(), ["Home(201) 555-0101", "Mobile(201) 555-0102"]);
    await shot(anna, `${size}-entry`);
    await at(anna, "hide-entry").click();
    await entry("Grandma Rose").waitFor({ state: "detached" });

    await signUp(ben, server.url, { name: "Ben", handle: `ben-${size}`, household: "Ben's home" });
    await at(ben, "nav-settings").click();
    await fill(ben, { number });
    await at(ben, "submit-own-number").click();
    await at(ben, "field-code").waitFor();
    const code = texts[0].text.slice(0, 6);
    await fill(ben, { code: code === "000000" ? "000001" : "000000" });
    await at(ben, "submit-number-code").click();
    await at(ben, "error-number-code").getByText("You can try 4 more times.").waitFor();
    await shot(ben, `${size}-code`);
    await fill(ben, { code });
    await ben.keyboard.press("Enter");
    await at(ben, "verified-number").waitFor();
    assert.equal(await at(ben, "setting-discoverable").isChecked(), true);
    await shot(ben, `${size}-verified`);

    await anna.reload();
    await entry("Ben Miller").getByTestId("registered").waitFor();
    assert.equal(await entry("Grandma Rose").count(), 0, "hidden over a reload");
    await shot(anna, `${size}-registered`);
    await entry("Ben Miller").getByTestId("quick-add").click();
    await contact(anna, `ben-${size}`).waitFor();
    await contact(anna, `ben-${size}`).getByTestId("open-card").click();
    await at(anna, "dialog-card").getByText("Change or delete").click();
    await at(anna, "number-0").fill("(201) 555-0177");
    await at(anna, "number-kind-0").selectOption("work");
    await at(anna, "submit-numbers").click();
    await at(anna, "dialog-card").getByTestId("numbers").getByText("(201) 555-0177").waitFor();
    await at(anna, "number-1").waitFor();
    await shot(anna, `${size}-numbers`);
    await anna.keyboard.press("Escape");

    await at(anna, "nav-settings").click();
    await at(anna, "import-file").setInputFiles(vcf("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Half"));
    await anna.getByText("The file is cut off").waitFor();
    await anna.getByRole("alert").getByRole("button").click();
    await at(anna, "import-settings").scrollIntoViewIfNeeded();
    await shot(anna, `${size}-settings`);
    await at(anna, "import-file").setInputFiles(vcf([grandma, benCard].join("")));
    await anna.getByText("2 contacts are here. 5 went, since they are not in it any more.").waitFor();
    await at(anna, "nav-contacts").click();
    await at(anna, "hidden-entries").locator("summary").click();
    await at(anna, "show-entry").click();
    await entry("Grandma Rose").waitFor();
    await entry("Ben Miller").waitFor();
    assert.equal(await at(anna, "imported-entry").count(), 2);

    await at(anna, "nav-settings").click();
    await at(anna, "setting-import").click();
    await at(anna, "dialog-import-off").waitFor();
    await shot(anna, `${size}-off`);
    await at(anna, "import-off-confirm").click();
    await at(anna, "dialog-import-off").waitFor({ state: "detached" });
    await at(anna, "nav-contacts").click();
    await contact(anna, `ben-${size}`).waitFor();
    assert.equal(await at(anna, "imported-entry").count(), 0);
    await anna.reload();
    await contact(anna, `ben-${size}`).waitFor();
    assert.equal(await at(anna, "imported-entry").count(), 0);
    for (const personal of ["5550123", "5550124", "555-01", "Grandma", code]) assert.ok(!server.log().includes(personal), "the log names nobody");
  });
}
