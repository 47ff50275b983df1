//! A client made of `str0m`, without sockets: told the time, like the engine.

#[path = "descriptor.rs"]
pub mod descriptor;
#[path = "packets.rs"]
pub mod packets;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Once;
use std::time::Instant;

use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::format::Codec;
use str0m::media::{Direction, Frequency, KeyframeRequestKind, MediaKind, MediaTime, Mid};
use str0m::net::{Protocol, Receive, TcpType};
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc, RtcConfig};

use descriptor::Descriptor;
use packets::{Arrived, Asked};

/// A frame that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub at: Instant,
    pub data: Vec<u8>,
    pub contiguous: bool,
    /// In the clock of the codec.
    pub time: u64,
    pub spurt: bool,
}

/// What is said of a frame beside it.
#[derive(Clone, Copy, Default)]
pub struct Beside {
    /// Decibels below overload.
    pub level: Option<u8>,
    /// Whether it is a key frame, in a dependency descriptor.
    pub key: Option<bool>,
}

/// One peer connection with what it has received.
pub struct Client {
    pub rtc: Rtc,
    pub address: SocketAddr,
    /// The address that a router in between shows to the world instead.
    pub nat: Option<SocketAddr>,
    /// The address in a second network, in which it is at the same time.
    pub second: Option<SocketAddr>,
    pub connected: bool,
    pub frames: HashMap<Mid, Vec<Frame>>,
    pub key_frame_requests: usize,
    /// Whether it is in RTP mode.
    pub tells_packets: bool,
    /// Of a client in RTP mode, since it was last looked at: packets, and key frames that it was asked for.
    pub packets: Vec<Arrived>,
    pub asked: Vec<Asked>,
    pub bytes_out: u64,
    pending: Option<SdpPendingOffer>,
    /// The mids of all offers.
    offered: Vec<Mid>,
    sent: HashMap<Mid, u64>,
}

/// A datagram that a client wants sent.
pub struct Datagram {
    pub protocol: Protocol,
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub bytes: Vec<u8>,
}

/// Whether a mid is there twice: they are random and short, so that a few in a hundred thousand repeat.
fn repeats(mids: &[Mid], offered: &[Mid]) -> bool {
    let mut all = mids.iter().chain(offered);
    (0..mids.len()).any(|_| all.next().is_some_and(|mid| all.clone().any(|m| m == mid)))
}

impl Client {
    pub fn new(now: Instant, address: SocketAddr) -> Self {
        Self::with(now, address, |config| config)
    }

    pub fn with(
        now: Instant,
        address: SocketAddr,
        configure: impl FnOnce(RtcConfig) -> RtcConfig,
    ) -> Self {
        let mut client = Self::without_candidate(now, address, configure);
        client
            .rtc
            .add_local_candidate(Candidate::host(address, "udp").unwrap());
        client
    }

    /// A client that opens TCP connections and has no UDP.
    pub fn over_tcp(now: Instant, address: SocketAddr) -> Self {
        let mut client = Self::without_candidate(now, address, |config| config);
        client.add_tcp();
        client
    }

    /// TCP as well.
    pub fn add_tcp(&mut self) {
        let candidate = Candidate::builder().tcp().host(self.address);
        let candidate = candidate.tcptype(TcpType::Active).build().unwrap();
        self.rtc.add_local_candidate(candidate);
    }

    fn without_candidate(
        now: Instant,
        address: SocketAddr,
        configure: impl FnOnce(RtcConfig) -> RtcConfig,
    ) -> Self {
        static CRYPTO: Once = Once::new();
        CRYPTO.call_once(|| {
            str0m::crypto::from_feature_flags().install_process_default();
        });
        let config = RtcConfig::new()
            .clear_codecs()
            .enable_opus(true, false)
            .enable_vp8(true);
        let rtc = configure(config).build(now);
        Self {
            rtc,
            address,
            nat: None,
            second: None,
            connected: false,
            frames: HashMap::new(),
            key_frame_requests: 0,
            tells_packets: false,
            packets: Vec::new(),
            asked: Vec::new(),
            bytes_out: 0,
            pending: None,
            offered: Vec::new(),
            sent: HashMap::new(),
        }
    }

    /// The address under which the world sees it.
    pub fn outside(&self) -> SocketAddr {
        self.nat.unwrap_or(self.address)
    }

    /// A second network beside the first.
    pub fn join_network(&mut self, address: SocketAddr) {
        self.rtc
            .add_local_candidate(Candidate::host(address, "udp").unwrap());
        self.second = Some(address);
    }

    /// Another address, as after a change of network.
    pub fn move_to(&mut self, address: SocketAddr) {
        self.rtc
            .add_local_candidate(Candidate::host(address, "udp").unwrap());
        self.address = address;
    }

    /// Offers new sections; returns the offer and their mids.
    pub fn offer(&mut self, wanted: &[(MediaKind, Direction)]) -> (String, Vec<Mid>) {
        loop {
            let mut api = self.rtc.sdp_api();
            let mids: Vec<Mid> = wanted
                .iter()
                .map(|(kind, direction)| api.add_media(*kind, *direction, None, None, None))
                .collect();
            if repeats(&mids, &self.offered) {
                continue;
            }
            let (offer, pending) = api.apply().expect("there are changes");
            self.pending = Some(pending);
            self.offered.extend(&mids);
            return (offer.to_sdp_string(), mids);
        }
    }

    pub fn offer_stop(&mut self, mid: Mid) -> String {
        let mut api = self.rtc.sdp_api();
        api.set_direction(mid, Direction::Inactive);
        let (offer, pending) = api.apply().expect("there are changes");
        self.pending = Some(pending);
        offer.to_sdp_string()
    }

    pub fn offer_ice_restart(&mut self) -> String {
        let mut api = self.rtc.sdp_api();
        api.ice_restart(true);
        let (offer, pending) = api.apply().expect("there are changes");
        self.pending = Some(pending);
        offer.to_sdp_string()
    }

    pub fn accept(&mut self, answer: &str) {
        let answer = SdpAnswer::from_sdp_string(answer).expect("the answer parses");
        let pending = self.pending.take().expect("an offer is pending");
        self.rtc
            .sdp_api()
            .accept_answer(pending, answer)
            .expect("the answer is accepted");
    }

    pub fn receive(
        &mut self,
        now: Instant,
        source: SocketAddr,
        destination: SocketAddr,
        bytes: &[u8],
    ) {
        self.receive_over(Protocol::Udp, now, source, destination, bytes);
    }

    pub fn receive_over(
        &mut self,
        proto: Protocol,
        now: Instant,
        source: SocketAddr,
        destination: SocketAddr,
        bytes: &[u8],
    ) {
        let Ok(contents) = bytes.try_into() else {
            return;
        };
        let receive = Receive {
            proto,
            source,
            destination,
            contents,
        };
        let input = Input::Receive(now, receive);
        if self.rtc.accepts(&input) {
            self.rtc.handle_input(input).expect("the client takes it");
        }
    }

    pub fn timeout(&mut self, now: Instant) {
        if self.rtc.is_alive() {
            self.rtc
                .handle_input(Input::Timeout(now))
                .expect("the client takes the time");
        }
    }

    /// Everything it wants sent, and when it wants to be called again.
    pub fn poll(&mut self, now: Instant) -> (Vec<Datagram>, Instant) {
        let mut datagrams = Vec::new();
        loop {
            if !self.rtc.is_alive() {
                return (datagrams, now + std::time::Duration::from_secs(3_600));
            }
            match self.rtc.poll_output().expect("the client is well") {
                Output::Timeout(at) => return (datagrams, at),
                Output::Transmit(transmit) => {
                    self.bytes_out += transmit.contents.len() as u64;
                    datagrams.push(Datagram {
                        protocol: transmit.proto,
                        from: transmit.source,
                        to: transmit.destination,
                        bytes: transmit.contents.to_vec(),
                    });
                }
                Output::Event(event) => self.note(event),
            }
        }
    }

    fn note(&mut self, event: Event) {
        match event {
            Event::Connected => self.connected = true,
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) => {
                self.connected = false;
            }
            Event::MediaData(data) => {
                let frames = self.frames.entry(data.mid).or_default();
                frames.push(Frame {
                    at: data.network_time,
                    data: data.data.to_vec(),
                    contiguous: data.contiguous,
                    time: data.time.numer(),
                    spurt: data.audio_start_of_talk_spurt,
                });
            }
            Event::KeyframeRequest(request) => {
                self.key_frame_requests += 1;
                self.asked.push((request.mid, request.rid));
            }
            Event::RtpPacket(packet) => self.note_packet(&packet),
            _ => {}
        }
    }

    /// Sends one frame of a section.
    pub fn send(&mut self, now: Instant, mid: Mid, data: &[u8]) {
        self.send_with(now, mid, data, &Beside::default());
    }

    /// Sends one frame of a section, and more in the headers of its packets.
    pub fn send_with(&mut self, now: Instant, mid: Mid, data: &[u8], beside: &Beside) {
        let Some(media) = self.rtc.media(mid) else {
            return;
        };
        let kind = media.kind();
        let (codec, frequency, step) = match kind {
            MediaKind::Audio => (Codec::Opus, Frequency::FORTY_EIGHT_KHZ, 960),
            MediaKind::Video => (Codec::Vp8, Frequency::NINETY_KHZ, 3_000),
        };
        let count = self.sent.entry(mid).or_default();
        let Some(mut writer) = self.rtc.writer(mid) else {
            return;
        };
        if let Some(level) = beside.level {
            writer = writer.audio_level(-(level as i8), level < 60);
        }
        if let Some(key) = beside.key {
            writer = writer.user_extension_value(Descriptor::new(key, *count as u16));
        }
        let found = writer
            .payload_params()
            .find(|params| params.spec().codec == codec);
        let Some(payload_type) = found.map(|params| params.pt()) else {
            return;
        };
        let time = MediaTime::new(*count * step, frequency);
        *count += 1;
        writer
            .write(payload_type, now, time, data.to_vec())
            .expect("the frame is taken");
    }

    /// Sends the frame of one layer of a picture; those of one picture have one time.
    pub fn send_layer(&mut self, now: Instant, mid: Mid, data: &[u8], layer: (Descriptor, u64)) {
        let (descriptor, picture) = layer;
        let writer = self.rtc.writer(mid).expect("the section is there");
        let writer = writer.user_extension_value(descriptor);
        let found = writer
            .payload_params()
            .find(|params| params.spec().codec == Codec::Vp8);
        let payload_type = found.map(|params| params.pt()).expect("it has VP8");
        let time = MediaTime::new(picture * 3_000, Frequency::NINETY_KHZ);
        writer
            .write(payload_type, now, time, data.to_vec())
            .expect("the frame is taken");
    }

    pub fn ask_for_key_frame(&mut self, mid: Mid) {
        let mut writer = self.rtc.writer(mid).expect("the section is there");
        writer
            .request_keyframe(None, KeyframeRequestKind::Pli)
            .expect("the request is taken");
    }

    pub fn received(&self, mid: Mid) -> &[Frame] {
        self.frames.get(&mid).map_or(&[], Vec::as_slice)
    }
}
