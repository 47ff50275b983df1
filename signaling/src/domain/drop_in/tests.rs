//! The server reads grants as clients do, and lets none go back.

use std::collections::BTreeSet;

use homeline_protocol::Blob;
use homeline_protocol::id::{DeviceId, GrantId};
use serde_json::Value;

use super::PutGrantError;
use super::rules::check;
use crate::domain::identity::{GrantHours, GrantStatement, GrantTo, Roster};
use crate::domain::reach::BadSchedule;
use crate::model::UnixMillis;
use crate::store::Nullable;
use crate::store::drop_in::GrantRow;

const NOW: UnixMillis = UnixMillis(1_795_305_600_000);

fn said(revision: u64) -> GrantStatement {
    GrantStatement {
        id: GrantId([1; 16]),
        revision,
        signer: DeviceId([2; 16]),
        to: GrantTo::OwnHousehold,
        devices: vec![],
        hours: None,
        picture: false,
        signed_at_ms: NOW.0,
        expires_at_ms: NOW.0 + 1_000,
        revoked: false,
    }
}

fn stored(revision: i64, revoked: bool) -> GrantRow {
    GrantRow {
        id: GrantId([1; 16]),
        revision,
        contact: Nullable(None),
        signer: DeviceId([2; 16]),
        statement: vec![],
        revoked,
        expires_at_ms: UnixMillis(NOW.0 + 1_000),
    }
}

fn put(said: &GrantStatement, before: Option<&GrantRow>) -> Result<(), PutGrantError> {
    check(said, before, &BTreeSet::from([DeviceId([7; 16])]), NOW)
}

#[test]
fn a_newer_revision_follows_and_nothing_follows_a_revocation_but_another() {
    put(&said(1), None).unwrap();
    put(&said(2), Some(&stored(1, false))).unwrap();
    for (revision, revoked) in [(2, false), (3, false), (2, true)] {
        let refused = put(&said(2), Some(&stored(revision, revoked)));
        assert!(matches!(refused, Err(PutGrantError::Outdated)));
    }
    let refused = put(&said(2), Some(&stored(1, true)));
    assert!(matches!(refused, Err(PutGrantError::Revoked)));
    let ends = GrantStatement {
        revoked: true,
        devices: vec![DeviceId([9; 16])],
        ..said(2)
    };
    put(&ends, Some(&stored(1, true))).unwrap();
    put(&ends, None).unwrap();
}

#[test]
fn a_grant_is_of_now_for_devices_that_are_there_at_times_that_exist() {
    let early = GrantStatement {
        signed_at_ms: NOW.0 + 5 * 60 * 1_000 + 1,
        expires_at_ms: NOW.0 + 600_000,
        ..said(1)
    };
    assert!(matches!(put(&early, None), Err(PutGrantError::NotNow)));
    let over = GrantStatement {
        signed_at_ms: NOW.0 - 1,
        expires_at_ms: NOW.0,
        ..said(1)
    };
    assert!(matches!(put(&over, None), Err(PutGrantError::NotNow)));
    let on = |device| GrantStatement {
        devices: vec![DeviceId([device; 16])],
        ..said(1)
    };
    put(&on(7), None).unwrap();
    assert!(matches!(
        put(&on(8), None),
        Err(PutGrantError::NoSuchDevice)
    ));
    for (time_zone, windows, error) in [
        ("Nowhere/Atall", vec![(1, 0, 1)], BadSchedule::Zone),
        ("UTC", vec![(0, 0, 1)], BadSchedule::Window),
        ("UTC", vec![(128, 0, 1)], BadSchedule::Window),
        ("UTC", vec![(1, 1440, 1)], BadSchedule::Window),
    ] {
        let hours = Some(GrantHours {
            time_zone: time_zone.to_owned(),
            windows,
        });
        let refused = put(&GrantStatement { hours, ..said(1) }, None);
        assert!(matches!(refused, Err(PutGrantError::Hours(found)) if found == error));
    }
}

/// What clients make and refuse: the vectors that both of their implementations hold to.
#[test]
fn what_clients_sign_is_read_alike_here() {
    let text = include_str!("../../../../e2ee/tests/data/identity-vectors.json");
    let vectors: Value = serde_json::from_str(text).unwrap();
    let vectors = &vectors["drop_in"];
    let bytes = |value: &Value| Blob::from_base64url(value.as_str().unwrap()).unwrap().0;
    let entries: Vec<Vec<u8>> = vectors["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(bytes)
        .collect();
    let roster = Roster::from_stored(&entries).unwrap();
    for case in vectors["grants"].as_array().unwrap() {
        let said = GrantStatement::open(&bytes(&case["signed"]), &roster).unwrap();
        assert_eq!(said.id.to_string(), case["id"].as_str().unwrap());
        assert_eq!(Some(said.revision), case["revision"].as_u64());
        assert_eq!(Some(said.expires_at_ms), case["expires_at_ms"].as_u64());
        assert_eq!(Some(said.revoked), case["revoked"].as_bool());
        assert_eq!(
            said.devices.len(),
            case["devices"].as_array().unwrap().len()
        );
        assert_eq!(said.to.contact().is_some(), case["to"] != 1);
        let named = case["people"].as_array().unwrap().len();
        let household = match said.to {
            // Their ids are words of the vectors, none of an account.
            GrantTo::Household { people: None, .. } => named > 0,
            _ => named == 0,
        };
        assert!(household, "{}", case["name"]);
        let zone = said.hours.map(|hours| hours.time_zone);
        assert_eq!(zone.as_deref(), case["hours"]["zone"].as_str());
    }
    for case in vectors["refused"].as_array().unwrap() {
        let opened = GrantStatement::open(&bytes(&case["signed"]), &roster);
        assert!(opened.is_err(), "{}", case["name"]);
    }
}
