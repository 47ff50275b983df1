//! What the relay does with each message: decides, and keeps the allocations. No I/O, told the time.
//!
//! RFC 8656. Requests are in `requests`; here is what is relayed: channel data and indications.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::time::Instant;

use homeline_media_engine::wire::stun::{Class, StunMessage, StunWriter, TransactionId};

use super::allocation::Allocation;
use super::attribute;
use super::bucket::Bucket;
use super::config::TurnConfig;
use super::credentials::Credentials;
use super::doors::Doors;
use super::framing::{is_channel, is_stun};
use super::nonce::Nonces;
use super::refused::Refused;

/// Answers a second to those who have no allocation, over UDP: a sender's address may be forged there, so
/// this bounds what can be reflected at somebody. Further ones are not answered; clients repeat.
const STRANGERS_PER_SECOND_MAX: u64 = 500;

/// Longest message written: a datagram of ours, with what TURN puts around it.
pub(super) const OUT_LEN: usize = 2_048;

/// The client's side of a connection: RFC 8656's 5-tuple.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Client {
    /// Over UDP: which socket of ours, which of our addresses, and theirs.
    Datagram {
        socket: usize,
        local: Option<IpAddr>,
        address: SocketAddr,
    },
    /// One TCP connection.
    Stream { number: u64, address: SocketAddr },
}

impl Client {
    pub(super) const fn address(self) -> SocketAddr {
        match self {
            Self::Datagram { address, .. } | Self::Stream { address, .. } => address,
        }
    }
}

/// What time it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    pub(super) at: Instant,
    pub(super) unix_secs: u64,
}

/// What is to be done about a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    Drop,
    /// So many bytes of the buffer go back to the client.
    Reply(usize),
    /// This part of the message goes to the media socket at `door`, which the client calls `peer`.
    Relay {
        peer: SocketAddr,
        door: SocketAddr,
        data: Range<usize>,
    },
}

/// Figures since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) refused: Refused,
    pub(super) bytes_to_peers: u64,
    pub(super) bytes_to_clients: u64,
}

/// All allocations, and what decides about them.
pub(super) struct Relay<P> {
    pub(super) allocations: HashMap<Client, Allocation<P>>,
    pub(super) credentials: Credentials,
    pub(super) nonces: Nonces,
    pub(super) doors: Doors,
    pub(super) allocations_max: usize,
    pub(super) allocations_per_credential_max: usize,
    pub(super) bytes_per_second_max: u64,
    /// The port that the last relayed address had.
    pub(super) last_port: u16,
    pub(super) figures: Figures,
    strangers: Bucket,
}

impl<P> Relay<P> {
    pub(super) fn new(config: &TurnConfig, doors: Doors, seed: [u8; 32], now: Instant) -> Self {
        Self {
            allocations: HashMap::new(),
            credentials: Credentials::new(config.secret.clone()),
            nonces: Nonces::new(seed, now),
            doors,
            allocations_max: config.allocations_max,
            allocations_per_credential_max: config.allocations_per_credential_max,
            bytes_per_second_max: u64::from(config.kbits_per_second_max) * 1_000 / 8,
            last_port: u16::MAX,
            figures: Figures::default(),
            strangers: Bucket::new(STRANGERS_PER_SECOND_MAX, now),
        }
    }

    /// Takes one message of a client; a reply is written into `out`.
    pub(super) fn handle(
        &mut self,
        now: Now,
        client: Client,
        bytes: &[u8],
        out: &mut [u8; OUT_LEN],
    ) -> Verdict {
        match bytes.first() {
            Some(first) if is_channel(*first) => self.channel_data(now.at, client, bytes),
            Some(first) if is_stun(*first) => self.stun(now, client, bytes, out),
            _ => Verdict::Drop,
        }
    }

    fn stun(&mut self, now: Now, client: Client, bytes: &[u8], out: &mut [u8; OUT_LEN]) -> Verdict {
        let Ok(message) = StunMessage::parse(bytes) else {
            return Verdict::Drop;
        };
        if message.verify_fingerprint() == Some(false) {
            return Verdict::Drop;
        }
        match message.class() {
            Class::Request => {
                let is_stranger = !self.allocations.contains_key(&client);
                let may_be_forged = matches!(client, Client::Datagram { .. });
                if is_stranger && may_be_forged && !self.strangers.take(now.at, 1) {
                    return Verdict::Drop;
                }
                self.request(now, client, &message, out)
            }
            Class::Indication if message.method() == attribute::SEND => {
                self.send_indication(now.at, client, &message, bytes)
            }
            _ => Verdict::Drop,
        }
    }

    fn channel_data(&mut self, now: Instant, client: Client, bytes: &[u8]) -> Verdict {
        let &[a, b, high, low, ref rest @ ..] = bytes else {
            return Verdict::Drop;
        };
        let len = usize::from(u16::from_be_bytes([high, low]));
        // Over UDP there may be padding, and need not be.
        if rest.len() < len {
            return Verdict::Drop;
        }
        let number = u16::from_be_bytes([a, b]);
        let live = self.live(now, client);
        let Some(peer) = live.and_then(|allocation| allocation.peer_of(now, number)) else {
            return Verdict::Drop;
        };
        self.relay_to(now, client, peer, 4..4 + len)
    }

    fn send_indication(
        &mut self,
        now: Instant,
        client: Client,
        message: &StunMessage<'_>,
        bytes: &[u8],
    ) -> Verdict {
        let peer = message
            .attribute(attribute::XOR_PEER_ADDRESS)
            .and_then(|value| message.unmask(value));
        let (Some(peer), Some(data)) = (peer, message.attribute(attribute::DATA)) else {
            return Verdict::Drop;
        };
        // Where in the message the data is: it is a part of it.
        let start = data.as_ptr() as usize - bytes.as_ptr() as usize;
        self.relay_to(now, client, peer, start..start + data.len())
    }

    fn relay_to(
        &mut self,
        now: Instant,
        client: Client,
        peer: SocketAddr,
        data: Range<usize>,
    ) -> Verdict {
        let Some(door) = self.doors.behind(peer) else {
            return Verdict::Drop;
        };
        let Some(allocation) = self.live_mut(now, client) else {
            return Verdict::Drop;
        };
        let len = data.len() as u64;
        if !allocation.permits(now, peer.ip()) || !allocation.to_peer.take(now, len) {
            return Verdict::Drop;
        }
        self.figures.bytes_to_peers += len;
        Verdict::Relay { peer, door, data }
    }

    /// What a peer sent, as the client gets it: written into `out`, so long. `None`: it is dropped.
    pub(super) fn peer_sent(
        &mut self,
        now: Instant,
        (client, peer): (Client, SocketAddr),
        data: &[u8],
        out: &mut [u8; OUT_LEN],
    ) -> Option<usize> {
        let allocation = self.live_mut(now, client)?;
        if !allocation.permits(now, peer.ip()) || !allocation.to_client.take(now, data.len() as u64)
        {
            return None;
        }
        let written = match allocation.channel_of(now, peer) {
            Some(number) => {
                let padded = match client {
                    Client::Datagram { .. } => data.len(),
                    Client::Stream { .. } => data.len().next_multiple_of(4),
                };
                let len = u16::try_from(data.len()).ok()?;
                let space = out.get_mut(..4 + padded)?;
                space[..2].copy_from_slice(&number.to_be_bytes());
                space[2..4].copy_from_slice(&len.to_be_bytes());
                space[4..4 + data.len()].copy_from_slice(data);
                space[4 + data.len()..].fill(0);
                4 + padded
            }
            None => indication(peer, data, out)?,
        };
        self.figures.bytes_to_clients += data.len() as u64;
        Some(written)
    }

    pub(super) fn live(&self, now: Instant, client: Client) -> Option<&Allocation<P>> {
        let allocation = self.allocations.get(&client)?;
        (allocation.expires > now).then_some(allocation)
    }

    pub(super) fn live_mut(&mut self, now: Instant, client: Client) -> Option<&mut Allocation<P>> {
        let allocation = self.allocations.get_mut(&client)?;
        (allocation.expires > now).then_some(allocation)
    }

    /// A connection ended, and with it what it had.
    pub(super) fn forget(&mut self, client: Client) {
        self.allocations.remove(&client);
    }

    /// Drops what has expired.
    pub(super) fn sweep(&mut self, now: Instant) {
        self.allocations
            .retain(|_, allocation| allocation.expires > now);
    }
}

/// A Data indication. Its transaction id is not looked at by anybody; the peer's packets come too often to
/// spend randomness on it.
fn indication(peer: SocketAddr, data: &[u8], out: &mut [u8; OUT_LEN]) -> Option<usize> {
    let transaction = TransactionId([0; 12]);
    let mut writer = StunWriter::new(
        out,
        Class::Indication,
        attribute::DATA_INDICATION,
        transaction,
    )
    .ok()?;
    writer.xor_address(attribute::XOR_PEER_ADDRESS, peer).ok()?;
    writer.attribute(attribute::DATA, data).ok()?;
    writer.finish(None).ok()
}
