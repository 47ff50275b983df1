//! The one place where a call's frames are encrypted and decrypted, shared by all its tracks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use homeline_e2ee::member::CallCrypto;
use homeline_e2ee::sframe::FrameSource;
use homeline_protocol::id::{DeviceId, TrackId};

use crate::time::now;

/// Whose track it is. `slot` is a small number that finds the track again for a frame that was late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) device: DeviceId,
    pub(crate) track: TrackId,
    pub(crate) slot: u64,
}

/// The keys of a call. Cheap to clone; all clones share one counter, as SFrame needs it.
#[derive(Clone)]
pub(crate) struct Frames {
    crypto: Arc<Mutex<CallCrypto>>,
    /// The epoch sent under, plus one; 0 while nothing may be sent.
    sending: Arc<AtomicU64>,
    #[cfg(feature = "plaintext-control")]
    control: Control,
}

/// The control run of one test: what is sent can be watched, and sent as it is.
#[cfg(feature = "plaintext-control")]
#[derive(Clone, Default)]
pub struct Control {
    /// Whether frames pass without encryption, in both directions. Calls are encrypted by default here too.
    pub clear: bool,
    /// Gets each encoded frame before it is encrypted.
    pub witness: Option<std::sync::mpsc::Sender<Vec<u8>>>,
}

impl Frames {
    pub(crate) fn new(crypto: CallCrypto) -> Self {
        let crypto = Arc::new(Mutex::new(crypto));
        Self {
            crypto,
            sending: Arc::default(),
            #[cfg(feature = "plaintext-control")]
            control: Control::default(),
        }
    }

    #[cfg(feature = "plaintext-control")]
    pub(crate) fn under(self, control: Control) -> Self {
        Self { control, ..self }
    }

    /// The machine itself, for steps and questions. Never held across an await.
    pub(crate) fn crypto(&self) -> MutexGuard<'_, CallCrypto> {
        // A panic inside a step would leave the call without keys, never with wrong ones.
        self.crypto.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Frames may flow, under this epoch's key; or no more.
    pub(crate) fn set_sending(&self, epoch: Option<u64>) {
        let value = epoch.map_or(0, |epoch| epoch.saturating_add(1));
        self.sending.store(value, Ordering::Release);
    }

    /// The epoch under whose key frames leave.
    pub(crate) fn sending_epoch(&self) -> Option<u64> {
        self.sending.load(Ordering::Acquire).checked_sub(1)
    }

    /// `None` without a key: the frame is not sent. There is no plaintext mode.
    pub(crate) fn encrypt(&self, frame: &[u8]) -> Option<Vec<u8>> {
        let encrypted = self.crypto().encrypt_frame(frame).ok();
        #[cfg(feature = "plaintext-control")]
        {
            let sent = encrypted.is_some();
            if let Some(witness) = self.control.witness.as_ref().filter(|_| sent) {
                // A test that has seen enough is gone.
                witness.send(frame.to_vec()).ok();
            }
            if self.control.clear {
                return sent.then(|| frame.to_vec());
            }
        }
        encrypted
    }

    /// `None`: dropped and counted, or kept until its key comes.
    pub(crate) fn decrypt(&self, owner: Owner, frame: &[u8]) -> Option<Vec<u8>> {
        #[cfg(feature = "plaintext-control")]
        if self.control.clear {
            return self.sending_epoch().map(|_| frame.to_vec());
        }
        let source = FrameSource {
            owner: owner.device,
            tag: owner.slot,
        };
        self.crypto().decrypt_frame(now(), source, frame).ok()
    }
}
