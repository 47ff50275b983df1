//! The stateless ops: every signed format, made and opened.

use homeline_e2ee::certificate::Certificate;
use homeline_e2ee::chain::{Chain, verify_chain_bytes};
use homeline_e2ee::contact::{Contact, Pin};
use homeline_e2ee::group::call_code;
use homeline_e2ee::ids;
use homeline_e2ee::introduction::{CallInvitation, Ringing};
use homeline_e2ee::invitation::JoinSecret;
use homeline_e2ee::key::PublicKey;
use homeline_e2ee::policy::{AnswerPolicy, Mode, Rule};
use homeline_e2ee::recovery::RecoveryCode;
use homeline_e2ee::recovery_proof::RecoveryProof;
use homeline_e2ee::roster::{Change, Entry, Roster, RosterPin};
use homeline_e2ee::sframe::FrameSender;
use homeline_e2ee::signed::{Context, Signed};
use homeline_e2ee::time::UnixMs;
use serde_json::{Value, json};

use crate::json::{Answer, Failure, Fields, blob, identity};

pub(crate) fn answer(op: &str, fields: Fields<'_>) -> Option<Answer> {
    let answer = match op {
        "key" => key(fields),
        "sign" => sign(fields),
        "verify" => verify(fields),
        "certificate" => certificate(fields),
        "open_certificate" => open_certificate(fields),
        "chain" => chain(fields),
        "verify_chain" => verify_chain(fields),
        "roster_entry" => roster_entry(fields),
        "roster" => fields.roster().map(|roster| show_roster(&roster)),
        "roster_append" => roster_append(fields),
        "roster_check" => roster_check(fields),
        "recovery" => recovery(fields),
        "recovery_proof" => recovery_proof(fields),
        "open_recovery_proof" => open_recovery_proof(fields),
        "join_proof" | "join_check" => join(fields),
        "contact" => contact(fields),
        "open_contact" => open_contact(fields),
        "policy" => policy(fields),
        "open_policy" => open_policy(fields),
        "invitation" => invitation(fields),
        "open_invitation" => open_invitation(fields),
        "open_ringing" => open_ringing(fields),
        "call_code" => fields
            .array("authenticator")
            .map(|one| json!({ "code": call_code(&one) })),
        "sframe_encrypt" => sframe_encrypt(fields),
        _ => return None,
    };
    Some(answer)
}

fn key(fields: Fields<'_>) -> Answer {
    let public = fields.key()?.public();
    Ok(json!({
        "public": blob(public.0),
        "device": ids::device_id(public).to_string(),
        "household": ids::household_id(public).to_string(),
        "fingerprint": blob(ids::fingerprint(public)),
    }))
}

fn context(fields: Fields<'_>) -> Result<Context, Failure> {
    Ok(match fields.text("context")? {
        "certificate" => Context::Certificate,
        "roster" => Context::Roster,
        "contact" => Context::Contact,
        "policy" => Context::AnswerPolicy,
        "invitation" => Context::CallInvitation,
        "ringing" => Context::Ringing,
        "recovery_binding" => Context::RecoveryBinding,
        other => return Err(Failure(format!("no context {other}"))),
    })
}

fn sign(fields: Fields<'_>) -> Answer {
    let signed = Signed::sign(context(fields)?, fields.bytes("body")?, &fields.key()?);
    Ok(json!({ "signed": blob(signed.encode()) }))
}

fn verify(fields: Fields<'_>) -> Answer {
    let signed = fields.signed("signed")?;
    signed.verify(context(fields)?)?;
    Ok(json!({ "body": blob(&signed.body), "signer": blob(signed.signer.0) }))
}

fn certificate(fields: Fields<'_>) -> Answer {
    let certificate = Certificate {
        genesis: fields.public("genesis")?,
        subject: fields.public("subject")?,
        kind: fields.kind()?,
        rights: fields.rights(),
        person: fields.text("person")?.to_owned(),
        label: fields.text("label")?.to_owned(),
        not_before: UnixMs(fields.number("not_before_ms")?),
        not_after: UnixMs(fields.number("not_after_ms")?),
        roster_seq: fields.number("roster_seq")?,
    };
    Ok(json!({ "signed": blob(certificate.sign(&fields.key()?).encode()) }))
}

fn open_certificate(fields: Fields<'_>) -> Answer {
    let certificate = Certificate::open(&fields.signed("signed")?)?;
    Ok(json!({
        "genesis": blob(certificate.genesis.0),
        "subject": blob(certificate.subject.0),
        "kind": certificate.kind.byte(),
        "adult": certificate.rights.adult,
        "person": certificate.person,
        "label": certificate.label,
        "not_before_ms": certificate.not_before.0,
        "not_after_ms": certificate.not_after.0,
        "roster_seq": certificate.roster_seq,
    }))
}

fn chain(fields: Fields<'_>) -> Answer {
    let certificates = fields.blobs("certificates")?;
    let chain = certificates
        .iter()
        .map(|one| Signed::decode(one))
        .collect::<Result<_, _>>()?;
    Ok(json!({ "chain": blob(Chain(chain).encode()) }))
}

fn verify_chain(fields: Fields<'_>) -> Answer {
    let who = verify_chain_bytes(&fields.bytes("chain")?, fields.now())?;
    Ok(json!({ "identity": identity(&who) }))
}

fn change(fields: Fields<'_>) -> Result<Change, Failure> {
    let fields = fields.object("change")?;
    Ok(match fields.text("type")? {
        "genesis" => Change::Genesis {
            household_name: fields.text("household_name")?.to_owned(),
            recovery: fields.public("recovery")?,
        },
        "add_device" => Change::AddDevice {
            device: fields.public("device")?,
            kind: fields.kind()?,
            rights: fields.rights(),
            person: fields.text("person")?.to_owned(),
            label: fields.text("label")?.to_owned(),
        },
        "remove_device" => Change::RemoveDevice {
            device: fields.public("device")?,
        },
        "set_rights" => Change::SetRights {
            device: fields.public("device")?,
            rights: fields.rights(),
        },
        "recovery_key" => Change::RecoveryKey {
            recovery: fields.public("recovery")?,
        },
        other => return Err(Failure(format!("no change {other}"))),
    })
}

fn roster_entry(fields: Fields<'_>) -> Answer {
    let entry = Entry {
        genesis: fields.public("genesis")?,
        seq: fields.number("seq")?,
        prev: fields.array("prev")?,
        at: UnixMs(fields.number("at_ms")?),
        change: change(fields)?,
    };
    Ok(json!({ "entry": blob(entry.sign(&fields.key()?).encode()) }))
}

fn show_roster(roster: &Roster) -> Value {
    let device = |(key, device): (&PublicKey, &homeline_e2ee::roster::RosterDevice)| {
        json!({
            "device_key": blob(key.0),
            "device": ids::device_id(*key).to_string(),
            "kind": device.kind.byte(),
            "adult": device.rights.adult,
            "person": device.person,
            "label": device.label,
        })
    };
    let devices: Vec<Value> = roster.devices().iter().map(device).collect();
    json!({
        "genesis": blob(roster.genesis_key().0),
        "name": roster.name(),
        "seq": roster.seq(),
        "head": blob(roster.head()),
        "recovery": blob(roster.recovery_key().0),
        "devices": devices,
    })
}

fn roster_append(fields: Fields<'_>) -> Answer {
    let mut roster = fields.roster()?;
    let at = UnixMs(fields.number("at_ms")?);
    let entry = roster.next_entry(change(fields)?, at, &fields.key()?);
    roster.append(&entry)?;
    let mut answer = show_roster(&roster);
    answer["entry"] = blob(entry.encode());
    Ok(answer)
}

fn roster_check(fields: Fields<'_>) -> Answer {
    let pin = RosterPin {
        seq: fields.number("seq")?,
        head: fields.array("head")?,
    };
    fields.roster()?.check_against(pin)?;
    Ok(json!({}))
}

fn recovery(fields: Fields<'_>) -> Answer {
    let code = match fields.has("code") {
        true => RecoveryCode::parse(fields.text("code")?)?,
        false => RecoveryCode::from_bytes(fields.array("bytes")?),
    };
    let key = code.signing_key();
    Ok(json!({
        "text": *code.text(),
        "seed": blob(*key.seed()),
        "public": blob(key.public().0),
        "secret": blob(*code.server_secret()),
    }))
}

fn recovery_proof(fields: Fields<'_>) -> Answer {
    let certificate = fields.signed("certificate")?;
    let proof = RecoveryProof::new(certificate, fields.public("genesis")?, &fields.key()?);
    Ok(json!({ "proof": blob(proof.encode()) }))
}

fn open_recovery_proof(fields: Fields<'_>) -> Answer {
    let proof = RecoveryProof::decode(&fields.bytes("proof")?)?;
    let certificate = proof.open(fields.public("genesis")?, fields.public("recovery")?)?;
    Ok(json!({ "certificate": blob(certificate.encode()) }))
}

fn join(fields: Fields<'_>) -> Answer {
    let secret = JoinSecret(fields.array("secret")?);
    let (app_key, account) = (fields.public("app_key")?, fields.id("account")?);
    Ok(match fields.has("proof") {
        true => json!({ "proves": secret.proves(app_key, account, &fields.bytes("proof")?) }),
        false => json!({ "proof": blob(secret.proof(app_key, account)) }),
    })
}

fn contact(fields: Fields<'_>) -> Answer {
    let pin = match fields.number("pin")? {
        0 => Pin::NoneYet,
        1 => Pin::Unverified(fields.public("their_genesis")?),
        2 => Pin::Verified(fields.public("their_genesis")?),
        3 => Pin::Deleted,
        other => return Err(Failure(format!("no pin {other}"))),
    };
    let contact = Contact {
        genesis: fields.public("genesis")?,
        id: fields.id("contact_id")?,
        revision: fields.number("revision")?,
        name: fields.text("name")?.to_owned(),
        handle: fields.text("handle")?.to_owned(),
        pin,
    };
    Ok(json!({ "signed": blob(contact.sign(&fields.key()?).encode()) }))
}

fn open_contact(fields: Fields<'_>) -> Answer {
    let (signed, roster) = (fields.signed("signed")?, fields.roster()?);
    let contact = Contact::open(&signed, &roster, fields.number("seen")?)?;
    let pin = match contact.pin {
        Pin::NoneYet => 0,
        Pin::Unverified(_) => 1,
        Pin::Verified(_) => 2,
        Pin::Deleted => 3,
    };
    Ok(json!({
        "contact_id": contact.id.to_string(),
        "revision": contact.revision,
        "name": contact.name,
        "handle": contact.handle,
        "pin": pin,
        "their_genesis": contact.pin.key().map(|key| blob(key.0)),
    }))
}

fn policy(fields: Fields<'_>) -> Answer {
    let rule = |fields: Fields<'_>| {
        let mode = match fields.number("mode")? {
            1 => Mode::Auto,
            2 => Mode::Echo,
            other => return Err(Failure(format!("no mode {other}"))),
        };
        let person = fields.text("person")?.to_owned();
        Ok(Rule {
            their_genesis: fields.public("their_genesis")?,
            person,
            mode,
        })
    };
    let policy = AnswerPolicy {
        genesis: fields.public("genesis")?,
        device: fields.public("device")?,
        revision: fields.number("revision")?,
        rules: fields
            .list("rules")?
            .into_iter()
            .map(rule)
            .collect::<Result<_, Failure>>()?,
    };
    Ok(json!({ "signed": blob(policy.sign(&fields.key()?).encode()) }))
}

fn open_policy(fields: Fields<'_>) -> Answer {
    let (signed, roster) = (fields.signed("signed")?, fields.roster()?);
    let (device, seen) = (fields.public("device")?, fields.number("seen")?);
    let policy = AnswerPolicy::open(&signed, &roster, device, seen)?;
    let rule = |rule: &Rule| {
        let mode = match rule.mode {
            Mode::Auto => 1,
            Mode::Echo => 2,
        };
        let genesis = blob(rule.their_genesis.0);
        json!({ "their_genesis": genesis, "person": rule.person, "mode": mode })
    };
    let rules: Vec<Value> = policy.rules.iter().map(rule).collect();
    Ok(json!({ "revision": policy.revision, "rules": rules }))
}

fn invitation(fields: Fields<'_>) -> Answer {
    let invitation = CallInvitation {
        call: fields.id("call")?,
        at: UnixMs(fields.number("at_ms")?),
        to_handle: fields.text("to_handle")?.to_owned(),
        display_name: fields.text("display_name")?.to_owned(),
        video: fields.flag("video"),
        chain: fields.bytes("chain")?,
        households: Vec::new(),
    };
    Ok(json!({ "signed": blob(invitation.sign(&fields.key()?).encode()) }))
}

fn open_invitation(fields: Fields<'_>) -> Answer {
    let handles = fields.list("handles")?;
    let handles: Vec<&str> = handles.iter().filter_map(|one| one.0.as_str()).collect();
    let (signed, call) = (fields.signed("signed")?, fields.id("call")?);
    let (invitation, who) = CallInvitation::open(&signed, call, &handles, fields.now())?;
    Ok(json!({
        "at_ms": invitation.at.0,
        "to_handle": invitation.to_handle,
        "display_name": invitation.display_name,
        "video": invitation.video,
        "identity": identity(&who),
    }))
}

fn open_ringing(fields: Fields<'_>) -> Answer {
    let (signed, key_package) = (fields.signed("signed")?, fields.bytes("key_package")?);
    let who = Ringing::open(&signed, fields.id("call")?, &key_package, fields.now())?;
    Ok(json!({ "identity": identity(&who) }))
}

fn sframe_encrypt(fields: Fields<'_>) -> Answer {
    let mut sender = FrameSender::default();
    let leaf = u32::try_from(fields.number("leaf")?)?;
    sender.switch(fields.number("epoch")?, &fields.array("base_key")?, leaf)?;
    let frames = fields.blobs("frames")?;
    let frames = frames.iter().map(|one| sender.encrypt(one).map(blob));
    Ok(json!({ "frames": frames.collect::<Result<Vec<Value>, _>>()? }))
}
