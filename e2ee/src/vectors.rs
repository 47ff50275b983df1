//! Fixed vectors of every format, for the other implementation: tests/data/identity-vectors.json.
//!
//! Made from fixed seeds and compared with the file, so that no byte of a format changes unseen.
//! `HOMELINE_WRITE_VECTORS=1 cargo test -p homeline-e2ee vectors` writes them anew.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use homeline_protocol::id::{AccountId, CallId, CallLinkId, ContactId, InvitationId};
use serde_json::{Value, json};

use crate::announcement;
use crate::certificate::{Certificate, Kind, Rights};
use crate::chain::{Chain, verify_chain};
use crate::contact::{Contact, Pin};
use crate::drop_in;
use crate::group::call_code;
use crate::guest::{GuestLink, GuestSecret, guest_chain};
use crate::ids;
use crate::introduction::{CallInvitation, Ringing};
use crate::invitation::{ContactLink, JoinLink, JoinSecret};
use crate::key::PrivateKey;
use crate::member::comparison_message;
use crate::pairing::{AppPairing, DevicePairing};
use crate::policy::{AnswerPolicy, Mode, Rule};
use crate::recovery::RecoveryCode;
use crate::recovery_proof::RecoveryProof;
use crate::roster::{Change, Roster};
use crate::sframe::FrameSender;
use crate::signed::Signed;
use crate::testkit::{House, NOW, key};
use crate::time::{CLOCK_SKEW_MS, DAY_MS, UnixMs};

const FILE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/data/identity-vectors.json"
);

#[test]
fn the_vectors_file_is_what_the_code_makes() {
    let made = format!("{:#}\n", vectors());
    if std::env::var_os("HOMELINE_WRITE_VECTORS").is_some() {
        std::fs::write(FILE, &made).unwrap();
    }
    let stored = std::fs::read_to_string(FILE).unwrap();
    assert!(stored == made, "{FILE} differs from what the code makes");
}

fn vectors() -> Value {
    json!({
        "about": "Formats of docs/identity.md and docs/call-keys.md, made by e2ee/src/vectors.rs. Bytes are base64url.",
        "keys": [keys(1), keys(10), keys(255)],
        "recovery": [recovery([0; 20]), recovery([255; 20]), recovery(std::array::from_fn(|i| (i * 13) as u8))],
        "recovery_proof": recovery_proof(),
        "chains": chains(),
        "roster": roster(),
        "pairing": pairing(),
        "join": join(),
        "contact_link": contact_link(),
        "guest": guest(),
        "contacts": contacts(),
        "policy": policy(),
        "drop_in": drop_in::vectors(),
        "ledger": drop_in::ledger::vectors(),
        "announcement": announcement::vectors(),
        "live_announcement": announcement::live_vectors(),
        "call_invitation": call_invitation(),
        "ringing": ringing(),
        "call_code": codes(),
        "sframe": sframe(),
    })
}

fn blob(bytes: impl AsRef<[u8]>) -> Value {
    json!(URL_SAFE_NO_PAD.encode(bytes))
}

fn entries(house: &House) -> Vec<Value> {
    house
        .entries
        .iter()
        .map(|entry| blob(entry.encode()))
        .collect()
}

fn keys(seed: u8) -> Value {
    let public = key(seed).public();
    json!({
        "seed": blob([seed; 32]),
        "public": blob(public.0),
        "device": ids::device_id(public).to_string(),
        "household": ids::household_id(public).to_string(),
        "fingerprint": blob(ids::fingerprint(public)),
    })
}

fn recovery(bytes: [u8; 20]) -> Value {
    let code = RecoveryCode::from_bytes(bytes);
    json!({
        "bytes": blob(bytes),
        "text": *code.text(),
        "seed": blob(*code.signing_key().seed()),
        "public": blob(code.signing_key().public().0),
        "secret": blob(*code.server_secret()),
    })
}

/// What a server keeps of a recovery key, and what one shows that substitutes the household.
fn recovery_proof() -> Value {
    let (house, other, recovery) = (House::new(10), House::new(40), key(30));
    let proof = |house: &House, bound_to: &House, by: &PrivateKey| {
        let certificate = house.certificate(recovery.public(), Kind::RecoveryKey, Rights::ADULT);
        let certificate = certificate.sign(&house.genesis);
        blob(RecoveryProof::new(certificate, bound_to.genesis.public(), by).encode())
    };
    json!({
        "seed": blob(*recovery.seed()),
        "genesis": blob(house.genesis.public().0),
        "other_genesis": blob(other.genesis.public().0),
        "proof": proof(&house, &house, &recovery),
        "refused_for_other_genesis": [
            { "name": "the genuine binding", "proof": proof(&other, &house, &recovery) },
            { "name": "a binding by its own key", "proof": proof(&other, &other, &other.genesis) },
        ],
    })
}

/// One chain with the time it is verified at, and what comes of it.
fn chain_case(name: &str, chain: &Chain, now: UnixMs) -> Value {
    let verified = verify_chain(chain, now);
    let identity = verified.as_ref().ok().map(|who| {
        json!({
            "genesis": blob(who.genesis.0),
            "household": who.household.to_string(),
            "device": who.device.to_string(),
            "device_key": blob(who.device_key.0),
            "kind": who.kind.byte(),
            "adult": who.rights.adult,
            "person": who.person,
            "label": who.label,
        })
    });
    json!({
        "name": name,
        "chain": blob(chain.encode()),
        "now_ms": now.0,
        "identity": identity,
        "error": verified.err().map(|error| error.to_string()),
    })
}

fn chains() -> Vec<Value> {
    let mut house = House::new(10);
    let device = house.add_home_device(&key(20));
    let other = House::new(40);
    let leaf = |kind, rights| house.certificate(key(20).public(), kind, rights);
    let by = |signer: &PrivateKey, kind, rights| {
        let above = house
            .certificate(signer.public(), kind, rights)
            .sign(&house.genesis);
        Chain(vec![
            leaf(Kind::HomeDevice, Rights::NONE).sign(signer),
            above,
        ])
    };
    let usurped = Chain(vec![leaf(Kind::App, Rights::ADULT).sign(&other.genesis)]);
    let mixed = Chain(vec![
        other
            .certificate(key(20).public(), Kind::App, Rights::NONE)
            .sign(&house.app),
        house.app_chain().0[0].clone(),
    ]);
    let mut long = leaf(Kind::App, Rights::NONE);
    long.not_after = NOW.plus(32 * DAY_MS);
    let long = Chain(vec![long.sign(&house.genesis)]);
    let adult = Chain(vec![
        leaf(Kind::HomeDevice, Rights::ADULT).sign(&house.genesis),
    ]);
    let recovery = house.certificate(key(30).public(), Kind::RecoveryKey, Rights::ADULT);
    let recovery = Chain(vec![recovery.sign(&house.genesis)]);
    let mut tampered = device.clone();
    tampered.0[1].signature[5] ^= 1;
    let end = NOW.plus(30 * DAY_MS);
    vec![
        chain_case("an app", &house.app_chain(), NOW),
        chain_case("a home device", &device, NOW),
        chain_case(
            "at the edge of the skew, early",
            &device,
            NOW.minus(CLOCK_SKEW_MS),
        ),
        chain_case("too early", &device, NOW.minus(CLOCK_SKEW_MS + 1)),
        chain_case(
            "at the edge of the skew, late",
            &device,
            end.plus(CLOCK_SKEW_MS),
        ),
        chain_case("expired", &device, end.plus(CLOCK_SKEW_MS + 1)),
        chain_case(
            "by the recovery key",
            &by(&key(30), Kind::RecoveryKey, Rights::ADULT),
            NOW,
        ),
        chain_case(
            "by a child's app",
            &by(&key(31), Kind::App, Rights::NONE),
            NOW,
        ),
        chain_case(
            "by a home device",
            &by(&key(31), Kind::HomeDevice, Rights::NONE),
            NOW,
        ),
        chain_case("another genesis signs", &usurped, NOW),
        chain_case("links of two households", &mixed, NOW),
        chain_case("lasts too long", &long, NOW),
        chain_case("an adult home device", &adult, NOW),
        chain_case("a recovery key as device", &recovery, NOW),
        chain_case("a changed signature", &tampered, NOW),
        chain_case("empty", &Chain(vec![]), NOW),
    ]
}

/// A roster entry by entry, and entries that do not fit at its end.
fn roster() -> Value {
    let mut house = House::new(10);
    let (app, tablet) = (house.app.clone(), key(21));
    house.add_home_device(&key(20));
    house.enter(tablet.public(), Kind::App, Rights::NONE, app.clone());
    house.change(
        Change::SetRights {
            device: tablet.public(),
            rights: Rights::ADULT,
        },
        &app,
    );
    house.change(
        Change::RemoveDevice {
            device: key(20).public(),
        },
        &tablet,
    );
    house.change(
        Change::RecoveryKey {
            recovery: key(99).public(),
        },
        &app,
    );
    let next = |change, by: &PrivateKey| blob(house.roster.next_entry(change, NOW, by).encode());
    let remove = |seed| Change::RemoveDevice {
        device: key(seed).public(),
    };
    let back = Change::AddDevice {
        device: key(20).public(),
        kind: Kind::HomeDevice,
        rights: Rights::NONE,
        person: "anna".to_owned(),
        label: "Kitchen".to_owned(),
    };
    json!({
        "entries": entries(&house),
        "name": house.roster.name(),
        "seq": house.roster.seq(),
        "head": blob(house.roster.head()),
        "recovery": blob(house.roster.recovery_key().0),
        "devices": house.roster.devices().keys().map(|key| blob(key.0)).collect::<Vec<_>>(),
        "refused_next": [
            { "name": "a stranger signs", "entry": next(remove(21), &key(77)) },
            { "name": "the former recovery key signs",
              "entry": next(remove(21), &RecoveryCode::from_bytes([10; 20]).signing_key()) },
            { "name": "a removed key comes back", "entry": next(back, &app) },
            { "name": "removes who is not there", "entry": next(remove(50), &app) },
            { "name": "an entry again", "entry": entries(&house)[1] },
        ],
        "accepted_next": next(remove(21), &key(99)),
        "shorter_is_rollback_for": { "seq": house.roster.seq(), "head": blob(house.roster.head()) },
    })
}

fn pairing() -> Value {
    let house = House::new(10);
    let (device_key, label) = (key(20).public(), "Küche".to_owned());
    let mut device = DevicePairing::new(device_key, Kind::HomeDevice, label, [5; 32]);
    let (genesis, app_key) = (house.genesis.public(), house.app.public());
    let mut app = AppPairing::new(genesis, app_key, [6; 32], device.offer());
    let reveal = device.accepted(app.accept()).unwrap();
    let digits = device.revealed(&app.revealed(&reveal).unwrap()).unwrap();
    json!({
        "device_key": blob(device_key.0),
        "device_nonce": blob([5; 32]),
        "kind": 2,
        "label": "Küche",
        "genesis": blob(genesis.0),
        "app_key": blob(app_key.0),
        "app_nonce": blob([6; 32]),
        "commit_d": blob(device.offer()),
        "commit_a": blob(app.accept()),
        "digits": digits.text(),
    })
}

fn join() -> Value {
    let (secret, account) = (JoinSecret([7; 32]), AccountId([8; 16]));
    let fingerprint = ids::fingerprint(key(10).public());
    let link = JoinLink {
        invitation: InvitationId([9; 16]),
        secret: secret.clone(),
        fingerprint,
    };
    json!({
        "secret": blob(secret.0),
        "app_key": blob(key(12).public().0),
        "account": account.to_string(),
        "proof": blob(secret.proof(key(12).public(), account)),
        "invitation": link.invitation.to_string(),
        "fingerprint": blob(fingerprint),
        "link": *link.fragment(),
    })
}

fn contact_link() -> Value {
    let fingerprint = ids::fingerprint(key(10).public());
    let link = ContactLink {
        handle: "anna".to_owned(),
        fingerprint,
    };
    json!({ "handle": "anna", "fingerprint": blob(fingerprint), "link": link.fragment() })
}

/// A guest's chains, genuine and not.
fn guest_chains() -> Vec<Value> {
    let (house, bob) = (House::new(10), key(80));
    let chain = guest_chain(&bob, "Onkel Jürgen", NOW);
    let changed = |change: fn(&mut Certificate)| {
        let mut certificate = Certificate::open(&chain.0[0]).unwrap();
        change(&mut certificate);
        Chain(vec![certificate.sign(&bob)])
    };
    let mut app = house.certificate(key(81).public(), Kind::App, Rights::NONE);
    app.genesis = bob.public();
    let end = NOW.plus(DAY_MS).plus(CLOCK_SKEW_MS);
    vec![
        chain_case("a guest", &chain, NOW),
        chain_case("a guest, at the last moment", &chain, end),
        chain_case("a guest, a day later", &chain, end.plus(1)),
        chain_case(
            "the longest name",
            &changed(|one| one.label = "ü".repeat(40)),
            NOW,
        ),
        chain_case(
            "a name too long",
            &changed(|one| one.label = "ü".repeat(41)),
            NOW,
        ),
        chain_case("no name", &changed(|one| one.label = String::new()), NOW),
        chain_case(
            "with rights",
            &changed(|one| one.rights = Rights::ADULT),
            NOW,
        ),
        chain_case(
            "of a person",
            &changed(|one| one.person = "anna".to_owned()),
            NOW,
        ),
        chain_case("of a roster", &changed(|one| one.roster_seq = 1), NOW),
        chain_case(
            "for longer than a day",
            &changed(|one| one.not_after = one.not_after.plus(1)),
            NOW,
        ),
        chain_case(
            "for another key",
            &changed(|one| one.subject = key(81).public()),
            NOW,
        ),
        chain_case(
            "of another household",
            &changed(|one| one.genesis = key(10).public()),
            NOW,
        ),
        chain_case(
            "by a guest",
            &Chain(vec![app.sign(&bob), chain.0[0].clone()]),
            NOW,
        ),
        chain_case(
            "twice",
            &Chain(vec![chain.0[0].clone(), chain.0[0].clone()]),
            NOW,
        ),
    ]
}

/// And the proof and link of docs/guests.md.
fn guest() -> Value {
    let bob = key(80);
    let fingerprint = ids::fingerprint(key(10).public());
    let link = GuestLink {
        link: CallLinkId([9; 16]),
        secret: GuestSecret([7; 32]),
        fingerprint,
    };
    json!({
        "chains": guest_chains(),
        "seed": blob([80; 32]),
        "label": "Onkel Jürgen",
        "made_at_ms": NOW.0,
        "secret": blob(link.secret.0),
        "link_id": link.link.to_string(),
        "guest_key": blob(bob.public().0),
        "proof": blob(link.secret.proof(link.link, bob.public())),
        "fingerprint": blob(fingerprint),
        "link": *link.fragment(),
    })
}

fn contacts() -> Value {
    let house = House::new(10);
    let them = key(60).public();
    let card = |(revision, pin)| {
        let contact = Contact {
            genesis: house.genesis.public(),
            id: ContactId([3; 16]),
            revision,
            name: "Zoë".to_owned(),
            handle: "zoe".to_owned(),
            pin,
        };
        blob(contact.sign(&house.app).encode())
    };
    let pins = [
        Pin::NoneYet,
        Pin::Unverified(them),
        Pin::Verified(them),
        Pin::Deleted,
    ];
    json!({
        "entries": entries(&house),
        "contact_id": ContactId([3; 16]).to_string(),
        "name": "Zoë",
        "handle": "zoe",
        "their_genesis": blob(them.0),
        "by_pin_with_revision_as_pin": (0..).zip(pins).map(card).collect::<Vec<_>>(),
    })
}

fn policy() -> Value {
    let house = House::new(10);
    let them = key(60).public();
    let rule = |person: &str, mode| Rule {
        their_genesis: them,
        person: person.to_owned(),
        mode,
    };
    let policy = AnswerPolicy {
        genesis: house.genesis.public(),
        device: key(20).public(),
        revision: 7,
        rules: vec![rule("", Mode::Echo), rule("ben", Mode::Auto)],
    };
    json!({
        "entries": entries(&house),
        "device": blob(key(20).public().0),
        "revision": 7,
        "rules": [
            { "their_genesis": blob(them.0), "person": "", "mode": 2 },
            { "their_genesis": blob(them.0), "person": "ben", "mode": 1 },
        ],
        "signed": blob(policy.sign(&house.app).encode()),
    })
}

fn call_invitation() -> Value {
    let house = House::new(10);
    let call = CallId([4; 16]);
    let chain = house.app_chain();
    let made = CallInvitation::new(call, NOW, "ben", "Anna", true, &chain).sign(&house.app);
    json!({
        "call": call.to_string(),
        "at_ms": NOW.0,
        "to_handle": "ben",
        "display_name": "Anna",
        "video": true,
        "chain": blob(chain.encode()),
        "signed": blob(made.encode()),
    })
}

fn ringing() -> Value {
    let house = House::new(10);
    let call = CallId([4; 16]);
    let statement: Signed =
        Ringing::new(call, b"a key package", &house.app_chain()).sign(&house.app);
    json!({
        "call": call.to_string(),
        "key_package": blob(b"a key package"),
        "now_ms": NOW.0,
        "signed": blob(statement.encode()),
    })
}

fn codes() -> Value {
    let authenticator = std::array::from_fn(|i| (i * 31 + 7) as u8);
    json!({
        "authenticator": blob(authenticator),
        "code": call_code(&authenticator),
        "epoch": 300,
        "comparison": blob(comparison_message(300, &authenticator)),
    })
}

fn sframe() -> Vec<Value> {
    let case = |(epoch, leaf): (u64, u32)| {
        let mut sender = FrameSender::default();
        sender.switch(epoch, &[9; 16], leaf).unwrap();
        let frames: Vec<Value> = (0..10)
            .map(|_| blob(sender.encrypt(b"one frame").unwrap()))
            .collect();
        json!({
            "base_key": blob([9; 16]),
            "epoch": epoch,
            "leaf": leaf,
            "frame": blob(b"one frame"),
            "encrypted_in_order": frames,
        })
    };
    [(0, 0), (1, 1), (17, 15), (31, 16), (300, 4095)]
        .map(case)
        .to_vec()
}

#[test]
fn the_rosters_refused_entries_are_refused() {
    let vectors = roster();
    let decode = |value: &Value| URL_SAFE_NO_PAD.decode(value.as_str().unwrap()).unwrap();
    let entries: Vec<Vec<u8>> = vectors["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(decode)
        .collect();
    let roster = Roster::from_entries(entries).unwrap();
    for case in vectors["refused_next"].as_array().unwrap() {
        let entry = Signed::decode(&decode(&case["entry"])).unwrap();
        assert!(roster.clone().append(&entry).is_err(), "{}", case["name"]);
    }
    let entry = Signed::decode(&decode(&vectors["accepted_next"])).unwrap();
    assert_eq!(roster.clone().append(&entry), Ok(()));
}
