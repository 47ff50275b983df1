//! The app's side of a pairing: a person types the digits, once.

use crate::certificate::Kind;
use crate::key::PublicKey;
use crate::pairing::transcript::{AppReveal, DeviceReveal, Digits, PairingError, digits};
use crate::quiet::quiet_debug;

quiet_debug!(DeviceToAdd);

/// `accept` -> `revealed` -> `enter`.
pub struct AppPairing {
    own: AppReveal,
    commit_d: [u8; 32],
    state: State,
}

enum State {
    Accepted,
    AwaitingDigits { device: DeviceToAdd, digits: Digits },
    Over,
}

/// The device to enter into the roster and to certify.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceToAdd {
    pub device_key: PublicKey,
    pub kind: Kind,
    pub label: String,
}

impl AppPairing {
    /// Step 1 came in. `nonce` is 32 random bytes, used once.
    pub fn new(
        genesis: PublicKey,
        app_key: PublicKey,
        nonce: [u8; 32],
        commit_d: [u8; 32],
    ) -> Self {
        Self {
            own: AppReveal {
                genesis,
                app_key,
                nonce,
            },
            commit_d,
            state: State::Accepted,
        }
    }

    /// Step 2: `commit_a`.
    pub fn accept(&self) -> [u8; 32] {
        self.own.commitment()
    }

    /// Step 3 came in; the answer is step 4, and now the app asks for the digits.
    pub fn revealed(&mut self, device: &DeviceReveal) -> Result<AppReveal, PairingError> {
        if !matches!(self.state, State::Accepted) {
            return Err(PairingError::OutOfOrder);
        }
        if device.commitment() != self.commit_d {
            self.state = State::Over;
            return Err(PairingError::BrokenCommitment);
        }
        let digits = digits(&self.commit_d, &self.own.commitment(), device, &self.own);
        let DeviceReveal {
            device_key,
            kind,
            label,
            ..
        } = device.clone();
        self.state = State::AwaitingDigits {
            device: DeviceToAdd {
                device_key,
                kind,
                label,
            },
            digits,
        };
        Ok(self.own)
    }

    /// Step 5: one try, then a new pairing.
    pub fn enter(&mut self, typed: &str) -> Result<DeviceToAdd, PairingError> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::AwaitingDigits { device, digits } if digits.matches(typed) => Ok(device),
            State::AwaitingDigits { .. } => Err(PairingError::WrongDigits),
            early @ State::Accepted => {
                self.state = early;
                Err(PairingError::OutOfOrder)
            }
            State::Over => Err(PairingError::OutOfOrder),
        }
    }
}
