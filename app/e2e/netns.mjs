// A home and its callers in network namespaces of their own, with a link between them that is as bad as a story wants.
//
// The server is alone in one namespace, each browser in another. `bad_network` (loadtest/) carries the packets between
// them, so that they can be lost, delayed, counted and fenced off. Needs root and /dev/net/tun; `possible()` says why not.
import { execFileSync, spawn } from "node:child_process";
import { accessSync, chmodSync, constants, existsSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { WHOLE } from "./browser.mjs";
import { BINARY, serve } from "./homeline.mjs";

const BAD_NETWORK = join(dirname(BINARY), "bad_network");
export const HTTPS_PORT = 8443;

const ip = (...args) => execFileSync("ip", args, { stdio: ["ignore", "pipe", "pipe"] }).toString();

/** Why there can be no namespaces here; `undefined` when there can. */
export function possible() {
  if (process.getuid() !== 0) return "network namespaces need root";
  try {
    accessSync("/dev/net/tun", constants.R_OK | constants.W_OK);
    ip("netns", "list");
  } catch (error) {
    return `no network namespaces or no /dev/net/tun: ${error.message}`;
  }
  if (!existsSync(BAD_NETWORK)) throw new Error(`no ${BAD_NETWORK}: cargo build --package loadtest`);
  return undefined;
}

/** Namespaces that live as long as a file of stories. */
class Namespaces {
  #names = [];

  add(name) {
    ip("netns", "add", name);
    this.#names.push(name);
    ip("-n", name, "link", "set", "lo", "up");
    return name;
  }

  within(namespace, ...command) {
    return execFileSync("ip", ["netns", "exec", namespace, ...command], { stdio: ["ignore", "pipe", "pipe"] }).toString();
  }

  /** The server in the home's namespace. */
  serveIn(home, settings) {
    return serve({ HOMELINE_SERVER__HTTPS_PORT: String(HTTPS_PORT), ...settings }, undefined, ["ip", "netns", "exec", home]);
  }

  /** The program that `launch` runs in place of Chromium, inside a namespace. */
  async chromiumIn(namespace) {
    this.scripts ??= await mkdtemp(join(tmpdir(), "homeline-netns-"));
    const script = join(this.scripts, namespace);
    writeFileSync(script, `#!/bin/sh\nexec ip netns exec ${namespace} ${WHOLE} "$@"\n`);
    chmodSync(script, 0o755);
    return script;
  }

  async close() {
    for (const name of this.#names) ip("netns", "del", name);
    if (this.scripts !== undefined) await rm(this.scripts, { recursive: true, force: true });
  }
}

export class BadNetwork {
  #links = new Map();
  #relay;
  #lines;
  #namespaces = new Namespaces();

  /** `names` of at most five letters: one namespace each, linked with the home's. `{ name, of }` is a second link of the namespace `of`, used when the first is down. */
  async open(...names) {
    const mark = process.pid % 10_000;
    this.home = `home-${mark}`;
    const links = names.map((each, at) => {
      const { name, of } = typeof each === "string" ? { name: each, of: undefined } : each;
      return { name, of, link: `${name}${mark}`, namespace: `${of ?? name}-${mark}`, net: `10.77.${at + 1}` };
    });
    this.#relay = spawn(BAD_NETWORK, links.map(({ link }) => link), { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface({ input: this.#relay.stdout })[Symbol.asyncIterator]();
    const { value, done } = await this.#lines.next();
    if (done || value !== "ready") throw new Error("the bad network does not start");
    this.#add(this.home);
    for (const { name, of, link, namespace, net } of links) {
      if (of === undefined) this.#add(namespace);
      for (const [end, within, address] of [["near", namespace, `${net}.2/24`], ["far", this.home, `${net}.1/24`]]) {
        ip("link", "set", `${link}-${end}`, "netns", within);
        ip("-n", within, "addr", "add", address, "dev", `${link}-${end}`);
        ip("-n", within, "link", "set", `${link}-${end}`, "up");
      }
      this.#links.set(name, { link, namespace, net, device: `${link}-near`, address: `${net}.2/24`, metric: of === undefined ? "100" : "200" });
      this.#route(name);
    }
  }

  #add(name) {
    this.#namespaces.add(name);
    // An answer may go out by another interface than the question came in.
    this.#namespaces.within(name, "sh", "-c", "for filter in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 > $filter; done");
  }

  /** The way out over a link. A namespace's second link is taken when the first has none. */
  #route(name) {
    const { namespace, net, metric } = this.#links.get(name);
    ip("-n", namespace, "route", "replace", "default", "via", `${net}.1`, "metric", metric);
  }

  /** The server in the home's namespace, and where `name` finds it. */
  async serve(settings = {}) {
    const server = await this.#namespaces.serveIn(this.home, settings);
    return Object.assign(server, { urlFor: (name) => `https://${this.#links.get(name).net}.1:${HTTPS_PORT}` });
  }

  /** The program that `launch` runs in place of Chromium, inside the namespace of `name`. */
  chromium(name) {
    return this.#namespaces.chromiumIn(this.#links.get(name).namespace);
  }

  /** The weather of a link from now on; `both` ways, or `up` (from the browser) and `down` apart. Answers with what passed so far. */
  async weather(name, { both = {}, up = both, down = both, fence = {} } = {}) {
    this.#relay.stdin.write(`${JSON.stringify({ link: this.#links.get(name).link, up, down, fence })}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("the bad network has ended");
    const [sent, received] = JSON.parse(value);
    return { sent, received };
  }

  /** The router before `name` has another address from now on, which the browser can't know. */
  newRouterAddress(name, last) {
    const { net } = this.#links.get(name);
    return this.weather(name, { fence: { known_as: [`${net}.2`, `${net}.${last}`] } });
  }

  /** From now on the browser of `name` has another address, and the old one is gone, as after a change of networks. */
  move(name, last) {
    const link = this.#links.get(name);
    const address = `${link.net}.${last}/24`;
    ip("-n", link.namespace, "addr", "del", link.address, "dev", link.device);
    ip("-n", link.namespace, "addr", "add", address, "dev", link.device);
    // The route leaves with the address that it was made for.
    this.#route(name);
    link.address = address;
  }

  /** The interface of a link goes down, as a Wi-Fi that is left, or comes up again. */
  plug(name, up) {
    const { namespace, device, address } = this.#links.get(name);
    ip("-n", namespace, "addr", up ? "replace" : "del", address, "dev", device);
    ip("-n", namespace, "link", "set", device, up ? "up" : "down");
    if (up) this.#route(name);
  }

  /** Runs with a link unplugged, and plugs it in again whatever happens. */
  async without(name, run) {
    this.plug(name, false);
    try {
      return await run();
    } finally {
      this.plug(name, true);
    }
  }

  async close() {
    this.#relay?.stdin.end();
    await this.#namespaces.close();
  }
}

/** A home behind a router with NAT, and the world before it. The router forwards what it is told to; the kernel does it. */
export class HomeBehindRouter {
  #namespaces = new Namespaces();

  /** The home is 192.168.1.0/24 with the server at .5; the router is 203.0.113.1 outside, `world` stands at .9. */
  async open() {
    const mark = process.pid % 10_000;
    for (const name of ["home", "router", "world"]) {
      this[name] = this.#namespaces.add(`${name}-r${mark}`);
    }
    const cable = (name, within, address, peer, there, far) => {
      ip("link", "add", `${name}${mark}`, "netns", within, "type", "veth", "peer", "name", `${peer}${mark}`, "netns", there);
      for (const [device, namespace, own] of [[name, within, address], [peer, there, far]]) {
        ip("-n", namespace, "addr", "add", own, "dev", `${device}${mark}`);
        ip("-n", namespace, "link", "set", `${device}${mark}`, "up");
      }
    };
    cable("lan", this.home, "192.168.1.5/24", "in", this.router, "192.168.1.1/24");
    cable("wan", this.world, "203.0.113.9/24", "out", this.router, "203.0.113.1/24");
    this.outside = `out${mark}`;
    ip("-n", this.home, "route", "add", "default", "via", "192.168.1.1");
    this.within(this.router, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward");
    this.#rule("nat", "POSTROUTING", "-o", this.outside, "-j", "MASQUERADE");
    // As a home's router: what the home began, and what is forwarded.
    this.#rule("filter", "FORWARD", "-m", "conntrack", "--ctstate", "ESTABLISHED,RELATED,DNAT", "-j", "ACCEPT");
    this.#rule("filter", "FORWARD", "-i", this.outside, "-j", "DROP");
  }

  within(namespace, ...command) {
    return this.#namespaces.within(namespace, ...command);
  }

  #rule(table, chain, ...rule) {
    this.within(this.router, "iptables", "-t", table, "-A", chain, ...rule);
  }

  /** A rule as people enter it: this port goes to the server. */
  forward(protocol, port) {
    this.#rule("nat", "PREROUTING", "-i", this.outside, "-p", protocol, "--dport", String(port), "-j", "DNAT", "--to-destination", `192.168.1.5:${port}`);
  }

  serve(settings) {
    return this.#namespaces.serveIn(this.home, settings);
  }

  chromium(namespace) {
    return this.#namespaces.chromiumIn(namespace);
  }

  close() {
    return this.#namespaces.close();
  }
}
