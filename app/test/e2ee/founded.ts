//! Households founded and devices paired by their key workers, as two people would do it.

import assert from "node:assert/strict";
import { MemoryRecords, Page } from "./desks.ts";
import { NOW } from "./home.ts";

export const PERSON = "aa".repeat(16);
const NONE = {};
const now = () => NOW;

export interface Founded {
  page: Page;
  entries: string[];
  code: string;
  secret: string;
  certificate: string;
  genesis: string;
  /** The ids of what was paired with it. */
  devices?: string[];
}

export async function founded(name = "Home", records = new MemoryRecords(), clock = now): Promise<Founded> {
  const page = new Page(clock, records);
  await page.ask("open", { slot: "app" });
  const made = await page.ask("found", { householdName: name, person: PERSON, label: "Anna's phone" });
  await page.ask("confirm", NONE);
  return {
    page, entries: made.roster, code: made.recoveryCode, secret: made.recoverySecret,
    certificate: made.recoveryCertificate, genesis: made.genesis,
  };
}

/** Pairs a device with a household, as far as the certified chain. */
export async function paired(home: Founded, kind: "app" | "home_device" = "home_device"): Promise<Page> {
  const device = new Page(now);
  await device.ask("open", { slot: "device" });
  const offer = await device.ask("pair.offer", { kind, label: "Kitchen" });
  const accept = await home.page.ask("pair.accept", offer);
  const reveal = await device.ask("pair.accepted", accept);
  const { digits } = await device.ask("pair.revealed", await home.page.ask("pair.reveal", reveal));
  assert.match(digits, /^\d{6}$/);
  const { entry, chain } = await home.page.ask("pair.certify", { digits, person: PERSON, adult: false });
  home.entries.push(entry);
  await home.page.ask("roster.load", { entries: home.entries });
  const adopted = await device.ask("adopt", { chain, roster: home.entries });
  if (adopted.state === "ready") home.devices = [...(home.devices ?? []), adopted.who.device];
  return device;
}
