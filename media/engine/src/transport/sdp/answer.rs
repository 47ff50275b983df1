//! Writes the answer: one section for each of the offer's, in its order.

use std::fmt::Write as _;
use std::net::SocketAddr;

use super::codec::Codec;
use super::offer::Offer;
use super::section::{Direction, Section};
use crate::transport::Credentials;
use crate::wire::ids::Ssrc;

/// What the answer says of the transport, which all sections share.
pub(crate) struct AnswerParameters<'a> {
    pub(crate) session_id: u64,
    pub(crate) version: u64,
    pub(crate) ice: &'a Credentials,
    /// SHA-256 of the node's certificate.
    pub(crate) fingerprint: &'a [u8],
    pub(crate) candidates: &'a [SocketAddr],
    pub(crate) tcp_candidates: &'a [SocketAddr],
    /// ICE restarts so far.
    pub(crate) generation: u32,
}

/// What was decided about one section of the offer.
pub(crate) enum Accepted {
    /// Not understood: answered with port 0.
    No,
    /// Taken part in; either side may be still.
    Yes {
        /// The client's media is received.
        receives: bool,
        /// Media is sent to the client.
        sends: Option<Sending>,
    },
}

/// The stream that a receiving section will get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sending {
    pub(crate) ssrc: Ssrc,
    pub(crate) rtx_ssrc: Option<Ssrc>,
    /// Media of one sender is played in step.
    pub(crate) stream: String,
    pub(crate) track: String,
}

/// The answer to `offer`, with one decision for each of its sections.
pub(crate) fn write_answer(
    offer: &Offer,
    decisions: &[Accepted],
    parameters: &AnswerParameters<'_>,
) -> String {
    debug_assert_eq!(offer.sections.len(), decisions.len());
    let mut text = Text(String::with_capacity(1_024 * (1 + decisions.len())));
    text.line("v", "0");
    let (id, version) = (parameters.session_id, parameters.version);
    text.line("o", format_args!("- {id} {version} IN IP4 127.0.0.1"));
    text.line("s", "-");
    text.line("t", "0 0");
    text.attribute("ice-lite");
    let mut group = String::from("group:BUNDLE");
    for (section, decision) in offer.sections.iter().zip(decisions) {
        if matches!(decision, Accepted::Yes { .. }) {
            group.push(' ');
            group.push_str(&section.mid);
        }
    }
    text.attribute(group);
    if offer
        .sections
        .iter()
        .any(|section| section.extensions.mixed)
    {
        text.attribute("extmap-allow-mixed");
    }
    text.attribute("msid-semantic: WMS *");
    for (section, decision) in offer.sections.iter().zip(decisions) {
        match decision {
            Accepted::Yes { receives, sends } if !section.codecs.is_empty() => {
                write_accepted(&mut text, section, *receives, sends.as_ref(), parameters);
            }
            _ => write_refused(&mut text, section),
        }
    }
    text.0
}

struct Text(String);

impl Text {
    fn line(&mut self, letter: &str, value: impl std::fmt::Display) {
        write!(self.0, "{letter}={value}\r\n").expect("a String takes any text");
    }

    fn attribute(&mut self, value: impl std::fmt::Display) {
        self.line("a", value);
    }
}

fn write_refused(text: &mut Text, section: &Section) {
    let Section {
        media,
        protocol,
        formats,
        mid,
        ..
    } = section;
    text.line("m", format_args!("{media} 0 {protocol} {formats}"));
    text.line("c", "IN IP4 0.0.0.0");
    text.attribute("inactive");
    text.attribute(format_args!("mid:{mid}"));
}

fn write_accepted(
    text: &mut Text,
    section: &Section,
    receives: bool,
    sends: Option<&Sending>,
    parameters: &AnswerParameters<'_>,
) {
    let Section {
        media,
        protocol,
        codecs,
        ..
    } = section;
    // Who sends shall send one codec; who receives gets whatever the sender chose.
    let codecs = if receives { &codecs[..1] } else { codecs };
    let formats: Vec<String> = codecs
        .iter()
        .flat_map(|codec| [Some(codec.payload_type), codec.rtx])
        .flatten()
        .map(|format| format.number().to_string())
        .collect();
    let formats = formats.join(" ");
    text.line("m", format_args!("{media} 9 {protocol} {formats}"));
    text.line("c", "IN IP4 0.0.0.0");
    text.attribute("rtcp:9 IN IP4 0.0.0.0");
    write_transport(text, parameters);
    text.attribute(format_args!("mid:{}", section.mid));
    for line in section.extensions.lines() {
        text.attribute(format_args!("extmap:{line}"));
    }
    text.attribute(
        Direction {
            sends: sends.is_some(),
            receives,
        }
        .word(),
    );
    if let Some(sending) = sends {
        text.attribute(format_args!("msid:{} {}", sending.stream, sending.track));
    }
    text.attribute("rtcp-mux");
    text.attribute("rtcp-rsize");
    for codec in codecs {
        write_codec(text, section, codec);
    }
    if receives {
        write_simulcast(text, &section.rids);
    }
    if let Some(sending) = sends {
        write_ssrcs(text, sending);
    }
}

fn write_transport(text: &mut Text, parameters: &AnswerParameters<'_>) {
    text.attribute(format_args!("ice-ufrag:{}", parameters.ice.ufrag));
    text.attribute(format_args!("ice-pwd:{}", parameters.ice.password));
    let digits: Vec<String> = parameters
        .fingerprint
        .iter()
        .map(|b| format!("{b:02X}"))
        .collect();
    text.attribute(format_args!("fingerprint:sha-256 {}", digits.join(":")));
    text.attribute("setup:passive");
    for (at, candidate) in parameters.candidates.iter().enumerate() {
        // RFC 8445 section 5.1.2.1: host candidates of one component, the first the most preferred.
        let local = 65_535 - at.min(65_535) as u32;
        let priority = (type_preference(parameters, 1) << 24) | (local << 8) | 255;
        let (ip, port) = (candidate.ip(), candidate.port());
        text.attribute(format_args!(
            "candidate:{at} 1 udp {priority} {ip} {port} typ host"
        ));
    }
    write_tcp_candidates(text, parameters);
    text.attribute("end-of-candidates");
}

/// Lowest type preference: above what relays have, which stay the last resort.
const PREFERENCE_MIN: u32 = 30;

/// Restarts that are told apart. Beyond them a client's pairs stay as high as they are: browsers have 90 for their
/// own side of a connection, and a pair counts as its lower end does.
const GENERATIONS_MAX: u32 = 28;

/// Each ICE restart makes candidates that are preferred to all before it. A pair's priority goes by its lower end
/// (RFC 8445 section 6.1.2.3), which ours is. So a client that restarted takes a new pair as soon as it works;
/// otherwise Chromium holds on to the old one until nothing has come on it for two and a half seconds, and for one
/// more in case it comes back.
fn type_preference(parameters: &AnswerParameters<'_>, is_udp: u32) -> u32 {
    PREFERENCE_MIN + 2 * parameters.generation.min(GENERATIONS_MAX) + is_udp
}

/// RFC 6544: the client opens the connection. Its section 4.2 gives such candidates a type preference below that
/// of UDP's, and the local preference 2^13 times that of the direction, 4 for a passive host.
fn write_tcp_candidates(text: &mut Text, parameters: &AnswerParameters<'_>) {
    let foundation = parameters.candidates.len();
    for (at, candidate) in parameters.tcp_candidates.iter().enumerate() {
        let local = (4 << 13) | (8_191 - at.min(8_191) as u32);
        let priority = (type_preference(parameters, 0) << 24) | (local << 8) | 255;
        let (at, ip, port) = (foundation + at, candidate.ip(), candidate.port());
        text.attribute(format_args!(
            "candidate:{at} 1 tcp {priority} {ip} {port} typ host tcptype passive"
        ));
    }
}

fn write_codec(text: &mut Text, section: &Section, codec: &Codec) {
    let format = codec.payload_type.number();
    let Some(kind) = section.kind else { return };
    text.attribute(format_args!("rtpmap:{format} {}", codec.coding.name()));
    for word in codec.feedback.words() {
        text.attribute(format_args!("rtcp-fb:{format} {word}"));
    }
    if let Some(parameters) = &codec.parameters {
        text.attribute(format_args!("fmtp:{format} {parameters}"));
    }
    if let Some(rtx) = codec.rtx {
        text.attribute(format_args!(
            "rtpmap:{} rtx/{}",
            rtx.number(),
            kind.clock_rate()
        ));
        text.attribute(format_args!("fmtp:{} apt={format}", rtx.number()));
    }
}

/// RFC 8853 section 5.3.
fn write_simulcast(text: &mut Text, rids: &[String]) {
    for rid in rids {
        text.attribute(format_args!("rid:{rid} recv"));
    }
    if !rids.is_empty() {
        text.attribute(format_args!("simulcast:recv {}", rids.join(";")));
    }
}

fn write_ssrcs(text: &mut Text, sending: &Sending) {
    let ssrc = sending.ssrc.0;
    if let Some(rtx) = sending.rtx_ssrc {
        text.attribute(format_args!("ssrc-group:FID {ssrc} {}", rtx.0));
    }
    let streams = [Some(sending.ssrc), sending.rtx_ssrc];
    for ssrc in streams.into_iter().flatten() {
        text.attribute(format_args!("ssrc:{} cname:{}", ssrc.0, sending.stream));
        text.attribute(format_args!(
            "ssrc:{} msid:{} {}",
            ssrc.0, sending.stream, sending.track
        ));
    }
}
