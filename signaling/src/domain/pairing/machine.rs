//! The steps of one pairing: commit, commit, reveal, reveal, certify. Pure.

use homeline_protocol::Blob;
use homeline_protocol::http::{PairingReveal, PairingState};
use homeline_protocol::id::DeviceId;

use super::{AppPairingError, DevicePairingError};
use crate::domain::identity::{PublicKey, device_id, pairing_commit};
use crate::model::is_name;

/// Where a pairing stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stage {
    /// The device has committed.
    Waiting,
    /// An app has taken it up by committing.
    Accepted { app: DeviceId, commit: Blob },
    /// The device has revealed.
    DeviceRevealed {
        app: DeviceId,
        commit: Blob,
        reveal: PairingReveal,
    },
    /// The app has revealed; both show or expect the digits.
    Revealed {
        app: DeviceId,
        commit: Blob,
        reveal: PairingReveal,
        side: AppSide,
    },
    /// The device is in the roster; its token waits in the store's keeping.
    Certified { app: DeviceId, device: DeviceId },
    /// Refused, or its time is over.
    Refused,
}

/// What the app reveals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AppSide {
    pub(super) genesis: Blob,
    pub(super) app_key: Blob,
    pub(super) nonce: Blob,
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The pairing moved on.
    Moved,
    /// It had moved on already: the same was said before.
    Repeated,
}

/// A number that the device's long poll compares.
impl Stage {
    pub(super) fn number(&self) -> u8 {
        match self {
            Self::Waiting => 0,
            Self::Accepted { .. } | Self::DeviceRevealed { .. } => 1,
            Self::Revealed { .. } => 2,
            Self::Certified { .. } | Self::Refused => 3,
        }
    }

    /// What the device is shown; `None` once it is certified, which the store answers.
    pub(super) fn for_the_device(&self) -> Option<PairingState> {
        match self {
            Self::Waiting => Some(PairingState::Waiting),
            Self::Accepted { commit, .. } | Self::DeviceRevealed { commit, .. } => {
                Some(PairingState::Accepted {
                    commit: commit.clone(),
                })
            }
            Self::Revealed { side, .. } => Some(PairingState::Revealed {
                genesis: side.genesis.clone(),
                app_key: side.app_key.clone(),
                nonce: side.nonce.clone(),
            }),
            Self::Certified { .. } => None,
            Self::Refused => Some(PairingState::Refused),
        }
    }

    /// The app that took it up.
    pub(super) fn app(&self) -> Option<DeviceId> {
        match self {
            Self::Accepted { app, .. }
            | Self::DeviceRevealed { app, .. }
            | Self::Revealed { app, .. }
            | Self::Certified { app, .. } => Some(*app),
            Self::Waiting | Self::Refused => None,
        }
    }

    pub(super) fn accept(&mut self, by: DeviceId, said: Blob) -> Result<Step, AppPairingError> {
        match self {
            Self::Waiting => {
                *self = Self::Accepted {
                    app: by,
                    commit: said,
                };
                Ok(Step::Moved)
            }
            Self::Accepted { app, commit }
            | Self::DeviceRevealed { app, commit, .. }
            | Self::Revealed { app, commit, .. }
                if *app == by && *commit == said =>
            {
                Ok(Step::Repeated)
            }
            Self::Refused => Err(AppPairingError::NotFound),
            _ if self.app() == Some(by) => Err(AppPairingError::OutOfTurn),
            _ => Err(AppPairingError::TakenByAnother),
        }
    }

    pub(super) fn reveal_device(
        &mut self,
        committed: &[u8],
        said: PairingReveal,
    ) -> Result<Step, DevicePairingError> {
        match self {
            Self::Accepted { app, commit } => {
                check_reveal(committed, &said)?;
                let (app, commit) = (*app, std::mem::take(commit));
                *self = Self::DeviceRevealed {
                    app,
                    commit,
                    reveal: said,
                };
                Ok(Step::Moved)
            }
            Self::DeviceRevealed { reveal, .. } | Self::Revealed { reveal, .. }
                if *reveal == said =>
            {
                Ok(Step::Repeated)
            }
            _ => Err(DevicePairingError::OutOfTurn),
        }
    }

    pub(super) fn reveal_app(
        &mut self,
        by: DeviceId,
        said: AppSide,
    ) -> Result<Step, AppPairingError> {
        self.must_be_of(by)?;
        match self {
            Self::DeviceRevealed {
                app,
                commit,
                reveal,
            } => {
                let (app, commit, reveal) = (*app, std::mem::take(commit), reveal.clone());
                *self = Self::Revealed {
                    app,
                    commit,
                    reveal,
                    side: said,
                };
                Ok(Step::Moved)
            }
            Self::Revealed { side, .. } if *side == said => Ok(Step::Repeated),
            _ => Err(AppPairingError::OutOfTurn),
        }
    }

    pub(super) fn must_be_of(&self, by: DeviceId) -> Result<(), AppPairingError> {
        match self.app() {
            Some(app) if app == by => Ok(()),
            Some(_) => Err(AppPairingError::TakenByAnother),
            None if *self == Self::Waiting => Err(AppPairingError::OutOfTurn),
            None => Err(AppPairingError::NotFound),
        }
    }
}

/// The key that a device revealed.
pub(super) fn revealed_key(reveal: &PairingReveal) -> Option<(PublicKey, DeviceId)> {
    let key = PublicKey::try_from(reveal.device_key.as_ref()).ok()?;
    Some((key, device_id(key)))
}

fn check_reveal(committed: &[u8], said: &PairingReveal) -> Result<(), DevicePairingError> {
    if !is_name(&said.label) {
        let message = "An app's or device's label has 1 to 64 characters.";
        return Err(DevicePairingError::Field(message));
    }
    let key = PublicKey::try_from(said.device_key.as_ref());
    let nonce = <[u8; 32]>::try_from(said.nonce.as_ref());
    let (Ok(key), Ok(nonce)) = (key, nonce) else {
        return Err(DevicePairingError::Field(
            "A key and a nonce have 32 bytes each.",
        ));
    };
    if pairing_commit(key, &nonce, said.kind, &said.label) != committed {
        return Err(DevicePairingError::Field(
            "This is not what the device committed to.",
        ));
    }
    Ok(())
}
