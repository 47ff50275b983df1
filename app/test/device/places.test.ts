//! Where somebody at a home device may want to drop in.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Around, places, PLACES_MAX } from "../../src/device/places.ts";
import type { ContactView } from "../../src/home/store.ts";
import type { Device } from "../../src/protocol.ts";

const device = (id: string, change: Partial<Device> = {}, camera = true): Device =>
  ({ id, label: id, account: "p1", kind: "home_device", settings: { capabilities: { microphone: true, speaker: true, screen: camera, camera } }, ...change }) as Device;
const contact = (id: string, change: Partial<ContactView> = {}): ContactView => ({ id, name: id, handle: id, pin: 1, theirGenesis: `G${id}`, revision: 1, trouble: undefined, ...change });

function around(devices: Device[], contacts: ContactView[]): Around {
  const changed = new Set(["changed"]);
  return {
    store: { devices, members: [{ id: "p1", handle: "anna", display_name: "Anna", role: "adult" }], sortedContacts: () => contacts } as never,
    ownGenesis: "own", self: "kitchen", near: { atDevice: (id) => (id === "hall" ? 5 : undefined), at: (handle) => (handle === "mum" ? 0 : undefined) },
    keyChanged: (id) => changed.has(id),
  };
}

// req: DROP-13
test("the other rooms come first, then contacts whose household was met by its key; where nobody can be meant is no place", () => {
  const { shown, more } = places(around(
    [device("kitchen"), device("hall"), device("phone", { kind: "app" }), device("orphan", { account: "p9" }), device("attic", {}, false)],
    [contact("mum"), contact("unmet", { theirGenesis: undefined }), contact("child", { theirGenesis: "own" }), contact("moved", { pin: 3 }), contact("changed"), contact("forged", { trouble: "forged" })],
  ), "");
  assert.deepEqual(shown.map(({ id, picture, near }) => [id, picture, near]), [["hall", true, 5], ["attic", false, undefined], ["mum", true, 0]]);
  assert.deepEqual(shown.map(({ peer }) => [peer.target, peer.genesis, peer.verdict]), [[{ device: "hall" }, "own", "own"], [{ device: "attic" }, "own", "own"], [undefined, "Gmum", "unverified"]]);
  assert.ok(!more);
});

test("so many are asked about and no more; the others are found by their name", () => {
  const many = around([device("hall")], Array.from({ length: PLACES_MAX }, (_, nth) => contact(`friend ${nth}`)));
  const all = places(many, "");
  assert.deepEqual([all.shown.length, all.more], [PLACES_MAX, true]);
  const last = `friend ${PLACES_MAX - 1}`;
  assert.ok(!all.shown.some(({ id }) => id === last));
  assert.deepEqual(places(many, ` ${last.toUpperCase()} `).shown.map(({ id }) => id), [last]);
  assert.ok(places(many, "nobody").more, "the field stays where nothing fits");
});
