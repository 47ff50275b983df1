//! Finding what a removed device had signed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { keysGone, signerOf } from "../../src/home/signers.ts";
import type { RosterView } from "../../src/e2ee/port.ts";
import { founded } from "../e2ee/founded.ts";

test("the signer of a contact card is the app that signed it", async () => {
  const { page, entries } = await founded();
  const { devices } = await page.ask("roster.load", { entries });
  const { card } = await page.ask("contact.sign", { contactId: "cc".repeat(16), revision: 1, name: "Ben", handle: "ben", pin: 0 });
  assert.equal(signerOf(card), devices[0]?.deviceKey);
  assert.equal(signerOf(card.slice(0, 12)), undefined);
  assert.equal(signerOf(""), undefined);
});

test("the keys that are gone are those that were there before", () => {
  const roster = (...keys: string[]): RosterView => ({
    household: "h", name: "Home", fingerprint: "f", seq: 0, head: "x",
    devices: keys.map((deviceKey) => ({ device: deviceKey, deviceKey, kind: "app", adult: true, person: "p", label: "l" })),
  });
  assert.deepEqual([...keysGone(roster("a", "b"), roster("b", "c"))], ["a"]);
  assert.deepEqual([...keysGone(undefined, roster("b"))], []);
});
