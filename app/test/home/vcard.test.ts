//! Address books as phones write them are read, and damaged ones are refused whole.

import assert from "node:assert/strict";
import { test } from "node:test";
import { readCards } from "../../src/home/vcard.ts";

const read = (text: string) => readCards(new TextEncoder().encode(text));
const card = (lines: string, version = "3.0") => `BEGIN:VCARD\r\nVERSION:${version}\r\n${lines}\r\nEND:VCARD\r\n`;

test("an iPhone's vCard 3.0: groups, types, folded lines, a picture that is left out", () => {
  const { entries, skipped } = read(card([
    "PRODID:-//Apple Inc.//iPhone OS 17.0//EN", "N:Miller;Rose;;;", "FN:Rose \r\n Miller",
    "item1.TEL;type=pref:(201) 555-0101", "TEL;type=CELL;type=VOICE:(201) 555-0102", "TEL;type=\"WORK,voice\":+1 201 555 0103",
    "TEL;type=HOME;type=FAX:(201) 555-0104", "PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQ\r\n SkZJRg==", "UID:7F-1",
  ].join("\r\n")));
  assert.equal(skipped, 0);
  assert.deepEqual(entries, [{
    source_id: "uid:7F-1", name: "Rose Miller",
    numbers: [{ kind: "other", text: "(201) 555-0101" }, { kind: "mobile", text: "(201) 555-0102" }, { kind: "work", text: "+1 201 555 0103" }],
  }]);
});

test("vCard 4.0: numbers as addresses, escapes", () => {
  const { entries } = read(card("FN:M\\, Rose\\; née X\nTEL;VALUE=uri;TYPE=\"home\":tel:+1-201-555-0101;ext=5\nUID:urn:uuid:1", "4.0"));
  assert.deepEqual(entries, [{ source_id: "uid:urn:uuid:1", name: "M, Rose; née X", numbers: [{ kind: "home", text: "+1-201-555-0101" }] }]);
});

test("an Android's vCard 2.1: bare types, quoted-printable over two lines, an unfolded picture", () => {
  const { entries } = read([
    "BEGIN:VCARD", "VERSION:2.1", "N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:;=C3=84nne=", "=20K.;;;", "TEL;CELL;PREF:0151 2345678",
    "PHOTO;ENCODING=BASE64;JPEG:/9j/", "4AAQSkZJRg", "", "END:VCARD",
  ].join("\n"));
  assert.equal(entries[0]?.name, "Änne K.");
  assert.deepEqual(entries[0]?.numbers, [{ kind: "mobile", text: "0151 2345678" }]);
});

test("without an id, the name gives one that stays when a number changes", () => {
  const two = read(card("FN:Ben\nTEL:1") + card("FN:Ben\nTEL:2"));
  const changed = read(card("FN:Ben\nTEL:3"));
  const [first, second] = two.entries;
  assert.match(first?.source_id ?? "", /^hash:[0-9a-f]{32}$/);
  assert.equal(second?.source_id, `${first?.source_id}#1`);
  assert.equal(changed.entries[0]?.source_id, first?.source_id);
  const long = read(card(`FN:Ben\nUID:${"x".repeat(500)}\nTEL:1`)).entries[0];
  assert.match(long?.source_id ?? "", /^hash:/);
});

test("what has no name or no number is counted and left out; bounds hold", () => {
  const { entries, skipped } = read(card("FN:No number") + card("TEL:1") + card("ORG:Bakery;Elm St\nTEL:1") + card(`FN:${"ü".repeat(80)}\n${Array.from({ length: 12 }, (_, at) => `TEL:${at}`).join("\n")}\nTEL:${"9".repeat(65)}`));
  assert.equal(skipped, 2);
  assert.equal(entries[0]?.name, "Bakery");
  assert.equal([...(entries[1]?.name ?? "")].length, 64);
  assert.equal(entries[1]?.numbers.length, 10);
});

test("files that are damaged, no vCards, or too much are refused in words", () => {
  const good = card("FN:Ben\nTEL:1");
  const cases: [string, RegExp][] = [
    ["", /nobody with a name/],
    ["hello", /no line of a vCard/],
    ["name,phone\nBen,1", /no line of a vCard/],
    ["X:1\n", /not a file of vCards/],
    [good.slice(0, -12), /cut off/],
    [`${good}BEGIN:VCARD\nVERSION:3.0\nFN:Ann`, /cut off/],
    ["BEGIN:VCARD\nVERSION:3.0\nBEGIN:VCARD\n", /within another/],
    [card("FN:Ben\nTEL:1", "9.9"), /no version known/],
    ["BEGIN:VCARD\nFN:Ben\nEND:VCARD", /no version known/],
    [card("FN:Ben"), /nobody with a name/],
    [good.repeat(5_001), /more than 5000/],
  ];
  for (const [text, words] of cases) assert.throws(() => read(text), words, text.slice(0, 40));
  assert.throws(() => readCards(Uint8Array.of(0xff, 0xfe, 0x00)), /UTF-8/);
  assert.equal(read(`\uFEFF${good}`).entries.length, 1);
});
