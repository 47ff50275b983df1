//! What was received of one stream: packet indices, loss and jitter (RFC 3550 sections 6.4.1, A.3, A.8).

use std::time::{Duration, Instant};

use super::statistics::Traffic;
use crate::clock::NtpTime;
use crate::wire::ids::Ssrc;
use crate::wire::rtcp::{ReportBlock, SenderInfo};

/// A jump of this many packets is a restart of the sender, not loss.
const RESTART_JUMP: u64 = 3_000;

/// A packet this far behind the newest is of no use to anyone.
const LATE_MAX: u64 = 1_000;

/// Where a packet lies in its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// The next, or one ahead after a gap that starts at `expected`.
    Newest { index: u64, expected: u64 },
    /// Behind the newest.
    Earlier { index: u64 },
    /// The stream starts anew; indices before are void.
    Restart { index: u64 },
    /// Older than anything kept.
    TooLate,
}

/// A publisher's sender report and when it came.
#[derive(Clone, Copy)]
pub(super) struct Reported {
    pub(super) info: SenderInfo,
    pub(super) at: Instant,
}

/// The state of one received stream.
#[derive(Default)]
pub(super) struct Reception {
    highest: Option<u64>,
    first: u64,
    received: u64,
    /// Expected and received at the last report.
    prior: (u64, u64),
    /// In timestamp units, as in RFC 3550 A.8.
    jitter: f64,
    transit: Option<(Instant, u32)>,
    pub(super) report: Option<Reported>,
    pub(super) fraction_lost: u8,
    pub(super) traffic: Traffic,
}

impl Reception {
    /// Finds the packet's place. `now` and the timestamp feed the jitter of packets that are the newest.
    pub(super) fn note(
        &mut self,
        now: Instant,
        sequence: u16,
        timestamp: u32,
        clock_rate: u32,
    ) -> Position {
        let Some(highest) = self.highest else {
            // One wrap up, so that packets from before the first one seen have an index too.
            let index = 0x1_0000 | u64::from(sequence);
            self.start(index);
            return Position::Restart { index };
        };
        let ahead = sequence.wrapping_sub(highest as u16);
        if ahead < 0x8000 {
            let index = highest + u64::from(ahead);
            if u64::from(ahead) > RESTART_JUMP {
                self.start(index);
                return Position::Restart { index };
            }
            if ahead == 0 {
                return Position::Earlier { index };
            }
            self.highest = Some(index);
            self.received += 1;
            self.note_jitter(now, timestamp, clock_rate);
            return Position::Newest {
                index,
                expected: highest + 1,
            };
        }
        // Indices start one wrap up, so this can't fall below zero.
        let index = highest - u64::from((highest as u16).wrapping_sub(sequence));
        if highest - index > RESTART_JUMP {
            let restarted = highest + 0x1_0000 - (highest & 0xffff) + u64::from(sequence);
            self.start(restarted);
            return Position::Restart { index: restarted };
        }
        if highest - index > LATE_MAX || index < self.first {
            return Position::TooLate;
        }
        Position::Earlier { index }
    }

    /// The index of a recent packet, by its number.
    pub(super) fn index_of(&self, sequence: u16) -> Option<u64> {
        let highest = self.highest?;
        let behind = u64::from((highest as u16).wrapping_sub(sequence));
        // Indices start one wrap up, so this can't fall below zero.
        (behind <= LATE_MAX).then(|| highest - behind)
    }

    /// A late packet was new after all.
    pub(super) fn recovered(&mut self) {
        self.received += 1;
    }

    /// Mean deviation of the packets' delay.
    pub(super) fn jitter(&self, clock_rate: u32) -> Duration {
        // Differences above a second are no jitter and were left out, so this is below one.
        Duration::from_secs_f64(self.jitter / f64::from(clock_rate))
    }

    /// Packets of the present stream that never came.
    pub(super) fn lost(&self) -> u64 {
        let expected = self.highest.map_or(0, |highest| highest - self.first + 1);
        expected.saturating_sub(self.received)
    }

    fn start(&mut self, index: u64) {
        self.highest = Some(index);
        self.first = index;
        self.received = 1;
        self.prior = (0, 0);
        self.transit = None;
    }

    fn note_jitter(&mut self, now: Instant, timestamp: u32, clock_rate: u32) {
        if let Some((at, before)) = self.transit {
            let elapsed = (now - at).as_secs_f64() * f64::from(clock_rate);
            let advanced = f64::from(timestamp.wrapping_sub(before) as i32);
            let difference = (elapsed - advanced).abs();
            // A talk spurt's pause or a clock reset is not jitter.
            if difference < f64::from(clock_rate) {
                self.jitter += (difference - self.jitter) / 16.0;
            }
        }
        self.transit = Some((now, timestamp));
    }

    /// The block of the next receiver report; `None` before the first packet.
    pub(super) fn report_block(&mut self, now: Instant, ssrc: Ssrc) -> Option<ReportBlock> {
        let highest = self.highest?;
        let expected = highest - self.first + 1;
        let lost = expected as i64 - self.received as i64;
        let (expected_before, received_before) = self.prior;
        let expected_now = expected - expected_before;
        let received_now = self.received - received_before;
        self.prior = (expected, self.received);
        self.fraction_lost = if expected_now == 0 || received_now >= expected_now {
            0
        } else {
            ((expected_now - received_now) * 256 / expected_now).min(255) as u8
        };
        let (last_sender_report, delay_since_last_sender_report) = match &self.report {
            None => (0, 0),
            Some(reported) => (
                NtpTime(reported.info.ntp_time).middle(),
                sixteenths(now - reported.at),
            ),
        };
        Some(ReportBlock {
            ssrc,
            fraction_lost: self.fraction_lost,
            cumulative_lost: lost.clamp(-0x80_0000, 0x7f_ffff) as i32,
            highest_sequence: highest as u32,
            jitter: self.jitter as u32,
            last_sender_report,
            delay_since_last_sender_report,
        })
    }
}

/// In 65,536ths of a second; saturates after 18 hours.
fn sixteenths(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros() * 65_536 / 1_000_000).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Instant {
        #[expect(
            clippy::disallowed_methods,
            reason = "an arbitrary start of the test's clock"
        )]
        Instant::now()
    }

    #[test]
    fn indices_grow_over_the_wrap_and_late_packets_fall_behind() {
        let now = start();
        let mut reception = Reception::default();
        let base = 0x1_0000;
        assert_eq!(
            reception.note(now, 65_534, 0, 90_000),
            Position::Restart {
                index: base + 65_534
            }
        );
        let expected = base + 65_535;
        assert_eq!(
            reception.note(now, 1, 0, 90_000),
            Position::Newest {
                index: base + 65_537,
                expected
            }
        );
        assert_eq!(
            reception.note(now, 65_535, 0, 90_000),
            Position::Earlier { index: expected }
        );
        assert_eq!(
            reception.note(now, 1, 0, 90_000),
            Position::Earlier {
                index: base + 65_537
            }
        );
        assert_eq!(reception.note(now, 65_000, 0, 90_000), Position::TooLate);
    }

    #[test]
    fn a_far_jump_in_either_direction_is_a_restart() {
        let now = start();
        let mut reception = Reception::default();
        reception.note(now, 10_000, 0, 90_000);
        for sequence in [20_000, 10_000, 60_000, 1_000] {
            let Position::Restart { index } = reception.note(now, sequence, 0, 90_000) else {
                panic!("{sequence} restarts");
            };
            assert_eq!(index as u16, sequence);
        }
    }

    // RFC 3550 sections 6.4.1 and A.3.
    #[test]
    fn loss_is_reported_for_the_interval_and_in_all() {
        let now = start();
        let mut reception = Reception::default();
        for sequence in [1, 2, 3, 5, 6, 8] {
            reception.note(now, sequence, 0, 90_000);
        }
        let block = reception.report_block(now, Ssrc(1)).unwrap();
        assert_eq!((block.cumulative_lost, block.fraction_lost), (2, 64));
        assert_eq!(block.highest_sequence, 0x1_0008);
        for sequence in 9..=12 {
            reception.note(now, sequence, 0, 90_000);
        }
        reception.recovered();
        let block = reception.report_block(now, Ssrc(1)).unwrap();
        assert_eq!((block.cumulative_lost, block.fraction_lost), (1, 0));
    }

    #[test]
    fn even_spacing_has_no_jitter_and_uneven_has() {
        let (now, step) = (start(), Duration::from_millis(20));
        let mut even = Reception::default();
        let mut uneven = Reception::default();
        for n in 0..200_u32 {
            let at = now + step * n;
            even.note(at, n as u16, n * 960, 48_000);
            let late = if n % 2 == 0 {
                Duration::from_millis(10)
            } else {
                Duration::ZERO
            };
            uneven.note(at + late, n as u16, n * 960, 48_000);
        }
        assert_eq!(even.jitter(48_000), Duration::ZERO);
        assert!((9..=10).contains(&uneven.jitter(48_000).as_millis()));
    }
}
