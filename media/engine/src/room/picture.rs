//! One picture of a receiver as the allocator sees it: what its layers cost, and what it was allowed.

use std::time::{Duration, Instant};

use super::selection::{Allowed, Selection};
use super::slots::TrackSlot;
use super::track::{Source, Track};
use crate::bandwidth::Share;
use crate::layer::{Layer, LayerRate};
use crate::wire::descriptor::SPATIAL_LAYERS_MAX;

/// Rates are taken only of an encoding that was heard so lately: those of one that just stopped, since nobody
/// takes it, would look cheap and call it back.
const HEARD_WITHIN: Duration = Duration::from_millis(100);
/// A picture of which nothing came for so long costs nothing for now.
const QUIET_AFTER: Duration = Duration::from_secs(1);
/// What an encoding that was never measured is taken to cost, in terms of the next smaller one.
const GROWTH: u64 = 3;

/// See the module's description.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) at: TrackSlot,
    /// What layers cost when they were last measured, those included that are not sent now. Bounded by the
    /// layers of a track.
    known: Vec<LayerRate>,
    /// The layer that each step of the share gives.
    steps: Vec<Layer>,
}

impl Picture {
    pub(super) fn share(at: TrackSlot) -> Share<Self> {
        let picture = Self {
            at,
            known: Vec::new(),
            steps: Vec::new(),
        };
        Share::new(picture, 0)
    }

    /// Takes what the track's encodings cost now.
    fn measure(&mut self, now: Instant, track: &Track, source: &Source) {
        let simulcast = source.is_simulcast();
        let heard = |rate: &LayerRate| {
            let encoding = if simulcast { rate.layer.spatial } else { 0 };
            let encoding = source.encodings.get(usize::from(encoding));
            let heard_at = encoding.and_then(|encoding| encoding.heard_at);
            heard_at.is_some_and(|at| now.saturating_duration_since(at) <= HEARD_WITHIN)
        };
        let mut of = None;
        for rate in track.layer_rates(now).filter(heard) {
            let encoding = if simulcast { rate.layer.spatial } else { 0 };
            if of.replace(encoding) != Some(encoding) {
                self.known
                    .retain(|known| simulcast && known.layer.spatial != encoding);
            }
            self.known.push(rate);
        }
        self.known
            .retain(|known| known.layer.spatial < source.layer_count());
        self.known.sort_unstable_by_key(|known| known.layer);
    }

    /// The cost of an encoding that was never measured: from the next smaller one, else from a larger one.
    fn guess(&self, spatial: u8) -> Option<LayerRate> {
        let all = self.known.iter();
        let below = all
            .clone()
            .rfind(|known| known.layer.spatial + 1 == spatial);
        let above = all.clone().find(|known| known.layer.spatial > spatial);
        let bits_per_second = match (below, above) {
            (Some(below), _) => below.bits_per_second * GROWTH,
            (None, Some(above)) => {
                above.bits_per_second / GROWTH.pow(u32::from(above.layer.spatial - spatial))
            }
            (None, None) => return None,
        };
        Some(LayerRate {
            layer: Layer {
                spatial,
                temporal: u8::MAX,
            },
            bits_per_second,
        })
    }
}

/// Takes what a picture costs now and what of it the receiver with the subscription `own` could use.
pub(super) fn refresh(
    share: &mut Share<Picture>,
    now: Instant,
    track: &Track,
    own: usize,
    flows: bool,
) {
    share.set_rates([]);
    let (Some(source), Some(own)) = (&track.source, track.subscriptions.get(own)) else {
        return;
    };
    let Some(wanted) = own.selection.wanted(source) else {
        return;
    };
    let allowed = own.selection.allowed();
    let picture = &mut share.key;
    picture.measure(now, track, source);
    // What was paused here may have stopped for that; what stopped by itself takes no part.
    let heard = source
        .encodings
        .iter()
        .filter_map(|encoding| encoding.heard_at);
    let quiet = heard
        .max()
        .is_none_or(|at| now.saturating_duration_since(at) > QUIET_AFTER);
    if !flows || quiet && allowed != Allowed::Nothing {
        return;
    }
    let mut steps = picture.known.clone();
    if source.is_simulcast() {
        let missing = (0..source.layer_count())
            .filter(|spatial| steps.iter().all(|known| known.layer.spatial != *spatial));
        let guesses: Vec<_> = missing
            .filter_map(|spatial| picture.guess(spatial))
            .collect();
        steps.extend(guesses);
    }
    steps.retain(|rate| rate.layer.spatial <= wanted.spatial);
    make_ladder(&mut steps);
    picture.steps.clear();
    picture.steps.extend(steps.iter().map(|rate| rate.layer));
    let given = match allowed {
        Allowed::Anything => steps.len(),
        Allowed::Nothing => 0,
        Allowed::UpTo(most) => {
            let within = picture.steps.iter().filter(|layer| **layer <= most);
            within.count().max(1).min(steps.len())
        }
    };
    share.set_rates(steps.iter().map(|rate| rate.bits_per_second as f64));
    share.steps = given;
}

/// Orders layers by what they cost and leaves out what nobody is better off with: what costs more than something
/// better, and a larger picture of which fewer than half of the frames come, since a smaller one that moves is
/// seen better. The smallest goes down to what it has.
fn make_ladder(layers: &mut Vec<LayerRate>) {
    let mut most = [0; SPATIAL_LAYERS_MAX];
    let mut smallest = u8::MAX;
    for LayerRate { layer, .. } in layers.iter() {
        smallest = smallest.min(layer.spatial);
        if let Some(most) = most.get_mut(usize::from(layer.spatial)) {
            *most = layer.temporal.max(*most);
        }
    }
    layers.retain(|LayerRate { layer, .. }| {
        let most = most.get(usize::from(layer.spatial));
        let half = most.map_or(0, |most| most.saturating_sub(1));
        layer.spatial == smallest || layer.temporal >= half
    });
    layers.sort_unstable_by_key(|rate| (rate.bits_per_second, std::cmp::Reverse(rate.layer)));
    let mut best = None;
    layers.retain(|rate| {
        let better = best.is_none_or(|best| rate.layer > best);
        if better {
            best = Some(rate.layer);
        }
        better
    });
}

/// What the receiver with this selection may have from now on, if that changes.
pub(super) fn settle(
    share: &Share<Picture>,
    source: &Source,
    selection: &Selection,
) -> Option<Allowed> {
    let (picture, wanted) = (&share.key, selection.wanted(source));
    if share.rates.is_empty() {
        return None;
    }
    let given = share
        .steps
        .checked_sub(1)
        .and_then(|at| picture.steps.get(at));
    let highest = wanted.map_or(0, |wanted| {
        wanted.spatial.min(source.layer_count().saturating_sub(1))
    });
    let allowed = match given {
        None => Allowed::Nothing,
        Some(layer) if share.steps == picture.steps.len() && layer.spatial >= highest => {
            Allowed::Anything
        }
        Some(layer) => Allowed::UpTo(*layer),
    };
    (selection.allowed() != allowed).then_some(allowed)
}

#[cfg(test)]
mod tests {
    use super::super::selection::tests::{start, track};
    use super::*;
    use crate::bandwidth::allocate;

    /// What the three encodings cost, in bits a second.
    const COSTS: [u64; 3] = [150_000, 500_000, 1_500_000];
    const TICK: Duration = Duration::from_millis(50);

    /// One receiver of a sender that stops what nobody takes.
    struct Stage {
        now: Instant,
        track: Track,
        shares: [Share<Picture>; 1],
    }

    impl Stage {
        fn new() -> Self {
            let now = start();
            Self {
                now,
                track: track(true),
                shares: [Picture::share(TrackSlot(0))],
            }
        }

        /// Lets time pass on a path that carries so much; returns what the receiver takes then.
        fn run(&mut self, time: Duration, budget: f64) -> Option<u8> {
            let until = self.now + time;
            while self.now < until {
                self.now += TICK;
                self.send();
                refresh(&mut self.shares[0], self.now, &self.track, 0, true);
                allocate(self.now, budget, false, &mut self.shares);
                let source = self.track.source.as_ref().unwrap();
                let selection = &self.track.subscriptions[0].selection;
                if let Some(allowed) = settle(&self.shares[0], source, selection) {
                    self.track.subscriptions[0].selection.set_allowed(allowed);
                    self.track.choose();
                }
            }
            let chosen = self.track.subscriptions[0].selection.chosen();
            chosen.map(|chosen| chosen.encoding)
        }

        fn send(&mut self) {
            let source = self.track.source.as_mut().unwrap();
            let taken = self.track.subscriptions[0].selection.takes(source);
            let mut changed = false;
            for (number, cost) in (0..).zip(COSTS) {
                if taken & (1 << number) != 0
                    || source.encodings[usize::from(number)].heard_at.is_none()
                {
                    let bytes = cost as usize / 8 / 20;
                    source.encodings[usize::from(number)]
                        .layers
                        .count(None, bytes);
                    changed |= source.note_flow(self.now, number);
                }
                source.encodings[usize::from(number)]
                    .layers
                    .sample(self.now);
            }
            if changed {
                self.track.choose();
            }
        }
    }

    #[test]
    fn a_larger_picture_is_given_with_half_of_its_frames_but_not_with_fewer() {
        let rate = |spatial, temporal, bits_per_second| LayerRate {
            layer: Layer { spatial, temporal },
            bits_per_second,
        };
        let (q, h, f) = (100, 300, 900);
        let mut layers = vec![
            rate(0, 0, q / 3),
            rate(0, 1, q / 2),
            rate(0, 2, q),
            rate(1, u8::MAX, h),
            rate(2, 0, f / 6),
            rate(2, 1, f / 2),
            rate(2, 2, f),
        ];
        make_ladder(&mut layers);
        let ladder: Vec<_> = layers.iter().map(|r| r.bits_per_second).collect();
        assert_eq!(ladder, [q / 3, q / 2, q, h, f / 2, f]);
        let mut only_large = vec![rate(2, 0, f / 6), rate(2, 1, f / 2), rate(2, 2, f)];
        make_ladder(&mut only_large);
        assert_eq!(only_large.len(), 3, "the smallest there is");
    }

    #[test]
    fn a_narrow_link_gets_a_smaller_encoding_and_a_wider_one_the_larger_again() {
        let second = Duration::from_secs(1);
        let mut stage = Stage::new();
        assert_eq!(stage.run(2 * second, f64::INFINITY), Some(2));
        assert_eq!(stage.run(TICK, 400_000.0), Some(0), "at once");
        assert_eq!(stage.run(20 * second, 400_000.0), Some(0), "and stays");
        assert_eq!(stage.run(second, 800_000.0), Some(1), "a margin above");
        assert_eq!(stage.run(TICK, 5_000_000.0), Some(1), "not at once");
        assert_eq!(stage.run(3 * second, 5_000_000.0), Some(2));
        assert_eq!(stage.run(2 * second, 60_000.0), None, "not even the least");
        assert_eq!(
            stage.run(20 * second, 60_000.0),
            None,
            "though it was stopped"
        );
        assert_eq!(stage.run(4 * second, 200_000.0), Some(0));
    }
}
