//! One relayed connection: whose it is, whom it may reach, and until when.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use homeline_media_engine::wire::stun::{IntegrityKey, TransactionId};

use super::bucket::Bucket;

/// RFC 8656 section 9: a permission lasts five minutes, unless it is renewed.
const PERMISSION_LIFETIME: Duration = Duration::from_secs(300);

/// RFC 8656 section 12: a channel lasts ten.
const CHANNEL_LIFETIME: Duration = Duration::from_secs(600);

/// Addresses that one connection may be permitted; ours are sixteen at most. A further one is refused.
const PERMISSIONS_MAX: usize = 32;

/// Channels that one connection may have, and peers: sixteen addresses for each media worker that a client
/// may try. A further one is refused, or its packet dropped.
const PEERS_MAX: usize = 64;

/// RFC 8656 section 12.
const CHANNELS: std::ops::RangeInclusive<u16> = 0x4000..=0x4fff;

/// `P` is the socket of a peer; this part only keeps it.
pub(super) struct Allocation<P> {
    pub(super) username: String,
    pub(super) key: IntegrityKey,
    /// Of the request that made it, which the client may repeat.
    pub(super) transaction: TransactionId,
    pub(super) relayed: SocketAddr,
    pub(super) expires: Instant,
    /// It can't be refreshed beyond.
    pub(super) latest: Instant,
    pub(super) to_peer: Bucket,
    pub(super) to_client: Bucket,
    permissions: Vec<(IpAddr, Instant)>,
    channels: Vec<Channel>,
    peers: Vec<(SocketAddr, P)>,
}

struct Channel {
    number: u16,
    peer: SocketAddr,
    expires: Instant,
}

/// What a new one starts with.
pub(super) struct New {
    pub(super) username: String,
    pub(super) key: IntegrityKey,
    pub(super) transaction: TransactionId,
    pub(super) relayed: SocketAddr,
    pub(super) expires: Instant,
    pub(super) latest: Instant,
    pub(super) bytes_per_second_max: u64,
}

/// Why a channel is not bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BindError {
    /// The number is out of range, or one of the two is bound otherwise.
    Mismatch,
    TooMany,
}

impl<P> Allocation<P> {
    pub(super) fn new(new: New, now: Instant) -> Self {
        Self {
            username: new.username,
            key: new.key,
            transaction: new.transaction,
            relayed: new.relayed,
            expires: new.expires,
            latest: new.latest,
            to_peer: Bucket::new(new.bytes_per_second_max, now),
            to_client: Bucket::new(new.bytes_per_second_max, now),
            permissions: Vec::new(),
            channels: Vec::new(),
            peers: Vec::new(),
        }
    }

    /// Permits an address, or does so for longer. `false`: there are too many.
    pub(super) fn permit(&mut self, now: Instant, address: IpAddr) -> bool {
        let expires = now + PERMISSION_LIFETIME;
        if let Some(known) = self.permissions.iter_mut().find(|(ip, _)| *ip == address) {
            known.1 = expires;
            return true;
        }
        self.permissions.retain(|(_, expires)| *expires > now);
        let fits = self.permissions.len() < PERMISSIONS_MAX;
        if fits {
            self.permissions.push((address, expires));
        }
        fits
    }

    pub(super) fn permits(&self, now: Instant, address: IpAddr) -> bool {
        let counts = |(ip, expires): &(IpAddr, Instant)| *ip == address && *expires > now;
        self.permissions.iter().any(counts)
    }

    /// Binds a channel, or does so for longer; that is a permission as well.
    pub(super) fn bind(
        &mut self,
        now: Instant,
        number: u16,
        peer: SocketAddr,
    ) -> Result<(), BindError> {
        self.channels.retain(|channel| channel.expires > now);
        let expires = now + CHANNEL_LIFETIME;
        let either = |channel: &&mut Channel| channel.number == number || channel.peer == peer;
        let count = self.channels.len();
        match self.channels.iter_mut().find(either) {
            Some(known) if known.number == number && known.peer == peer => known.expires = expires,
            Some(_) => return Err(BindError::Mismatch),
            None if !CHANNELS.contains(&number) => return Err(BindError::Mismatch),
            None if count >= PEERS_MAX => return Err(BindError::TooMany),
            None => self.channels.push(Channel {
                number,
                peer,
                expires,
            }),
        }
        if self.permit(now, peer.ip()) {
            Ok(())
        } else {
            Err(BindError::TooMany)
        }
    }

    pub(super) fn peer_of(&self, now: Instant, number: u16) -> Option<SocketAddr> {
        let counts = |channel: &&Channel| channel.number == number && channel.expires > now;
        self.channels.iter().find(counts).map(|found| found.peer)
    }

    pub(super) fn channel_of(&self, now: Instant, peer: SocketAddr) -> Option<u16> {
        let counts = |channel: &&Channel| channel.peer == peer && channel.expires > now;
        self.channels.iter().find(counts).map(|found| found.number)
    }

    pub(super) fn socket(&self, peer: SocketAddr) -> Option<&P> {
        let found = self.peers.iter().find(|(known, _)| *known == peer);
        found.map(|(_, socket)| socket)
    }

    /// Keeps a peer's socket. `false`: there are too many.
    pub(super) fn keep(&mut self, peer: SocketAddr, socket: P) -> bool {
        let fits = self.peers.len() < PEERS_MAX;
        if fits {
            self.peers.push((peer, socket));
        }
        fits
    }
}
