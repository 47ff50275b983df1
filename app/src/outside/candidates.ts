//! Which of an answer's addresses a test tries. Pure.

/** An answer with the candidates of one protocol alone: as they are told, or at `host` on the same ports. */
export function only(sdp: string, protocol: "udp" | "tcp", host?: string): string {
  const kept = new Set<string>();
  const lines = sdp.split("\r\n").flatMap((line) => {
    if (!line.startsWith("a=candidate:")) return [line];
    const fields = line.split(" ");
    if (fields[2]?.toLowerCase() !== protocol) return [];
    if (host !== undefined) fields[4] = host;
    const place = `${fields[4]} ${fields[5]}`;
    if (kept.has(place)) return [];
    kept.add(place);
    return [fields.join(" ")];
  });
  return lines.join("\r\n");
}

/** Whether the answer names an address of this protocol other than `host`, or `host` itself. */
export function names(sdp: string, protocol: "udp" | "tcp", host: string): boolean {
  return sdp.split("\r\n").some((line) => {
    const fields = line.split(" ");
    return line.startsWith("a=candidate:") && fields[2]?.toLowerCase() === protocol && fields[4] === host;
  });
}

/** A host as a candidate names it: without the brackets of a URL. */
export function bare(host: string): string {
  return host.replace(/^\[|\]$/g, "");
}

/** Where a link leads that is opened outside: by the name that this page goes by, if the world may know it, else by the home's address. */
export function outsideHost(here: string, address: string | null): string {
  const isAddress = /^[\d.]+$/.test(here) || here.startsWith("[");
  const isLocal = !here.includes(".") || /\.(local|lan|home|internal|arpa|localdomain|fritz\.box)$/.test(here);
  if (!isAddress && !isLocal) return here;
  if (address === null) return here;
  return address.includes(":") ? `[${address}]` : address;
}
