// The server's end of WebSocket (RFC 6455), as little of it as the tests of the screens need: text frames, ping, close.
import { createHash } from "node:crypto";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

export function accept(request, socket, { text, closed }) {
  const key = createHash("sha1").update(request.headers["sec-websocket-key"] + GUID).digest("base64");
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`);
  let buffer = Buffer.alloc(0);
  let parts = [];
  socket.on("data", (data) => {
    buffer = Buffer.concat([buffer, data]);
    for (let frame = take(); frame !== undefined; frame = take()) {
      if (frame.opcode === 8) return socket.end();
      if (frame.opcode > 8) continue;
      parts.push(frame.payload);
      if (!frame.final) continue;
      const whole = Buffer.concat(parts).toString();
      parts = [];
      text(whole);
    }
  });
  socket.on("close", closed);
  socket.on("error", () => socket.destroy());

  function take() {
    if (buffer.length < 2) return undefined;
    let at = 2;
    let length = buffer[1] & 127;
    if (length === 126) [length, at] = buffer.length < 4 ? [Infinity, 4] : [buffer.readUInt16BE(2), 4];
    else if (length === 127) [length, at] = buffer.length < 10 ? [Infinity, 10] : [Number(buffer.readBigUInt64BE(2)), 10];
    if (buffer.length < at + 4 + length) return undefined;
    const mask = buffer.subarray(at, at + 4);
    const payload = Buffer.from(buffer.subarray(at + 4, at + 4 + length).map((byte, i) => byte ^ mask[i & 3]));
    const frame = { final: (buffer[0] & 128) !== 0, opcode: buffer[0] & 15, payload };
    buffer = buffer.subarray(at + 4 + length);
    return frame;
  }

  return {
    send(message) {
      const payload = Buffer.from(message);
      const head = payload.length < 126 ? Buffer.from([129, payload.length])
        : payload.length < 65536 ? Buffer.from([129, 126, payload.length >> 8, payload.length & 255])
          : Buffer.concat([Buffer.from([129, 127]), bigEndian64(payload.length)]);
      if (!socket.destroyed) socket.write(Buffer.concat([head, payload]));
    },
    cut: () => socket.destroy(),
    end: () => socket.end(Buffer.from([136, 0])),
  };
}

function bigEndian64(value) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
