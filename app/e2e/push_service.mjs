// A stand-in for a browser's push service, since a headless browser can't subscribe at a real one: it takes what the server sends and decrypts it
// as the browser would, with Node's own ciphers. The subscription that a page gets is one at this service.
import assert from "node:assert/strict";
import { createDecipheriv, createECDH, hkdfSync, randomBytes } from "node:crypto";
import { createServer } from "node:http";

const PATIENCE = 20_000;

export class PushService {
  #ecdh = createECDH("prime256v1");
  #auth = randomBytes(16);
  #messages = [];
  #notice = () => undefined;

  async start() {
    this.#ecdh.generateKeys();
    this.server = createServer(async (request, response) => {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      this.#messages.push({ headers: request.headers, notice: this.#decrypt(Buffer.concat(chunks)) });
      response.writeHead(201).end();
      this.#notice();
    });
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }

  /** Lets the pages of a context subscribe here. */
  async lend(context) {
    const subscription = {
      endpoint: `http://127.0.0.1:${this.server.address().port}/someone`,
      p256dh: [...this.#ecdh.getPublicKey()], auth: [...this.#auth],
    };
    await context.addInitScript(({ endpoint, ...keys }) => {
      let current = null;
      PushManager.prototype.getSubscription = async () => current;
      PushManager.prototype.subscribe = async ({ applicationServerKey, userVisibleOnly }) => {
        if (applicationServerKey.length !== 65 || userVisibleOnly !== true) throw new DOMException("no", "InvalidAccessError");
        current = {
          endpoint,
          options: { applicationServerKey: applicationServerKey.buffer },
          getKey: (name) => new Uint8Array(keys[name]).buffer,
          unsubscribe: async () => {
            current = null;
            return true;
          },
        };
        return current;
      };
    }, subscription);
  }

  /** The next message, decrypted. */
  async message() {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#notice();
    }, PATIENCE);
    try {
      while (this.#messages.length === 0) {
        if (late) throw new Error("no push in time");
        await new Promise((resolve) => {
          this.#notice = resolve;
        });
      }
      return this.#messages.shift();
    } finally {
      clearTimeout(timer);
    }
  }

  #decrypt(body) {
    const salt = body.subarray(0, 16);
    assert.equal(body[20], 65);
    const sender = body.subarray(21, 86);
    const derive = (key, with_, info, length) => Buffer.from(hkdfSync("sha256", key, with_, info, length));
    const info = Buffer.concat([Buffer.from("WebPush: info\0"), this.#ecdh.getPublicKey(), sender]);
    const input = derive(this.#ecdh.computeSecret(sender), this.#auth, info, 32);
    const key = derive(input, salt, "Content-Encoding: aes128gcm\0", 16);
    const nonce = derive(input, salt, "Content-Encoding: nonce\0", 12);
    const decipher = createDecipheriv("aes-128-gcm", key, nonce);
    decipher.setAuthTag(body.subarray(-16));
    const padded = Buffer.concat([decipher.update(body.subarray(86, -16)), decipher.final()]);
    return JSON.parse(padded.subarray(0, padded.lastIndexOf(2)).toString());
  }
}
