//! Do not disturb of one person: on everywhere, or at its weekly times.
//!
//! The times are those of the wall clock in the schedule's zone: a window from two to three at night
//! is skipped, or lasts twice as long, in the nights in which the clocks are changed.

use homeline_protocol::Handle;
use homeline_protocol::session::{QuietSchedule, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};

use crate::domain::identity::GrantHours;
use crate::model::UnixMillis;

/// Windows of one schedule. Two a day and some more.
pub const WINDOWS_MAX: usize = 32;
/// Minutes of a day on the wall clock.
const DAY_MINUTES: u16 = 24 * 60;

/// A person's do not disturb.
#[derive(Debug, Clone, Default)]
pub struct QuietFacts {
    /// On now, until it is switched off.
    pub everywhere: bool,
    /// On by itself at these times.
    pub schedule: Option<Schedule>,
    /// Handles of those who get through.
    pub exceptions: Vec<Handle>,
}

/// Weekly times in a time zone.
#[derive(Debug, Clone)]
pub struct Schedule {
    zone: TimeZone,
    windows: Vec<Window>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    /// By the day on which it begins, Monday first.
    days: [bool; 7],
    from: u16,
    to: u16,
}

/// Why a schedule is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSchedule {
    /// The zone has no such name.
    #[error("there is no time zone of this name")]
    Zone,
    /// Too many windows.
    #[error("a schedule has at most {WINDOWS_MAX} windows")]
    Windows,
    /// A window's days or minutes are wrong.
    #[error("a window has days, none twice, and minutes from 0 to 1439")]
    Window,
}

impl QuietFacts {
    /// Whether it keeps this asker out now.
    #[must_use]
    pub fn keeps_out(&self, asker: &Handle, now: UnixMillis) -> bool {
        let on = self.everywhere || self.schedule.as_ref().is_some_and(|one| one.is_on(now));
        on && !self.exceptions.contains(asker)
    }
}

impl Schedule {
    /// Whether a window is open.
    #[must_use]
    pub fn is_on(&self, now: UnixMillis) -> bool {
        let millis = i64::try_from(now.0).unwrap_or(i64::MAX);
        let Ok(moment) = Timestamp::from_millisecond(millis) else {
            return false;
        };
        let local = moment.to_zoned(self.zone.clone()).datetime();
        self.windows.iter().any(|window| window.is_open(local))
    }
}

impl TryFrom<&GrantHours> for Schedule {
    type Error = BadSchedule;
    fn try_from(said: &GrantHours) -> Result<Self, BadSchedule> {
        if said.windows.len() > WINDOWS_MAX {
            return Err(BadSchedule::Windows);
        }
        let zone = TimeZone::get(&said.time_zone).map_err(|_| BadSchedule::Zone)?;
        let windows = said.windows.iter().map(|&(days, from, to)| {
            let in_week = days != 0 && days < 1 << 7;
            if !in_week || from >= DAY_MINUTES || to >= DAY_MINUTES {
                return Err(BadSchedule::Window);
            }
            let days = std::array::from_fn(|place| days & 1 << place != 0);
            Ok(Window { days, from, to })
        });
        Ok(Self {
            zone,
            windows: windows.collect::<Result<_, _>>()?,
        })
    }
}

impl TryFrom<&QuietSchedule> for Schedule {
    type Error = BadSchedule;
    fn try_from(said: &QuietSchedule) -> Result<Self, BadSchedule> {
        if said.windows.len() > WINDOWS_MAX {
            return Err(BadSchedule::Windows);
        }
        let zone = TimeZone::get(&said.time_zone).map_err(|_| BadSchedule::Zone)?;
        let windows = said.windows.iter().map(|window| {
            let mut days = [false; 7];
            for day in &window.days {
                if std::mem::replace(&mut days[place(*day)], true) {
                    return Err(BadSchedule::Window);
                }
            }
            let (from, to) = (window.from_minute, window.to_minute);
            if window.days.is_empty() || from >= DAY_MINUTES || to >= DAY_MINUTES {
                return Err(BadSchedule::Window);
            }
            Ok(Window { days, from, to })
        });
        Ok(Self {
            zone,
            windows: windows.collect::<Result<_, _>>()?,
        })
    }
}

impl Window {
    fn is_open(&self, local: civil::DateTime) -> bool {
        let today = usize::from(local.weekday().to_monday_zero_offset().unsigned_abs());
        let yesterday = (today + 6) % 7;
        let minute =
            u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
        if self.from < self.to {
            return self.days[today] && (self.from..self.to).contains(&minute);
        }
        (self.days[today] && minute >= self.from) || (self.days[yesterday] && minute < self.to)
    }
}

fn place(day: Weekday) -> usize {
    match day {
        Weekday::Monday => 0,
        Weekday::Tuesday => 1,
        Weekday::Wednesday => 2,
        Weekday::Thursday => 3,
        Weekday::Friday => 4,
        Weekday::Saturday => 5,
        Weekday::Sunday => 6,
    }
}
