// What axe finds on a page, in words: serious and critical findings only.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const SOURCE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const GRAVE = new Set(["serious", "critical"]);

/** What another colour scheme can change. */
const COLOURS = ["color-contrast", "link-in-text-block"];

/** Of the page as it stands once it has come to rest: text that fades in has no contrast to be judged by. `colours`: only what its colours do. */
export async function findings(page, screen, { colours = false } = {}) {
  await page.evaluate(() => Promise.all(document.getAnimations().filter(({ effect }) => effect?.getTiming().iterations !== Infinity).map(({ finished }) => finished.catch(() => undefined))));
  if (!await page.evaluate(() => "axe" in globalThis)) await page.evaluate(SOURCE);
  const only = colours ? { runOnly: COLOURS } : {};
  const { violations } = await page.evaluate((only) => globalThis.axe.run(document, { resultTypes: ["violations"], ...only }), only);
  return violations.filter(({ impact }) => GRAVE.has(impact)).flatMap(({ id, impact, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${screen}: ${id} (${impact}) at ${target.join(" ")}: ${failureSummary.replace(/\s+/g, " ").slice(0, 240)}`));
}
