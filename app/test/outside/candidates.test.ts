//! A test tries the addresses of one way alone, as told or at the host of the page.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bare, names, only, outsideHost } from "../../src/outside/candidates.ts";

const ANSWER = [
  "v=0", "m=audio 9 UDP/TLS/RTP/SAVPF 111",
  "a=candidate:1 1 udp 2130706431 192.168.1.5 8444 typ host",
  "a=candidate:2 1 udp 2130706175 203.0.113.7 8444 typ host",
  "a=candidate:3 1 tcp 1671430143 192.168.1.5 8444 typ host tcptype passive",
  "a=end-of-candidates", "",
].join("\r\n");

const candidates = (sdp: string): string[] => sdp.split("\r\n").filter((line) => line.startsWith("a=candidate:"));

test("an answer keeps one protocol, and everything that is no candidate", () => {
  assert.deepEqual(candidates(only(ANSWER, "udp")).length, 2);
  const tcp = only(ANSWER, "tcp");
  assert.deepEqual(candidates(tcp), ["a=candidate:3 1 tcp 1671430143 192.168.1.5 8444 typ host tcptype passive"]);
  assert.ok(tcp.startsWith("v=0\r\nm=audio") && tcp.endsWith("a=end-of-candidates\r\n"));
});

test("at the page's host, several addresses on one port are one", () => {
  assert.deepEqual(candidates(only(ANSWER, "udp", "198.51.100.1")), ["a=candidate:1 1 udp 2130706431 198.51.100.1 8444 typ host"]);
});

test("whether the answer names the page's host is known", () => {
  assert.equal(names(ANSWER, "udp", "203.0.113.7"), true);
  assert.equal(names(ANSWER, "tcp", "203.0.113.7"), false);
  assert.equal(bare("[2001:db8::1]"), "2001:db8::1");
});

test("a link outside leads to a name of the world, or to the home's public address", () => {
  assert.equal(outsideHost("home.example", "203.0.113.7"), "home.example");
  for (const here of ["localhost", "192.168.1.5", "homeline.lan", "homeline.local", "[fd00::1]"]) assert.equal(outsideHost(here, "203.0.113.7"), "203.0.113.7");
  assert.equal(outsideHost("192.168.1.5", null), "192.168.1.5");
  assert.equal(outsideHost("localhost", "2001:db8::1"), "[2001:db8::1]");
});
