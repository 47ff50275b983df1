//! What went wrong, as the page learns it: one stable code for each way a request can fail.

import { GroupError } from "../call/group.ts";
import { AnnouncementError } from "../identity/announcement.ts";
import { ChainError } from "../identity/chain.ts";
import { MalformedError } from "../identity/encoding.ts";
import { IntroductionError } from "../identity/introduction.ts";
import { PairingMismatchError } from "../identity/pairing.ts";
import { RecoveryCodeError } from "../identity/recovery.ts";
import { OtherHouseholdError } from "../identity/recovery_proof.ts";
import { RosterError } from "../identity/roster.ts";
import { SignatureError } from "../identity/signed.ts";
import type { E2eeErrorCode } from "../port.ts";

export class DeskError extends Error {
  readonly code: E2eeErrorCode;
  constructor(code: E2eeErrorCode, message: string) {
    super(message);
    this.name = "DeskError";
    this.code = code;
  }
}

export function codeOf(error: unknown): E2eeErrorCode {
  if (error instanceof DeskError) return error.code;
  if (error instanceof MalformedError) return "malformed";
  if (error instanceof SignatureError) return "bad_signature";
  if (error instanceof ChainError) return "bad_chain";
  if (error instanceof RosterError) return error.rollback ? "rollback" : "bad_roster";
  if (error instanceof PairingMismatchError) return "pairing_mismatch";
  if (error instanceof RecoveryCodeError) return "bad_code";
  if (error instanceof OtherHouseholdError) return "wrong_household";
  if (error instanceof GroupError) return error.refused === undefined ? "malformed" : "refused_member";
  if (error instanceof IntroductionError) return introductionCode(error);
  if (error instanceof AnnouncementError) return announcementCode(error);
  // Thrown by the base64url and hexadecimal readers.
  if (error instanceof RangeError) return "bad_request";
  return "internal";
}

function introductionCode(error: IntroductionError): E2eeErrorCode {
  switch (error.reason) {
    case "stale":
      return "stale";
    case "other_call":
    case "not_for_me":
      return "not_for_me";
    case "other_key_package":
    case "wrong_signer":
      return "bad_signature";
  }
}

function announcementCode({ reason }: AnnouncementError): E2eeErrorCode {
  switch (reason) {
    case "not_for_us": return "not_for_me";
    case "other_content": return "bad_signature";
    case "empty": return "bad_request";
    default: return reason;
  }
}
