//! Comparing epochs inside the group, so that two members kept in different groups notice it.

use std::collections::BTreeMap;

use homeline_protocol::id::DeviceId;
use sha2::{Digest, Sha256};

use crate::encoding::{DecodeError, Reader, Writer};
use crate::time::UnixMs;

/// How often a member says which epoch it is in.
pub const COMPARE_EVERY_MS: u64 = 10_000;

/// Three comparisons missed, and half of one for the way.
pub const SILENCE_MS_MAX: u64 = 35_000;

/// The message's first byte.
const COMPARISON: u8 = 1;

/// An epoch and the hash of its authenticator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Comparison {
    pub(super) epoch: u64,
    pub(super) hash: [u8; 32],
}

impl Comparison {
    pub(super) fn new(epoch: u64, authenticator: &[u8; 32]) -> Self {
        Self {
            epoch,
            hash: Sha256::digest(authenticator).into(),
        }
    }

    pub(super) fn encode(self) -> Vec<u8> {
        Writer::new()
            .u8(COMPARISON)
            .u64(self.epoch)
            .raw(&self.hash)
            .finish()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        match reader.u8()? {
            COMPARISON => {}
            other => {
                return Err(DecodeError::Value {
                    field: "message",
                    value: other.into(),
                });
            }
        }
        let comparison = Self {
            epoch: reader.u64()?,
            hash: reader.array()?,
        };
        reader.finish()?;
        Ok(comparison)
    }
}

/// When each other member was last heard.
#[derive(Default)]
pub(super) struct Peers(BTreeMap<DeviceId, Peer>);

struct Peer {
    heard: UnixMs,
    connected: bool,
    /// Its silence was reported; once is enough until it is heard again.
    reported: bool,
}

impl Peers {
    pub(super) fn joined(&mut self, now: UnixMs, device: DeviceId) {
        self.0.insert(
            device,
            Peer {
                heard: now,
                connected: true,
                reported: false,
            },
        );
    }

    pub(super) fn left(&mut self, device: DeviceId) {
        self.0.remove(&device);
    }

    pub(super) fn heard(&mut self, now: UnixMs, device: DeviceId) {
        if let Some(peer) = self.0.get_mut(&device) {
            peer.heard = now;
            peer.reported = false;
        }
    }

    pub(super) fn connection(&mut self, now: UnixMs, device: DeviceId, connected: bool) {
        if let Some(peer) = self.0.get_mut(&device) {
            peer.connected = connected;
        }
        if connected {
            self.heard(now, device);
        }
    }

    /// This member itself was asleep: nobody's silence means anything.
    pub(super) fn forgive(&mut self, now: UnixMs) {
        self.0.values_mut().for_each(|peer| peer.heard = now);
    }

    /// Is somebody silent for too long who was not before?
    pub(super) fn fell_silent(&mut self, now: UnixMs) -> bool {
        let mut anybody = false;
        for peer in self.0.values_mut().filter(|peer| peer.watched()) {
            peer.reported = now >= peer.silent_at();
            anybody |= peer.reported;
        }
        anybody
    }

    pub(super) fn next_silence(&self) -> Option<UnixMs> {
        self.0
            .values()
            .filter(|peer| peer.watched())
            .map(Peer::silent_at)
            .min()
    }
}

impl Peer {
    fn watched(&self) -> bool {
        self.connected && !self.reported
    }

    fn silent_at(&self) -> UnixMs {
        self.heard.plus(SILENCE_MS_MAX)
    }
}
