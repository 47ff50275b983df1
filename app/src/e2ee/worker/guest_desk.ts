//! Requests about call links: the maker's secrets and who knocks, and a guest's own key for one visit (docs/guests.md).

import { fromBase64Url, toBase64Url } from "../bytes.ts";
import { KIND } from "../identity/certificate.ts";
import { ChainError, decodeChain, encodeChain, verifyChain } from "../identity/chain.ts";
import { isGuestName } from "../identity/guest_name.ts";
import { HASH_LENGTH } from "../identity/encoding.ts";
import { checkGuestProof, guestChain, guestProof } from "../identity/guest.ts";
import { fingerprintOf } from "../identity/ids.ts";
import { SECRET_LENGTH } from "../identity/invitation.ts";
import { generateKeyPair } from "../identity/keys.ts";
import { DeskError } from "./errors.ts";
import { type Handlers, NOTHING, type Prefixed, randomBytes, readBytes, readId } from "./handlers.ts";
import type { Home } from "./home.ts";

export function guestDesk(home: Home): Handlers<Prefixed<"guest">> {
  return {
    "guest.make": () => {
      const fingerprint = toBase64Url(fingerprintOf(home.ready().home.genesis));
      return { secret: toBase64Url(randomBytes(SECRET_LENGTH)), fingerprint };
    },
    "guest.keep": async ({ link, secret, endsAtMs }) => {
      await home.keepGuestLink(readId(link), { secret: readBytes(secret, SECRET_LENGTH), endsAtMs });
      return NOTHING;
    },
    "guest.kept": async () => {
      const links = [...await home.guestLinks()].map(([link, { secret }]) => ({ link, secret: toBase64Url(secret) }));
      return { links, fingerprint: toBase64Url(fingerprintOf(home.ready().home.genesis)) };
    },
    "guest.forget": async ({ link }) => {
      await home.forgetGuestLink(readId(link));
      return NOTHING;
    },
    "guest.check": async ({ link, chain, proof }) => {
      const id = readId(link);
      const kept = (await home.guestLinks()).get(id);
      if (kept === undefined) throw new DeskError("unknown_link", "another app made this link, or it has ended");
      const identity = verifyChain(decodeChain(fromBase64Url(chain)), home.now());
      if (identity.kind !== KIND.guest) throw new ChainError("whoever knocks is no guest");
      if (!checkGuestProof(kept.secret, id, identity.deviceKey, fromBase64Url(proof))) {
        throw new DeskError("bad_proof", "whoever knocks does not have the link");
      }
      return home.whoIs(identity);
    },
    "guest.begin": ({ link, secret, fingerprint, name }) => {
      if (!isGuestName(name)) throw new DeskError("bad_request", "a name has 1 to 40 characters");
      const pair = generateKeyPair();
      const chain = guestChain(pair, name, home.now());
      const proof = guestProof(readBytes(secret, SECRET_LENGTH), readId(link), pair.publicKey);
      home.visitAs({ pair, chain, fingerprint: readBytes(fingerprint, HASH_LENGTH) });
      return { who: home.whoIs(verifyChain(chain, home.now())), chain: toBase64Url(encodeChain(chain)), proof: toBase64Url(proof) };
    },
  };
}
