// How relays are asked for, kept and written for ICE.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Relays, url } from "../../src/media/relays.ts";
import type { RelayServers } from "../../src/protocol.ts";

const HOUR = 3_600_000;

function told(expires: number): RelayServers {
  return {
    servers: [{ host: null, port: 3478, transport: "udp" }, { host: "turn.example", port: 443, transport: "tls" }],
    username: "1:x", credential: "secret", expires_at_ms: expires,
  };
}

test("a relay is written as ICE takes it, at the host where the server is reached unless it says another", () => {
  assert.equal(url({ host: null, port: 3478, transport: "udp" }, "home.lan"), "turn:home.lan:3478?transport=udp");
  assert.equal(url({ host: null, port: 8445, transport: "tcp" }, "[fd00::1]"), "turn:[fd00::1]:8445?transport=tcp");
  assert.equal(url({ host: "turn.example", port: 443, transport: "tls" }, "home.lan"), "turns:turn.example:443?transport=tcp");
});

test("it asks once while a credential counts, and anew before it ends", async () => {
  let asked = 0;
  const relays = new Relays(() => Promise.resolve(told(++asked * HOUR)), () => "home.lan");
  const [first, second] = await Promise.all([relays.servers(0), relays.servers(0)]);
  assert.deepEqual(first, second);
  assert.deepEqual(first, [{ urls: ["turn:home.lan:3478?transport=udp", "turns:turn.example:443?transport=tcp"], username: "1:x", credential: "secret" }]);
  await relays.servers(HOUR / 2);
  assert.equal(asked, 1);
  await relays.servers(HOUR - 60_000);
  assert.equal(asked, 2);
  relays.forget();
  await relays.servers(HOUR);
  assert.equal(asked, 3, "a server that was started anew has another secret");
});

test("a call begins without a relay where there is none, or nobody answers", async () => {
  const none = new Relays(() => Promise.resolve({ ...told(HOUR), servers: [] }), () => "home.lan");
  assert.deepEqual(await none.servers(0), []);
  const refused = new Relays(() => Promise.reject(new Error("refused")), () => "home.lan");
  assert.deepEqual(await refused.servers(0), []);
  const silent = new Relays(() => new Promise(() => undefined), () => "home.lan");
  assert.deepEqual(await silent.servers(0), []);
});
