//! The receiving side: the one key that a frame's KID names, or a counted drop.

use std::collections::{BTreeMap, VecDeque};

use homeline_protocol::id::DeviceId;
use sframe::frame::EncryptedFrameView;
use sframe::header::SframeHeader;
use sframe::key::DecryptionKey;

use crate::quiet::quiet_debug;
use crate::sframe::key_id::KeyId;
use crate::sframe::replay::ReplayWindow;
use crate::sframe::{EpochKey, SUITE, TAG_BYTES};
use crate::time::UnixMs;

quiet_debug!(LateFrame);

/// Frames kept whose key is not there yet. The oldest goes when one more comes.
pub const HELD_FRAMES_MAX: usize = 32;

/// How long such a frame is kept: a commit that takes longer costs sound anyway.
pub const HELD_MS_MAX: u64 = 500;

/// Where a frame came from: the device that the server says owns the track, and a word of the
/// caller's own (a track, a timestamp) that comes back with a late frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameSource {
    pub owner: DeviceId,
    pub tag: u64,
}

/// A frame that had to wait for its key.
#[derive(Clone, PartialEq, Eq)]
pub struct LateFrame {
    pub source: FrameSource,
    pub frame: Vec<u8>,
}

/// Why there is no plaintext.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("the key is not there yet; the frame is kept a while")]
    Held,
    #[error("not an SFrame ciphertext of this call")]
    Malformed,
    #[error("the frame is under another device's key than its track's owner")]
    WrongSender,
    #[error("the frame was seen before, or is too old to tell")]
    Replayed,
    #[error("the frame does not decrypt")]
    Failed,
}

/// Every frame is counted once (a held one when it is decrypted or given up).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FrameCounts {
    pub decrypted: u64,
    pub empty: u64,
    pub key_never_came: u64,
    pub malformed: u64,
    pub wrong_sender: u64,
    pub replayed: u64,
    pub failed: u64,
}

impl FrameCounts {
    /// Frames that should have decrypted and did not.
    pub fn lost(&self) -> u64 {
        self.key_never_came + self.malformed + self.wrong_sender + self.replayed + self.failed
    }
}

#[derive(Default)]
pub struct FrameReceiver {
    /// By the lower bits of the epoch: a new epoch displaces the one sixteen before it.
    epochs: BTreeMap<u8, Epoch>,
    held: VecDeque<Held>,
    counts: FrameCounts,
}

struct Epoch {
    key: EpochKey,
    senders: BTreeMap<u32, Sender>,
}

struct Sender {
    key: DecryptionKey,
    window: ReplayWindow,
}

struct Held {
    since: UnixMs,
    source: FrameSource,
    frame: Vec<u8>,
}

impl FrameReceiver {
    /// Takes an epoch's key and decrypts what waited for it.
    pub fn install(&mut self, now: UnixMs, key: EpochKey) -> Vec<LateFrame> {
        let bits = KeyId::epoch_bits_of(key.epoch);
        if self
            .epochs
            .get(&bits)
            .is_none_or(|known| known.key.epoch < key.epoch)
        {
            self.epochs.insert(
                bits,
                Epoch {
                    key,
                    senders: BTreeMap::new(),
                },
            );
        }
        self.expire(now);
        let waiting = std::mem::take(&mut self.held);
        let mut late = Vec::new();
        for Held {
            since,
            source,
            frame,
        } in waiting
        {
            match self.open(source.owner, &frame) {
                Ok(frame) => late.push(LateFrame { source, frame }),
                Err(FrameError::Held) => self.held.push_back(Held {
                    since,
                    source,
                    frame,
                }),
                Err(_) => {}
            }
        }
        late
    }

    /// Forgets an epoch's keys.
    pub fn forget(&mut self, epoch: u64) {
        let bits = KeyId::epoch_bits_of(epoch);
        if self
            .epochs
            .get(&bits)
            .is_some_and(|known| known.key.epoch == epoch)
        {
            self.epochs.remove(&bits);
        }
    }

    /// Forgets all keys and all that waits.
    pub fn clear(&mut self) {
        self.epochs.clear();
        self.counts.key_never_came += self.held.len() as u64;
        self.held.clear();
    }

    /// An empty frame (a pause of Opus) carries nothing and passes.
    pub fn decrypt(
        &mut self,
        now: UnixMs,
        source: FrameSource,
        frame: &[u8],
    ) -> Result<Vec<u8>, FrameError> {
        if frame.is_empty() {
            self.counts.empty += 1;
            return Ok(Vec::new());
        }
        let opened = self.open(source.owner, frame);
        if opened == Err(FrameError::Held) {
            self.expire(now);
            self.hold(Held {
                since: now,
                source,
                frame: frame.to_vec(),
            });
        }
        opened
    }

    /// Gives up frames that waited too long.
    pub fn expire(&mut self, now: UnixMs) {
        while self
            .held
            .front()
            .is_some_and(|held| now.since(held.since) > HELD_MS_MAX)
        {
            self.held.pop_front();
            self.counts.key_never_came += 1;
        }
    }

    pub fn counts(&self) -> FrameCounts {
        self.counts
    }

    fn hold(&mut self, held: Held) {
        if self.held.len() >= HELD_FRAMES_MAX {
            self.held.pop_front();
            self.counts.key_never_came += 1;
        }
        self.held.push_back(held);
    }

    fn open(&mut self, owner: DeviceId, frame: &[u8]) -> Result<Vec<u8>, FrameError> {
        let opened = self.try_open(owner, frame);
        match opened {
            Ok(_) => self.counts.decrypted += 1,
            Err(FrameError::Held) => {}
            Err(FrameError::Malformed) => self.counts.malformed += 1,
            Err(FrameError::WrongSender) => self.counts.wrong_sender += 1,
            Err(FrameError::Replayed) => self.counts.replayed += 1,
            Err(FrameError::Failed) => self.counts.failed += 1,
        }
        opened
    }

    fn try_open(&mut self, owner: DeviceId, frame: &[u8]) -> Result<Vec<u8>, FrameError> {
        let header = SframeHeader::deserialize(frame).map_err(|_| FrameError::Malformed)?;
        if frame.len() < header.len() + TAG_BYTES {
            return Err(FrameError::Malformed);
        }
        let key_id = KeyId::from_wire(header.key_id()).ok_or(FrameError::Malformed)?;
        let epoch = self
            .epochs
            .get_mut(&key_id.epoch_bits())
            .ok_or(FrameError::Held)?;
        if epoch.key.leaves.get(&key_id.leaf()) != Some(&owner) {
            return Err(FrameError::WrongSender);
        }
        let sender = epoch.sender(key_id)?;
        if !sender.window.admits(header.counter()) {
            return Err(FrameError::Replayed);
        }
        let encrypted = EncryptedFrameView::try_new(frame).map_err(|_| FrameError::Malformed)?;
        let mut plain = Vec::new();
        encrypted
            .decrypt_into(&sender.key, &mut plain)
            .map_err(|_| FrameError::Failed)?;
        sender.window.record(header.counter());
        Ok(plain)
    }
}

impl Epoch {
    /// The sender's key, derived when its first frame comes. Only leaves of the epoch get here, so
    /// the map is bounded by the group.
    fn sender(&mut self, key_id: KeyId) -> Result<&mut Sender, FrameError> {
        use std::collections::btree_map::Entry;
        match self.senders.entry(key_id.leaf()) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(vacant) => {
                let base_key = self.key.base_key.as_slice();
                let key = DecryptionKey::derive_from(SUITE, key_id.value(), base_key)
                    .map_err(|_| FrameError::Failed)?;
                Ok(vacant.insert(Sender {
                    key,
                    window: ReplayWindow::default(),
                }))
            }
        }
    }
}
