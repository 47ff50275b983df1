//! Reads an offer and checks that the SFU can take part in it at all.

use super::section::Section;
use crate::transport::Credentials;

/// Longest offer: a client with a hundred sections as long as Chromium's.
pub(crate) const OFFER_LEN_MAX: usize = 1 << 20;

/// Longest `a=mid`, as RFC 8843 section 15 advises for the header extension.
const MID_LEN_MAX: usize = 16;

/// Why an offer can't be used. The text never repeats the offer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OfferError {
    #[error("too long")]
    TooLong,
    #[error("not a session description")]
    Syntax,
    #[error("no usable o= line")]
    Origin,
    #[error("no media section")]
    Empty,
    #[error("more than {0} media sections")]
    TooManySections(usize),
    #[error("a section has no mid, or one that is too long or repeated")]
    Mid,
    #[error("the sections are not all in one bundle")]
    NotBundled,
    #[error("a section lacks rtcp-mux")]
    NoRtcpMux,
    #[error("ice-ufrag or ice-pwd is missing or out of range")]
    Ice,
    #[error("no sha-256, sha-384 or sha-512 fingerprint")]
    Fingerprint,
    #[error("the client must take the active dtls role")]
    Setup,
}

/// The hash of a certificate fingerprint (RFC 8122).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FingerprintHash {
    Sha256,
    Sha384,
    Sha512,
}

/// The certificate that the client must show in DTLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    pub(crate) hash: FingerprintHash,
    pub(crate) bytes: Vec<u8>,
}

/// An offer as far as the SFU reads it.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    /// Username and session id of the `o=` line: a new one means a new peer connection.
    pub(crate) origin: String,
    pub(crate) ice: Credentials,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) sections: Vec<Section>,
}

impl Offer {
    pub(crate) fn parse(text: &str, sections_max: usize) -> Result<Self, OfferError> {
        if text.len() > OFFER_LEN_MAX {
            return Err(OfferError::TooLong);
        }
        let lines = text
            .lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty());
        let blocks = split_blocks(lines, sections_max)?;
        let mut sections = Vec::with_capacity(blocks.media.len());
        for (media_line, attributes) in &blocks.media {
            sections.push(Section::parse(media_line, attributes).ok_or(OfferError::Syntax)?);
        }
        // Attributes at session level hold for all sections (RFC 8859).
        let mixed = blocks.session.contains(&"extmap-allow-mixed");
        for (section, (_, attributes)) in sections.iter_mut().zip(&blocks.media) {
            section.extensions.mixed = mixed || attributes.contains(&"extmap-allow-mixed");
        }
        check_mids(&sections)?;
        check_bundle(&blocks.session, &sections)?;
        let transport = transport_attributes(&blocks, &sections);
        check_setup(&transport)?;
        Ok(Self {
            origin: blocks.origin.ok_or(OfferError::Origin)?,
            ice: read_credentials(&transport)?,
            fingerprint: read_fingerprint(&transport)?,
            sections,
        })
    }
}

struct Blocks<'a> {
    origin: Option<String>,
    session: Vec<&'a str>,
    media: Vec<(&'a str, Vec<&'a str>)>,
}

fn split_blocks<'a>(
    lines: impl Iterator<Item = &'a str>,
    sections_max: usize,
) -> Result<Blocks<'a>, OfferError> {
    let mut blocks = Blocks {
        origin: None,
        session: Vec::new(),
        media: Vec::new(),
    };
    for line in lines {
        let (letter, value) = line.split_once('=').ok_or(OfferError::Syntax)?;
        match letter {
            "o" => {
                let mut words = value.split(' ');
                let (user, session) = (words.next(), words.next());
                blocks.origin = user.zip(session).map(|(user, id)| format!("{user} {id}"));
            }
            "m" if blocks.media.len() == sections_max => {
                return Err(OfferError::TooManySections(sections_max));
            }
            "m" => blocks.media.push((value, Vec::new())),
            "a" => match blocks.media.last_mut() {
                Some((_, attributes)) => attributes.push(value),
                None => blocks.session.push(value),
            },
            _ if letter.len() == 1 => {}
            _ => return Err(OfferError::Syntax),
        }
    }
    if blocks.media.is_empty() {
        return Err(OfferError::Empty);
    }
    Ok(blocks)
}

fn check_mids(sections: &[Section]) -> Result<(), OfferError> {
    for (at, section) in sections.iter().enumerate() {
        let mid = &section.mid;
        let readable = mid.bytes().all(|byte| byte.is_ascii_graphic());
        let repeated = sections[..at].iter().any(|other| other.mid == *mid);
        if mid.is_empty() || mid.len() > MID_LEN_MAX || !readable || repeated {
            return Err(OfferError::Mid);
        }
    }
    Ok(())
}

fn check_bundle(session: &[&str], sections: &[Section]) -> Result<(), OfferError> {
    let groups = session
        .iter()
        .filter_map(|attribute| attribute.strip_prefix("group:BUNDLE"));
    let bundled: Vec<&str> = groups
        .flat_map(|group| group.split_ascii_whitespace())
        .collect();
    let live = sections.iter().filter(|section| !section.stopped);
    for section in live.clone() {
        // One section alone needs no group.
        if !bundled.contains(&section.mid.as_str()) && live.clone().count() > 1 {
            return Err(OfferError::NotBundled);
        }
        if section.kind.is_some() && !section.rtcp_mux {
            return Err(OfferError::NoRtcpMux);
        }
    }
    Ok(())
}

/// Attributes that describe the transport: the session's, then those of the first live section, which
/// hold for the bundle.
fn transport_attributes<'a>(blocks: &Blocks<'a>, sections: &[Section]) -> Vec<&'a str> {
    let live = sections
        .iter()
        .position(|section| !section.stopped)
        .unwrap_or(0);
    let media = blocks
        .media
        .get(live)
        .map(|(_, attributes)| attributes.as_slice());
    media
        .unwrap_or_default()
        .iter()
        .chain(&blocks.session)
        .copied()
        .collect()
}

fn check_setup(transport: &[&str]) -> Result<(), OfferError> {
    match transport
        .iter()
        .find_map(|attribute| attribute.strip_prefix("setup:"))
    {
        Some("actpass" | "active") => Ok(()),
        _ => Err(OfferError::Setup),
    }
}

fn read_credentials(transport: &[&str]) -> Result<Credentials, OfferError> {
    let value = |name: &str| {
        transport
            .iter()
            .find_map(|attribute| attribute.strip_prefix(name)?.strip_prefix(':'))
    };
    let (ufrag, password) = value("ice-ufrag")
        .zip(value("ice-pwd"))
        .ok_or(OfferError::Ice)?;
    let ice_character = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    // RFC 8839 section 5.4.
    let sized = (4..=256).contains(&ufrag.len()) && (22..=256).contains(&password.len());
    if !sized || !ufrag.bytes().chain(password.bytes()).all(ice_character) {
        return Err(OfferError::Ice);
    }
    Ok(Credentials {
        ufrag: ufrag.to_owned(),
        password: password.to_owned(),
    })
}

fn read_fingerprint(transport: &[&str]) -> Result<Fingerprint, OfferError> {
    transport
        .iter()
        .filter_map(|attribute| attribute.strip_prefix("fingerprint:"))
        .find_map(parse_fingerprint)
        .ok_or(OfferError::Fingerprint)
}

fn parse_fingerprint(value: &str) -> Option<Fingerprint> {
    let (name, digits) = value.split_once(' ')?;
    let (hash, len) = match name.to_ascii_lowercase().as_str() {
        "sha-256" => (FingerprintHash::Sha256, 32),
        "sha-384" => (FingerprintHash::Sha384, 48),
        "sha-512" => (FingerprintHash::Sha512, 64),
        _ => return None,
    };
    let bytes: Option<Vec<u8>> = digits
        .split(':')
        .map(|pair| {
            if pair.len() == 2 {
                u8::from_str_radix(pair, 16).ok()
            } else {
                None
            }
        })
        .collect();
    bytes
        .filter(|bytes| bytes.len() == len)
        .map(|bytes| Fingerprint { hash, bytes })
}
