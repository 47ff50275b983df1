//! Who may be let in, and what is pinned when.

import assert from "node:assert/strict";
import { test } from "node:test";
import { judge, judgeGuest, pinAfter } from "../../src/call/pins.ts";
import type { ContactView } from "../../src/home/store.ts";

const contact = (change: Partial<ContactView>): ContactView => ({
  id: "c", name: "Mum", handle: "anna", pin: 0, theirGenesis: undefined, revision: 1, trouble: undefined, ...change,
});
const who = { genesis: "G", fingerprint: "F", own: false };

test("a key is judged by the signed card", () => {
  const table: [ContactView | undefined, string | undefined, string][] = [
    [undefined, undefined, "stranger"],
    [contact({}), undefined, "first"],
    [contact({}), "F", "first_by_link"],
    [contact({}), "other", "changed"],
    [contact({ pin: 1, theirGenesis: "G" }), undefined, "unverified"],
    [contact({ pin: 2, theirGenesis: "G" }), undefined, "verified"],
    [contact({ pin: 2, theirGenesis: "X" }), undefined, "changed"],
    [contact({ pin: 1, theirGenesis: "X" }), "F", "changed"],
    [contact({ pin: 2, theirGenesis: "G", trouble: "forged" }), undefined, "changed"],
    [contact({ pin: 3 }), undefined, "stranger"],
  ];
  for (const [card, link, verdict] of table) assert.equal(judge(card, who, link), verdict);
  assert.equal(judge(undefined, { ...who, own: true }, undefined), "own");
});

test("only a first meeting changes the pin", () => {
  assert.equal(pinAfter("first"), 1);
  assert.equal(pinAfter("first_by_link"), 2);
  for (const verdict of ["own", "verified", "unverified", "stranger", "changed", "guest"] as const) assert.equal(pinAfter(verdict), undefined);
});

test("a guest passes for nobody else, and nobody passes for a guest", () => {
  const ben = { handle: "ben", name: "Ben", contact: "c", genesis: undefined, verdict: undefined };
  const gus = { handle: "d".repeat(32), name: "Gus", contact: undefined, genesis: "G", verdict: "guest" as const };
  assert.equal(judgeGuest(ben, { genesis: "B", kind: "app" }), undefined);
  assert.equal(judgeGuest(gus, { genesis: "G", kind: "guest" }), true);
  assert.equal(judgeGuest(gus, { genesis: "X", kind: "guest" }), false, "another guest");
  assert.equal(judgeGuest(gus, { genesis: "G", kind: "app" }), false, "not a guest's certificate");
  assert.equal(judgeGuest({ ...ben, genesis: "G", verdict: "verified" }, { genesis: "G", kind: "guest" }), false, "a guest in a contact's place");
  assert.equal(judgeGuest(ben, { genesis: "G", kind: "guest" }), false, "a guest as somebody met for the first time");
});
