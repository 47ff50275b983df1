//! The sending side: one key, one counter for all tracks, and nothing at all without a key.

use sframe::frame::{MediaFrameView, MonotonicCounter};
use sframe::key::EncryptionKey;

use crate::sframe::SUITE;
use crate::sframe::key_id::KeyId;

/// There is no key to send under; the frame is dropped, never sent plain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no key to send under")]
pub struct NoKey;

#[derive(Default)]
pub struct FrameSender {
    state: State,
}

#[derive(Default)]
enum State {
    #[default]
    NoKey,
    Sending(Current),
    /// Sending ended until another epoch's key comes; the epoch is kept, so that the same key is
    /// never taken up again with its counter at zero.
    Stopped {
        epoch: u64,
    },
}

struct Current {
    epoch: u64,
    key: EncryptionKey,
    counter: MonotonicCounter,
}

impl FrameSender {
    /// Sends under a later epoch's key from now on. An epoch that was had before is ignored: its
    /// counter would start again.
    pub fn switch(&mut self, epoch: u64, base_key: &[u8; 16], leaf: u32) -> Result<(), NoKey> {
        if self.last_epoch().is_some_and(|last| epoch <= last) {
            return Ok(());
        }
        let key_id = KeyId::new(leaf, epoch).ok_or(NoKey)?;
        let key = EncryptionKey::derive_from(SUITE, key_id.value(), base_key);
        let key = key.map_err(|_| NoKey)?;
        self.state = State::Sending(Current {
            epoch,
            key,
            counter: MonotonicCounter::default(),
        });
        Ok(())
    }

    /// No frame leaves until `switch` brings a later epoch.
    pub fn stop(&mut self) {
        if let Some(epoch) = self.last_epoch() {
            self.state = State::Stopped { epoch };
        }
    }

    pub fn encrypt(&mut self, frame: &[u8]) -> Result<Vec<u8>, NoKey> {
        let State::Sending(Current { key, counter, .. }) = &mut self.state else {
            return Err(NoKey);
        };
        let frame = MediaFrameView::try_new(counter, frame).map_err(|_| NoKey)?;
        let mut encrypted = Vec::new();
        frame.encrypt_into(key, &mut encrypted).map_err(|_| NoKey)?;
        Ok(encrypted)
    }

    /// The epoch that frames are sent under.
    pub fn epoch(&self) -> Option<u64> {
        match &self.state {
            State::Sending(current) => Some(current.epoch),
            State::NoKey | State::Stopped { .. } => None,
        }
    }

    fn last_epoch(&self) -> Option<u64> {
        match &self.state {
            State::NoKey => None,
            State::Sending(current) => Some(current.epoch),
            State::Stopped { epoch } => Some(*epoch),
        }
    }
}
