//! The open pairings and the apps that listen for them, in memory and bounded.
//!
//! A pairing lives ten minutes and is begun anew in seconds, so a restart may forget it; one that
//! ended well is in the store.

use std::collections::HashMap;

use homeline_protocol::id::{AccountId, DeviceId, PairingId};
use homeline_protocol::{Blob, Handle};
use tokio::sync::watch;

use super::machine::Stage;
use crate::model::UnixMillis;

/// Open pairings of all people; further ones are refused until some end.
pub(super) const PAIRINGS_MAX: usize = 1024;
/// Open pairings that ask for one handle. The same for a handle that nobody has.
pub(super) const PAIRINGS_PER_HANDLE_MAX: usize = 8;
/// Apps that listen; further ones are refused until some stop.
pub(super) const LISTENERS_MAX: usize = 4096;

/// One pairing.
#[derive(Debug)]
pub(super) struct Pairing {
    /// Whom the device asks.
    pub(super) handle: Handle,
    /// Who that is; `None` when nobody has the handle, and then it just waits until it expires.
    pub(super) account: Option<AccountId>,
    /// `commit_d`.
    pub(super) commit: Blob,
    /// SHA-256 of the device's secret.
    pub(super) secret_hash: [u8; 32],
    /// When it ends.
    pub(super) expires: UnixMillis,
    /// Where it stands; the device's long poll waits for a change.
    pub(super) stage: watch::Sender<Stage>,
}

/// Pairings and listeners.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) pairings: HashMap<PairingId, Pairing>,
    /// Until when an app listens, and for whom.
    pub(super) listeners: HashMap<DeviceId, (AccountId, UnixMillis)>,
}

impl Table {
    /// Whether another pairing for this handle fits.
    pub(super) fn has_room(&self, handle: &Handle) -> bool {
        let for_handle = self
            .pairings
            .values()
            .filter(|pairing| pairing.handle == *handle)
            // One that has ended well takes no more room: a family may pair all its rooms in one go.
            .filter(|one| !matches!(*one.stage.borrow(), Stage::Certified { .. }))
            .count();
        self.pairings.len() < PAIRINGS_MAX && for_handle < PAIRINGS_PER_HANDLE_MAX
    }

    /// The apps of a person that listen now.
    pub(super) fn listening(&self, account: AccountId, now: UnixMillis) -> Vec<DeviceId> {
        let listens =
            |(_, (of, until)): &(_, &(AccountId, UnixMillis))| *of == account && *until > now;
        self.listeners
            .iter()
            .filter(listens)
            .map(|(app, _)| *app)
            .collect()
    }

    /// The pairings that wait for a person.
    pub(super) fn waiting_for(&self, account: AccountId) -> Vec<(PairingId, Blob)> {
        let waits = |(_, pairing): &(_, &Pairing)| {
            pairing.account == Some(account) && *pairing.stage.borrow() == Stage::Waiting
        };
        self.pairings
            .iter()
            .filter(waits)
            .map(|(id, one)| (*id, one.commit.clone()))
            .collect()
    }

    /// Takes out what is over by now.
    pub(super) fn take_expired(&mut self, now: UnixMillis) -> Vec<(PairingId, Pairing)> {
        self.listeners.retain(|_, (_, until)| *until > now);
        self.pairings
            .extract_if(|_, pairing| pairing.expires <= now)
            .collect()
    }
}
