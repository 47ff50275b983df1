//! Fixed announcements for the other implementation, a part of tests/data/identity-vectors.json.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use homeline_protocol::id::AnnouncementId;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Announcement, Content, Kind, SealedKey, SealingKey, SealingStatement, open};
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
    vec![said.body(), sealing.body]
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
