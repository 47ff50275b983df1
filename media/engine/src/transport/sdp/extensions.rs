//! The header extensions that are understood or passed on (RFC 8285).

use crate::wire::extension::ExtensionMap;
use crate::wire::ids::ExtensionId;

/// A header extension that may be negotiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderExtension {
    Mid,
    AudioLevel,
    TransportSequence,
    DependencyDescriptor,
    VideoOrientation,
    /// Which simulcast encoding a packet belongs to (RFC 8852).
    RtpStreamId,
    /// The same of a retransmission.
    RepairedRtpStreamId,
}

impl HeaderExtension {
    const ALL: [Self; 7] = [
        Self::Mid,
        Self::AudioLevel,
        Self::TransportSequence,
        Self::DependencyDescriptor,
        Self::VideoOrientation,
        Self::RtpStreamId,
        Self::RepairedRtpStreamId,
    ];

    /// What the publisher says about a frame and the receiver must hear. The others belong to the hop.
    const FORWARDED: [Self; 3] = [
        Self::AudioLevel,
        Self::DependencyDescriptor,
        Self::VideoOrientation,
    ];

    const fn uri(self) -> &'static str {
        match self {
            Self::Mid => "urn:ietf:params:rtp-hdrext:sdes:mid",
            Self::AudioLevel => "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            Self::TransportSequence => {
                "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
            }
            Self::DependencyDescriptor => {
                "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
            }
            Self::VideoOrientation => "urn:3gpp:video-orientation",
            Self::RtpStreamId => "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
            Self::RepairedRtpStreamId => "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
        }
    }
}

/// A section's ids, one for each extension that both sides know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ExtensionIds {
    ids: [Option<ExtensionId>; HeaderExtension::ALL.len()],
    /// Whether the client takes two-byte elements (`a=extmap-allow-mixed`).
    pub(crate) mixed: bool,
}

impl ExtensionIds {
    pub(crate) fn id(&self, extension: HeaderExtension) -> Option<ExtensionId> {
        self.ids[extension as usize]
    }

    /// Reads the value of an `a=extmap` line. Unknown extensions and unusable ids are skipped.
    pub(crate) fn note(&mut self, value: &str) {
        let mut words = value.split_ascii_whitespace();
        let (Some(number), Some(uri)) = (words.next(), words.next()) else {
            return;
        };
        let number = number.split('/').next().unwrap_or_default();
        let Some(id) = number.parse().ok().and_then(ExtensionId::new) else {
            return;
        };
        if let Some(extension) = HeaderExtension::ALL.into_iter().find(|e| e.uri() == uri) {
            self.ids[extension as usize] = Some(id);
        }
    }

    /// The `a=extmap` values of the answer.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        HeaderExtension::ALL.into_iter().filter_map(|extension| {
            let id = self.id(extension)?;
            Some(format!("{} {}", id.number(), extension.uri()))
        })
    }

    /// From these ids, a publisher's, to a receiver's.
    pub(crate) fn map_to(&self, receiver: &Self) -> ExtensionMap {
        let mut map = ExtensionMap::new(receiver.mixed);
        for extension in HeaderExtension::FORWARDED {
            if let (Some(from), Some(to)) = (self.id(extension), receiver.id(extension)) {
                // An id above the map's end is not forwarded; no client numbers that high.
                map.set(from, to);
            }
        }
        map
    }
}
