//! Signing up, in, out, recovering and joining: what the server, the key worker and this browser's memory each have to do.

import type { E2ee } from "../e2ee/page.ts";
import type { IdentityStatus } from "../e2ee/port.ts";
import type { LocalMemory } from "../home/local.ts";
import { randomId } from "../home/local.ts";
import type { Link } from "../home/links.ts";
import type { AccountId, SignedIn } from "../protocol.ts";
import { RequestError } from "../session/errors.ts";
import { api } from "../session/http.ts";

export interface NewPerson {
  handle: string;
  password: string;
  displayName: string;
}

export class Accounts {
  readonly #e2ee: E2ee;
  readonly #memory: LocalMemory;

  constructor(e2ee: E2ee, memory: LocalMemory) {
    this.#e2ee = e2ee;
    this.#memory = memory;
  }

  /** Returns the recovery code, to be shown once. With `account`: of somebody who is in no household any more. */
  async found(person: NewPerson, householdName: string, account = randomId()): Promise<{ identity: IdentityStatus; recoveryCode: string }> {
    await this.#makeRoom();
    const label = appLabel(person.displayName);
    const made = await this.#e2ee.request("found", { householdName, person: account, label });
    const signedIn = await this.#orForget(api.signUp({
      handle: person.handle, password: person.password, display_name: person.displayName, app: { key: made.appKey, label },
      home: {
        type: "found", account, genesis: made.genesis, name: householdName, roster: made.roster, chain: made.chain,
        recovery_certificate: made.recoveryCertificate, recovery_secret: made.recoverySecret,
      },
    }));
    const identity = await this.#e2ee.request("confirm", {});
    this.#keep(signedIn, person.handle);
    return { identity, recoveryCode: made.recoveryCode };
  }

  /** Signs up with an invitation; an adult of the household then lets this app in. */
  async join(person: NewPerson, link: Extract<Link, { kind: "join" }>, account = randomId()): Promise<IdentityStatus> {
    await this.#makeRoom();
    const { appKey, proof } = await this.#e2ee.request("join.begin", { secret: link.secret, fingerprint: link.fingerprint, person: account });
    const signedIn = await this.#orForget(api.signUp({
      handle: person.handle, password: person.password, display_name: person.displayName,
      app: { key: appKey, label: appLabel(person.displayName) }, home: { type: "join", account, invitation: link.invitation, proof },
    }));
    this.#keep(signedIn, person.handle);
    return this.#e2ee.request("open", { slot: "app" });
  }

  /** Whose account it is, if they are in no household: then they move in somewhere with new keys, since what the old household certified counts in no other. */
  async homeless(handle: string, password: string): Promise<AccountId> {
    const { token, account, household } = await api.signIn({ handle, password, app: null });
    await api.signOut(token).catch(() => undefined);
    if (household !== null) throw new Error("You are a member of a household, and one person is in one. Leave it first.");
    return account;
  }

  /** With this browser's key. Undefined: the password is right, but this browser holds no key of that person. */
  async signIn(handle: string, password: string): Promise<IdentityStatus | undefined> {
    const app = await this.#e2ee.request("sign_in.prove", { handle }).catch(() => null);
    let signedIn: SignedIn;
    try {
      signedIn = await api.signIn({ handle, password, app });
    } catch (error) {
      // The key here may be another person's, who used this browser before.
      if (app === null || !(error instanceof RequestError) || error.code !== "wrong_credentials") throw error;
      signedIn = await api.signIn({ handle, password, app: null });
    }
    if (signedIn.device === null) {
      await api.signOut(signedIn.token).catch(() => undefined);
      if (signedIn.household === null) throw new Error("You are in no household now. Open the link of whoever lets you in, or create a household, and say there that you have an account already.");
      return undefined;
    }
    const identity = await this.#e2ee.request("open", { slot: "app" });
    this.#keep(signedIn, handle);
    return identity.state === "ready" && !identity.confirmed ? this.#e2ee.request("confirm", {}) : identity;
  }

  async recover(handle: string, code: string, password: string): Promise<IdentityStatus> {
    await this.#makeRoom();
    const { recoverySecret } = await this.#e2ee.request("recovery.secret", { code });
    const ticket = await api.recoverBegin({ handle, recovery_secret: recoverySecret });
    const label = appLabel(handle);
    const restored = await this.#e2ee.request("recovery.restore", {
      code, recoveryCertificate: ticket.recovery_certificate, roster: ticket.roster, person: ticket.account, label,
    });
    const signedIn = await this.#orForget(api.recoverFinish({
      ticket: ticket.ticket, password, app: { key: restored.who.deviceKey, label }, entry: restored.entry, chain: restored.chain,
    }));
    const identity = await this.#e2ee.request("confirm", {});
    this.#keep(signedIn, handle);
    return identity;
  }

  /** The keys stay, so that signing in again needs the password only. */
  async signOut(): Promise<void> {
    const session = this.#memory.session();
    this.#memory.keepSession(undefined);
    this.#memory.keepCall(undefined);
    if (session !== undefined) await api.signOut(session.token).catch(() => undefined);
  }

  /** This browser is no app of anybody any more. */
  async forget(): Promise<void> {
    await this.signOut();
    await this.#e2ee.request("forget", {});
    this.#memory.forgetAll();
  }

  #keep(signedIn: SignedIn, handle: string): void {
    this.#memory.keepSession({ token: signedIn.token, account: signedIn.account, handle });
  }

  /** An identity that never reached the server gives way; a real one is given up only by "forget". */
  async #makeRoom(): Promise<void> {
    const identity = await this.#e2ee.request("open", { slot: "app" });
    if (identity.state === "none") return;
    await this.#e2ee.request("forget", {});
  }

  async #orForget(signUp: Promise<SignedIn>): Promise<SignedIn> {
    try {
      return await signUp;
    } catch (error) {
      // Refused: nobody knows these keys. Unreachable: the server may have stored them, so they stay for signing in.
      if (error instanceof RequestError && error.code !== "offline") await this.#e2ee.request("forget", {}).catch(() => undefined);
      throw error;
    }
  }
}

/** What the household sees this app as. */
export function appLabel(name: string): string {
  const agent = navigator.userAgent;
  const kind = /iPad|Tablet/.test(agent) ? "tablet" : /Android|iPhone|Mobile/.test(agent) ? "phone" : "computer";
  return `${name}'s ${kind}`.slice(0, 64);
}
