//! Protects what we send. Never uses an index twice: under GCM that would give the key away.

use super::cipher::{Cipher, RTCP_CLEAR_LEN};
use super::profile::{MasterKey, Profile};
use super::rollover::{ReplayWindow, estimate};
use super::streams::Streams;
use crate::wire::ids::Ssrc;
use crate::wire::rtp::{HeaderLayout, RtpError};

/// How far behind the newest packet of its stream a packet may still be sent: 128. The pacer may reorder
/// a little; retransmissions have their own stream.
const WINDOW_WORDS: usize = 2;

/// Why a packet was not protected. The buffer's content is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtectError {
    /// Not an RTP packet.
    #[error("not an rtp packet: {0}")]
    Rtp(#[from] RtpError),
    /// Shorter than an RTCP header with its SSRC.
    #[error("too short for rtcp")]
    RtcpTruncated,
    /// The buffer has no room for the tag behind the packet.
    #[error("no room for the tag")]
    NoRoom,
    /// This SSRC and sequence number were sent, or may have been: sealing again would repeat a nonce.
    #[error("sequence number was used before")]
    Repeated,
    /// More than `STREAMS_MAX` SSRCs.
    #[error("too many streams")]
    TooManyStreams,
    /// The key has numbered all packets that it may; the transport needs a new handshake.
    #[error("packet numbers are used up")]
    Exhausted,
}

/// The sending direction of one transport.
pub struct Outbound {
    profile: Profile,
    rtp: Cipher,
    rtcp: Cipher,
    streams: Streams<ReplayWindow<WINDOW_WORDS>>,
    /// One counter for all SSRCs, since each needs only to be free of repeats. 31 bits, from 1.
    rtcp_index: u32,
}

impl Outbound {
    /// Derives the session keys.
    pub fn new(master: &MasterKey) -> Self {
        Self::with_ciphers(master.profile, Cipher::rtp(master), Cipher::rtcp(master))
    }

    pub(super) const fn with_ciphers(profile: Profile, rtp: Cipher, rtcp: Cipher) -> Self {
        Self {
            profile,
            rtp,
            rtcp,
            streams: Streams::new(),
            rtcp_index: 0,
        }
    }

    /// The negotiated profile.
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// Seals the clear RTP packet in `buffer[..len]` where it lies and returns its new length. Within a
    /// stream, sequence numbers may jump ahead by less than 32,768 and fall back by less than 128.
    pub fn protect_rtp(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, ProtectError> {
        let packet = buffer.get(..len).ok_or(ProtectError::NoRoom)?;
        let layout = HeaderLayout::parse(packet)?;
        let sealed_len = len + self.rtp.tag_len();
        if buffer.len() < sealed_len {
            return Err(ProtectError::NoRoom);
        }
        let sequence = u16::from_be_bytes([buffer[2], buffer[3]]);
        let ssrc = Ssrc(u32::from_be_bytes([
            buffer[8], buffer[9], buffer[10], buffer[11],
        ]));
        if self.streams.state(ssrc).is_none() {
            self.streams
                .insert(ssrc, ReplayWindow::new())
                .map_err(|_| ProtectError::TooManyStreams)?;
        }
        let window = self
            .streams
            .state(ssrc)
            .ok_or(ProtectError::TooManyStreams)?;
        let index = estimate(window.highest(), sequence).ok_or_else(|| {
            // Behind the very first packet is refused like any number too old to vouch for.
            if window.highest().is_some_and(|highest| highest >> 16 == 0) {
                ProtectError::Repeated
            } else {
                ProtectError::Exhausted
            }
        })?;
        // Too old is as bad as repeated: nobody remembers whether the number was used.
        window.check(index).map_err(|_| ProtectError::Repeated)?;
        window.accept(index);
        self.rtp
            .seal_rtp(buffer, len, layout.header_len, ssrc, index);
        Ok(sealed_len)
    }

    /// Seals the clear compound RTCP packet in `buffer[..len]` where it lies and returns its new length.
    pub fn protect_rtcp(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, ProtectError> {
        if len < RTCP_CLEAR_LEN {
            return Err(ProtectError::RtcpTruncated);
        }
        let sealed_len = len + self.rtcp.tag_len() + 4;
        if buffer.len() < sealed_len {
            return Err(ProtectError::NoRoom);
        }
        if self.rtcp_index == RTCP_INDEX_MAX {
            return Err(ProtectError::Exhausted);
        }
        self.rtcp_index += 1;
        let ssrc = Ssrc(u32::from_be_bytes([
            buffer[4], buffer[5], buffer[6], buffer[7],
        ]));
        self.rtcp.seal_rtcp(buffer, len, ssrc, self.rtcp_index);
        Ok(sealed_len)
    }

    /// Forgets a stream, so that its place can be taken. Its SSRC must never be sent again by this
    /// transport: the memory of its used sequence numbers goes with it.
    pub fn forget(&mut self, ssrc: Ssrc) {
        self.streams.remove(ssrc);
    }

    #[cfg(test)]
    pub(super) const fn set_rtcp_index(&mut self, last_used: u32) {
        self.rtcp_index = last_used;
    }
}

const RTCP_INDEX_MAX: u32 = (1 << 31) - 1;
