//! Weekly times: over midnight, over weekends, and in the nights in which clocks are changed.

use homeline_protocol::session::{QuietSchedule, QuietWindow, Weekday};

use super::world::SUNDAY;
use crate::domain::identity::GrantHours;
use crate::domain::reach::{BadSchedule, Schedule, WINDOWS_MAX};
use crate::model::UnixMillis;

const ALL: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

fn schedule(zone: &str, windows: &[(&[Weekday], u16, u16)]) -> Result<Schedule, BadSchedule> {
    let windows = windows
        .iter()
        .map(|(days, from_minute, to_minute)| QuietWindow {
            days: days.to_vec(),
            from_minute: *from_minute,
            to_minute: *to_minute,
        });
    Schedule::try_from(&QuietSchedule {
        time_zone: zone.to_owned(),
        windows: windows.collect(),
    })
}

/// On all Sunday.
pub(super) fn sundays() -> Schedule {
    schedule("UTC", &[(&[Weekday::Sunday], 0, 0)]).unwrap()
}

/// On all Monday, as a grant says it.
pub(super) fn mondays() -> Schedule {
    let said = GrantHours {
        time_zone: "UTC".to_owned(),
        windows: vec![(1, 0, 0)],
    };
    Schedule::try_from(&said).unwrap()
}

fn at(text: &str) -> UnixMillis {
    let moment: jiff::Timestamp = text.parse().unwrap();
    UnixMillis(moment.as_millisecond().unsigned_abs())
}

fn check(schedule: &Schedule, table: &[(&str, bool)]) {
    for (moment, on) in table {
        assert_eq!(schedule.is_on(at(moment)), *on, "{moment}");
    }
}

#[test]
fn a_night_belongs_to_the_day_on_which_it_begins() {
    let school_nights = [Weekday::Sunday, Weekday::Monday];
    let nights = schedule("UTC", &[(&school_nights, 22 * 60, 6 * 60 + 30)]).unwrap();
    check(
        &nights,
        &[
            ("2026-11-22T21:59:59Z", false), // Sunday
            ("2026-11-22T22:00:00Z", true),
            ("2026-11-23T06:29:59Z", true), // Monday morning
            ("2026-11-23T06:30:00Z", false),
            ("2026-11-24T03:00:00Z", true), // Tuesday morning
            ("2026-11-24T23:00:00Z", false),
            ("2026-11-22T03:00:00Z", false), // the night from Saturday
        ],
    );
    assert!(sundays().is_on(UnixMillis(SUNDAY)));
    let whole_day = [
        ("2026-11-22T23:59:59Z", true),
        ("2026-11-23T00:00:00Z", false),
    ];
    check(&sundays(), &whole_day);
}

#[test]
fn windows_follow_the_wall_clock_of_their_zone() {
    let nights = schedule("Europe/Berlin", &[(&ALL, 22 * 60, 7 * 60)]).unwrap();
    check(
        &nights,
        &[
            ("2026-01-10T20:59:00Z", false), // winter: one hour ahead of UTC
            ("2026-01-10T21:00:00Z", true),
            ("2026-07-10T19:59:00Z", false), // summer: two
            ("2026-07-10T20:00:00Z", true),
            // 2026-03-29: the clock goes from 2 to 3, the night is an hour shorter
            ("2026-03-29T04:59:00Z", true),
            ("2026-03-29T05:00:00Z", false),
            // 2026-10-25: the clock goes from 3 back to 2, the night is an hour longer
            ("2026-10-25T05:59:00Z", true),
            ("2026-10-25T06:00:00Z", false),
        ],
    );
}

#[test]
fn an_hour_that_comes_twice_or_not_at_all_is_taken_as_the_clock_shows_it() {
    let hour = schedule("Europe/Berlin", &[(&ALL, 2 * 60, 3 * 60)]).unwrap();
    check(
        &hour,
        &[
            ("2026-03-29T00:59:00Z", false), // 1:59, and a minute later it is 3:00
            ("2026-03-29T01:00:00Z", false),
            ("2026-10-25T00:30:00Z", true), // 2:30, in summer time
            ("2026-10-25T01:30:00Z", true), // 2:30 again, in winter time
            ("2026-10-25T02:00:00Z", false),
        ],
    );
}

#[test]
fn what_is_no_schedule_is_refused() {
    let bad = |zone, windows: &[(&[Weekday], u16, u16)]| schedule(zone, windows).err();
    assert_eq!(bad("Mars/Olympus", &[]), Some(BadSchedule::Zone));
    assert_eq!(bad("", &[]), Some(BadSchedule::Zone));
    assert_eq!(bad("UTC", &[(&[], 0, 1)]), Some(BadSchedule::Window));
    assert_eq!(bad("UTC", &[(&ALL, 0, 1440)]), Some(BadSchedule::Window));
    let twice = [Weekday::Monday, Weekday::Monday];
    assert_eq!(bad("UTC", &[(&twice, 0, 1)]), Some(BadSchedule::Window));
    let many = vec![(&ALL[..], 0, 1); WINDOWS_MAX + 1];
    assert_eq!(bad("UTC", &many), Some(BadSchedule::Windows));
    assert!(bad("America/New_York", &many[1..]).is_none());
}
