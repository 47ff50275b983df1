// What axe finds on a page, in words: serious and critical findings only.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const SOURCE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const GRAVE = new Set(["serious", "critical"]);

/** Of the page as it stands once it has come to rest: text that fades in has no contrast to be judged by. */
export async function findings(page, screen) {
  await page.evaluate(() => Promise.all(document.getAnimations().filter(({ effect }) => effect?.getTiming().iterations !== Infinity).map(({ finished }) => finished.catch(() => undefined))));
  if (!await page.evaluate(() => "axe" in globalThis)) await page.evaluate(SOURCE);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return violations.filter(({ impact }) => GRAVE.has(impact)).flatMap(({ id, impact, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${screen}: ${id} (${impact}) at ${target.join(" ")}: ${failureSummary.replace(/\s+/g, " ").slice(0, 240)}`));
}
