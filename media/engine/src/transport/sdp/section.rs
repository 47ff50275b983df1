//! One media section of an offer.

use super::codec::{Codec, Coding, Feedback, Kind};
use super::extensions::{ExtensionIds, HeaderExtension};
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
    /// What is forwarded of what is offered, in the client's order of preference; empty when nothing is.
    pub(crate) codecs: Vec<Codec>,
    /// The encodings that the client sends, smallest first; empty without simulcast.
    pub(crate) rids: Vec<String>,
    pub(crate) extensions: ExtensionIds,
    pub(crate) rtcp_mux: bool,
    pub(crate) ssrc: Option<Ssrc>,
    pub(crate) rtx_ssrc: Option<Ssrc>,
}

/// Most payload types one section may name; the numbers end at 127.
const FORMATS_MAX: usize = 128;

/// Encodings of one track; what is offered beyond is not taken.
pub(crate) const ENCODINGS_MAX: usize = 3;

/// Longest name of an encoding that is taken, as for mids.
const RID_LEN_MAX: usize = 16;

impl Section {
    /// What the client prefers to send or to receive.
    pub(crate) fn codec(&self) -> Option<&Codec> {
        self.codecs.first()
    }

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
            codecs: kind.map_or_else(Vec::new, |kind| read_codecs(kind, formats, attributes)),
            rids: read_simulcast(attributes),
            extensions: ExtensionIds::default(),
            rtcp_mux: false,
            ssrc: None,
            rtx_ssrc: None,
        };
        for attribute in attributes {
            section.note(attribute);
        }
        // Without names in its packets an encoding can't be told from another, and without descriptors no
        // receiver could change to it: the client is answered without simulcast then.
        let told = |extension| section.extensions.id(extension).is_some();
        if !told(HeaderExtension::RtpStreamId) || !told(HeaderExtension::DependencyDescriptor) {
            section.rids.clear();
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

/// Every codec of the kind that is forwarded, each with its first payload type.
fn read_codecs(kind: Kind, formats: &str, attributes: &[&str]) -> Vec<Codec> {
    let mut codecs: Vec<Codec> = Vec::new();
    for format in formats.split(' ').take(FORMATS_MAX) {
        let codings = kind.codings().iter().copied();
        for coding in codings {
            let known = codecs.iter().any(|codec| codec.coding == coding);
            if !known && let Some(codec) = read_codec(coding, format, formats, attributes) {
                codecs.push(codec);
            }
        }
    }
    codecs
}

fn value_of<'a>(attributes: &[&'a str], name: &str, format: &str) -> Option<&'a str> {
    attributes.iter().find_map(|attribute| {
        attribute
            .strip_prefix(name)?
            .strip_prefix(':')?
            .strip_prefix(format)?
            .strip_prefix(' ')
    })
}

/// The payload type `format` with its RTX, feedback and parameters, if it is of this codec.
fn read_codec(coding: Coding, format: &str, formats: &str, attributes: &[&str]) -> Option<Codec> {
    let encoded_as = |format: &str, wanted: &str| {
        value_of(attributes, "rtpmap", format)
            .is_some_and(|encoding| encoding.eq_ignore_ascii_case(wanted))
    };
    let payload_type = |format: &str| format.parse().ok().and_then(PayloadType::new);
    let parameters = value_of(attributes, "fmtp", format);
    if !encoded_as(format, coding.name()) || !coding.takes(parameters) {
        return None;
    }
    let mut listed = formats.split(' ').take(FORMATS_MAX);
    let rtx = listed.find(|candidate| {
        encoded_as(candidate, "rtx/90000")
            && value_of(attributes, "fmtp", candidate).and_then(|p| p.strip_prefix("apt="))
                == Some(format)
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
        coding,
        payload_type: payload_type(format)?,
        rtx: rtx.and_then(payload_type),
        feedback,
        parameters: parameters.map(str::to_owned),
    })
}

/// The encodings of `a=simulcast:send` (RFC 8853 section 5.1): of alternatives the first, paused ones as well.
fn read_simulcast(attributes: &[&str]) -> Vec<String> {
    let mut values = attributes
        .iter()
        .filter_map(|attribute| attribute.strip_prefix("simulcast:"));
    let Some(value) = values.next() else {
        return Vec::new();
    };
    let mut words = value.split_ascii_whitespace();
    let sent = loop {
        match (words.next(), words.next()) {
            (Some("send"), Some(list)) => break list,
            (Some(_), Some(_)) => {}
            _ => return Vec::new(),
        }
    };
    let mut rids: Vec<String> = Vec::new();
    for stream in sent.split(';') {
        let rid = stream.split(',').next().unwrap_or_default();
        let rid = rid.strip_prefix('~').unwrap_or(rid);
        let declared = attributes.iter().any(|attribute| {
            let words = attribute
                .strip_prefix("rid:")
                .and_then(|rest| rest.strip_prefix(rid));
            words.is_some_and(|rest| rest.starts_with(" send"))
        });
        let named = !rid.is_empty()
            && rid.len() <= RID_LEN_MAX
            && rid.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if named && declared && rids.len() < ENCODINGS_MAX && !rids.iter().any(|one| one == rid) {
            rids.push(rid.to_owned());
        }
    }
    rids
}
