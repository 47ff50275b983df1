//! Movement before a home device: what counts as one, when it may look at all, and that the camera is open no longer than that.

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Activity, MOTION_EVERY_MS } from "../../src/device/activity.ts";
import { grey, LOOKED_AT, type Lookout, mayLook, Motion } from "../../src/device/motion.ts";
import { type Eye, LOOK_EVERY_MS, MotionWatch } from "../../src/device/motion_watch.ts";

const CELLS = LOOKED_AT.width * LOOKED_AT.height;
let seed = 3;
const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
/** A room at dusk, with the noise of its camera; `who` stands before so many cells. */
const room = (light = 90, who = 0): Uint8Array => Uint8Array.from({ length: CELLS }, (_, at) => light + (at % 16) * 4 + random(9) - 4 + (at >= 40 && at < 40 + who ? 60 : 0));

// req: RA-3
test("somebody who comes and goes is movement; noise, a fly, and a lamp or a cloud are none", () => {
  const motion = new Motion();
  const sees = (...frames: Uint8Array[]): boolean[] => frames.map((frame) => motion.moved(frame));
  assert.deepEqual(sees(room(), room(), room()), [false, false, false]);
  assert.deepEqual(sees(room(90, 6), room(90, 6), room()), [true, false, true]);
  assert.deepEqual(sees(room(90, 2), room()), [false, false]);
  assert.deepEqual(sees(room(150), room(60), room(90)), [false, false, false]);
  assert.deepEqual(sees(room(150, 6)), [true]);
});

test("what changed while it did not look is no movement", () => {
  const motion = new Motion();
  motion.moved(room());
  motion.forget();
  assert.equal(motion.moved(room(90, 60)), false);
});

test("of colours the brightness alone is looked at", () => {
  assert.deepEqual([...grey(Uint8ClampedArray.of(255, 255, 255, 255, 0, 0, 0, 255, 255, 0, 0, 255, 0, 255, 0, 255))], [255, 0, 76, 149]);
});

// req: RA-4
test("it looks only while it was switched on, the camera is not off or covered, the page is seen, nothing else wants the camera, and somebody would be told", () => {
  const all: Lookout = { on: true, camera: true, visible: true, idle: true, told: true };
  assert.ok(mayLook(all));
  for (const one of Object.keys(all)) assert.ok(!mayLook({ ...all, [one]: false }), one);
});

/** A watch whose camera shows what is put before it. */
function watching() {
  const scene = { may: true, frame: room() as Uint8Array | undefined, moved: 0, opened: 0, closed: 0, lost: () => undefined as void, gives: (): Promise<Eye> => Promise.resolve(eye) };
  const eye: Eye = {
    frame: () => scene.frame,
    close: () => {
      scene.closed += 1;
    },
  };
  const watch = new MotionWatch({
    may: () => scene.may,
    open: (lost) => {
      scene.opened += 1;
      scene.lost = lost;
      return scene.gives();
    },
    moved: () => {
      scene.moved += 1;
    },
    changed: () => watch.look(),
  });
  return { watch, scene };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("the camera is open while it may look, and closed at once when it may not; what moved meanwhile is not said", async () => {
  mock.timers.enable({ apis: ["setInterval"] });
  try {
    const { watch, scene } = watching();
    watch.look();
    watch.look();
    await settle();
    assert.deepEqual([scene.opened, watch.at], [1, "looking"]);
    const after = (frame: Uint8Array | undefined): void => {
      scene.frame = frame;
      mock.timers.tick(LOOK_EVERY_MS);
    };
    for (const frame of [undefined, room(), room(), room(90, 8)]) after(frame);
    assert.equal(scene.moved, 1);
    scene.may = false;
    watch.look();
    assert.deepEqual([scene.closed, watch.at], [1, "closed"]);
    after(room());
    scene.may = true;
    watch.look();
    await settle();
    after(room(90, 60));
    assert.deepEqual([scene.opened, scene.moved], [2, 1]);
    // Nobody said that it may not any more: it notices by itself.
    scene.may = false;
    after(room());
    assert.deepEqual([scene.closed, scene.moved], [2, 1]);
  } finally {
    mock.timers.reset();
  }
});

test("a camera that comes too late is closed again, and one that does not come, or is lost, is not asked for all the time", async () => {
  const { watch, scene } = watching();
  watch.look();
  scene.may = false;
  watch.look();
  await settle();
  assert.deepEqual([scene.closed, watch.at], [1, "closed"]);
  scene.may = true;
  scene.gives = () => Promise.reject(new Error("none"));
  watch.look();
  await settle();
  watch.look();
  assert.deepEqual([scene.opened, watch.at], [2, "failed"]);
  scene.may = false;
  watch.look();
  const { watch: other, scene: its } = watching();
  other.look();
  await settle();
  its.lost();
  other.look();
  assert.deepEqual([its.opened, its.closed, other.at], [1, 1, "failed"]);
});

test("movement is said every ten seconds at most", () => {
  const said: number[] = [];
  let now = 0;
  const activity = new Activity(() => said.push(now) > 0, MOTION_EVERY_MS);
  for (now of [0, 1_000, MOTION_EVERY_MS - 1, MOTION_EVERY_MS, MOTION_EVERY_MS + 1]) activity.noticed(now);
  assert.deepEqual(said, [0, MOTION_EVERY_MS]);
});
