//! What goes into a member's epoch machine, and what comes out of it.

import type { Bytes } from "../bytes.ts";
import type { EpochKey } from "../frames/keyring.ts";
import type { RefusedMember } from "./expect.ts";
import type { Member, OwnKeyPackage } from "./group.ts";

export type WarnReason = "fork" | "remove_withheld" | "invalid_commit" | "invalid_welcome";
export type StopReason = "remove_withheld" | "invalid_commit" | "removed";
export type LeftReason = "removed" | "alone";

export type Input =
  | { type: "create" }
  | { type: "welcome"; welcome: Uint8Array; keyPackage: OwnKeyPackage }
  /** `deviceKey`: who introduced the key package; another one's is refused. */
  | { type: "add"; keyPackage: Uint8Array; deviceKey: Uint8Array }
  /** Adds a device in the place of `device`, another one of its household, in one commit. */
  | { type: "replace"; device: string; keyPackage: Uint8Array; deviceKey: Uint8Array }
  /** The server does not take this device: it is no longer to be added. */
  | { type: "forget"; device: string }
  | { type: "remove"; device: string }
  | { type: "update" }
  /** The commit that won `epoch`, which it ends. */
  | { type: "commit"; epoch: number; commit: Uint8Array }
  | { type: "epoch_taken"; epoch: number }
  /** The server could not take the commit at all: it is made again. */
  | { type: "commit_failed"; epoch: number }
  | { type: "execute"; epoch: number }
  | { type: "message"; message: Uint8Array }
  | { type: "connection"; device: string; connected: boolean }
  | { type: "tick" };

export type Output =
  | { type: "send_commit"; epoch: number; commit: Bytes; welcome: { device: string; welcome: Bytes } | undefined; removed: string[] }
  | { type: "send_ready"; epoch: number }
  | { type: "send_message"; message: Bytes }
  /** A group begins: whatever keys an earlier one of this call had are gone. */
  | { type: "reset_keys" }
  | { type: "install_receive_key"; key: EpochKey }
  | { type: "switch_send_key"; epoch: number; leaf: number; baseKey: Bytes }
  | { type: "drop_receive_key"; epoch: number }
  | { type: "call_code"; epoch: number; code: string }
  | { type: "member_joined"; member: Member }
  | { type: "member_left"; member: Member }
  | { type: "refused"; refused: RefusedMember }
  | { type: "warn"; reason: WarnReason }
  | { type: "stop_sending"; reason: StopReason }
  | { type: "left"; reason: LeftReason };

export type State =
  | { type: "idle" }
  /** Alone in a new group: the first commit executes at once. */
  | { type: "lone" }
  | { type: "active"; epoch: number }
  | { type: "preparing"; epoch: number; next: number; executeAt: number };
