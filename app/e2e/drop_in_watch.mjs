// What a drop-in's two pages can be watched for: when its tone sounds, its light stands, a device is opened, the first sound arrives, and how sharp the picture is.

/** Put in before the page loads. Times are `Date.now()`: all pages are on one machine. */
export async function watchDropIns(context) {
  await context.addInitScript(() => {
    const seen = { captures: 0, tone: undefined, toneEnd: undefined, indicator: undefined, captured: undefined, connected: undefined, sound: undefined };
    globalThis.seen = seen;
    const first = (name) => {
      seen[name] ??= Date.now();
    };
    const loudness = (analyser) => {
      const samples = new Float32Array(analyser.fftSize);
      analyser.getFloatTimeDomainData(samples);
      return Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length);
    };

    // Everything that the page itself sounds goes through here on its way to the loudspeaker.
    const taps = new Map();
    const connect = AudioNode.prototype.connect;
    AudioNode.prototype.connect = function (to, ...rest) {
      if (to instanceof AudioDestinationNode) {
        if (!taps.has(to)) taps.set(to, this.context.createAnalyser());
        connect.call(this, taps.get(to));
      }
      return connect.call(this, to, ...rest);
    };
    const ask = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
    if (ask !== undefined) {
      navigator.mediaDevices.getUserMedia = (what) => {
        first("captured");
        seen.captures += 1;
        return ask(what);
      };
    }

    let ear;
    setInterval(() => {
      for (const tap of taps.values()) {
        if (loudness(tap) < 0.02) continue;
        first("tone");
        seen.toneEnd = Date.now();
      }
      if (document.querySelector('[data-testid="drop-in-indicator"]') !== null) first("indicator");
      if ((globalThis.connections ?? []).length > 0) first("connected");
      const stream = document.querySelector('[data-testid="remote-audio"]')?.srcObject ?? null;
      if (stream !== null && ear?.stream !== stream) {
        const context = ear?.context ?? new AudioContext();
        const analyser = context.createAnalyser();
        connect.call(context.createMediaStreamSource(stream), analyser);
        ear = { context, stream, analyser };
      }
      if (ear !== undefined && loudness(ear.analyser) > 0.01) first("sound");
    }, 20);
  });
}

export const seen = (page) => page.evaluate(() => globalThis.seen);

/** How many sharp edges the received picture has; undefined while there is none. */
export function edges(page) {
  return page.evaluate(() => {
    const video = document.querySelector('[data-testid="remote-video"]');
    if (video === null || video.videoWidth === 0 || video.readyState < 2) return undefined;
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [320, 180];
    const context = canvas.getContext("2d");
    context.drawImage(video, 0, 0, 320, 180);
    const { data } = context.getImageData(0, 0, 320, 180);
    const light = (at) => data[at] + data[at + 1] + data[at + 2];
    let count = 0;
    for (let at = 4; at < data.length; at += 4) if (at % 1_280 !== 0 && Math.abs(light(at) - light(at - 4)) > 100) count += 1;
    return count;
  });
}

/** Lets the page believe that it may drop in wherever it asks, as a client would that lies to itself. The server's other words stay. */
export async function believesItMay(page) {
  await page.routeWebSocket(/\/v1\//, (page) => {
    const server = page.connectToServer();
    const asked = new Set();
    page.onMessage((message) => {
      const frame = JSON.parse(message);
      if (frame.type === "request" && frame.body.type === "may_drop_in") asked.add(frame.id);
      server.send(message);
    });
    server.onMessage((message) => {
      const frame = JSON.parse(message);
      page.send(frame.type === "reply" && asked.has(frame.id) ? JSON.stringify({ ...frame, result: { ok: { type: "done" } } }) : message);
    });
  });
}
