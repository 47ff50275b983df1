//! A peer made of `str0m` in RTP mode, without sockets.

use std::net::SocketAddr;
use std::sync::Once;
use std::time::Instant;

use anyhow::{Context as _, Result};
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::media::{Direction, MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{ExtensionValues, RtpWrite, SeqNo};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};

/// What both sides may use beside plain media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Features {
    /// No header extensions, no estimation, and receivers that count without decrypting.
    Plain,
    /// Everything that `str0m` has: extensions, transport-wide feedback, reports; receivers decrypt.
    All,
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
    /// Packets that it decrypted.
    pub opened: u64,
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
        if features == Features::Plain {
            config = config.clear_extension_map();
        }
        let mut rtc = config.build(now);
        rtc.add_local_candidate(Candidate::host(address, "udp")?);
        Ok(Self {
            rtc,
            address,
            connected: false,
            due: now,
            pending: None,
            opened: 0,
        })
    }

    /// Offers sections; returns the offer and their mids.
    ///
    /// # Errors
    /// When there is nothing to offer.
    pub fn offer(&mut self, wanted: &[(MediaKind, Direction)]) -> Result<(String, Vec<Mid>)> {
        let mut api = self.rtc.sdp_api();
        let add = |(kind, direction): &(MediaKind, Direction)| {
            api.add_media(*kind, *direction, None, None, None)
        };
        let mids = wanted.iter().map(add).collect();
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

    /// Queues an RTP packet of a track.
    pub fn write(
        &mut self,
        now: Instant,
        mid: Mid,
        sequence: u64,
        time: u32,
        marker: bool,
        payload: &[u8],
    ) {
        let payload_type = self
            .rtc
            .media(mid)
            .and_then(|media| media.remote_pts().first().copied());
        let mut api = self.rtc.direct_api();
        let (Some(payload_type), Some(stream)) = (payload_type, api.stream_tx_by_mid(mid, None))
        else {
            return;
        };
        let packet = RtpWrite::new(payload_type, SeqNo::from(sequence), time, now, payload)
            .marker(marker)
            .nackable(true)
            .ext_vals(ExtensionValues::default());
        stream.write_rtp(packet);
    }

    /// Gives everything that it wants sent to `send`.
    pub fn poll(&mut self, mut send: impl FnMut(SocketAddr, &[u8])) {
        while self.rtc.is_alive() {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    self.due = at;
                    return;
                }
                Ok(Output::Transmit(transmit)) => send(transmit.destination, &transmit.contents),
                Ok(Output::Event(Event::Connected)) => self.connected = true,
                Ok(Output::Event(Event::RtpPacket(_))) => self.opened += 1,
                Ok(Output::Event(_)) => {}
                Err(_) => return,
            }
        }
    }
}
