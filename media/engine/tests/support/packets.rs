//! A client in RTP mode: it sends and sees single packets, so that a test decides what a frame is.

use std::net::SocketAddr;
use std::time::Instant;

use str0m::change::SdpPendingOffer;
use str0m::media::{
    Direction, KeyframeRequestKind, MediaKind, Mid, Rid, Simulcast, SimulcastLayer,
};
use str0m::rtp::{Extension, ExtensionMap, ExtensionValues, RtpPacket, RtpWrite, SeqNo};

use super::descriptor::{self, Descriptor};
use super::{Client, repeats};

/// Bytes of a packet's payload that are kept.
pub const HEAD: usize = 16;

/// A packet that arrived, as it was sent first or again.
#[derive(Clone, Copy, Debug)]
pub struct Arrived {
    pub at: Instant,
    pub ssrc: u32,
    pub sequence: u64,
    pub head: [u8; HEAD],
}

/// The section and the encoding of which a key frame is wanted.
pub type Asked = (Mid, Option<Rid>);

/// A section of an offer; with names it sends an encoding for each.
pub type Section = (MediaKind, Direction, &'static [&'static str]);

/// A packet to send.
pub struct Outgoing<'a> {
    pub mid: Mid,
    pub rid: Option<Rid>,
    pub sequence: u64,
    pub time: u32,
    pub marker: bool,
    pub descriptor: Option<Descriptor>,
    pub payload: &'a [u8],
}

impl Client {
    /// A client in RTP mode with everything that the engine understands.
    pub fn of_packets(now: Instant, address: SocketAddr) -> Self {
        let mut extensions = ExtensionMap::standard();
        extensions.set(4, Extension::RtpMid);
        extensions.set(10, Extension::RtpStreamId);
        extensions.set(11, Extension::RepairedRtpStreamId);
        extensions.set(12, descriptor::extension());
        let mut client = Self::with(now, address, |config| {
            config.set_rtp_mode(true).set_extension_map(extensions)
        });
        client.tells_packets = true;
        client
    }

    /// Offers sections; returns the offer and their mids.
    pub fn offer_sections(&mut self, sections: &[Section]) -> (String, Vec<Mid>) {
        loop {
            let mut api = self.rtc.sdp_api();
            let mut mids: Vec<Mid> = Vec::new();
            for (kind, direction, rids) in sections {
                let simulcast = (!rids.is_empty()).then(|| {
                    let mut simulcast = Simulcast::new();
                    let layers = rids.iter().map(|rid| SimulcastLayer::new(rid));
                    layers.for_each(|layer| simulcast.add_send_layer(layer));
                    simulcast
                });
                mids.push(api.add_media(*kind, *direction, None, None, simulcast));
            }
            if repeats(&mids, &self.offered) {
                continue;
            }
            let (offer, pending): (_, SdpPendingOffer) = api.apply().expect("there are changes");
            self.pending = Some(pending);
            self.offered.extend(&mids);
            return (offer.to_sdp_string(), mids);
        }
    }

    pub fn send_packet(&mut self, now: Instant, packet: Outgoing<'_>) {
        let media = self.rtc.media(packet.mid);
        let payload_type = media.and_then(|media| media.remote_pts().first().copied());
        let mut api = self.rtc.direct_api();
        let stream = api.stream_tx_by_mid(packet.mid, packet.rid);
        let (Some(payload_type), Some(stream)) = (payload_type, stream) else {
            return;
        };
        let mut extensions = ExtensionValues::default();
        if let Some(descriptor) = packet.descriptor {
            extensions.user_values.set(descriptor);
        }
        let sequence = SeqNo::from(packet.sequence);
        let write = RtpWrite::new(payload_type, sequence, packet.time, now, packet.payload)
            .marker(packet.marker)
            .nackable(true)
            .ext_vals(extensions);
        stream.write_rtp(write);
    }

    /// Asks for a key frame of a received section.
    pub fn ask_in_packets(&mut self, mid: Mid) {
        let mut api = self.rtc.direct_api();
        if let Some(stream) = api.stream_rx_by_mid(mid, None) {
            stream.request_keyframe(KeyframeRequestKind::Pli);
        }
    }

    /// Whose section a received stream is.
    pub fn section_of(&mut self, ssrc: u32) -> Option<Mid> {
        let mut api = self.rtc.direct_api();
        api.stream_rx(&ssrc.into()).map(|stream| stream.mid())
    }

    pub(super) fn note_packet(&mut self, packet: &RtpPacket) {
        // Padding carries nothing.
        let Some(head) = packet.payload.first_chunk() else {
            return;
        };
        self.packets.push(Arrived {
            at: packet.timestamp,
            ssrc: *packet.header.ssrc,
            sequence: *packet.seq_no,
            head: *head,
        });
    }
}
