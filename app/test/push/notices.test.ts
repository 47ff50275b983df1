// What a notice of a call says, whom it names, and where a tap leads.
import assert from "node:assert/strict";
import { test } from "node:test";
import { callerTag, match } from "../../src/push/names.ts";
import { noticeOf, notDeclined, pathAfter, tagOf } from "../../src/push/notices.ts";

const CALL = "07".repeat(16);
const RING = { type: "ring", call: CALL, expires_at_ms: 45_000, video: false, caller: "", decline: "once" } as const;

test("a ringing notice can be answered and declined, and names only an own contact", () => {
  const { title, shown } = noticeOf(RING, "Mum", 0);
  assert.deepEqual([title, shown.body], ["Incoming call", "Mum"]);
  assert.deepEqual(shown.actions?.map(({ action }) => action), ["answer", "decline"]);
  assert.deepEqual(shown.data, { call: CALL, rings: true, expiresAtMs: 45_000, decline: "once" });
  assert.equal(noticeOf({ ...RING, video: true }, "Mum", 0).title, "Incoming video call");
  assert.doesNotMatch(noticeOf(RING, undefined, 0).shown.body ?? "", /undefined|Mum/);
});

test("what comes after the ring takes its place, and a ring that comes too late was missed", () => {
  const after = [
    noticeOf({ type: "over", call: CALL, reason: "answered_elsewhere" }, undefined, 0),
    noticeOf({ type: "over", call: CALL, reason: "declined" }, undefined, 0),
    noticeOf({ type: "missed", call: CALL, caller: "" }, "Mum", 0),
    noticeOf(RING, "Mum", 45_000),
    notDeclined(CALL),
  ];
  assert.deepEqual(after.map(({ title }) => title), [
    "Answered on another device", "Call declined", "Missed call", "Missed call", "The call could not be declined",
  ]);
  for (const { shown } of after) {
    assert.equal(shown.tag, tagOf(CALL));
    assert.equal(shown.actions, undefined);
    assert.equal(shown.data.decline, undefined);
  }
});

test("a tap answers only while it rings", () => {
  const { data } = noticeOf(RING, undefined, 0).shown;
  assert.equal(pathAfter(data, "answer", 1), `/#answer/${CALL}`);
  assert.equal(pathAfter(data, "", 1), "/");
  assert.equal(pathAfter(data, "answer", 45_000), "/#/history");
  assert.equal(pathAfter(noticeOf({ type: "missed", call: CALL, caller: "" }, undefined, 0).shown.data, "", 1), "/#/history");
});

// The server's twin, signaling/src/domain/push/rules.rs, holds the same text.
test("a caller is known by the hash that the server makes, in this call only", async () => {
  const tag = "5SZAAFXYUS4WWFFkLxyOz28_ekAC7TacgwrT0c6emdY";
  assert.equal(await callerTag(CALL, "anna"), tag);
  const names = [{ handle: "ben", name: "Benny" }, { handle: "anna", name: "Mum" }];
  assert.equal(await match(names, CALL, tag), "Mum");
  assert.equal(await match(names, "08".repeat(16), tag), undefined);
  assert.equal(await match(names.slice(0, 1), CALL, tag), undefined);
});
