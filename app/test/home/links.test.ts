//! Links carry what they should and nothing else is taken for one.

import assert from "node:assert/strict";
import { test } from "node:test";
import { contactLink, guestLink, isGuestLink, joinLink, parseHandle, parseLink } from "../../src/home/links.ts";

const KEY = "A".repeat(43);
const ID = "0".repeat(32);

test("a link is read as it was written", () => {
  const join = joinLink("https://home", ID, KEY, KEY);
  assert.deepEqual(parseLink(new URL(join).hash), { kind: "join", invitation: ID, secret: KEY, fingerprint: KEY });
  assert.equal(new URL(join).pathname, "/");
  assert.deepEqual(parseLink(new URL(contactLink("https://home", "anna", KEY)).hash), { kind: "contact", handle: "anna", fingerprint: KEY });
});

test("what is damaged is no link", () => {
  for (const hash of ["", "#/", "#join", `#join/${ID}/${KEY}`, `#join/${ID}/${KEY}/${KEY}/x`, `#contact/A!/${KEY}`, "#contact/anna/short", "#/settings"]) {
    assert.equal(parseLink(hash), undefined, hash);
  }
});

test("handles are folded as the server folds them", () => {
  assert.equal(parseHandle(" @Anna.B "), "anna.b");
  for (const text of ["", "ab", ".ann", "a nna", "a".repeat(33)]) assert.equal(parseHandle(text), undefined);
});

test("a tap on a notice leads to its call and to nothing else", () => {
  const call = "ab".repeat(16);
  assert.deepEqual(parseLink(`#answer/${call}`), { kind: "answer", call });
  for (const bad of ["#answer", "#answer/x", `#answer/${call}/x`, `#answer/${call.toUpperCase()}`]) assert.equal(parseLink(bad), undefined);
});

test("a guest's link opens a guest's page, whole or not", () => {
  const url = new URL(guestLink("https://home", ID, KEY, KEY));
  assert.deepEqual(parseLink(url.hash), { kind: "guest", link: ID, secret: KEY, fingerprint: KEY });
  for (const hash of [url.hash, "#guest", "#guest/", `#guest/${ID}`, "#/guest/x"]) assert.ok(isGuestLink(hash), hash);
  for (const hash of ["", "#/", "#/guests", "#join/guest", `#contact/guest/${KEY}`]) assert.ok(!isGuestLink(hash), hash);
  for (const hash of [`#guest/${ID}`, `#guest/${ID}/${KEY}`, `#guest/x/${KEY}/${KEY}`, `#guest/${ID}/${KEY}/${KEY}/x`]) assert.equal(parseLink(hash), undefined, hash);
});
