//! Links of the app: invitations of members, contacts and guests, and the call that a notice was tapped to answer; read from and written into the fragment, which no server sees.

export type Link =
  | { kind: "join"; invitation: string; secret: string; fingerprint: string }
  | { kind: "contact"; handle: string; fingerprint: string }
  | { kind: "guest"; link: string; secret: string; fingerprint: string }
  | { kind: "answer"; call: string };

const HEX_ID = /^[0-9a-f]{32}$/;
const KEY_TEXT = /^[A-Za-z0-9_-]{43}$/;
export const HANDLE = /^[a-z0-9][a-z0-9._-]{2,31}$/;

export function parseLink(hash: string): Link | undefined {
  const [kind, first = "", second = "", third = "", ...rest] = hash.replace(/^#\/?/, "").split("/");
  if (rest.length > 0) return undefined;
  if (kind === "join" && HEX_ID.test(first) && KEY_TEXT.test(second) && KEY_TEXT.test(third)) {
    return { kind, invitation: first, secret: second, fingerprint: third };
  }
  if (kind === "guest" && HEX_ID.test(first) && KEY_TEXT.test(second) && KEY_TEXT.test(third)) {
    return { kind, link: first, secret: second, fingerprint: third };
  }
  if (kind === "contact" && HANDLE.test(first) && KEY_TEXT.test(second) && third === "") {
    return { kind, handle: first, fingerprint: second };
  }
  if (kind === "answer" && HEX_ID.test(first) && second === "" && third === "") return { kind, call: first };
  return undefined;
}

export function joinLink(origin: string, invitation: string, secret: string, fingerprint: string): string {
  return `${origin}/#join/${invitation}/${secret}/${fingerprint}`;
}

export function guestLink(origin: string, link: string, secret: string, fingerprint: string): string {
  return `${origin}/#guest/${link}/${secret}/${fingerprint}`;
}

/** Whole or not, it is a guest's page that was opened, and no account's. */
export function isGuestLink(hash: string): boolean {
  return /^#\/?guest(\/|$)/.test(hash);
}

export function contactLink(origin: string, handle: string, fingerprint: string): string {
  return `${origin}/#contact/${handle}/${fingerprint}`;
}

/** What a person typed, as the server will read it; undefined when it can't be a handle. */
export function parseHandle(text: string): string | undefined {
  const handle = text.trim().replace(/^@/, "").toLowerCase();
  return HANDLE.test(handle) ? handle : undefined;
}
