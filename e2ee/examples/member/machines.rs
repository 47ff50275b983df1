//! The epoch machine's ops: one input each, all its outputs back, by member.
//!
//! - `machine {member, seed, chain, call, entries, households}` -> `{device}`; for a guest, and for what else is
//!   expected, as `party`
//! - `machine_key_package {member}` -> `{key_package, statement}`
//! - `machine_step {member, input, ..}` -> `{outputs: [..], phase, due_ms, call_code}`; input: `create`,
//!   `welcome {welcome}`, `add {key_package, statement}`, `remove {device}`, `update`, `commit {epoch,
//!   commit}`, `epoch_taken {epoch}`, `commit_failed {epoch}`, `execute {epoch}`, `message {message}`,
//!   `connection {device, connected}`, `expect {entries, households}`, `leave`, `tick`
//! - outputs: `{type: "send_commit", epoch, commit, welcome, removed}`, `send_ready {epoch}`,
//!   `send_message {message}`, `call_code {epoch, code}`, `member_joined {member}`, `member_left {member}`,
//!   `refused {reason}`, `warn {reason}`, `sending {epoch}`, `stop_sending {reason}`,
//!   `late_frame {owner, tag, frame}`, `frames_lost {lost}`, `left {reason}`
//! - `machine_encrypt {member, frame}` -> `{frame}`;  `machine_decrypt {member, owner, frame, tag?}` -> `{frame}`

use std::collections::BTreeMap;

use homeline_e2ee::member::{
    CallCrypto, Input, LeftReason, Output, Phase, Refusal, StopReason, Warning,
};
use homeline_e2ee::sframe::FrameSource;
use serde_json::{Value, json};

use crate::groups::{credential, expect, show_committed, show_member};
use crate::json::{Answer, Failure, Fields, blob};

#[derive(Default)]
pub(crate) struct Machines(BTreeMap<String, CallCrypto>);

impl Machines {
    pub(crate) fn answer(&mut self, op: &str, fields: Fields<'_>) -> Option<Answer> {
        let answer = match op {
            "machine" => self.machine(fields),
            "machine_key_package" => self.key_package(fields),
            "machine_step" => self.step(fields),
            "machine_encrypt" => self.encrypt(fields),
            "machine_decrypt" => self.decrypt(fields),
            _ => return None,
        };
        Some(answer)
    }

    fn machine(&mut self, fields: Fields<'_>) -> Answer {
        let credential = credential(fields)?;
        let device = credential.identity().device.to_string();
        let (call, now) = (fields.id("call")?, fields.now());
        let machine = CallCrypto::new(credential, call, expect(fields)?, now);
        self.0.insert(fields.text("member")?.to_owned(), machine);
        Ok(json!({ "device": device }))
    }

    fn named(&mut self, fields: Fields<'_>) -> Result<&mut CallCrypto, Failure> {
        let name = fields.text("member")?;
        self.0
            .get_mut(name)
            .ok_or_else(|| Failure(format!("no member {name}")))
    }

    fn key_package(&mut self, fields: Fields<'_>) -> Answer {
        let offer = self.named(fields)?.key_package(fields.now())?;
        let (package, statement) = (blob(offer.key_package), blob(offer.statement));
        Ok(json!({ "key_package": package, "statement": statement }))
    }

    fn step(&mut self, fields: Fields<'_>) -> Answer {
        let machine = self.named(fields)?;
        let outputs = machine.step(fields.now(), input(fields)?);
        let outputs: Vec<Value> = outputs.into_iter().map(show).collect();
        let phase = match machine.phase() {
            Phase::Idle => json!({ "type": "idle" }),
            Phase::Lone => json!({ "type": "lone" }),
            Phase::Active { epoch } => json!({ "type": "active", "epoch": epoch }),
            Phase::Preparing { epoch, next } => {
                json!({ "type": "preparing", "epoch": epoch, "next": next })
            }
        };
        let due = machine.next_timeout().map(|due| due.0);
        let code = machine.call_code();
        Ok(json!({ "outputs": outputs, "phase": phase, "due_ms": due, "call_code": code }))
    }

    fn encrypt(&mut self, fields: Fields<'_>) -> Answer {
        let frame = self.named(fields)?.encrypt_frame(&fields.bytes("frame")?)?;
        Ok(json!({ "frame": blob(frame) }))
    }

    fn decrypt(&mut self, fields: Fields<'_>) -> Answer {
        let tag = fields.number("tag").unwrap_or(0);
        let source = FrameSource {
            owner: fields.id("owner")?,
            tag,
        };
        let frame = fields.bytes("frame")?;
        let frame = self
            .named(fields)?
            .decrypt_frame(fields.now(), source, &frame)?;
        Ok(json!({ "frame": blob(frame) }))
    }
}

fn input(fields: Fields<'_>) -> Result<Input, Failure> {
    Ok(match fields.text("input")? {
        "create" => Input::Create,
        "welcome" => Input::Welcome {
            welcome: fields.bytes("welcome")?,
        },
        "add" => Input::Add {
            key_package: fields.bytes("key_package")?,
            statement: fields.bytes("statement")?,
        },
        "replace" => Input::Replace {
            device: fields.id("device")?,
            key_package: fields.bytes("key_package")?,
            statement: fields.bytes("statement")?,
        },
        "forget" => Input::Forget {
            device: fields.id("device")?,
        },
        "remove" => Input::Remove {
            device: fields.id("device")?,
        },
        "update" => Input::Update,
        "commit" => Input::Commit {
            epoch: fields.number("epoch")?,
            commit: fields.bytes("commit")?,
        },
        "epoch_taken" => Input::EpochTaken {
            epoch: fields.number("epoch")?,
        },
        "commit_failed" => Input::CommitFailed {
            epoch: fields.number("epoch")?,
        },
        "execute" => Input::Execute {
            epoch: fields.number("epoch")?,
        },
        "message" => Input::Message {
            message: fields.bytes("message")?,
        },
        "connection" => Input::Connection {
            device: fields.id("device")?,
            connected: fields.flag("connected"),
        },
        "expect" => Input::Expect(Box::new(expect(fields)?)),
        "leave" => Input::Leave,
        "tick" => Input::Tick,
        other => return Err(Failure(format!("no input {other}"))),
    })
}

fn show(output: Output) -> Value {
    let kind = kind(&output);
    let mut shown = match output {
        Output::SendCommit {
            epoch,
            commit,
            welcome,
            removed,
        } => show_committed(homeline_e2ee::group::Committed {
            epoch,
            commit,
            welcome,
            removed,
        }),
        Output::SendReady { epoch } | Output::Sending { epoch } => json!({ "epoch": epoch }),
        Output::SendMessage { message } => json!({ "message": blob(message) }),
        Output::CallCode { epoch, code } => json!({ "epoch": epoch, "code": code }),
        Output::MemberJoined(member) | Output::MemberLeft(member) => {
            json!({ "member": show_member(&member) })
        }
        Output::Refused(refusal) => json!({ "reason": match refusal {
            Refusal::NotInvited(_) => "not_invited",
            Refusal::NotGenuine(_) => "not_genuine",
            Refusal::BadKeyPackage => "bad_key_package",
        }}),
        Output::Warn(warning) => json!({ "reason": match warning {
            Warning::Fork => "fork",
            Warning::RemoveWithheld => "remove_withheld",
            Warning::InvalidCommit => "invalid_commit",
            Warning::InvalidWelcome => "invalid_welcome",
        }}),
        Output::StopSending(reason) => json!({ "reason": match reason {
            StopReason::RemoveWithheld => "remove_withheld",
            StopReason::InvalidCommit => "invalid_commit",
            StopReason::Removed => "removed",
        }}),
        Output::LateFrame(late) => json!({
            "owner": late.source.owner.to_string(),
            "tag": late.source.tag,
            "frame": blob(late.frame),
        }),
        Output::FramesLost(counts) => json!({ "lost": counts.lost() }),
        Output::Left(reason) => json!({ "reason": match reason {
            LeftReason::Removed => "removed",
            LeftReason::Alone => "alone",
        }}),
    };
    shown["type"] = json!(kind);
    shown
}

fn kind(output: &Output) -> &'static str {
    match output {
        Output::SendCommit { .. } => "send_commit",
        Output::SendReady { .. } => "send_ready",
        Output::SendMessage { .. } => "send_message",
        Output::CallCode { .. } => "call_code",
        Output::MemberJoined(_) => "member_joined",
        Output::MemberLeft(_) => "member_left",
        Output::Refused(_) => "refused",
        Output::Warn(_) => "warn",
        Output::Sending { .. } => "sending",
        Output::StopSending(_) => "stop_sending",
        Output::LateFrame(_) => "late_frame",
        Output::FramesLost(_) => "frames_lost",
        Output::Left(_) => "left",
    }
}
