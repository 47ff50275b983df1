//! What may be set.

use homeline_protocol::id::{AccountId, ContactId, DeviceId, HouseholdId};
use homeline_protocol::session::{DeviceKind, DoNotDisturb, QuietSchedule, Role};

use super::rules::{check_do_not_disturb, check_label, check_room, may_silence};
use crate::model::Speaker;

const ANNA: AccountId = AccountId([1; 16]);
const BEN: AccountId = AccountId([2; 16]);
const KITCHEN: DeviceId = DeviceId([3; 16]);

fn speaker(device: u8, kind: DeviceKind) -> Speaker {
    Speaker {
        account: ANNA,
        device: Some(DeviceId([device; 16])),
        household: Some(HouseholdId([4; 16])),
        kind,
        adult: false,
        guest: false,
    }
}

#[test]
fn a_device_is_silenced_by_itself_and_by_apps_a_childs_only_for_the_childs_own() {
    let (app, lamp) = (
        speaker(9, DeviceKind::App),
        speaker(8, DeviceKind::HomeDevice),
    );
    let itself = speaker(3, DeviceKind::HomeDevice);
    assert!(may_silence(&itself, Role::Child, KITCHEN, BEN).is_ok());
    assert!(may_silence(&app, Role::Adult, KITCHEN, BEN).is_ok());
    assert!(may_silence(&app, Role::Child, KITCHEN, ANNA).is_ok());
    assert!(may_silence(&app, Role::Child, KITCHEN, BEN).is_err());
    assert!(may_silence(&lamp, Role::Adult, KITCHEN, ANNA).is_err());
}

#[test]
fn texts_and_lists_are_bounded() {
    assert!(check_room("").is_ok() && check_room(&"ü".repeat(64)).is_ok());
    assert!(check_room(&"a".repeat(65)).is_err() && check_room("a\nb").is_err());
    assert!(check_label("").is_err());
    let with = |exceptions| DoNotDisturb {
        exceptions,
        ..DoNotDisturb::default()
    };
    let contact = |number: u8| ContactId([number; 16]);
    assert!(check_do_not_disturb(&with((0..64).map(contact).collect())).is_ok());
    assert!(check_do_not_disturb(&with((0..65).map(contact).collect())).is_err());
    assert!(check_do_not_disturb(&with(vec![contact(1), contact(1)])).is_err());
    let nowhere = DoNotDisturb {
        schedule: Some(QuietSchedule {
            time_zone: "Mars/Olympus".to_owned(),
            windows: vec![],
        }),
        ..DoNotDisturb::default()
    };
    assert!(check_do_not_disturb(&nowhere).is_err());
}
