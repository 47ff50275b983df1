//! The server reads of an announcement what clients sign, and no more.

use homeline_protocol::Blob;
use serde_json::Value;

use super::AnnounceError;
use super::rules::check;
use crate::domain::identity::{AnnouncementStatement, Roster, SealingKeyStatement};
use crate::model::UnixMillis;

fn vectors() -> Value {
    let text = include_str!("../../../../e2ee/tests/data/identity-vectors.json");
    let vectors: Value = serde_json::from_str(text).unwrap();
    vectors["announcement"].clone()
}

fn bytes(value: &Value) -> Vec<u8> {
    Blob::from_base64url(value.as_str().unwrap()).unwrap().0
}

fn roster(vectors: &Value) -> Roster {
    let entries = vectors["entries"].as_array().unwrap();
    let entries: Vec<Vec<u8>> = entries.iter().map(bytes).collect();
    Roster::from_stored(&entries).unwrap()
}

#[test]
fn what_clients_sign_is_read_alike_here() {
    let vectors = vectors();
    let roster = roster(&vectors);
    let said = AnnouncementStatement::open(&bytes(&vectors["signed"]), &roster).unwrap();
    assert_eq!(said.id.to_string(), vectors["id"].as_str().unwrap());
    assert_eq!(Some(said.at_ms), vectors["now_ms"].as_u64());
    assert!(!said.sound);
    let key = SealingKeyStatement::open(&bytes(&vectors["sealing_statement"]), &roster).unwrap();
    assert_eq!(said.devices, [key.device]);
    assert!(said.is_of(&bytes(&vectors["ciphertext"])));
    // Who signed by another's chain is found out by the devices, which read chains.
    let refused = vectors["refused"].as_array().unwrap();
    for case in refused
        .iter()
        .filter(|one| one["name"] != "by another device of the household")
    {
        let opened = AnnouncementStatement::open(&bytes(&case["signed"]), &roster);
        assert!(opened.is_err(), "{}", case["name"]);
    }
}

#[test]
fn an_announcement_is_of_now_and_goes_with_its_content() {
    let vectors = vectors();
    let said = AnnouncementStatement::open(&bytes(&vectors["signed"]), &roster(&vectors)).unwrap();
    let content = bytes(&vectors["ciphertext"]);
    let at = |off: i64| UnixMillis(said.at_ms.checked_add_signed(off).unwrap());
    let skew = 5 * 60 * 1_000;
    for off in [0, skew, -skew] {
        check(&said, &content, at(off)).unwrap();
    }
    for off in [skew + 1, -skew - 1] {
        let checked = check(&said, &content, at(off));
        assert!(matches!(checked, Err(AnnounceError::NotNow)));
    }
    let checked = check(&said, b"something else", at(0));
    assert!(matches!(checked, Err(AnnounceError::Statement(_))));
}
