//! The two codecs that are forwarded: Opus and VP8, each with what its section negotiated.

use crate::wire::ids::PayloadType;

/// The kind of a section's media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Opus.
    Audio,
    /// VP8.
    Video,
}

impl Kind {
    /// Ticks of the RTP timestamp in a second.
    pub(crate) const fn clock_rate(self) -> u32 {
        match self {
            Self::Audio => 48_000,
            Self::Video => 90_000,
        }
    }

    /// The codec of this kind that is forwarded, as `a=rtpmap` writes it.
    pub(crate) const fn encoding(self) -> &'static str {
        match self {
            Self::Audio => "opus/48000/2",
            Self::Video => "VP8/90000",
        }
    }
}

/// Opus or VP8 as one section negotiated it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Codec {
    pub(crate) payload_type: PayloadType,
    /// Payload type of retransmissions, if the client offered RTX for this codec.
    pub(crate) rtx: Option<PayloadType>,
    pub(crate) feedback: Feedback,
    /// Format parameters as offered, to be given back unchanged.
    pub(crate) parameters: Option<String>,
}

/// The RTCP feedback that a client offered for a codec.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Feedback {
    pub(crate) nack: bool,
    pub(crate) picture_loss: bool,
    pub(crate) full_intra: bool,
    pub(crate) transport_wide: bool,
}

impl Feedback {
    pub(crate) fn note(&mut self, value: &str) {
        match value {
            "nack" => self.nack = true,
            "nack pli" => self.picture_loss = true,
            "ccm fir" => self.full_intra = true,
            "transport-cc" => self.transport_wide = true,
            _ => {}
        }
    }

    /// What is accepted, as `a=rtcp-fb` writes it.
    pub(crate) fn words(self) -> impl Iterator<Item = &'static str> {
        [
            (self.transport_wide, "transport-cc"),
            (self.full_intra, "ccm fir"),
            (self.nack, "nack"),
            (self.picture_loss, "nack pli"),
        ]
        .into_iter()
        .filter_map(|(on, word)| on.then_some(word))
    }
}
