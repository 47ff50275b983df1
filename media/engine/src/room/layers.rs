//! The layers of one stream: where each frame belongs, what each layer costs, and from where to where a receiver
//! may change in the middle.
//!
//! All of it is read from the dependency descriptor (AV1 RTP specification, appendix A), for VP8, VP9 and AV1
//! alike: frames are encrypted, and nothing else tells.

use std::time::{Duration, Instant};

use crate::layer::{Layer, LayerRate};
use crate::wire::descriptor::{
    DECODE_TARGETS_MAX, Descriptor, Frame, Indication, Indications, MANDATORY_LEN, Mandatory,
    Resolution, Structure,
};

/// Spatial and temporal layers that are told apart in rates; the rest counts as the last of these.
const RATED_MAX: usize = 4;

/// Rates are measured over at least this.
const RATED_OVER: Duration = Duration::from_millis(500);

/// A rate older than this says nothing of now.
const RATE_AGE_MAX: Duration = Duration::from_secs(3);

/// A packet's place in its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) frame_number: u16,
    /// The packet is the first or the last of its frame.
    pub(super) starts: bool,
    pub(super) ends: bool,
    pub(super) spatial: u8,
    pub(super) temporal: u8,
    /// Its frame refers to no other.
    is_key: bool,
    indications: Indications,
}

/// One of a stream's decode targets: what a receiver decodes who wants so much and no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target(u8);

impl Target {
    /// Whether this target needs the packet's frame.
    pub(super) const fn needs(self, place: &Place) -> bool {
        !matches!(
            place.indications.of(self.0 as usize),
            Indication::NotPresent
        )
    }

    /// Whether a receiver may change to this target at the packet's frame.
    const fn opens_at(self, place: &Place) -> bool {
        matches!(place.indications.of(self.0 as usize), Indication::Switch)
    }
}

/// A descriptor with a structure, as it was read last: key frames repeat theirs, and parsing it takes memory.
struct Carried {
    /// All of it but the number of its frame: the template, and what follows.
    template_id: u8,
    rest: Vec<u8>,
    frame: Frame,
    active: u32,
}

/// See the module's description.
#[derive(Default)]
pub(super) struct Layers {
    structure: Option<Structure>,
    carried: Option<Carried>,
    /// The highest layer of each decode target.
    highest: Vec<Layer>,
    /// Decode targets that the sender still feeds, one bit each, and the frame that said so.
    active: u32,
    active_from: u16,
    /// For each decode target, those that need all that it needs, one bit each.
    within: Vec<u32>,
    bytes: [[u64; RATED_MAX]; RATED_MAX],
    rates: [[u64; RATED_MAX]; RATED_MAX],
    rated: Option<Instant>,
    rates_are_known: bool,
}

impl Layers {
    /// Reads a packet's descriptor, and keeps the structure that it brings. `None` without a structure to
    /// understand it by: until the next key frame nothing is known of the stream.
    pub(super) fn read(&mut self, descriptor: &[u8]) -> Option<Place> {
        if let Some((mandatory, carried)) = self.repeated(descriptor) {
            let (frame, active) = (carried.frame, carried.active);
            self.note_active(active, mandatory.frame_number);
            return Some(place(&mandatory, &frame));
        }
        let read = Descriptor::parse(descriptor, self.structure.as_ref()).ok()?;
        if let Some(structure) = read.structure {
            if self.structure.as_ref() != Some(&structure) {
                self.take(structure, read.mandatory.frame_number);
            }
            self.carried = Some(Carried {
                template_id: read.mandatory.template_id,
                rest: descriptor[MANDATORY_LEN..].to_vec(),
                frame: read.frame,
                active: read.active_targets.unwrap_or(u32::MAX),
            });
        }
        if let Some(active) = read.active_targets {
            self.note_active(active, read.mandatory.frame_number);
        }
        Some(place(&read.mandatory, &read.frame))
    }

    /// A descriptor that brings the structure as the last one did.
    fn repeated(&self, descriptor: &[u8]) -> Option<(Mandatory, &Carried)> {
        let carried = self.carried.as_ref()?;
        let mandatory = Mandatory::parse(descriptor)?;
        let same = descriptor.get(MANDATORY_LEN..)? == carried.rest
            && mandatory.template_id == carried.template_id;
        same.then_some((mandatory, carried))
    }

    /// A sender whose own link grows narrow leaves its upper layers out, and says so; what comes late says nothing
    /// of now.
    const fn note_active(&mut self, active: u32, frame_number: u16) {
        if frame_number.wrapping_sub(self.active_from) < 0x8000 {
            self.active = active;
            self.active_from = frame_number;
        }
    }

    /// Decode targets that are fed, one bit each.
    pub(super) const fn active(&self) -> u32 {
        self.active
    }

    /// Like [`Self::read`], for a packet that was read before.
    pub(super) fn place_of(&self, descriptor: &[u8]) -> Option<Place> {
        if let Some((mandatory, carried)) = self.repeated(descriptor) {
            return Some(place(&mandatory, &carried.frame));
        }
        let read = Descriptor::parse(descriptor, self.structure.as_ref()).ok()?;
        Some(place(&read.mandatory, &read.frame))
    }

    fn take(&mut self, structure: Structure, frame_number: u16) {
        self.active = u32::MAX;
        self.active_from = frame_number;
        let targets = structure.decode_targets();
        self.highest.clear();
        self.within.clear();
        for target in 0..targets {
            let (spatial, temporal) = structure.layers_of(target).unwrap_or_default();
            self.highest.push(Layer { spatial, temporal });
            let mut within = 0;
            for other in 0..targets {
                let needed = |target: usize, indications: Indications| {
                    indications.of(target) != Indication::NotPresent
                };
                let all = structure.templates().iter().all(|frame| {
                    !needed(target, frame.indications) || needed(other, frame.indications)
                });
                within |= u32::from(all) << other;
            }
            self.within.push(within);
        }
        self.structure = Some(structure);
        self.bytes = Default::default();
        self.rates_are_known = false;
        self.rated = None;
    }

    /// Begins with another stream.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The best target that is fed and has no more than these layers; the least there is if all have more. `None`
    /// while nothing is known.
    pub(super) fn target_for(&self, most: Layer) -> Option<Target> {
        let fits = |layer: Layer| layer.spatial <= most.spatial && layer.temporal <= most.temporal;
        let is_fed = |at: u8| self.active & (1 << (u32::from(at) % DECODE_TARGETS_MAX as u32)) != 0;
        let all = || {
            let targets = (0_u8..).zip(self.highest.iter().copied());
            targets.filter(|(at, _)| self.active == 0 || is_fed(*at))
        };
        let best = all()
            .filter(|(_, layer)| fits(*layer))
            .max_by_key(|(_, layer)| *layer);
        let chosen = best.or_else(|| all().min_by_key(|(_, layer)| *layer));
        chosen.map(|(at, _)| Target(at))
    }

    /// The highest layer of a target.
    pub(super) fn layer_of(&self, target: Target) -> Layer {
        self.highest
            .get(usize::from(target.0))
            .copied()
            .unwrap_or_default()
    }

    /// Whether the packet is the last that a receiver of this target gets of its picture.
    pub(super) fn ends_picture(&self, target: Option<Target>, place: &Place) -> bool {
        let highest = target.map(|target| self.layer_of(target).spatial);
        place.ends && highest == Some(place.spatial)
    }

    /// Whether a receiver of `from` may change to `to` at this packet, which starts a frame. "Switch" only says
    /// that all goes well from there if this frame does: another spatial layer's would need what was never sent,
    /// unless it needs nothing.
    pub(super) fn may_change(&self, from: Target, to: Target, at: &Place) -> bool {
        let opens = to.opens_at(at) && (at.is_key || self.has_same_picture(from, to));
        self.is_nested(from, to) || opens
    }

    /// Whether a change needs a key frame: another picture size, and not all that it needs was received.
    pub(super) fn needs_key_frame(&self, from: Target, to: Target) -> bool {
        !self.is_nested(from, to) && !self.has_same_picture(from, to)
    }

    /// Whether a receiver of `from` has all that `to` needs.
    fn is_nested(&self, from: Target, to: Target) -> bool {
        let within = self.within.get(usize::from(to.0)).copied().unwrap_or(0);
        within & (1 << (u32::from(from.0) % DECODE_TARGETS_MAX as u32)) != 0
    }

    /// Whether the pictures of both end with the same layer.
    pub(super) fn has_same_picture(&self, from: Target, to: Target) -> bool {
        self.layer_of(from).spatial == self.layer_of(to).spatial
    }

    /// Spatial layers, at least one.
    pub(super) fn spatial_layers(&self) -> u8 {
        let highest = self.highest.iter().map(|layer| layer.spatial).max();
        highest.unwrap_or(0) + 1
    }

    /// The highest temporal layer.
    pub(super) fn temporal_highest(&self) -> u8 {
        let highest = self.highest.iter().map(|layer| layer.temporal).max();
        highest.unwrap_or(0)
    }

    /// The size of a spatial layer's picture, when the sender tells.
    pub(super) fn resolution(&self, spatial: u8) -> Option<Resolution> {
        self.structure.as_ref()?.resolution(spatial)
    }

    /// Counts a packet.
    pub(super) fn count(&mut self, place: Option<&Place>, bytes: usize) {
        let at = |layer: u8| usize::from(layer).min(RATED_MAX - 1);
        let (spatial, temporal) = place.map_or((0, 0), |place| (place.spatial, place.temporal));
        self.bytes[at(spatial)][at(temporal)] += bytes as u64;
    }

    /// Takes the rates of the time since the last sample.
    pub(super) fn sample(&mut self, now: Instant) {
        let Some(before) = self.rated else {
            self.rated = Some(now);
            self.bytes = Default::default();
            return;
        };
        let span = now.saturating_duration_since(before);
        if span < RATED_OVER {
            return;
        }
        let micros = span.as_micros().max(1) as u64;
        for (rates, bytes) in self.rates.iter_mut().zip(&mut self.bytes) {
            for (rate, bytes) in rates.iter_mut().zip(bytes) {
                *rate = std::mem::take(bytes) * 8_000_000 / micros;
            }
        }
        self.rated = Some(now);
        self.rates_are_known = true;
    }

    /// What each layer of the stream costs with all that it needs, from the cheapest on. `spatial` names the
    /// encoding of a simulcast stream, whose spatial layer within itself is always the lowest.
    pub(super) fn rates(
        &self,
        now: Instant,
        simulcast: Option<u8>,
    ) -> impl Iterator<Item = LayerRate> {
        let fresh = self
            .rated
            .is_some_and(|at| now.saturating_duration_since(at) <= RATE_AGE_MAX);
        let known = self.rates_are_known && fresh;
        let (spatial_layers, temporal_layers) =
            (self.spatial_layers(), self.temporal_highest() + 1);
        (0..spatial_layers)
            .filter(move |_| known)
            .flat_map(move |spatial| (0..temporal_layers).map(move |temporal| (spatial, temporal)))
            .map(move |(spatial, temporal)| {
                let rows = self.rates.iter().take(usize::from(spatial) + 1);
                let needed = rows.flat_map(|row| row.iter().take(usize::from(temporal) + 1));
                LayerRate {
                    layer: Layer {
                        spatial: simulcast.unwrap_or(spatial),
                        temporal,
                    },
                    bits_per_second: needed.sum(),
                }
            })
    }
}

const fn place(mandatory: &Mandatory, frame: &Frame) -> Place {
    Place {
        frame_number: mandatory.frame_number,
        starts: mandatory.start_of_frame,
        ends: mandatory.end_of_frame,
        spatial: frame.spatial_layer,
        temporal: frame.temporal_layer,
        is_key: frame.references == 0,
        indications: frame.indications,
    }
}
