//! The codecs that are forwarded: Opus, VP8 and VP9, each with what its section negotiated.

use crate::wire::ids::PayloadType;

/// The kind of a section's media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Opus.
    Audio,
    /// VP8 or VP9.
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

    /// The codecs of this kind that are forwarded.
    pub(crate) const fn codings(self) -> &'static [Coding] {
        match self {
            Self::Audio => &[Coding::Opus],
            Self::Video => &[Coding::Vp8, Coding::Vp9],
        }
    }
}

/// A codec. Frames are encrypted, so to the SFU it is no more than a name that both ends must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Opus,
    Vp8,
    /// Profile 0, with or without spatial layers.
    Vp9,
}

impl Coding {
    /// As `a=rtpmap` writes it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Opus => "opus/48000/2",
            Self::Vp8 => "VP8/90000",
            Self::Vp9 => "VP9/90000",
        }
    }

    /// Whether parameters as `a=fmtp` writes them are of the variant that is forwarded.
    pub(crate) fn takes(self, parameters: Option<&str>) -> bool {
        // RFC 9628 section 6.1: without a profile it is profile 0.
        let mut words = parameters.unwrap_or_default().split(';').map(str::trim);
        self != Self::Vp9
            || !words.any(|word| word.starts_with("profile-id=") && word != "profile-id=0")
    }
}

/// A codec as one section negotiated it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Codec {
    pub(crate) coding: Coding,
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
