//! Counts of what passed and of what was refused, and why.

/// Why something that arrived, or should have left, was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// Neither STUN, DTLS, RTP nor RTCP.
    UnknownProtocol,
    /// From an address that no ICE check has introduced.
    UnknownPath,
    /// Not a STUN message.
    StunMalformed,
    /// A STUN message that a lite agent has no use for, or an answer to no question.
    StunUnexpected,
    /// For a ufrag that nobody here has.
    StunUnknownUser,
    /// MESSAGE-INTEGRITY missing or wrong.
    StunUnauthentic,
    /// Media before the handshake, or after the end.
    NotConnected,
    /// Not an RTP packet.
    RtpMalformed,
    /// Not an RTCP packet, or one that contradicts itself.
    RtcpMalformed,
    /// Received before.
    Replayed,
    /// Too old to tell whether it was received before.
    TooOld,
    /// The SRTP tag is wrong.
    Unauthentic,
    /// More streams than a peer may have.
    TooManyStreams,
    /// A stream that belongs to no negotiated section.
    UnknownStream,
    /// A payload type that was not negotiated.
    UnknownPayloadType,
    /// A retransmission of what was already there, or a probe.
    Redundant,
    /// Could not be written or sealed for a receiver.
    NotSent,
}

impl DropReason {
    /// All reasons, in the order in which the counters lie.
    pub const ALL: [Self; 17] = [
        Self::UnknownProtocol,
        Self::UnknownPath,
        Self::StunMalformed,
        Self::StunUnexpected,
        Self::StunUnknownUser,
        Self::StunUnauthentic,
        Self::NotConnected,
        Self::RtpMalformed,
        Self::RtcpMalformed,
        Self::Replayed,
        Self::TooOld,
        Self::Unauthentic,
        Self::TooManyStreams,
        Self::UnknownStream,
        Self::UnknownPayloadType,
        Self::Redundant,
        Self::NotSent,
    ];

    /// A metric label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::UnknownProtocol => "unknown_protocol",
            Self::UnknownPath => "unknown_path",
            Self::StunMalformed => "stun_malformed",
            Self::StunUnexpected => "stun_unexpected",
            Self::StunUnknownUser => "stun_unknown_user",
            Self::StunUnauthentic => "stun_unauthentic",
            Self::NotConnected => "not_connected",
            Self::RtpMalformed => "rtp_malformed",
            Self::RtcpMalformed => "rtcp_malformed",
            Self::Replayed => "replayed",
            Self::TooOld => "too_old",
            Self::Unauthentic => "unauthentic",
            Self::TooManyStreams => "too_many_streams",
            Self::UnknownStream => "unknown_stream",
            Self::UnknownPayloadType => "unknown_payload_type",
            Self::Redundant => "redundant",
            Self::NotSent => "not_sent",
        }
    }
}

/// Totals since the engine began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Datagrams received.
    pub datagrams_in: u64,
    /// Their bytes.
    pub bytes_in: u64,
    /// Datagrams handed out for sending.
    pub datagrams_out: u64,
    /// Their bytes.
    pub bytes_out: u64,
    /// RTP packets taken from publishers.
    pub rtp_in: u64,
    /// RTP packets written for receivers.
    pub rtp_forwarded: u64,
    /// RTP packets written again because a receiver missed them.
    pub rtp_retransmitted: u64,
    /// RTP packets of nothing but padding, to probe paths.
    pub padding_sent: u64,
    /// RTP packets taken and left out for all receivers: silence, and who is not among the loudest.
    pub rtp_left_out: u64,
    /// RTP packets asked for again from publishers.
    pub nacks_sent: u64,
    /// Receivers whose picture began with a key frame that was at hand.
    pub key_frames_replayed: u64,
    /// Key frames asked for.
    pub key_frame_requests_sent: u64,
    /// RTP packets handed over to other engines that have a part of their room.
    pub relayed_out: u64,
    /// RTP packets taken from those.
    pub relayed_in: u64,
    dropped: [u64; DropReason::ALL.len()],
}

impl Counters {
    /// How many were dropped for a reason.
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped[reason as usize]
    }

    /// How many were dropped in all.
    pub fn dropped_total(&self) -> u64 {
        self.dropped.iter().sum()
    }

    /// Every total with its name, but for what was dropped.
    pub const fn named(&self) -> [(&'static str, u64); 12] {
        [
            ("datagrams_in", self.datagrams_in),
            ("bytes_in", self.bytes_in),
            ("datagrams_out", self.datagrams_out),
            ("bytes_out", self.bytes_out),
            ("rtp_in", self.rtp_in),
            ("rtp_forwarded", self.rtp_forwarded),
            ("rtp_retransmitted", self.rtp_retransmitted),
            ("padding_sent", self.padding_sent),
            ("nacks_sent", self.nacks_sent),
            ("key_frame_requests_sent", self.key_frame_requests_sent),
            ("relayed_out", self.relayed_out),
            ("relayed_in", self.relayed_in),
        ]
    }

    /// Adds another engine's.
    pub fn add(&mut self, other: &Self) {
        self.datagrams_in += other.datagrams_in;
        self.bytes_in += other.bytes_in;
        self.datagrams_out += other.datagrams_out;
        self.bytes_out += other.bytes_out;
        self.rtp_in += other.rtp_in;
        self.rtp_forwarded += other.rtp_forwarded;
        self.rtp_retransmitted += other.rtp_retransmitted;
        self.padding_sent += other.padding_sent;
        self.rtp_left_out += other.rtp_left_out;
        self.nacks_sent += other.nacks_sent;
        self.key_frames_replayed += other.key_frames_replayed;
        self.key_frame_requests_sent += other.key_frame_requests_sent;
        self.relayed_out += other.relayed_out;
        self.relayed_in += other.relayed_in;
        for (count, more) in self.dropped.iter_mut().zip(other.dropped) {
            *count += more;
        }
    }

    pub(crate) fn drop(&mut self, reason: DropReason) {
        self.dropped[reason as usize] += 1;
    }
}
