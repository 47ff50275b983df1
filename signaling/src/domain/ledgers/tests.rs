//! The server reads entries as clients do, and takes them in order alone.

use homeline_protocol::Blob;
use homeline_protocol::id::{DeviceId, HouseholdId};
use serde_json::Value;

use super::AppendError;
use super::rules::{ENTRIES_MAX, Place, place};
use crate::domain::identity::{LedgerStatement, StatementError};
use crate::model::UnixMillis;
use crate::store::households::HouseholdRow;
use crate::store::ledgers::EndRow;
use crate::store::{self, Db};

const HOUSEHOLD: HouseholdId = HouseholdId([1; 16]);
const DEVICE: DeviceId = DeviceId([2; 16]);

fn said(index: u64, prev: u8) -> LedgerStatement {
    LedgerStatement {
        household: HOUSEHOLD,
        signer: DEVICE,
        index,
        prev: [prev; 32],
        hash: [9; 32],
    }
}

fn end(place: i64, hash: u8) -> EndRow {
    EndRow {
        place,
        hash: vec![hash; 32],
    }
}

fn placed(said: &LedgerStatement, before: Option<&EndRow>) -> Result<Place, AppendError> {
    place(said, (HOUSEHOLD, DEVICE), said.index, before)
}

#[test]
fn an_entry_follows_the_last_one_and_no_other() {
    assert_eq!(placed(&said(0, 0), None).unwrap(), Place::Next(end(0, 9)));
    let before = end(4, 7);
    let next = placed(&said(5, 7), Some(&before)).unwrap();
    assert_eq!(next, Place::Next(end(5, 9)));
    for index in [0, 4] {
        assert_eq!(
            placed(&said(index, 7), Some(&before)).unwrap(),
            Place::Earlier
        );
    }
    for (index, prev) in [(5, 8), (6, 7), (u64::MAX, 7)] {
        let refused = placed(&said(index, prev), Some(&before));
        assert!(matches!(refused, Err(AppendError::OtherEnd)));
    }
    assert!(matches!(
        placed(&said(0, 1), None),
        Err(AppendError::OtherEnd)
    ));
    let last = end(i64::try_from(ENTRIES_MAX).unwrap() - 1, 7);
    let refused = placed(&said(ENTRIES_MAX, 7), Some(&last));
    assert!(matches!(refused, Err(AppendError::Full)));
}

#[test]
fn only_the_device_itself_for_its_own_household_at_the_place_that_it_says() {
    let by_another = LedgerStatement {
        signer: DeviceId([3; 16]),
        ..said(0, 0)
    };
    let refused = placed(&by_another, None);
    let may_not = StatementError::SignerMayNot;
    assert!(matches!(refused, Err(AppendError::Statement(error)) if error == may_not));
    let elsewhere = LedgerStatement {
        household: HouseholdId([4; 16]),
        ..said(0, 0)
    };
    let otherwise = StatementError::SaysOtherwise;
    for refused in [
        placed(&elsewhere, None),
        place(&said(1, 0), (HOUSEHOLD, DEVICE), 0, None),
    ] {
        assert!(matches!(refused, Err(AppendError::Statement(error)) if error == otherwise));
    }
}

/// What clients make and refuse: the vectors that both of their implementations hold to.
#[test]
fn what_devices_sign_is_read_alike_here() {
    let text = include_str!("../../../../e2ee/tests/data/identity-vectors.json");
    let vectors: Value = serde_json::from_str(text).unwrap();
    let vectors = &vectors["ledger"];
    let bytes = |value: &Value| Blob::from_base64url(value.as_str().unwrap()).unwrap().0;
    let mut before = None;
    for (index, case) in (0_u64..).zip(vectors["entries"].as_array().unwrap()) {
        let said = LedgerStatement::open(&bytes(&case["signed"])).unwrap();
        assert_eq!(said.signer.to_string(), vectors["device"].as_str().unwrap());
        let whose = (said.household, said.signer);
        let Place::Next(end) = place(&said, whose, index, before.as_ref()).unwrap() else {
            panic!("entry {index} is the next")
        };
        before = Some(end);
    }
    for case in vectors["unreadable"].as_array().unwrap() {
        let opened = LedgerStatement::open(&bytes(&case["signed"]));
        assert!(opened.is_err(), "{}", case["name"]);
    }
}

#[tokio::test]
async fn a_ledger_goes_with_its_household() {
    let db = Db::open_in_memory().await.unwrap();
    let mut tx = db.write().await.unwrap();
    let household = HouseholdRow {
        id: HOUSEHOLD,
        genesis: vec![1; 32],
        recovery_certificate: vec![],
        recovery_hash: String::new(),
    };
    store::households::insert(&mut tx, &household, UnixMillis(1))
        .await
        .unwrap();
    let whose = (HOUSEHOLD, DEVICE);
    store::ledgers::append(&mut tx, whose, &end(0, 9), b"entry")
        .await
        .unwrap();
    let kept = store::ledgers::lengths(&mut tx, HOUSEHOLD).await.unwrap();
    assert_eq!((kept[0].device, kept[0].length), (DEVICE, 1));
    store::rules::leaving::delete_household(&mut tx, HOUSEHOLD)
        .await
        .unwrap();
    let kept = store::ledgers::lengths(&mut tx, HOUSEHOLD).await.unwrap();
    assert!(kept.is_empty());
}
