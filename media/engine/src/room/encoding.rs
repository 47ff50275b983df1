//! One stream of a published track: the only one, or one of its simulcast encodings.

use std::time::{Duration, Instant};

use super::gaps::Gaps;
use super::key_frames::KeyFrames;
use super::layers::Layers;
use super::reception::Reception;
use super::ring::Ring;
use crate::clock::NtpTime;
use crate::transport::sdp::Kind;
use crate::wire::ids::Ssrc;

/// An encoding of which nothing came for so long has stopped: its receivers take another. A camera in poor light
/// still makes five pictures a second.
pub(super) const STOPPED_AFTER: Duration = Duration::from_millis(500);

/// See the module's description.
pub(super) struct Encoding {
    /// Its name, with simulcast.
    pub(super) rid: Option<String>,
    /// Learned from the offer or from the first packet.
    pub(super) ssrc: Option<Ssrc>,
    pub(super) rtx_ssrc: Option<Ssrc>,
    pub(super) reception: Reception,
    pub(super) gaps: Gaps,
    pub(super) key_frames: KeyFrames,
    pub(super) ring: Ring,
    pub(super) layers: Layers,
    /// When its last packet came.
    pub(super) heard_at: Option<Instant>,
}

impl Encoding {
    pub(super) fn new(kind: Kind, rid: Option<String>) -> Self {
        Self {
            rid,
            ssrc: None,
            rtx_ssrc: None,
            reception: Reception::default(),
            gaps: Gaps::default(),
            key_frames: KeyFrames::default(),
            ring: match kind {
                Kind::Audio => Ring::audio(),
                Kind::Video => Ring::video(),
            },
            layers: Layers::default(),
            heard_at: None,
        }
    }

    /// The publisher began a new stream in the same place.
    pub(super) fn restart(&mut self) {
        self.reception = Reception::default();
        self.layers.clear();
        self.begin_anew();
    }

    /// Indices begin anew.
    pub(super) fn begin_anew(&mut self) {
        self.ring.clear();
        self.gaps.clear();
    }

    /// When a frame of this timestamp was captured, in ticks of its clock since 1900: comparable between the
    /// encodings of one track. `None` before the first sender report.
    pub(super) fn captured(&self, kind: Kind, timestamp: u32) -> Option<i128> {
        let reported = self.reception.report?;
        let NtpTime(ntp) = NtpTime(reported.info.ntp_time);
        let ticks = (i128::from(ntp) * i128::from(kind.clock_rate())) >> 32;
        let since = timestamp.wrapping_sub(reported.info.rtp_timestamp) as i32;
        Some(ticks + i128::from(since))
    }

    pub(super) fn wake_at(&self, now: Instant) -> Option<Instant> {
        // A key frame can be asked of a stream only once its SSRC is known.
        let key_frames = self.ssrc.and_then(|_| self.key_frames.wake_at(now));
        [self.gaps.wake_at(), key_frames]
            .into_iter()
            .flatten()
            .min()
    }
}
