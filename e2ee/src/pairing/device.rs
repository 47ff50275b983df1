//! The device's side of a pairing: it shows the digits and pins the household it ends up in.

use crate::certificate::Kind;
use crate::chain::{Chain, ChainError, Identity, verify_chain};
use crate::key::PublicKey;
use crate::pairing::transcript::{AppReveal, DeviceReveal, Digits, PairingError, digits};
use crate::roster::{Roster, RosterError};
use crate::time::UnixMs;

/// `offer` -> `accepted` -> `revealed` -> `finish`.
pub struct DevicePairing {
    own: DeviceReveal,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    Offered,
    Revealed { commit_a: [u8; 32] },
    ShowingDigits { genesis: PublicKey },
    Over,
}

/// A device's new home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paired {
    pub identity: Identity,
    pub roster: Roster,
}

/// Why what the server handed over after pairing is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PairedError {
    #[error(transparent)]
    Pairing(#[from] PairingError),
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    Roster(#[from] RosterError),
    #[error("chain or roster come from another household than the app that paired")]
    OtherHousehold,
    #[error("the certificate is for another key")]
    OtherDevice,
    #[error("the roster does not list this device")]
    NotListed,
}

impl DevicePairing {
    /// `nonce` is 32 random bytes, used once.
    pub fn new(device_key: PublicKey, kind: Kind, label: String, nonce: [u8; 32]) -> Self {
        let own = DeviceReveal {
            device_key,
            nonce,
            kind,
            label,
        };
        Self {
            own,
            state: State::Offered,
        }
    }

    /// Step 1: `commit_d`.
    pub fn offer(&self) -> [u8; 32] {
        self.own.commitment()
    }

    /// Step 2 came in; the answer is step 3.
    pub fn accepted(&mut self, commit_a: [u8; 32]) -> Result<DeviceReveal, PairingError> {
        match self.state {
            State::Offered => {
                self.state = State::Revealed { commit_a };
                Ok(self.own.clone())
            }
            _ => Err(PairingError::OutOfOrder),
        }
    }

    /// Step 4 came in: the digits to show or speak.
    pub fn revealed(&mut self, app: &AppReveal) -> Result<Digits, PairingError> {
        let State::Revealed { commit_a } = self.state else {
            return Err(PairingError::OutOfOrder);
        };
        if app.commitment() != commit_a {
            self.state = State::Over;
            return Err(PairingError::BrokenCommitment);
        }
        self.state = State::ShowingDigits {
            genesis: app.genesis,
        };
        Ok(digits(&self.own.commitment(), &commit_a, &self.own, app))
    }

    /// Step 6 came in: what to pin and keep.
    pub fn finish<B: AsRef<[u8]>>(
        &mut self,
        chain: &Chain,
        roster: impl IntoIterator<Item = B>,
        now: UnixMs,
    ) -> Result<Paired, PairedError> {
        let State::ShowingDigits { genesis } = self.state else {
            return Err(PairingError::OutOfOrder.into());
        };
        self.state = State::Over;
        let identity = verify_chain(chain, now)?;
        let roster = Roster::from_entries(roster)?;
        if identity.genesis != genesis || roster.genesis_key() != genesis {
            return Err(PairedError::OtherHousehold);
        }
        if identity.device_key != self.own.device_key {
            return Err(PairedError::OtherDevice);
        }
        match roster.admits(&identity) {
            true => Ok(Paired { identity, roster }),
            false => Err(PairedError::NotListed),
        }
    }
}
