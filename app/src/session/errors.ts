//! Failures of requests, with a stable code and words for people.

import type { ErrorCode } from "../protocol.ts";

export type FailureCode = ErrorCode
  /** The connection broke and the server could not take the session up again: unknown whether it was done. */
  | "session_lost"
  /** The server can't be reached. */
  | "offline"
  /** Too much is waiting already. */
  | "too_many";

export class RequestError extends Error {
  readonly code: FailureCode;
  readonly retryAfterSecs: number | undefined;

  constructor(code: FailureCode, message: string, retryAfterSecs?: number) {
    super(message);
    this.name = "RequestError";
    this.code = code;
    this.retryAfterSecs = retryAfterSecs;
  }
}
