//! A member of a call that speaks JSON lines, to compare other implementations with this one.
//!
//! One request a line on stdin, one reply a line on stdout: `{"ok":true, ...}` or
//! `{"ok":false,"error":"..."}`. An `"id"` in the request comes back in the reply. Bytes are
//! base64url without padding; ids (`call`, `device`, `household`) are 32 hex digits; times are Unix
//! milliseconds, and every op takes an optional `"now_ms"` (default: the real time). A key is given
//! by its `seed` (32 bytes), anything else that is secret likewise: this is a tool for tests.
//!
//! Formats (docs/identity.md), stateless:
//! - `key {seed}` -> `{public, device, household, fingerprint}`
//! - `sign {context, body, seed}` -> `{signed}`; context: certificate, roster, contact, policy,
//!   invitation, ringing.    `verify {context, signed}` -> `{body, signer}`
//! - `certificate {seed, genesis, subject, kind, adult, person, label, not_before_ms, not_after_ms,
//!   roster_seq}` -> `{signed}`; kind: 1, 2, 3, 4.    `open_certificate {signed}` -> the fields
//! - `chain {certificates: [..]}` -> `{chain}`.    `verify_chain {chain}` -> `{identity}`
//! - `roster_entry {seed, genesis, seq, prev, at_ms, change}` -> `{entry}`; change: `{type: "genesis",
//!   household_name, recovery}`, `{type: "add_device", device, kind, adult, person, label}`,
//!   `{type: "remove_device", device}`, `{type: "set_rights", device, adult}`,
//!   `{type: "recovery_key", recovery}`
//! - `roster {entries: [..]}` -> `{name, seq, head, recovery, devices: [..]}`.    `roster_append
//!   {entries, seed, change, at_ms}` -> `{entry}`, the next entry, accepted.    `roster_check {entries,
//!   seq, head}`: fails with "rollback"
//! - `recovery {code}` or `{bytes}` -> `{text, seed, public, secret}`
//! - `join_proof {secret, app_key, account}` -> `{proof}`.    `join_check {.., proof}` -> `{proves}`
//! - `guest_chain {seed, label}` -> `{chain}`, valid for a day from `now_ms`; `verify_chain` verifies it (kind 4)
//! - `guest_proof {secret, link, guest_key}` -> `{proof}`.    `guest_check {secret, link, chain, proof}` ->
//!   `{identity}`: chain and proof of a knock; `link` is the call link's id
//! - `guest_link {secret, link, fingerprint}` -> `{fragment}`.    `open_guest_link {fragment}` -> `{secret, link,
//!   fingerprint}`
//! - `contact {seed, genesis, contact_id, revision, name, handle, pin, their_genesis}` -> `{signed}`;
//!   `open_contact {signed, entries, seen}` -> the fields
//! - `policy {seed, genesis, device, revision, rules: [{their_genesis, person, mode}]}` -> `{signed}`;
//!   `open_policy {signed, entries, device, seen}`
//! - `invitation {seed, call, at_ms, to_handle, display_name, video, chain}` -> `{signed}`;
//!   `open_invitation {signed, call, handles: [..]}` -> the fields and `{identity}`
//! - `open_ringing {signed, call, key_package}` -> `{identity}`
//! - `call_code {authenticator}` -> `{code}`
//!
//! Pairing, each with a `pairing` name of the caller's choice:
//! - `pair_device {pairing, device_key, nonce, kind, label}` -> `{commit_d}`
//! - `pair_app {pairing, genesis, app_key, nonce, commit_d}` -> `{commit_a}`
//! - `pair_device_accepted {pairing, commit_a}` -> `{device_key, nonce, kind, label}`
//! - `pair_app_revealed {pairing, device_key, nonce, kind, label}` -> `{genesis, app_key, nonce}`
//! - `pair_device_revealed {pairing, genesis, app_key, nonce}` -> `{digits}`
//! - `pair_app_enter {pairing, digits}` -> `{device_key, kind, label}`
//! - `pair_device_finish {pairing, chain, entries}` -> `{identity}`
//!
//! A group without the epoch machine, each with a `party` name of the caller's choice:
//! - `party {party, seed, chain, call, entries (own roster), households: [genesis ..]}` -> `{device}`. A guest
//!   has `guest: true` in place of `entries`. Also expected, if given: `guests: [key ..]` (exactly these
//!   guests), `whoever: [genesis ..]` (named by an invitation: a household or a guest)
//! - `key_package {party}` -> `{key_package, statement}`
//! - `create {party}`; `welcome {party, welcome}` -> the group's state
//! - `add {party, key_package, statement}`, `remove {party, device}`, `update {party}` ->
//!   `{epoch, commit, welcome: null | {device, welcome}, removed: [..]}`; nothing has changed yet
//! - `commit {party, commit}` applies the winner, one's own too -> `{joined, left, removed_self}` and
//!   the group's state; the new epoch's receive key is installed
//! - `state {party}` -> `{epoch, leaf, call_code, authenticator, base_key, members: [{leaf, device, ..}]}`
//! - `message_encrypt {party, data}` -> `{message}`; `message_decrypt {party, message}` -> `{device, data}`
//! - `execute {party}`: sends under the group's epoch.    `encrypt {party, frame}` -> `{frame}`
//! - `decrypt {party, owner, frame}` -> `{frame}`.    `forget {party, epoch}` drops a receive key
//! - `sframe_encrypt {base_key, epoch, leaf, frames: [..]}` -> `{frames}`, a sender from its start
//!
//! With the epoch machine (docs/call-keys.md), each with a `member` name: see `machines.rs`.

mod formats;
mod groups;
mod guests;
mod json;
mod machines;
mod pairings;

use std::io::{BufRead as _, Write as _};

use serde_json::{Value, json};

use crate::json::{Failure, Fields};

fn main() -> std::io::Result<()> {
    let mut pairings = pairings::Pairings::default();
    let mut groups = groups::Groups::default();
    let mut machines = machines::Machines::default();
    for line in std::io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line?).unwrap_or_default();
        let fields = Fields(&request);
        let answer = fields.text("op").and_then(|op| {
            let answer = formats::answer(op, fields)
                .or_else(|| guests::answer(op, fields))
                .or_else(|| pairings.answer(op, fields))
                .or_else(|| groups.answer(op, fields))
                .or_else(|| machines.answer(op, fields));
            answer.unwrap_or_else(|| Err(Failure(format!("no op {op}"))))
        });
        let mut reply = match answer {
            Ok(reply) => reply,
            Err(Failure(error)) => json!({ "ok": false, "error": error }),
        };
        if reply.get("ok").is_none() {
            reply["ok"] = json!(true);
        }
        if let Some(id) = request.get("id") {
            reply["id"] = id.clone();
        }
        let mut out = std::io::stdout().lock();
        writeln!(out, "{reply}")?;
        out.flush()?;
    }
    Ok(())
}
