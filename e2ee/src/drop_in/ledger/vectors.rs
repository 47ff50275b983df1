//! A fixed ledger for the other implementations, a part of tests/data/identity-vectors.json.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use homeline_protocol::id::{CallId, GrantId};
use homeline_protocol::session::DropInRefusal;
use serde_json::{Value, json};

use super::{Change, EndedBy, Entry, Head, LedgerFault, LedgerReader, OwnLedger, What, Who};
use crate::drop_in::Opening;
use crate::ids::device_id;
use crate::signed::{Context, Signed};
use crate::testkit::{NOW, key};

pub(crate) fn vectors() -> Value {
    let entries = entries();
    json!({
        "genesis": blob(key(10).public().0),
        "seed": blob([20; 32]),
        "device": device_id(key(20).public()).to_string(),
        "entries": what().iter().zip(&entries).map(|((at, what), entry)| json!({
            "at_ms": at,
            "what": shown(what),
            "signed": blob(entry.encode()),
        })).collect::<Vec<_>>(),
        "heads": (0..=entries.len()).map(|length| head(&entries[..length])).map(head_value).collect::<Vec<_>>(),
        "faults": faults(&entries),
        "unreadable": unreadable(&entries),
    })
}

/// Real bodies, to be damaged.
pub(crate) fn sample_bodies() -> Vec<Vec<u8>> {
    entries().into_iter().map(|entry| entry.body).collect()
}

fn what() -> Vec<(u64, What)> {
    let (call, grant) = (CallId([9; 16]), GrantId([5; 16]));
    let who = Who {
        genesis: key(40).public(),
        device: key(41).public(),
        person: "ben".to_owned(),
        label: "Bens Küche".to_owned(),
    };
    let happened = vec![
        What::GrantTaken {
            grant,
            revision: NOW.0,
            statement: [6; 32],
            change: Change::Given,
        },
        What::Opened {
            call,
            who: who.clone(),
            grant,
            revision: NOW.0,
            picture: true,
            opening: Opening::KnockUnlessNo,
        },
        What::Ended {
            call,
            lasted_ms: 61_000,
            by: EndedBy::Initiator,
        },
        What::Refused {
            call: CallId([8; 16]),
            who,
            refusal: DropInRefusal::NewMember,
        },
        What::Refused {
            call: CallId([7; 16]),
            who: Who::unverified(),
            refusal: DropInRefusal::Initiator,
        },
        What::GrantRefused {
            statement: [4; 32],
            refusal: DropInRefusal::Forged,
        },
        What::Switched { on: false },
        What::PutOut,
        What::Resumed {
            length: 12,
            hash: [3; 32],
        },
    ];
    (0..)
        .map(|minute| NOW.0 + minute * 60_000)
        .zip(happened)
        .collect()
}

fn entries() -> Vec<Signed> {
    chain(what())
}

fn chain(what: Vec<(u64, What)>) -> Vec<Signed> {
    let mut ledger = OwnLedger::default();
    let mut entries = vec![];
    for (at, what) in what {
        let at = crate::time::UnixMs(at);
        ledger.write(at, key(10).public(), &key(20), what).unwrap();
        let (index, entry) = ledger.next().unwrap();
        entries.push(entry.clone());
        ledger.stored(index);
    }
    entries
}

fn head(entries: &[Signed]) -> Head {
    Head {
        length: entries.len() as u64,
        hash: entries.last().map_or([0; 32], Signed::hash),
    }
}

fn head_value(head: Head) -> Value {
    json!({ "length": head.length, "hash": blob(head.hash) })
}

fn who_value(who: &Who) -> Value {
    json!({
        "genesis": blob(who.genesis.0),
        "device": blob(who.device.0),
        "person": who.person,
        "label": who.label,
    })
}

fn shown(what: &What) -> Value {
    match what {
        What::Opened {
            call,
            who,
            grant,
            revision,
            picture,
            opening,
        } => json!({
            "kind": "opened", "call": call.to_string(), "who": who_value(who), "grant": grant.to_string(),
            "revision": revision, "picture": picture, "opening": opening.byte(),
        }),
        What::Ended {
            call,
            lasted_ms,
            by,
        } => json!({
            "kind": "ended", "call": call.to_string(), "lasted_ms": lasted_ms, "by": by.byte(),
        }),
        What::Refused { call, who, refusal } => json!({
            "kind": "refused", "call": call.to_string(), "who": who_value(who), "refusal": refusal,
        }),
        What::GrantTaken {
            grant,
            revision,
            statement,
            change,
        } => json!({
            "kind": "grant_taken", "grant": grant.to_string(), "revision": revision,
            "statement": blob(statement), "change": change.byte(),
        }),
        What::PutOut => json!({ "kind": "put_out" }),
        What::Switched { on } => json!({ "kind": "switched", "on": on }),
        What::GrantRefused { statement, refusal } => json!({
            "kind": "grant_refused", "statement": blob(statement), "refusal": refusal,
        }),
        What::Resumed { length, hash } => {
            json!({ "kind": "resumed", "length": length, "hash": blob(hash) })
        }
    }
}

/// Ledgers with which something is wrong, for somebody who remembers so many entries of the genuine one.
fn faults(entries: &[Signed]) -> Vec<Value> {
    let changed = |change: fn(&mut Vec<Signed>)| {
        let mut shown = entries[..4].to_vec();
        change(&mut shown);
        shown
    };
    let another = chain(vec![(NOW.0, What::PutOut); 5]);
    let first = Entry::read(&entries[0].body).unwrap();
    let by_another = first.sign(&key(21));
    let other_purpose = Signed::sign(Context::DropInGrant, entries[0].body.clone(), &key(20));
    let genesis = key(40).public();
    let elsewhere = Entry { genesis, ..first }.sign(&key(20));
    let tampered = changed(|one| one[1].signature[7] ^= 1);
    let rewritten = changed(|one| one[1].body[80] ^= 1);
    let doubled = changed(|one| one.insert(1, one[0].clone()));
    let (tail_of_another, hole) = (vec![another[4].clone()], vec![entries[5].clone()]);
    let without = |place| match place {
        0 => changed(|one| drop(one.remove(0))),
        _ => changed(|one| drop(one.remove(2))),
    };
    let (whole, tail) = (false, true);
    let cases = vec![
        ("a changed signature", 0, whole, tampered),
        ("a changed body that was seen before", 4, whole, rewritten),
        ("one left out", 0, whole, without(2)),
        ("the first left out", 0, whole, without(0)),
        ("two swapped", 0, whole, changed(|one| one.swap(1, 2))),
        ("one twice", 0, whole, doubled),
        ("signed by another", 0, whole, vec![by_another]),
        ("for another purpose", 0, whole, vec![other_purpose]),
        ("of another household", 0, whole, vec![elsewhere]),
        ("shorter", 5, whole, entries[..4].to_vec()),
        ("gone", 5, whole, vec![]),
        ("another one", 5, whole, another),
        ("goes on after another one", 4, tail, tail_of_another),
        ("goes on with a hole", 4, tail, hole),
        ("breaks after what was seen", 2, whole, without(2)),
    ];
    let case = |(name, remembered, after, shown): (&str, usize, bool, Vec<Signed>)| {
        fault(name, entries, remembered, after, &shown)
    };
    cases.into_iter().map(case).collect()
}

fn fault(
    name: &str,
    genuine: &[Signed],
    remembered: usize,
    after: bool,
    shown: &[Signed],
) -> Value {
    let found = found(head(&genuine[..remembered]), after, shown);
    let (fault, index) = match found.expect_err("something is wrong with it") {
        LedgerFault::Broken { index } => ("broken", Some(index)),
        LedgerFault::WrongSigner { index } => ("wrong_signer", Some(index)),
        LedgerFault::Shorter { .. } => ("shorter", None),
        LedgerFault::AnotherOne => ("another_one", None),
    };
    json!({
        "name": name,
        "remembered": remembered,
        "after": after,
        "entries": shown.iter().map(|entry| blob(entry.encode())).collect::<Vec<_>>(),
        "fault": fault,
        "index": index,
    })
}

fn found(remembered: Head, after: bool, shown: &[Signed]) -> Result<Head, LedgerFault> {
    let (genesis, device) = (key(10).public(), device_id(key(20).public()));
    let mut reader = match after {
        true => LedgerReader::after(genesis, device, remembered),
        false => LedgerReader::new(genesis, device, remembered),
    };
    for entry in shown {
        reader.read(entry)?;
    }
    reader.finish()
}

/// Bodies that say something else than any entry may, signed by the device all the same.
fn unreadable(entries: &[Signed]) -> Vec<Value> {
    let changed = |name: &str, which: usize, at_end: usize, byte: u8| {
        let mut body = entries[which].body.clone();
        let at = body.len() - at_end;
        body[at] = byte;
        assert!(Entry::read(&body).is_err(), "{name}");
        let signed = Signed::sign(Context::DropInLedger, body, &key(20));
        json!({ "name": name, "signed": blob(signed.encode()) })
    };
    let whole = entries[0].body.len();
    vec![
        changed("another version", 0, whole, 2),
        changed("an unknown kind", 7, 1, 9),
        changed("no kind", 7, 1, 0),
        changed("an unknown change", 0, 1, 4),
        changed("an unknown opening", 1, 1, 3),
        changed("picture neither on nor off", 1, 2, 2),
        changed("ended by nobody", 2, 1, 6),
        changed("an unknown refusal", 3, 1, 23),
        changed("no refusal", 5, 1, 0),
        changed("neither on nor off", 6, 1, 2),
    ]
}

fn blob(bytes: impl AsRef<[u8]>) -> Value {
    json!(URL_SAFE_NO_PAD.encode(bytes))
}
