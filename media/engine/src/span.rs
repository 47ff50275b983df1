//! What engines tell each other of a room whose peers are spread over several of them.
//!
//! [`RoomNews`] is all that one engine's part of a room is to another: a newer one replaces it, and none may be lost.
//! Messages are what happens meanwhile: packets, reports, and what is asked for. They are bytes, so that they can lie
//! in a ring, they may be lost, and they come in order.

use std::time::Duration;

use homeline_protocol::id::{PeerId, RoomId, TrackId};

use crate::transport::sdp::{Codec, ExtensionIds, Kind};
use crate::wire::ids::Ssrc;
use crate::wire::rtcp::SenderInfo;

/// An engine among those that may share rooms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EngineId(pub u16);

/// One engine's part of a room, as another needs to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomNews {
    pub(crate) room: RoomId,
    /// The part is no more.
    pub(crate) gone: bool,
    /// Whether news of the other's part has come; until then it shall be told again.
    pub(crate) heard: bool,
    pub(crate) peers: Vec<PeerNews>,
    pub(crate) tracks: Vec<TrackNews>,
    /// In order of the tracks.
    pub(crate) wants: Vec<Want>,
}

/// A peer of the part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PeerNews {
    pub(crate) id: PeerId,
    pub(crate) takes_part: bool,
}

/// A track that one of its peers publishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TrackNews {
    pub(crate) id: TrackId,
    pub(crate) peer: PeerId,
    /// Its place in the part, by which messages name it.
    pub(crate) slot: u32,
    /// Under which number its packets are handed over now. Each number is one span without holes of our making: at
    /// the next everything begins anew.
    pub(crate) run: Option<u32>,
    pub(crate) held: bool,
    pub(crate) kind: Kind,
    pub(crate) codec: Codec,
    pub(crate) ids: ExtensionIds,
    pub(crate) encodings: Vec<EncodingNews>,
}

/// One of its encodings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EncodingNews {
    pub(crate) rid: Option<String>,
    pub(crate) ssrc: Option<Ssrc>,
}

/// What the part takes of a track of the other's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Want {
    pub(crate) track: TrackId,
    /// Encodings or spatial layers, one bit each.
    pub(crate) layers: u8,
}

impl RoomNews {
    /// The room that it is of: a newer one of the same room replaces it.
    pub const fn room(&self) -> RoomId {
        self.room
    }

    /// That a part is no more.
    pub(crate) const fn farewell(room: RoomId) -> Self {
        Self {
            room,
            gone: true,
            heard: true,
            peers: Vec::new(),
            tracks: Vec::new(),
            wants: Vec::new(),
        }
    }
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A packet as its publisher sent it, without SRTP.
    Packet,
    /// The same, of one that had to be sent again.
    Again,
    /// [`Report`].
    Report,
    /// To the publisher's engine: a key frame is wanted.
    KeyFrame,
    /// To the publisher's engine: sequence numbers that are missing.
    Resend,
}

impl What {
    const ALL: [Self; 5] = [
        Self::Packet,
        Self::Again,
        Self::Report,
        Self::KeyFrame,
        Self::Resend,
    ];
}

/// How a message begins. Place and run are the publisher's engine's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) room: RoomId,
    pub(crate) what: What,
    pub(crate) encoding: u8,
    pub(crate) slot: u32,
    pub(crate) run: u32,
}

impl Header {
    pub(crate) fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.room.0);
        bytes.push(self.what as u8);
        bytes.push(self.encoding);
        bytes.extend_from_slice(&self.slot.to_be_bytes());
        bytes.extend_from_slice(&self.run.to_be_bytes());
    }

    /// The header and what follows it; `None` for what is no message.
    pub(crate) fn parse(message: &[u8]) -> Option<(Self, &[u8])> {
        let (room, rest) = message.split_first_chunk()?;
        let ([what, encoding], rest) = rest.split_first_chunk()?;
        let (slot, rest) = rest.split_first_chunk()?;
        let (run, rest) = rest.split_first_chunk()?;
        let header = Self {
            room: RoomId(*room),
            what: *What::ALL.get(usize::from(*what))?,
            encoding: *encoding,
            slot: u32::from_be_bytes(*slot),
            run: u32::from_be_bytes(*run),
        };
        Some((header, rest))
    }
}

/// A publisher's report of one encoding, with what is known of its clock and its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) info: SenderInfo,
    /// Microseconds from its clock to ours.
    pub(crate) offset: i64,
    /// Zero while it is not known.
    pub(crate) round_trip: Duration,
}

impl Report {
    pub(crate) fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.info.ntp_time.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.info.rtp_timestamp.to_be_bytes());
        bytes[12..16].copy_from_slice(&self.info.packets.to_be_bytes());
        bytes[16..20].copy_from_slice(&self.info.octets.to_be_bytes());
        bytes[20..28].copy_from_slice(&self.offset.to_be_bytes());
        // Saturates after an hour.
        let micros = u32::try_from(self.round_trip.as_micros()).unwrap_or(u32::MAX);
        bytes[28..].copy_from_slice(&micros.to_be_bytes());
        bytes
    }

    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (ntp_time, rest) = bytes.split_first_chunk()?;
        let (rtp_timestamp, rest) = rest.split_first_chunk()?;
        let (packets, rest) = rest.split_first_chunk()?;
        let (octets, rest) = rest.split_first_chunk()?;
        let (offset, rest) = rest.split_first_chunk()?;
        let (round_trip, _) = rest.split_first_chunk()?;
        Some(Self {
            info: SenderInfo {
                ntp_time: u64::from_be_bytes(*ntp_time),
                rtp_timestamp: u32::from_be_bytes(*rtp_timestamp),
                packets: u32::from_be_bytes(*packets),
                octets: u32::from_be_bytes(*octets),
            },
            offset: i64::from_be_bytes(*offset),
            round_trip: Duration::from_micros(u32::from_be_bytes(*round_trip).into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_as_it_was_written_and_a_shorter_one_is_none() {
        let header = Header {
            room: RoomId([3; 16]),
            what: What::Resend,
            encoding: 2,
            slot: 70_000,
            run: u32::MAX,
        };
        let mut bytes = Vec::new();
        header.write(&mut bytes);
        let len = bytes.len();
        bytes.extend(b"rest");
        assert_eq!(Header::parse(&bytes), Some((header, b"rest".as_slice())));
        assert_eq!(Header::parse(&bytes[..len - 1]), None);
        bytes[16] = What::ALL.len() as u8;
        assert_eq!(Header::parse(&bytes), None);
        let report = Report {
            info: SenderInfo {
                ntp_time: 1 << 40,
                rtp_timestamp: 5,
                packets: 6,
                octets: 7,
            },
            offset: -8,
            round_trip: Duration::from_micros(9),
        };
        assert_eq!(Report::parse(&report.to_bytes()), Some(report));
        assert_eq!(Report::parse(&[0; 31]), None);
    }
}
