//! A peer made of `str0m` in RTP mode, without sockets.

use std::net::SocketAddr;
use std::sync::Once;
use std::time::Instant;

use anyhow::{Context as _, Result};
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::media::{Direction, MediaKind, Mid, Rid, Simulcast, SimulcastLayer};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{Extension, ExtensionMap, ExtensionValues, RtpPacket, RtpWrite, SeqNo};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};

use crate::media::descriptor;

/// What both sides may use beside plain media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Features {
    /// No header extensions, no estimation, and receivers that count without decrypting.
    Plain,
    /// Everything that `str0m` has: extensions, transport-wide feedback, reports; receivers decrypt.
    All,
    /// What simulcast needs and nothing else: mid, rid and the dependency descriptor.
    Layers,
    /// [`Features::All`] and [`Features::Layers`] together.
    AllLayers,
}

impl Features {
    /// Whether receivers report what they got, and so must decrypt all of it.
    pub const fn reports(self) -> bool {
        matches!(self, Self::All | Self::AllLayers)
    }

    /// Whether pictures carry dependency descriptors.
    pub const fn describes(self) -> bool {
        matches!(self, Self::Layers | Self::AllLayers)
    }

    fn extensions(self) -> ExtensionMap {
        let mut map = ExtensionMap::empty();
        if self.reports() {
            map = ExtensionMap::standard();
        }
        if self.describes() {
            map.set(4, Extension::RtpMid);
            map.set(10, Extension::RtpStreamId);
            map.set(11, Extension::RepairedRtpStreamId);
            map.set(12, descriptor::extension());
        }
        map
    }
}

/// A packet that a track sends.
pub struct Outgoing<'a> {
    /// The section.
    pub mid: Mid,
    /// The encoding, where there are several.
    pub rid: Option<Rid>,
    /// Counts the packets of the stream.
    pub sequence: u64,
    /// In the codec's clock.
    pub time: u32,
    /// The last of its burst.
    pub marker: bool,
    /// What it carries.
    pub payload: &'a [u8],
    /// Header extensions.
    pub extensions: ExtensionValues,
}

/// What a peer tells while it is polled.
pub enum Told<'a> {
    /// To be sent there.
    Datagram(SocketAddr, &'a [u8]),
    /// It decrypted a packet.
    Packet(&'a RtpPacket),
    /// A receiver wants a key frame of a track.
    KeyFrame(Mid),
}

/// One peer connection.
pub struct Peer {
    rtc: Rtc,
    address: SocketAddr,
    /// Whether ICE and DTLS are through.
    pub connected: bool,
    /// When it wants to be called.
    pub due: Instant,
    pending: Option<SdpPendingOffer>,
}

impl Peer {
    /// A peer at an address.
    ///
    /// # Errors
    /// When `str0m` refuses the address.
    pub fn new(now: Instant, address: SocketAddr, features: Features) -> Result<Self> {
        static CRYPTO: Once = Once::new();
        CRYPTO.call_once(|| {
            str0m::crypto::from_feature_flags().install_process_default();
        });
        let mut config = RtcConfig::new()
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, false)
            .enable_vp8(true);
        if features != Features::All {
            config = config.set_extension_map(features.extensions());
        }
        let mut rtc = config.build(now);
        rtc.add_local_candidate(Candidate::host(address, "udp")?);
        Ok(Self {
            rtc,
            address,
            connected: false,
            due: now,
            pending: None,
        })
    }

    /// Offers sections, with the `rid`s of those that send several encodings, the smallest first; returns the offer
    /// and their mids.
    ///
    /// # Errors
    /// When there is nothing to offer.
    pub fn offer(
        &mut self,
        wanted: Vec<(MediaKind, Direction, Vec<&'static str>)>,
    ) -> Result<(String, Vec<Mid>)> {
        let mut api = self.rtc.sdp_api();
        let mut add = |(kind, direction, rids): (MediaKind, Direction, Vec<&'static str>)| {
            let simulcast = (!rids.is_empty()).then(|| {
                let mut simulcast = Simulcast::new();
                let layers = rids.into_iter().map(SimulcastLayer::new);
                layers.for_each(|layer| simulcast.add_send_layer(layer));
                simulcast
            });
            api.add_media(kind, direction, None, None, simulcast)
        };
        let mids = wanted.into_iter().map(&mut add).collect();
        let (offer, pending) = api.apply().context("nothing to offer")?;
        self.pending = Some(pending);
        Ok((offer.to_sdp_string(), mids))
    }

    /// Takes the answer.
    ///
    /// # Errors
    /// When the answer does not fit the offer.
    pub fn accept(&mut self, answer: &str) -> Result<()> {
        let answer = SdpAnswer::from_sdp_string(answer)?;
        let pending = self.pending.take().context("no offer is pending")?;
        self.rtc.sdp_api().accept_answer(pending, answer)?;
        Ok(())
    }

    /// Answers an offer: the other server offers to whoever receives.
    ///
    /// # Errors
    /// When the offer is none, or can't be answered.
    pub fn answer(&mut self, offer: &str) -> Result<String> {
        let offer = SdpOffer::from_sdp_string(offer)?;
        let answer = self.rtc.sdp_api().accept_offer(offer)?;
        Ok(answer.to_sdp_string())
    }

    /// Takes a datagram.
    pub fn receive(&mut self, now: Instant, source: SocketAddr, bytes: &[u8]) {
        let Ok(contents) = bytes.try_into() else {
            return;
        };
        let receive = Receive {
            proto: Protocol::Udp,
            source,
            destination: self.address,
            contents,
        };
        self.input(Input::Receive(now, receive));
    }

    /// Lets time pass.
    pub fn timeout(&mut self, now: Instant) {
        self.input(Input::Timeout(now));
    }

    fn input(&mut self, input: Input<'_>) {
        // A peer that fails shows itself by what it does not receive.
        if self.rtc.is_alive() && self.rtc.accepts(&input) {
            drop(self.rtc.handle_input(input));
        }
    }

    /// Queues an RTP packet of a track or of one of its encodings.
    pub fn send(&mut self, now: Instant, packet: Outgoing<'_>) {
        let payload_type = self
            .rtc
            .media(packet.mid)
            .and_then(|media| media.remote_pts().first().copied());
        let mut api = self.rtc.direct_api();
        let (Some(payload_type), Some(stream)) =
            (payload_type, api.stream_tx_by_mid(packet.mid, packet.rid))
        else {
            return;
        };
        let sequence = SeqNo::from(packet.sequence);
        let write = RtpWrite::new(payload_type, sequence, packet.time, now, packet.payload)
            .marker(packet.marker)
            .nackable(true)
            .ext_vals(packet.extensions);
        stream.write_rtp(write);
    }

    /// Payload types of repair, which are no media of their own.
    pub fn repair_payload_types(&self) -> Vec<u8> {
        let codecs = self.rtc.codec_config().params().iter();
        codecs
            .filter_map(|codec| codec.resend())
            .map(|payload_type| *payload_type)
            .collect()
    }

    /// Gives everything that it has to tell to `tell`.
    pub fn poll_all(&mut self, mut tell: impl FnMut(Told<'_>)) {
        while self.rtc.is_alive() {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    self.due = at;
                    return;
                }
                Ok(Output::Transmit(transmit)) => {
                    tell(Told::Datagram(transmit.destination, &transmit.contents));
                }
                Ok(Output::Event(Event::Connected)) => self.connected = true,
                Ok(Output::Event(Event::RtpPacket(packet))) => tell(Told::Packet(&packet)),
                Ok(Output::Event(Event::KeyframeRequest(request))) => {
                    tell(Told::KeyFrame(request.mid));
                }
                Ok(Output::Event(_)) => {}
                Err(_) => return,
            }
        }
    }

    /// Whether its connection still stands.
    pub fn lives(&self) -> bool {
        self.rtc.is_alive()
    }
}
