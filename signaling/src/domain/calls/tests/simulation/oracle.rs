//! Who may ring whom and who may meet, said once more and without `reach`: the simulation holds what
//! happens against this.
//!
//! Guests of a call link are no people of a household: they belong in here as another kind of party
//! beside `Somebody`, with rules of their own in `keeps_apart`.

use std::collections::BTreeSet;

use homeline_protocol::id::{CallId, DeviceId};
use homeline_protocol::session::{QuietWindow, Weekday};

use super::people::People;

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

/// A person with the device that they use.
#[derive(Clone, Copy)]
pub(super) struct Somebody {
    pub(super) person: usize,
    pub(super) device: DeviceId,
}

/// What the oracle remembers.
#[derive(Default)]
pub(super) struct Oracle {
    /// Calls of strangers that rang: when, whom, from whom.
    strangers: Vec<(u64, usize, usize, CallId)>,
}

impl Oracle {
    /// A device rings. Why that may not be, if so.
    pub(super) fn rings(
        &mut self,
        people: &People,
        (call, from, to): (CallId, Somebody, Somebody),
        (there, fresh): (&BTreeSet<usize>, bool),
        now_ms: u64,
    ) -> Result<(), &'static str> {
        let (asker, called) = (&people.all[from.person], &people.all[to.person]);
        let device = &people.devices[&to.device];
        let own = from.person == to.person;
        if asker.home.is_none() || called.home.is_none() || device.removed {
            return Err("somebody is gone");
        }
        if people.devices[&from.device].removed || from.device == to.device {
            return Err("no device may ask so");
        }
        if device.quiet || !device.speaker {
            return Err("the device is silent");
        }
        if called.blocked.contains(&from.person) {
            return Err("blocked");
        }
        for person in [from.person, to.person] {
            if let Some(child) = &people.all[person].child
                && !(child.consented && child.calling)
            {
                return Err("a child may not call");
            }
        }
        if keeps_apart(people, from.person, to.person) {
            return Err("a child and a stranger");
        }
        let excepted =
            called.excepted.contains(&from.person) && people.knows(to.person, from.person);
        if !own && !excepted && is_quiet(people, to.person, now_ms) {
            return Err("do not disturb");
        }
        for one in there
            .iter()
            .filter(|one| **one != from.person && **one != to.person)
        {
            let blocked = |a: usize, b: usize| people.all[a].blocked.contains(&b);
            if keeps_apart(people, *one, to.person)
                || blocked(*one, to.person)
                || blocked(to.person, *one)
            {
                return Err("somebody in the call and they may not meet");
            }
        }
        let family = asker.home == called.home;
        // Counted when the call was let through, not when a device comes online meanwhile.
        if fresh && !family && !people.knows(to.person, from.person) {
            self.stranger_rings(call, from.person, to.person, now_ms)?;
        }
        Ok(())
    }

    /// At most five calls an hour from one stranger, and twenty a day from all.
    fn stranger_rings(
        &mut self,
        call: CallId,
        from: usize,
        to: usize,
        now_ms: u64,
    ) -> Result<(), &'static str> {
        let same =
            |one: &(u64, usize, usize, CallId)| one.1 == to && one.2 == from && one.3 == call;
        if self.strangers.iter().any(same) {
            return Ok(());
        }
        self.strangers.push((now_ms, to, from, call));
        let since = |ms: u64| {
            self.strangers
                .iter()
                .filter(move |one| now_ms - one.0 < ms && one.1 == to)
        };
        if since(HOUR_MS).filter(|one| one.2 == from).count() > 5 || since(DAY_MS).count() > 20 {
            return Err("strangers call too often");
        }
        Ok(())
    }
}

/// Whether one of two is a child that may not be in a call with the other.
pub(super) fn keeps_apart(people: &People, a: usize, b: usize) -> bool {
    if people.all[a].home == people.all[b].home {
        return false;
    }
    let refuses = |child: usize, other: usize| {
        // Whoever left their home is in no adult's care there, and may still talk at a device of it.
        let home = people.all[child].home;
        let limits = home.and(people.all[child].child.as_ref());
        limits.is_some_and(|limits| !(limits.chosen.contains(&other) && people.knows(child, other)))
    };
    refuses(a, b) || refuses(b, a)
}

fn is_quiet(people: &People, person: usize, now_ms: u64) -> bool {
    let person = &people.all[person];
    person.quiet_everywhere
        || person.schedule.as_ref().is_some_and(|(zone, windows)| {
            let local = local_minutes(zone, now_ms);
            windows.iter().any(|window| is_open(window, local))
        })
}

/// Minutes since 1970 as the wall clock shows them.
pub(super) fn local_minutes(zone: &str, now_ms: u64) -> u64 {
    let utc = now_ms / 60_000;
    match zone {
        "Asia/Kolkata" => utc + 330,
        "America/Phoenix" => utc - 420,
        // Summer time from the last Sunday of March to the last of October, at one in UTC.
        "Europe/Berlin" => {
            let summer = (SUMMER_2026.0..SUMMER_2026.1).contains(&(now_ms / 1_000));
            utc + if summer { 120 } else { 60 }
        }
        _ => utc,
    }
}

/// 2026-03-29 and 2026-10-25, 01:00 in UTC, in seconds.
pub(super) const SUMMER_2026: (u64, u64) = (1_774_746_000, 1_792_890_000);

pub(super) const ZONES: [&str; 4] = ["UTC", "Asia/Kolkata", "America/Phoenix", "Europe/Berlin"];

pub(super) const DAYS: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

/// Whether a window is open: looked for by walking back to its beginning, minute by minute.
fn is_open(window: &QuietWindow, local: u64) -> bool {
    let length = (1_440 + u64::from(window.to_minute) - u64::from(window.from_minute)) % 1_440;
    let length = if length == 0 { 1_440 } else { length };
    (0..length).any(|back| {
        let begin = local - back;
        // 1970 began on a Thursday.
        let day = DAYS[((begin / 1_440 + 3) % 7) as usize];
        begin % 1_440 == u64::from(window.from_minute) && window.days.contains(&day)
    })
}
