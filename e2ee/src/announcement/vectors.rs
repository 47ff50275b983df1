//! Fixed announcements for the other implementation, a part of tests/data/identity-vectors.json.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use homeline_protocol::id::{AnnouncementId, CallId};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    Announcement, Content, Heard, Kind, LiveAnnouncement, SealedKey, SealingKey, SealingStatement,
    open,
};
use crate::key::PrivateKey;
use crate::signed::{Context, Signed};
use crate::testkit::{House, NOW, key};

/// HPKE draws its own randomness, so that these were made once: the key `[7; 16]` sealed to the device of
/// seed 20, and the text under it.
const ENC: &str = "ehEPJkfIWFPv3HMNk2IZthvHfjDJ03YSqGqoRywsW1c";
const SEALED: &str = "Yvbn6KI-OoDUxFfKqFatwsFKN5HA6B0KrVqP87oaMN0";
const CIPHERTEXT: &str = "uexrx9zvMfHN86cj_oNQCyaIXnxiUhJbmc9epM74uCugp-DpHZFZ6t7W_LPYR2l9H1nQ";
const TEXT: &str = "Essen ist fertig – dinner's ready";

pub(crate) fn vectors() -> Value {
    let (house, kitchen, said) = made();
    let signed = said.sign(&house.app);
    let body = said.body();
    let changed = |name: &str, at: usize, byte: u8| {
        let mut body = body.clone();
        body[at] = byte;
        let signed = Signed::sign(Context::Announcement, body, &house.app);
        json!({ "name": name, "signed": blob(signed.encode()) })
    };
    // version, genesis and id come before the kind; then two times eight bytes.
    let kind = 1 + 32 + 16;
    json!({
        "entries": house.entries.iter().map(|entry| blob(entry.encode())).collect::<Vec<_>>(),
        "device_seed": blob(*kitchen.seed()),
        "sealing_key": blob(SealingKey::of(&kitchen).public().0),
        "sealing_statement": blob(SealingStatement::sign(house.genesis.public(), &kitchen).encode()),
        "now_ms": NOW.0,
        "id": said.id.to_string(),
        "reply_to": said.reply_to.map(|id| id.to_string()),
        "signed": blob(signed.encode()),
        "ciphertext": CIPHERTEXT,
        "text": TEXT,
        "refused": [
            changed("another version", 0, 2),
            changed("an unknown kind", kind, 3),
            changed("a text that lasts", kind + 16, 1),
            changed("to nobody", kind + 17 + 16 + 32 + 1, 0),
            json!({
                "name": "by another device of the household",
                "signed": blob(said.sign(&kitchen).encode()),
            }),
        ],
    })
}

/// Real bodies, to be damaged.
pub(crate) fn sample_bodies() -> Vec<Vec<u8>> {
    let (house, kitchen, said) = made();
    let sealing = SealingStatement::sign(house.genesis.public(), &kitchen);
    vec![said.body(), sealing.body, live().1.body()]
}

/// One that is heard while it is spoken, for two devices, and what no device takes.
pub(crate) fn live_vectors() -> Value {
    let (house, said) = live();
    let kitchen = key(20);
    let body = said.body();
    let changed = |name: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut body = body.clone();
        change(&mut body);
        let signed = Signed::sign(Context::LiveAnnouncement, body, &house.app);
        json!({ "name": name, "signed": blob(signed.encode()) })
    };
    // version, genesis, call and time come before the devices.
    let count = 1 + 32 + 16 + 8;
    let first = count + 2;
    let itself = LiveAnnouncement {
        devices: vec![house.app.public()],
        ..said.clone()
    };
    json!({
        "entries": house.entries.iter().map(|entry| blob(entry.encode())).collect::<Vec<_>>(),
        "now_ms": NOW.0,
        "call": said.call.to_string(),
        "devices": said.devices.iter().map(|one| blob(one.0)).collect::<Vec<_>>(),
        "signer": blob(house.app.public().0),
        "signed": blob(said.sign(&house.app).encode()),
        "refused": [
            changed("another version", &|body| body[0] = 2),
            changed("another household", &|body| body[1] ^= 1),
            changed("to nobody", &|body| {
                body[count + 1] = 0;
                body.drain(first..first + 64);
            }),
            changed("a device twice", &|body| body.copy_within(first..first + 32, first + 32)),
            changed("not in order", &|body| body[first..first + 64].rotate_left(32)),
            changed("more devices than there are", &|body| body[count + 1] = 3),
            changed("with something behind it", &|body| body.push(0)),
            json!({ "name": "for itself", "signed": blob(itself.sign(&house.app).encode()) }),
            json!({
                "name": "by another device of the household",
                "signed": blob(said.sign(&kitchen).encode()),
            }),
            json!({
                "name": "in another context",
                "signed": blob(Signed::sign(Context::Announcement, body.clone(), &house.app).encode()),
            }),
        ],
    })
}

fn live() -> (House, LiveAnnouncement) {
    let (mut house, kitchen, bath) = (House::new(10), key(20), key(21));
    house.add_home_device(&kitchen);
    house.add_home_device(&bath);
    let who = (
        house.app.public(),
        &house.app_chain(),
        house.genesis.public(),
    );
    let to = [kitchen.public(), bath.public()];
    let said = LiveAnnouncement::new(who, CallId([6; 16]), NOW, to).unwrap();
    (house, said)
}

#[test]
fn the_fixed_live_announcement_is_heard_and_what_the_vectors_call_refused_is_not() {
    let (house, said) = live();
    let hear = |signed: &Signed| {
        let own = (said.call, key(21).public());
        let heard = &mut Heard::default();
        LiveAnnouncement::hear(signed, own, &house.roster, heard, NOW).map(|(said, _)| said)
    };
    assert!(hear(&said.sign(&house.app)).is_ok_and(|heard| heard == said));
    for case in live_vectors()["refused"].as_array().unwrap() {
        let signed = Signed::decode(&bytes(case["signed"].as_str().unwrap())).unwrap();
        assert!(hear(&signed).is_err(), "{}", case["name"]);
    }
}

fn made() -> (House, PrivateKey, Announcement) {
    let (mut house, kitchen) = (House::new(10), key(20));
    house.add_home_device(&kitchen);
    let fixed = |text: &str| bytes(text).try_into().unwrap();
    let said = Announcement {
        genesis: house.genesis.public(),
        id: AnnouncementId([5; 16]),
        kind: Kind::Text,
        at: NOW,
        length_ms: 0,
        reply_to: Some(AnnouncementId([4; 16])),
        content_hash: Sha256::digest(bytes(CIPHERTEXT)).into(),
        keys: vec![SealedKey {
            device: kitchen.public(),
            enc: fixed(ENC),
            sealed: fixed(SEALED),
        }],
        chain: house.app_chain().encode(),
    };
    (house, kitchen, said)
}

#[test]
fn the_fixed_announcement_opens_and_what_the_vectors_call_refused_is_refused() {
    let (house, kitchen, said) = made();
    let opened = open(&said, house.app.public(), &kitchen, &bytes(CIPHERTEXT));
    assert!(opened == Ok(Content::Text(TEXT.to_owned())));
    for case in vectors()["refused"].as_array().unwrap() {
        let signed = Signed::decode(&bytes(case["signed"].as_str().unwrap())).unwrap();
        let opened = Announcement::open(&signed, &house.roster, NOW);
        assert!(opened.is_err(), "{}", case["name"]);
    }
}

fn bytes(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

fn blob(bytes: impl AsRef<[u8]>) -> Value {
    json!(URL_SAFE_NO_PAD.encode(bytes))
}
