//! Opens what arrives. Nothing is remembered of a packet before its tag has been checked.

use super::cipher::{Cipher, RTCP_CLEAR_LEN, RTCP_ENCRYPTED};
use super::profile::{MasterKey, Profile};
use super::rollover::{Refused, ReplayWindow, estimate};
use super::streams::Streams;
use crate::wire::ids::Ssrc;
use crate::wire::rtp::{HeaderLayout, RtpError};

/// 1,024 packets, as libwebrtc: two seconds of a 5 Mbit/s stream may arrive late and still count.
const RTP_WINDOW_WORDS: usize = 16;

/// 128 packets: RTCP is rare and late reports are worth nothing.
const RTCP_WINDOW_WORDS: usize = 2;

/// Why a packet was dropped. Its bytes may have been changed and mean nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnprotectError {
    /// The clear part is not an RTP header.
    #[error("not an rtp packet: {0}")]
    Rtp(#[from] RtpError),
    /// Too short to hold a header and a tag.
    #[error("too short")]
    Truncated,
    /// This packet was received before.
    #[error("packet was replayed")]
    Replayed,
    /// The packet is older than the replay window.
    #[error("packet is older than the replay window")]
    TooOld,
    /// Forged, damaged, or sealed with another key.
    #[error("authentication failed")]
    BadTag,
    /// SRTCP without encryption, which WebRTC forbids (RFC 8827 section 6.5).
    #[error("rtcp is not encrypted")]
    NotEncrypted,
    /// More than `STREAMS_MAX` SSRCs.
    #[error("too many streams")]
    TooManyStreams,
}

impl From<Refused> for UnprotectError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Repeated => Self::Replayed,
            Refused::TooOld => Self::TooOld,
        }
    }
}

/// The receiving direction of one transport.
pub struct Inbound {
    profile: Profile,
    rtp: Cipher,
    rtcp: Cipher,
    rtp_streams: Streams<ReplayWindow<RTP_WINDOW_WORDS>>,
    rtcp_streams: Streams<ReplayWindow<RTCP_WINDOW_WORDS>>,
}

impl Inbound {
    /// Derives the session keys.
    pub fn new(master: &MasterKey) -> Self {
        Self::with_ciphers(master.profile, Cipher::rtp(master), Cipher::rtcp(master))
    }

    pub(super) const fn with_ciphers(profile: Profile, rtp: Cipher, rtcp: Cipher) -> Self {
        Self {
            profile,
            rtp,
            rtcp,
            rtp_streams: Streams::new(),
            rtcp_streams: Streams::new(),
        }
    }

    /// The negotiated profile.
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// Opens a sealed RTP packet where it lies and returns the length of the clear packet.
    pub fn unprotect_rtp(&mut self, packet: &mut [u8]) -> Result<usize, UnprotectError> {
        let layout = HeaderLayout::parse(packet)?;
        let clear_len = packet
            .len()
            .checked_sub(self.rtp.tag_len())
            .filter(|clear_len| *clear_len >= layout.header_len)
            .ok_or(UnprotectError::Truncated)?;
        let sequence = u16::from_be_bytes([packet[2], packet[3]]);
        let ssrc = Ssrc(u32::from_be_bytes([
            packet[8], packet[9], packet[10], packet[11],
        ]));
        let window = self.rtp_streams.state(ssrc);
        let highest = window.as_ref().and_then(|window| window.highest());
        let index = estimate(highest, sequence).ok_or(UnprotectError::TooOld)?;
        if let Some(window) = window {
            window.check(index)?;
            self.rtp
                .open_rtp(packet, layout.header_len, ssrc, index)
                .map_err(|_| UnprotectError::BadTag)?;
            window.accept(index);
        } else {
            if self.rtp_streams.is_full() {
                return Err(UnprotectError::TooManyStreams);
            }
            self.rtp
                .open_rtp(packet, layout.header_len, ssrc, index)
                .map_err(|_| UnprotectError::BadTag)?;
            self.rtp_streams
                .insert(ssrc, ReplayWindow::new())
                .map_err(|_| UnprotectError::TooManyStreams)?
                .accept(index);
        }
        Ok(clear_len)
    }

    /// Opens a sealed compound RTCP packet where it lies and returns the length of the clear packet.
    pub fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, UnprotectError> {
        let clear_len = packet
            .len()
            .checked_sub(self.rtcp.tag_len() + 4)
            .filter(|clear_len| *clear_len >= RTCP_CLEAR_LEN)
            .ok_or(UnprotectError::Truncated)?;
        let word = self.rtcp.rtcp_word(packet);
        if word & RTCP_ENCRYPTED == 0 {
            return Err(UnprotectError::NotEncrypted);
        }
        let index = word & !RTCP_ENCRYPTED;
        let ssrc = Ssrc(u32::from_be_bytes([
            packet[4], packet[5], packet[6], packet[7],
        ]));
        if let Some(window) = self.rtcp_streams.state(ssrc) {
            window.check(u64::from(index))?;
            self.rtcp
                .open_rtcp(packet, ssrc, index)
                .map_err(|_| UnprotectError::BadTag)?;
            window.accept(u64::from(index));
        } else {
            if self.rtcp_streams.is_full() {
                return Err(UnprotectError::TooManyStreams);
            }
            self.rtcp
                .open_rtcp(packet, ssrc, index)
                .map_err(|_| UnprotectError::BadTag)?;
            self.rtcp_streams
                .insert(ssrc, ReplayWindow::new())
                .map_err(|_| UnprotectError::TooManyStreams)?
                .accept(u64::from(index));
        }
        Ok(clear_len)
    }
}
