//! The hours of the week in which a grant counts, on the wall clock of a time zone.
//!
//! The zones are built in, so that nothing is read from the machine. As with do not disturb, an hour that
//! the clocks skip is skipped, and one that they repeat counts twice.

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};

use crate::encoding::{DecodeError, Reader, Writer};
use crate::time::UnixMs;

/// Windows of one grant. Two a day and some more; more are refused.
pub const WINDOWS_MAX: usize = 32;
/// The longest name of a time zone there is has 30 bytes; longer ones are refused.
const ZONE_BYTES_MAX: usize = 64;
/// Minutes of a day on the wall clock.
const DAY_MINUTES: u16 = 24 * 60;
/// Monday to Sunday.
const ALL_DAYS: u8 = 0b0111_1111;
const MINUTE_MS: u64 = 60_000;

/// Weekly times in a time zone; always at least one window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    zone: String,
    windows: Vec<Window>,
}

/// A stretch of time on some days of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// On which days it begins: a sum of bits, Monday 1 to Sunday 64.
    pub days: u8,
    /// Minutes of the day, 0 to 1439.
    pub from_minute: u16,
    /// As `from_minute`. Before the beginning, or equal to it: on the next day.
    pub to_minute: u16,
}

/// Why hours are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadHours {
    #[error("the name of the time zone is longer than {ZONE_BYTES_MAX} bytes, or empty")]
    Zone,
    #[error("hours have 1 to {WINDOWS_MAX} windows")]
    Windows,
    #[error("a window has days, and minutes from 0 to 1439")]
    Window,
}

impl Hours {
    /// # Errors
    /// When something is out of its bounds. Whether the zone is known is not asked: a device that does
    /// not know it lets nobody in.
    pub fn new(zone: String, windows: Vec<Window>) -> Result<Self, BadHours> {
        if zone.is_empty() || zone.len() > ZONE_BYTES_MAX {
            return Err(BadHours::Zone);
        }
        if windows.is_empty() || windows.len() > WINDOWS_MAX {
            return Err(BadHours::Windows);
        }
        let fits = |window: &Window| {
            let days = window.days != 0 && window.days & !ALL_DAYS == 0;
            days && window.from_minute < DAY_MINUTES && window.to_minute < DAY_MINUTES
        };
        match windows.iter().all(fits) {
            true => Ok(Self { zone, windows }),
            false => Err(BadHours::Window),
        }
    }

    pub fn zone(&self) -> &str {
        &self.zone
    }

    pub fn windows(&self) -> &[Window] {
        &self.windows
    }

    /// Whether a window is open. In a zone that is not known here, none ever is.
    pub fn are_open(&self, now: UnixMs) -> bool {
        TimeZone::get(&self.zone).is_ok_and(|zone| self.are_open_in(&zone, now))
    }

    /// When they end next: the first minute after an open one in which no window is open, if it comes
    /// within so many minutes. Minute by minute, so that it holds when clocks are changed too.
    pub fn end_within(&self, now: UnixMs, minutes: u64) -> Option<UnixMs> {
        let zone = TimeZone::get(&self.zone).ok()?;
        let mut open = self.are_open_in(&zone, now);
        let begun = now.0 / MINUTE_MS;
        for minute in begun + 1..=begun + minutes {
            let at = UnixMs(minute * MINUTE_MS);
            let was = std::mem::replace(&mut open, self.are_open_in(&zone, at));
            if was && !open {
                return Some(at);
            }
        }
        None
    }

    fn are_open_in(&self, zone: &TimeZone, now: UnixMs) -> bool {
        let moment = i64::try_from(now.0)
            .ok()
            .and_then(|now| Timestamp::from_millisecond(now).ok());
        let Some(moment) = moment else { return false };
        let local = moment.to_zoned(zone.clone()).datetime();
        self.windows.iter().any(|window| window.is_open(local))
    }

    /// Empty zone and no windows: always.
    pub(super) fn write(hours: Option<&Self>, writer: &mut Writer) {
        let Some(hours) = hours else {
            writer.string("").u16(0);
            return;
        };
        let count = u16::try_from(hours.windows.len()).expect("at most WINDOWS_MAX");
        writer.string(&hours.zone).u16(count);
        for window in &hours.windows {
            writer
                .u8(window.days)
                .u16(window.from_minute)
                .u16(window.to_minute);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Option<Self>, DecodeError> {
        let zone = reader.string()?;
        let count = usize::from(reader.u16()?);
        if count > WINDOWS_MAX {
            return Err(DecodeError::TooMany {
                field: "windows",
                max: WINDOWS_MAX,
            });
        }
        let windows = (0..count)
            .map(|_| {
                Ok(Window {
                    days: reader.u8()?,
                    from_minute: reader.u16()?,
                    to_minute: reader.u16()?,
                })
            })
            .collect::<Result<Vec<_>, DecodeError>>()?;
        if zone.is_empty() && windows.is_empty() {
            return Ok(None);
        }
        let value = count as u64;
        Self::new(zone, windows)
            .map(Some)
            .map_err(|_| DecodeError::Value {
                field: "hours",
                value,
            })
    }
}

impl Window {
    fn is_open(self, local: civil::DateTime) -> bool {
        let today = 1 << local.weekday().to_monday_zero_offset();
        let yesterday = if today == 1 { 64 } else { today >> 1 };
        let minute =
            u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
        let begins = self.days & today != 0;
        if self.from_minute < self.to_minute {
            return begins && (self.from_minute..self.to_minute).contains(&minute);
        }
        let began = self.days & yesterday != 0;
        (begins && minute >= self.from_minute) || (began && minute < self.to_minute)
    }
}
