//! What the path to a receiver carries, shared among what it receives: the room's side of `bandwidth/`.
//!
//! A receiver gets an estimate with its first feedback, if it receives pictures; until then, and without
//! feedback, everything flows unpaced. Sound is never held back: it is charged to the pace and taken off
//! the budget before pictures share the rest.

mod pace;
mod padding;

use std::time::{Duration, Instant};

use self::pace::Paced;
pub(super) use self::pace::pace_train;
use super::commands::{Context, Room};
use super::picture::{self, Picture};
use super::slots::{PeerSlot, TrackSlot};
use super::subscription::Subscription;
use super::track::Track;
use crate::bandwidth::{Estimator, Pacer, Repair, Share, allocate, demand, given};
use crate::transport::sdp::Kind;
use crate::wire::rtcp::TransportFeedback;

/// How often the estimate is looked at and shared.
const TICK: Duration = Duration::from_millis(50);
/// A REMB message counts this long; browsers repeat it every second.
const LIMIT_KEPT: Duration = Duration::from_secs(5);
/// No REMB binds below this: sound passes whatever a receiver says.
const LIMIT_MIN: u64 = 50_000;
/// What leaves at most over the estimate, so that a key frame does not wait for long.
const PACE: f64 = 1.6;
/// The same over what it is given.
const PACE_GIVEN: f64 = 1.2;
/// Sound takes its rate and this much more.
const SOUND_MARGIN: f64 = 1.1;
/// Part that a path loses from which repair is sent twice.
const LOSSY: f64 = 0.035;

/// See the module's description. One for each receiver that tells how its packets arrive.
pub(super) struct ReceiverPath {
    estimator: Option<Estimator>,
    /// The last REMB and when it came.
    limit: Option<(u64, Instant)>,
    pacer: Pacer<Paced>,
    repair: Repair,
    shares: Vec<Share<Picture>>,
    /// More waited than may: the receiver's pictures are to begin anew.
    spilled: bool,
    due: Instant,
    /// When a probe is to be filled up.
    probe_due: Option<Instant>,
}

impl ReceiverPath {
    fn new(now: Instant) -> Self {
        Self {
            estimator: None,
            limit: None,
            pacer: Pacer::new(now),
            repair: Repair::new(now),
            shares: Vec::new(),
            spilled: false,
            due: now,
            probe_due: None,
        }
    }

    /// Notes a packet that left.
    pub(super) fn note_sent(&mut self, now: Instant, sequence: u16, len: usize) {
        if let Some(estimator) = &mut self.estimator {
            estimator.note_sent(now, sequence, len);
            // What left before the pace was known is no debt.
            if estimator.is_ready() {
                self.pacer.charge(len);
            }
        }
    }

    /// How often a packet is sent again at once: twice on a path that loses, since what mends is lost as well and
    /// another round trip is seen; not at all to a receiver that drowns.
    pub(super) fn repeats(&self) -> u32 {
        match &self.estimator {
            Some(estimator) if estimator.drowns() => 0,
            Some(estimator) if estimator.loss() > LOSSY => 2,
            _ => 1,
        }
    }

    /// Whether a picture's packet may be sent again now: repair never takes the place of sound.
    pub(super) fn may_repair(&mut self, now: Instant) -> bool {
        !self.paces() || self.repair.allows(now)
    }

    /// Notes bytes that were sent again.
    pub(super) fn note_repair(&mut self, len: usize) {
        if self.paces() {
            self.repair.charge(len);
        }
    }

    /// Whether pictures wait for the pacer.
    pub(super) fn paces(&self) -> bool {
        self.estimator.as_ref().is_some_and(Estimator::is_ready)
    }

    pub(super) fn wake_at(&self) -> Instant {
        let others = [self.pacer.wake_at(), self.probe_due];
        others.into_iter().flatten().fold(self.due, Instant::min)
    }

    /// What the path is thought to carry, in bits a second; `None` before that is known.
    pub(super) fn estimate(&self, now: Instant) -> Option<u64> {
        self.budget(now).map(|budget| budget as u64)
    }

    /// What may be sent now, in bits a second; `None` as long as nothing is known.
    fn budget(&self, now: Instant) -> Option<f64> {
        let fresh = |(_, at): &(u64, Instant)| now.saturating_duration_since(*at) < LIMIT_KEPT;
        let limit = self.limit.filter(fresh).map(|(limit, _)| limit as f64);
        let estimator = self.estimator.as_ref().filter(|found| found.is_ready());
        let estimate = estimator.map(Estimator::estimate);
        match (estimate, limit) {
            (Some(estimate), Some(limit)) => Some(estimate.min(limit)),
            (one, other) => one.or(other),
        }
    }
}

impl ReceiverPath {
    /// What leaves at most follows the estimate, and what was granted in spite of it leaves as well.
    fn set_pace(&mut self, now: Instant, given: f64) {
        let Some(estimator) = &self.estimator else {
            return;
        };
        let (estimate, full) = (estimator.estimate(), estimator.is_queued());
        let path = estimate.max(given);
        self.repair.set_rates(now, path, given, full);
        // While packets wait on the path, no more is added than leaves it.
        let pace = if full {
            path
        } else {
            (PACE * estimate).max(PACE_GIVEN * given)
        };
        let probe = estimator.probe_rate().unwrap_or(0.0);
        self.pacer.set_pace(now, pace.max(probe));
    }
}

impl Room {
    /// Takes a receiver's word on when packets arrived.
    pub(super) fn note_feedback(
        &mut self,
        context: &Context<'_>,
        slot: PeerSlot,
        feedback: &TransportFeedback<'_>,
    ) {
        if !context.config.estimation {
            return;
        }
        let begins = self
            .peers
            .get(slot.0)
            .is_some_and(|peer| peer.path.is_none());
        if begins && !self.receives_pictures(slot) {
            return;
        }
        let Some(peer) = self
            .peers
            .get_mut(slot.0)
            .filter(|peer| peer.transport_id.is_some())
        else {
            return;
        };
        let path = peer
            .path
            .get_or_insert_with(|| Box::new(ReceiverPath::new(context.now)));
        let estimator = path
            .estimator
            .get_or_insert_with(|| Estimator::new(context.now));
        estimator.handle_feedback(context.now, feedback.count, feedback.packets());
        let wake = path.wake_at();
        self.wake(Some(wake));
    }

    /// Takes a receiver's word on what it can receive.
    pub(super) fn note_limit(&mut self, context: &Context<'_>, slot: PeerSlot, limit: u64) {
        if !context.config.estimation || !self.receives_pictures(slot) {
            return;
        }
        if let Some(peer) = self.peers.get_mut(slot.0) {
            let path = peer
                .path
                .get_or_insert_with(|| Box::new(ReceiverPath::new(context.now)));
            path.limit = Some((limit.max(LIMIT_MIN), context.now));
            let wake = path.wake_at();
            self.wake(Some(wake));
        }
    }

    fn receives_pictures(&self, slot: PeerSlot) -> bool {
        let mut tracks = self.tracks.iter();
        tracks.any(|(_, track)| find_picture(track, slot).is_some())
    }

    /// Does for a receiver's path what is due.
    pub(super) fn tend_path(&mut self, context: &mut Context<'_>, slot: PeerSlot) {
        let Some(peer) = self
            .peers
            .get_mut(slot.0)
            .filter(|peer| peer.path.is_some())
        else {
            return;
        };
        let Some(mut path) = peer.path.take() else {
            return;
        };
        let up = peer.takes_part();
        if path.spilled || !up {
            while path.pacer.pop().is_some() {}
        }
        if std::mem::take(&mut path.spilled) {
            self.restart_pictures(context, slot);
        }
        if path.due <= context.now {
            path.due = context.now + TICK;
            if let Some(estimator) = path.estimator.as_mut().filter(|_| up) {
                estimator.handle_timeout(context.now);
            }
            let given = self.share(context, slot, &mut path);
            path.set_pace(context.now, given);
        }
        // Sending needs the path where it belongs: what leaves is noted there.
        if let Some(peer) = self.peers.get_mut(slot.0) {
            peer.path = Some(path);
        }
        if up {
            self.release(context, slot);
            self.pad_probe(context, slot);
        }
    }

    /// Sets what of its pictures a receiver gets. Returns what it is sent then, in bits a second.
    fn share(&mut self, context: &Context<'_>, slot: PeerSlot, path: &mut ReceiverPath) -> f64 {
        let sound = self.measure(context.now, slot, path);
        // What is lost of pictures is sent again, over the same path.
        let loss = path.estimator.as_ref().map_or(0.0, Estimator::loss);
        let with_repair = 1.0 + loss * f64::from(path.repeats());
        let wanted = with_repair * demand(&path.shares) + sound;
        if let Some(estimator) = &mut path.estimator {
            estimator.set_wanted(wanted);
        }
        // Whose limit is too old, and who never told more, gets everything, as before the first word.
        let budget = path.budget(context.now).unwrap_or(f64::INFINITY);
        // What the receiver itself forbids is not sent, however well it comes through.
        let estimator = path.estimator.as_ref();
        let carried = estimator.is_some_and(|found| found.carries() && found.estimate() <= budget);
        let room = (budget - sound) / with_repair;
        allocate(context.now, room, carried, &mut path.shares);
        let mut changed = false;
        for share in &mut path.shares {
            let Some(track) = self.tracks.get_mut(share.key.at.0) else {
                continue;
            };
            let (Some(source), Some(own)) = (&track.source, find_picture(track, slot)) else {
                continue;
            };
            let selection = &track.subscriptions[own].selection;
            let Some(allowed) = picture::settle(share, source, selection) else {
                continue;
            };
            let own = track.of_receiver(slot);
            for own in &mut track.subscriptions[own] {
                own.selection.set_allowed(allowed);
            }
            track.choose();
            changed = true;
        }
        if changed {
            self.ask_for_awaited_key_frames(context);
        }
        given(&path.shares) + sound
    }

    /// Takes what a receiver's pictures cost. Returns what its sound does.
    fn measure(&mut self, now: Instant, slot: PeerSlot, path: &mut ReceiverPath) -> f64 {
        let (mut sound, loudest) = (0.0, self.speakers.loudest());
        let tracks = &self.tracks;
        path.shares.retain(|share| {
            let track = tracks.get(share.key.at.0);
            track.is_some_and(|track| find_picture(track, slot).is_some())
        });
        for (at, track) in self.tracks.iter_mut() {
            if track.of_receiver(slot).is_empty() {
                continue;
            }
            let Some(own) = find_picture(track, slot) else {
                sound += SOUND_MARGIN * track.rate.bits_per_second(now).unwrap_or(0.0);
                continue;
            };
            let key = TrackSlot(at);
            let known = path.shares.iter().position(|share| share.key.at == key);
            let place = known.unwrap_or_else(|| {
                path.shares.push(Picture::share(key));
                path.shares.len() - 1
            });
            let Some(source) = &mut track.source else {
                path.shares[place].set_rates([]);
                continue;
            };
            for encoding in &mut source.encodings {
                encoding.layers.sample(now);
            }
            let publisher = self.span.publisher(&self.peers, source.peer);
            let flows = !track.held && publisher.is_some_and(|publisher| publisher.takes_part);
            // Whoever speaks is seen before the others.
            let speaks = publisher.is_some_and(|publisher| Some(publisher.id) == loudest);
            path.shares[place].priority = u8::from(speaks);
            picture::refresh(&mut path.shares[place], now, track, own, flows);
        }
        sound
    }

    fn restart_pictures(&mut self, context: &Context<'_>, slot: PeerSlot) {
        for (_, track) in self.tracks.iter_mut() {
            let own = track.subscriptions.iter_mut().filter(|s| s.peer == slot);
            own.filter(|s| s.kind == Kind::Video)
                .for_each(Subscription::wait);
        }
        self.ask_for_awaited_key_frames(context);
    }
}

/// Which of a track's subscriptions is a receiver's picture.
fn find_picture(track: &Track, slot: PeerSlot) -> Option<usize> {
    let mut own = track.of_receiver(slot);
    own.find(|at| track.subscriptions[*at].kind == Kind::Video)
}
