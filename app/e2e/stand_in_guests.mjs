// The stand-in's part for call links and guests: links are kept, knocks told, a guest is a session without an account.
import { createHash } from "node:crypto";

const DONE = { type: "done" };

/** The answer to a request about guests; undefined for any other. `server` is the stand-in. */
export function answerGuest(server, session, account, body) {
  switch (body.type) {
    case "make_call_link": {
      const { type, ...link } = body;
      server.links.set(body.link, { ...link, made_at_ms: Date.now(), account: account.id });
      return DONE;
    }
    case "list_call_links": {
      const mine = [...server.links.values()].filter((link) => link.account === account.id);
      return { type: "call_links", links: mine.map(({ account: _, ...link }) => link).reverse() };
    }
    case "revoke_call_link":
      server.links.delete(body.link);
      for (const guest of guestsAt(server, body.link)) sendAway(server, guest, "link_ended");
      return DONE;
    case "refuse_guest":
      for (const guest of [...server.sessions.values()].filter(({ device }) => device === body.guest)) sendAway(server, guest, "refused");
      return DONE;
    default: return undefined;
  }
}

/** `POST /v1/guests`. */
export function knock(server, { link, chain, proof }) {
  const made = server.links.get(link);
  if (made === undefined) throw Object.assign(new Error("This link is not valid any more."), { status: 404, code: "not_found" });
  const key = subject(chain);
  const device = createHash("sha256").update("homeline device v1").update(key).digest("hex").slice(0, 32);
  const account = { id: createHash("sha256").update(key).digest("hex").slice(0, 32), handle: device, display_name: "Guest", guest: { link, chain, proof } };
  server.accounts.set(account.id, account);
  return { ...server.token(account, device, null), expires_at_ms: Date.now() + 600_000 };
}

/** A guest's session is open: the link's maker hears of it. */
export function guestCame(server, session) {
  const knocks = server.accounts.get(session.account)?.guest;
  const made = knocks && server.links.get(knocks.link);
  if (made === undefined) return;
  for (const maker of server.sessionsOf(made.account)) server.event(maker, { type: "guest_knocked", guest: session.device, ...knocks });
}

function guestsAt(server, link) {
  return [...server.sessions.values()].filter(({ account }) => server.accounts.get(account)?.guest?.link === link);
}

function sendAway(server, guest, reason) {
  server.event(guest, { type: "guest_refused", reason });
}

/** The subject of the leaf: list16, vec32 of the body, then version, genesis, subject (docs/identity.md). */
function subject(chain) {
  return Buffer.from(chain, "base64url").subarray(2 + 4 + 1 + 32, 2 + 4 + 1 + 64);
}
