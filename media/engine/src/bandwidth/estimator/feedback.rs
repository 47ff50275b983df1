//! What a receiver tells: which packets came, and when.

use std::time::Instant;

use super::super::delay::Passage;
use super::super::history::Told;
use super::Estimator;
use crate::wire::rtcp::PacketStatus;

/// Packets that lost feedback told of, at most: half a second at 10 Mbit/s.
const SKIPPED_MAX: u16 = 512;

/// What one message told.
#[derive(Default)]
struct Heard {
    received: u32,
    missing: u32,
    /// Of the received, those that were missing before.
    late: u32,
    newest_sent: Option<i64>,
}

impl Estimator {
    /// Takes feedback, a message of this number.
    pub(crate) fn handle_feedback(
        &mut self,
        now: Instant,
        count: u8,
        packets: impl Iterator<Item = PacketStatus>,
    ) {
        let micros = self.micros(now);
        let mut heard = Heard::default();
        // One that comes late is neither a loss nor the newest.
        let ahead = self.messages.map_or(1, |newest| count.wrapping_sub(newest));
        let in_order = ahead < 0x80;
        let lost = in_order && ahead > 1;
        if in_order {
            self.messages = Some(count);
        }
        for packet in packets {
            self.pass_over(packet.sequence, lost, &mut heard);
            self.note_fate(packet, &mut heard);
        }
        let Heard {
            received,
            missing,
            late,
            newest_sent,
        } = heard;
        let Some(newest_sent) = newest_sent else {
            // News of nothing that we sent is no news.
            return;
        };
        let round_trip = (micros - newest_sent).clamp(0, 2_000_000);
        self.round_trip = (self.round_trip * 7 + round_trip) / 8;
        self.heard_at = Some(micros);
        self.unanswered_since = None;
        if let Some((before, _)) = self.outage.take() {
            self.recover(micros, before, missing * 10 <= received + missing);
            return;
        }
        let queued = self.trend.is_queued();
        self.loss.note(received, missing, late, queued);
        self.adapt(micros);
    }

    /// What feedback went past did not come: some receivers tell only of what is between the first and the last
    /// that came since the message before. While messages are missing it was told of in them: its fate is unknown,
    /// and no lack of it is to be taken for a full path. It counts as carried, on a path that carries what is sent.
    fn pass_over(&mut self, sequence: u16, lost: bool, heard: &mut Heard) {
        let next = self.next_told.unwrap_or(sequence);
        let ahead = sequence.wrapping_sub(next);
        if ahead >= 0x8000 {
            return;
        }
        self.next_told = Some(sequence.wrapping_add(1));
        if ahead == 0 || ahead > SKIPPED_MAX {
            return;
        }
        if !lost {
            (0..ahead).for_each(|at| self.note_missing(next.wrapping_add(at), heard));
            return;
        }
        if self.told.rate().is_none() || self.passage().loses {
            return;
        }
        for skipped in (0..ahead).map(|at| next.wrapping_add(at)) {
            if let Some((told, delay)) = self.history.skipped(skipped).zip(self.delay) {
                self.count(&told, told.micros.saturating_add(delay));
            }
        }
    }

    fn note_fate(&mut self, packet: PacketStatus, heard: &mut Heard) {
        let Some(arrival) = packet.arrival_micros else {
            self.note_missing(packet.sequence, heard);
            return;
        };
        let Some(told) = self.history.arrived(packet.sequence) else {
            return;
        };
        heard.received += 1;
        heard.late += u32::from(told.late);
        heard.newest_sent = heard.newest_sent.max(Some(told.micros));
        self.delay = Some(arrival.saturating_sub(told.micros));
        if !told.skipped {
            self.count(&told, arrival);
        }
        let (echoed, all, loss) = (&self.echoed, &self.told, &self.loss);
        self.trend.note(told.micros, arrival, told.len, || {
            Passage::of(echoed, all, loss)
        });
        self.prober.told(&told, Some(arrival));
    }

    fn note_missing(&mut self, sequence: u16, heard: &mut Heard) {
        let Some(told) = self.history.missing(sequence) else {
            return;
        };
        heard.missing += 1;
        self.prober.told(&told, None);
        if !told.skipped {
            self.told.note(told.micros, told.len);
        }
    }

    /// Counts a packet that arrived.
    fn count(&mut self, told: &Told, arrival: i64) {
        self.arrived.note(arrival, told.len);
        self.echoed.note(told.micros, told.len);
        if !told.late {
            self.told.note(told.micros, told.len);
        }
    }
}
