//! The ops of call links: a guest's chain, its proof, the link.

use homeline_e2ee::guest::{self, GuestLink, GuestSecret};
use serde_json::json;

use crate::json::{Answer, Fields, blob, identity};

pub(crate) fn answer(op: &str, fields: Fields<'_>) -> Option<Answer> {
    Some(match op {
        "guest_chain" => guest_chain(fields),
        "guest_proof" => guest_proof(fields),
        "guest_check" => guest_check(fields),
        "guest_link" => guest_link(fields),
        "open_guest_link" => open_guest_link(fields),
        _ => return None,
    })
}

fn guest_chain(fields: Fields<'_>) -> Answer {
    let chain = guest::guest_chain(&fields.key()?, fields.text("label")?, fields.now());
    Ok(json!({ "chain": blob(chain.encode()) }))
}

fn guest_proof(fields: Fields<'_>) -> Answer {
    let secret = GuestSecret(fields.array("secret")?);
    let proof = secret.proof(fields.id("link")?, fields.public("guest_key")?);
    Ok(json!({ "proof": blob(proof) }))
}

fn guest_check(fields: Fields<'_>) -> Answer {
    let secret = GuestSecret(fields.array("secret")?);
    let (chain, proof) = (fields.bytes("chain")?, fields.bytes("proof")?);
    let who = secret.open_knock(fields.id("link")?, &chain, &proof, fields.now())?;
    Ok(json!({ "identity": identity(&who) }))
}

fn guest_link(fields: Fields<'_>) -> Answer {
    let link = GuestLink {
        link: fields.id("link")?,
        secret: GuestSecret(fields.array("secret")?),
        fingerprint: fields.array("fingerprint")?,
    };
    Ok(json!({ "fragment": *link.fragment() }))
}

fn open_guest_link(fields: Fields<'_>) -> Answer {
    let link = GuestLink::parse(fields.text("fragment")?)?;
    Ok(json!({
        "secret": blob(link.secret.0),
        "link": link.link.to_string(),
        "fingerprint": blob(link.fingerprint),
    }))
}
