//! What a call is besides a call between people: which side of a drop-in or of a live announcement, and whom
//! that lets in.

use std::collections::BTreeSet;

use homeline_e2ee::group::Expect;
use homeline_e2ee::ids::device_id;
use homeline_e2ee::key::PublicKey;
use homeline_protocol::Blob;
use homeline_protocol::session::{Participant, Source, Track};

use super::run::Run;

/// Which side of it a call's task is, and whom it lets in.
pub(super) enum Side {
    /// Drops in.
    Initiator {
        /// The household that is meant.
        genesis: PublicKey,
    },
    /// Is dropped in on.
    Target {
        /// The device that asked, and the key package that it asked with.
        initiator: PublicKey,
        key_package: Blob,
    },
    /// Announces live.
    Announcer {
        /// Those that its statement names.
        devices: BTreeSet<PublicKey>,
        /// Who was there before the server said whom it told: a quick device hears it sooner. `None` from then on.
        early: Option<Vec<Participant>>,
    },
    /// Hears what is announced live.
    Hearer {
        announcer: PublicKey,
        /// Those that its statement names.
        devices: BTreeSet<PublicKey>,
    },
}

impl Side {
    /// A drop-in is between two, and a live announcement among those that it names.
    pub(super) fn narrow(&self, own: PublicKey, expect: Expect) -> Expect {
        match self {
            Self::Initiator { genesis } => expect.only_target(own, *genesis),
            Self::Target { initiator, .. } => expect.only(own, *initiator),
            Self::Announcer { devices, .. } => expect.only_among(own, devices.iter().copied()),
            Self::Hearer { announcer, devices } => {
                let devices = devices.iter().chain([announcer]);
                expect.only_among(own, devices.copied())
            }
        }
    }

    /// What this device publishes.
    pub(super) fn sources(side: Option<&Self>, video: bool) -> Vec<Source> {
        match side {
            Some(Self::Hearer { .. }) => Vec::new(),
            Some(Self::Announcer { .. }) => vec![Source::Microphone],
            Some(Self::Initiator { .. } | Self::Target { .. }) | None => {
                let camera = video.then_some(Source::Camera);
                [Source::Microphone].into_iter().chain(camera).collect()
            }
        }
    }
}

impl Run {
    /// Whether it is a live announcement.
    pub(super) fn is_live(&self) -> bool {
        let live = |side: &Side| matches!(side, Side::Announcer { .. } | Side::Hearer { .. });
        self.side.as_ref().is_some_and(live)
    }

    /// Whoever is let in later, by the side that this is.
    pub(super) fn between(&self, expect: Expect) -> Expect {
        let own = self.owner.member().map(|shared| shared.device_key());
        match (&self.side, own) {
            (Some(side), Some(own)) => side.narrow(own, expect),
            _ => expect,
        }
    }

    /// Which tracks may be asked for. Nothing comes back to whoever announces, and those that hear it
    /// hear nobody else.
    pub(super) fn allowed(&self, mut tracks: Vec<Track>) -> Vec<Track> {
        match &self.side {
            Some(Side::Announcer { .. }) => tracks.clear(),
            Some(Side::Hearer { announcer, .. }) => {
                let from = device_id(*announcer);
                tracks.retain(|one| one.device == from && one.source == Source::Microphone);
            }
            Some(Side::Initiator { .. } | Side::Target { .. }) | None => {}
        }
        tracks
    }
}
