//! What a receiver wants of a picture, what it may have, and what it gets of what there is.

use std::time::Instant;

use homeline_protocol::media_control::View;

use super::layers::{Layers, Place, Target};
use super::subscription::Subscription;
use super::track::{Source, Track};
use crate::layer::{Layer, LayerRate};
use crate::transport::sdp::{ENCODINGS_MAX, Kind};
use crate::wire::descriptor::Resolution;

/// The best of every layer.
const BEST: Layer = Layer {
    spatial: u8::MAX,
    temporal: u8::MAX,
};

/// The largest picture of a sender that does not tell sizes: what the app and the SDK capture.
const ASSUMED: Resolution = Resolution {
    width: 1_280,
    height: 720,
};

/// What bandwidth allows a receiver of a track.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Allowed {
    /// All that it wants: nothing is known of its link.
    #[default]
    Anything,
    /// No more than this.
    UpTo(Layer),
    /// Nothing for now.
    Nothing,
}

/// What is forwarded to a receiver, or will be as soon as it can begin there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) encoding: u8,
    /// The most of the encoding's own layers.
    pub(super) within: Layer,
}

impl Chosen {
    const EVERYTHING: Self = Self {
        encoding: 0,
        within: BEST,
    };
}

/// See the module's description.
#[derive(Clone, Copy, Debug)]
pub(super) struct Selection {
    view: Option<View>,
    allowed: Allowed,
    /// `None` while it gets nothing.
    chosen: Option<Chosen>,
    /// What it would get if everything flowed: what the sender is told of.
    desired: Option<Layer>,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            view: None,
            allowed: Allowed::Anything,
            chosen: Some(Chosen::EVERYTHING),
            desired: Some(BEST),
        }
    }
}

impl Selection {
    pub(super) const fn set_view(&mut self, view: View) {
        self.view = Some(view);
    }

    pub(super) const fn set_allowed(&mut self, allowed: Allowed) {
        self.allowed = allowed;
    }

    pub(super) const fn allowed(&self) -> Allowed {
        self.allowed
    }

    pub(super) const fn chosen(&self) -> Option<Chosen> {
        self.chosen
    }

    /// The layer that the receiver could use, whatever its link carries; `None` for none.
    pub(super) fn wanted(&self, source: &Source) -> Option<Layer> {
        let Some(view) = self.view else {
            return Some(BEST);
        };
        if view.width == 0 || view.height == 0 {
            return None;
        }
        let layers = source.layer_count();
        let covers = |spatial: &u8| {
            let picture = source.resolution(*spatial);
            // A picture that is a tenth too small is not worth four times the bits.
            let enough = |pixels: u32, shown: u16| pixels * 10 >= u32::from(shown) * 9;
            enough(picture.width, view.width) || enough(picture.height, view.height)
        };
        let spatial = (0..layers).find(covers).unwrap_or(layers - 1);
        Some(Layer {
            spatial,
            temporal: u8::MAX,
        })
    }

    /// Chooses anew. Returns the encoding of which a key frame is needed for it.
    fn choose(&mut self, source: &Source, flowing: Flowing) -> Option<u8> {
        let wanted = self.wanted(source);
        self.desired = match (wanted, self.allowed) {
            (None, _) | (_, Allowed::Nothing) => None,
            (wanted, Allowed::Anything) => wanted,
            (Some(wanted), Allowed::UpTo(most)) => Some(Layer {
                spatial: wanted.spatial.min(most.spatial),
                temporal: wanted.temporal.min(most.temporal),
            }),
        };
        let Some(desired) = self.desired else {
            self.chosen = None;
            return None;
        };
        if !source.is_simulcast() {
            self.chosen = Some(Chosen {
                encoding: 0,
                within: desired,
            });
            let layers = &source.encodings.first()?.layers;
            let needs = flowing.target.zip(layers.target_for(desired));
            return needs
                .filter(|(from, to)| layers.needs_key_frame(*from, *to))
                .map(|_| 0);
        }
        let highest = desired.spatial.min(source.layer_count() - 1);
        let flows = (0..=highest).rev().find(|encoding| source.flows(*encoding));
        let encoding = flows.unwrap_or(highest);
        self.chosen = Some(Chosen {
            encoding,
            within: Layer {
                spatial: u8::MAX,
                temporal: desired.temporal,
            },
        });
        (flowing.encoding != Some(encoding) && flows.is_some()).then_some(encoding)
    }

    /// The target of a receiver that begins at a key frame.
    pub(super) fn first_target(&self, layers: &Layers) -> Option<Target> {
        layers.target_for(self.chosen?.within)
    }

    /// The target from this packet on, which starts a frame.
    pub(super) fn target(
        &self,
        layers: &Layers,
        present: Option<Target>,
        at: &Place,
    ) -> Option<Target> {
        let wanted = layers.target_for(self.chosen?.within);
        match (present, wanted) {
            (Some(from), Some(to)) if from != to && !layers.may_change(from, to, at) => present,
            _ => wanted,
        }
    }

    /// Layers that this receiver takes, one bit for each encoding or spatial layer.
    pub(super) fn takes(&self, source: &Source) -> u8 {
        let Some(desired) = self.desired else {
            return 0;
        };
        let highest = desired.spatial.min(source.layer_count() - 1);
        if source.is_simulcast() {
            let chosen = self.chosen.map_or(0, |chosen| 1 << chosen.encoding);
            1 << highest | chosen
        } else {
            u8::MAX >> (7 - highest.min(7))
        }
    }
}

/// What flows to a receiver now.
#[derive(Clone, Copy)]
struct Flowing {
    encoding: Option<u8>,
    target: Option<Target>,
}

impl Source {
    /// Encodings, or spatial layers of the only one.
    pub(super) fn layer_count(&self) -> u8 {
        if self.is_simulcast() {
            return self.encodings.len().min(ENCODINGS_MAX) as u8;
        }
        let only = self.encodings.first();
        only.map_or(1, |encoding| encoding.layers.spatial_layers())
    }

    /// The size of an encoding's or of a spatial layer's picture: told by the sender, else assumed to be half of
    /// the next larger one each way.
    pub(super) fn resolution(&self, spatial: u8) -> Resolution {
        let (encoding, within) = if self.is_simulcast() {
            (spatial, 0)
        } else {
            (0, spatial)
        };
        let encoding = self.encodings.get(usize::from(encoding));
        let told = encoding.and_then(|encoding| encoding.layers.resolution(within));
        let smaller = self.layer_count().saturating_sub(spatial + 1);
        told.unwrap_or(Resolution {
            width: ASSUMED.width >> smaller,
            height: ASSUMED.height >> smaller,
        })
    }
}

impl Subscription {
    /// The encoding of which a key frame is still missing for a change between its layers: the beginning of the one
    /// that came was lost, or came out of order.
    fn misses_key_frame(&self, source: &Source) -> Option<u8> {
        let (encoding, present) = self.encoding().zip(self.target())?;
        let layers = source.layers_of(encoding)?;
        let stays = self.selection.chosen()?.encoding == encoding;
        let wanted = self.selection.first_target(layers)?;
        (stays && layers.needs_key_frame(present, wanted)).then_some(encoding)
    }

    /// Asks for that key frame.
    pub(super) fn ask_for_missed_key_frame(&self, source: &mut Source) {
        if let Some(of) = self.misses_key_frame(source) {
            source.encodings[usize::from(of)].key_frames.want();
        }
    }
}

impl Track {
    /// What each layer of the track costs now with all that it needs; nothing before it was measured.
    pub(super) fn layer_rates(&self, now: Instant) -> impl Iterator<Item = LayerRate> {
        let source = self.source.iter();
        source.flat_map(move |source| {
            (0..)
                .zip(&source.encodings)
                .flat_map(move |(number, encoding)| {
                    let simulcast = source.is_simulcast().then_some(number);
                    let flows = !source.is_simulcast() || source.flows(number);
                    encoding.layers.rates(now, simulcast).filter(move |_| flows)
                })
        })
    }

    /// Chooses anew what each receiver gets, and asks for the key frames that this needs.
    pub(super) fn choose(&mut self) {
        let Some(source) = self
            .source
            .as_mut()
            .filter(|source| source.kind == Kind::Video)
        else {
            return;
        };
        let mut key_frames_of = 0_u8;
        for subscription in &mut self.subscriptions {
            let flowing = Flowing {
                encoding: subscription.encoding(),
                target: subscription.target(),
            };
            let needed = subscription.selection.choose(source, flowing);
            if subscription.selection.chosen().is_none() {
                subscription.wait();
            } else if let Some(encoding) = needed
                // Whoever waits, or is held and may not have it yet, is asked for elsewhere.
                && !subscription.is_waiting()
            {
                key_frames_of |= 1 << encoding;
            }
        }
        for (bit, encoding) in source.encodings.iter_mut().enumerate() {
            if key_frames_of & (1 << bit) != 0 {
                encoding.key_frames.want();
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
