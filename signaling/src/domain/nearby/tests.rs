//! Who was near, over time.

use std::time::Duration;

use homeline_protocol::id::{DeviceId, HouseholdId};

use super::table::{REPORTS_EVERY, Table};
use crate::model::UnixMillis;

const KITCHEN: DeviceId = DeviceId([1; 16]);
const HOME: HouseholdId = HouseholdId([2; 16]);
const NOW: UnixMillis = UnixMillis(1_795_305_600_000);

fn after(secs: u64) -> UnixMillis {
    NOW.plus(Duration::from_secs(secs))
}

#[test]
fn what_is_shown_is_rounded_and_gone_after_ten_minutes() {
    let mut table = Table::default();
    assert_eq!(table.minutes_ago(KITCHEN, NOW), None);
    assert!(table.seen(KITCHEN, HOME, NOW));
    for (secs, shown) in [
        (0, Some(0)),
        (299, Some(0)),
        (300, Some(5)),
        (599, Some(5)),
        (600, None),
    ] {
        assert_eq!(table.minutes_ago(KITCHEN, after(secs)), shown, "{secs}");
    }
    assert_eq!(table.all(after(301)), [(KITCHEN, HOME, 5)]);
    table.sweep(after(600));
    assert_eq!(table.all(NOW), []);
}

#[test]
fn a_device_is_heard_every_ten_seconds_and_changes_what_is_shown_seldom() {
    let mut table = Table::default();
    assert!(table.seen(KITCHEN, HOME, NOW));
    let soon = NOW.plus(REPORTS_EVERY);
    assert!(!table.may_tell(KITCHEN, UnixMillis(soon.0 - 1)));
    assert!(table.may_tell(KITCHEN, soon));
    assert!(!table.seen(KITCHEN, HOME, soon));
    assert!(table.seen(KITCHEN, HOME, after(400)));
    table.forget(KITCHEN);
    assert!(table.may_tell(KITCHEN, after(400)));
    assert_eq!(table.at(KITCHEN, after(400)), None);
}

#[test]
fn of_too_many_devices_the_one_heard_least_lately_is_forgotten() {
    let mut table = Table::default();
    table.seen(KITCHEN, HOME, NOW);
    for number in 0..4_096_u32 {
        let mut id = [9; 16];
        id[..4].copy_from_slice(&number.to_be_bytes());
        table.seen(DeviceId(id), HOME, after(1));
    }
    assert_eq!(table.at(KITCHEN, after(1)), None);
    assert_eq!(table.all(after(1)).len(), 4_096);
}
