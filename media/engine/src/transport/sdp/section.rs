//! One media section of an offer.

use super::codec::{Codec, Feedback, Kind};
use super::extensions::ExtensionIds;
use crate::wire::ids::{PayloadType, Ssrc};

/// Which way a section's media flows, seen from its writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Direction {
    pub(crate) sends: bool,
    pub(crate) receives: bool,
}

impl Direction {
    pub(crate) const BOTH: Self = Self {
        sends: true,
        receives: true,
    };

    pub(crate) fn parse(attribute: &str) -> Option<Self> {
        let (sends, receives) = match attribute {
            "sendrecv" => (true, true),
            "sendonly" => (true, false),
            "recvonly" => (false, true),
            "inactive" => (false, false),
            _ => return None,
        };
        Some(Self { sends, receives })
    }

    pub(crate) const fn word(self) -> &'static str {
        match (self.sends, self.receives) {
            (true, true) => "sendrecv",
            (true, false) => "sendonly",
            (false, true) => "recvonly",
            (false, false) => "inactive",
        }
    }
}

/// What the SFU reads of a section.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    /// The `m=` line's media word, to be repeated in the answer.
    pub(crate) media: String,
    pub(crate) protocol: String,
    pub(crate) formats: String,
    /// The client stopped this section: port 0 and not bundled.
    pub(crate) stopped: bool,
    pub(crate) mid: String,
    pub(crate) direction: Direction,
    pub(crate) kind: Option<Kind>,
    /// `None` when neither Opus nor VP8 is offered.
    pub(crate) codec: Option<Codec>,
    pub(crate) extensions: ExtensionIds,
    pub(crate) rtcp_mux: bool,
    pub(crate) ssrc: Option<Ssrc>,
    pub(crate) rtx_ssrc: Option<Ssrc>,
}

/// Most payload types one section may name; the numbers end at 127.
const FORMATS_MAX: usize = 128;

impl Section {
    /// Reads a section from the value of its `m=` line and its attributes in order.
    pub(super) fn parse(media_line: &str, attributes: &[&str]) -> Option<Self> {
        let mut words = media_line.splitn(4, ' ');
        let (media, port, protocol) = (words.next()?, words.next()?, words.next()?);
        let formats = words.next()?;
        let kind = match media {
            "audio" => Some(Kind::Audio),
            "video" => Some(Kind::Video),
            _ => None,
        };
        let mut section = Self {
            media: media.to_owned(),
            protocol: protocol.to_owned(),
            formats: formats.to_owned(),
            stopped: port == "0" && !attributes.contains(&"bundle-only"),
            mid: String::new(),
            direction: Direction::BOTH,
            kind,
            codec: kind.and_then(|kind| read_codec(kind, formats, attributes)),
            extensions: ExtensionIds::default(),
            rtcp_mux: false,
            ssrc: None,
            rtx_ssrc: None,
        };
        for attribute in attributes {
            section.note(attribute);
        }
        Some(section)
    }

    fn note(&mut self, attribute: &str) {
        let (name, value) = attribute.split_once(':').unwrap_or((attribute, ""));
        match name {
            "mid" => value.clone_into(&mut self.mid),
            "extmap" => self.extensions.note(value),
            "rtcp-mux" => self.rtcp_mux = true,
            "ssrc" => {
                let ssrc = value
                    .split(' ')
                    .next()
                    .and_then(|number| number.parse().ok());
                self.ssrc = self.ssrc.or(ssrc.map(Ssrc));
            }
            "ssrc-group" => {
                let mut words = value.split(' ');
                if words.next() == Some("FID") {
                    let mut numbers = words.filter_map(|number| number.parse().ok().map(Ssrc));
                    self.ssrc = numbers.next().or(self.ssrc);
                    self.rtx_ssrc = numbers.next();
                }
            }
            _ => {
                if let Some(direction) = Direction::parse(attribute) {
                    self.direction = direction;
                }
            }
        }
    }
}

/// The first payload type of the kind's codec, with its RTX, feedback and parameters.
fn read_codec(kind: Kind, formats: &str, attributes: &[&str]) -> Option<Codec> {
    let listed: Vec<&str> = formats.split(' ').take(FORMATS_MAX).collect();
    let value = |name: &str, format: &str| {
        attributes.iter().find_map(|attribute| {
            attribute
                .strip_prefix(name)?
                .strip_prefix(':')?
                .strip_prefix(format)?
                .strip_prefix(' ')
        })
    };
    let encoded_as = |format: &str, wanted: &str| {
        value("rtpmap", format).is_some_and(|encoding| encoding.eq_ignore_ascii_case(wanted))
    };
    let payload_type = |format: &str| format.parse().ok().and_then(PayloadType::new);
    let format = *listed
        .iter()
        .find(|format| encoded_as(format, kind.encoding()))?;
    let rtx = listed.iter().find(|candidate| {
        encoded_as(candidate, "rtx/90000")
            && value("fmtp", candidate).and_then(|p| p.strip_prefix("apt=")) == Some(format)
    });
    let mut feedback = Feedback::default();
    for attribute in attributes {
        let Some(value) = attribute.strip_prefix("rtcp-fb:") else {
            continue;
        };
        if let Some((whom, what)) = value.split_once(' ')
            && (whom == format || whom == "*")
        {
            feedback.note(what);
        }
    }
    Some(Codec {
        payload_type: payload_type(format)?,
        rtx: rtx.and_then(|rtx| payload_type(rtx)),
        feedback,
        parameters: value("fmtp", format).map(str::to_owned),
    })
}
