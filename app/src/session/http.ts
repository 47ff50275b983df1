//! The HTTP API: what happens before there is a session.

import type {
  About, ApiError, ConsentLink, ConsentReview, Knock, Knocked, OutsideAnswer, OutsideBegun, OutsideOffer, OutsideReport, OutsideState, OutsideTicket, PairingOffer, PairingOpened, PairingReveal, PairingState, PushKey, RecoverBegin, RecoverFinish, RecoverTicket, SignedIn, SignIn, SignUp,
} from "../protocol.ts";
import { RequestError } from "./errors.ts";

/** A long poll of a pairing takes up to 25 s; anything else is far quicker. */
const TIMEOUT_MS = 40_000;

export const api = {
  about: () => call<About>("GET", "/v1/about"),
  pushKey: () => call<PushKey>("GET", "/v1/push/key"),
  signUp: (body: SignUp) => call<SignedIn>("POST", "/v1/sign-up", body),
  signIn: (body: SignIn) => call<SignedIn>("POST", "/v1/sign-in", body),
  signOut: (token: string) => call<unknown>("POST", "/v1/sign-out", undefined, token),
  recoverBegin: (body: RecoverBegin) => call<RecoverTicket>("POST", "/v1/recover/begin", body),
  recoverFinish: (body: RecoverFinish) => call<SignedIn>("POST", "/v1/recover/finish", body),
  consentReview: (body: ConsentLink) => call<ConsentReview>("POST", "/v1/consent/review", body),
  consentWithdraw: (body: ConsentLink) => call<ConsentReview>("POST", "/v1/consent/withdraw", body),
  outsideBegin: (body: OutsideTicket) => call<OutsideBegun>("POST", "/v1/outside/begin", body),
  outsideOffer: (body: OutsideOffer) => call<OutsideAnswer>("POST", "/v1/outside/offer", body),
  outsideReport: (body: OutsideReport) => call<OutsideState>("POST", "/v1/outside/report", body),
  knock: (body: Knock) => call<Knocked>("POST", "/v1/guests", body),
  pairingOpen: (body: PairingOffer) => call<PairingOpened>("POST", "/v1/pairings", body),
  pairingState: (pairing: string, secret: string, after: number) =>
    call<PairingState>("GET", `/v1/pairings/${pairing}?after=${after}`, undefined, secret),
  pairingReveal: (pairing: string, secret: string, body: PairingReveal) =>
    call<unknown>("POST", `/v1/pairings/${pairing}/reveal`, body, secret),
};

async function call<T>(method: "GET" | "POST", path: string, body?: unknown, bearer?: string): Promise<T> {
  const headers: Record<string, string> = {};
  if (body !== undefined) headers["content-type"] = "application/json";
  if (bearer !== undefined) headers["authorization"] = `Bearer ${bearer}`;
  let response: Response;
  try {
    response = await fetch(path, {
      method, headers, cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    throw new RequestError("offline", "The server can't be reached. Check the connection and try again.");
  }
  const text = await response.text();
  if (response.ok) return (text === "" ? undefined : JSON.parse(text)) as T;
  throw refusal(response.status, text);
}

function refusal(status: number, text: string): RequestError {
  try {
    const error = JSON.parse(text) as ApiError;
    if (typeof error.code === "string") return new RequestError(error.code, error.message, error.retry_after_secs);
  } catch {
    // Not from the API: a proxy in between, for example.
  }
  return new RequestError("internal", `The server answered with an error (${status}). Try again in a moment.`);
}
