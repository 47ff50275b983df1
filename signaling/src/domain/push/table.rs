//! Which devices are being woken for which call, while it rings.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use homeline_protocol::id::{AccountId, CallId, DeviceId};
use homeline_protocol::{Blob, Secret};
use tokio::task::AbortHandle;

use crate::domain::secrets::{constant_time_eq, hash_token};
use crate::model::UnixMillis;

/// Devices of ringing calls. A server carries some thousand calls, and most devices are online; one
/// beyond is not woken.
const WAKING_MAX: usize = 16_384;

/// An entry goes when its call ends. One whose call failed inside the server is swept up this long
/// after it would have rung.
const FORGET_AFTER: Duration = Duration::from_secs(60);

/// The devices that are being woken.
#[derive(Debug, Default)]
pub(super) struct Table(HashMap<(CallId, DeviceId), Waking>);

/// One device that a call rings for.
#[derive(Debug)]
pub(super) struct Waking {
    pub(super) account: AccountId,
    /// The caller, as a push says it.
    pub(super) caller: Blob,
    pub(super) expires_at: UnixMillis,
    pub(super) sent: Sent,
    /// Hash of what declines the call once.
    pub(super) decline: Option<[u8; 32]>,
    /// Its own push declined the call: it needs no word of the end.
    pub(super) declined_here: bool,
    pub(super) work: Work,
}

/// Whether anything was sent to a device. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Sent(Arc<AtomicBool>);

/// Sending in progress, which ends with what it belongs to.
#[derive(Debug)]
pub(super) struct Work(pub(super) AbortHandle);

impl Sent {
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Table {
    pub(super) fn has(&self, call: CallId, device: DeviceId) -> bool {
        self.0.contains_key(&(call, device))
    }

    /// False when there is no room.
    pub(super) fn make_room(&mut self, now: UnixMillis) -> bool {
        if self.0.len() >= WAKING_MAX {
            self.0
                .retain(|_, waking| waking.expires_at.plus(FORGET_AFTER) > now);
        }
        self.0.len() < WAKING_MAX
    }

    pub(super) fn insert(&mut self, call: CallId, device: DeviceId, waking: Waking) {
        self.0.insert((call, device), waking);
    }

    pub(super) fn remove(&mut self, call: CallId, device: DeviceId) -> Option<Waking> {
        self.0.remove(&(call, device))
    }

    /// The device rings over its session: if it was not pushed by now, it need not be.
    pub(super) fn rings(&mut self, call: CallId, device: DeviceId) {
        let key = (call, device);
        if self.0.get(&key).is_some_and(|waking| !waking.sent.is_set()) {
            self.0.remove(&key);
        }
    }

    /// Whose device a secret came from. It is used up.
    pub(super) fn take_decline(
        &mut self,
        call: CallId,
        secret: &Secret,
        now: UnixMillis,
    ) -> Option<(AccountId, DeviceId)> {
        let hash = hash_token(secret);
        let mut wakings = self.0.iter_mut().filter(|((of, _), _)| *of == call);
        let ((_, device), waking) = wakings.find(|(_, waking)| {
            waking
                .decline
                .is_some_and(|held| constant_time_eq(&held, &hash))
        })?;
        if waking.expires_at <= now {
            return None;
        }
        waking.decline = None;
        waking.declined_here = true;
        Some((waking.account, *device))
    }
}
