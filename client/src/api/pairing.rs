//! Pairing from the new device's side: offer, digits, and a household pinned.

use homeline_e2ee::certificate::Kind;
use homeline_e2ee::chain::Chain;
use homeline_e2ee::encoding::DecodeError;
use homeline_e2ee::key::{PrivateKey, PublicKey};
use homeline_e2ee::pairing::{AppReveal, DevicePairing, Digits, PairedError, PairingError};
use homeline_protocol::http::{PairingOffer, PairingOpened, PairingReveal, PairingState};
use homeline_protocol::session::DeviceKind;
use homeline_protocol::{Blob, Handle};

use super::http::{HttpError, get, post};
use crate::chance;
use crate::server::Server;
use crate::store::Identity;
use crate::time::now;

/// What the new device is.
#[derive(Debug, Clone)]
pub struct NewDevice {
    pub kind: DeviceKind,
    /// What it wants to be called, as "Kitchen".
    pub label: String,
}

/// Why a device was not paired.
#[derive(Debug, thiserror::Error)]
pub enum PairError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("the pairing was refused in the app, or nobody took it up in time")]
    Refused,
    /// The server, or somebody between, changed what was said: an attack, or a broken app.
    #[error("the other side broke its word: {0}")]
    Broken(#[from] PairingError),
    #[error("what the household sent does not hold: {0}")]
    Household(#[from] PairedError),
    #[error("what the household sent can't be read: {0}")]
    Unreadable(#[from] DecodeError),
    #[error("the server skipped a step of the pairing")]
    OutOfOrder,
}

/// A pairing that an app may take up.
pub struct PairingOffered {
    server: Server,
    opened: PairingOpened,
    machine: DevicePairing,
    key: PrivateKey,
    device: NewDevice,
}

/// Both sides have revealed: the digits can be shown, and the app asked to type them.
pub struct PairingDigits {
    offered: PairingOffered,
    digits: Digits,
}

/// Asks for a person by handle. The server says the same whether or not anyone has that handle.
///
/// # Errors
/// When the server can't be reached or is asked too often.
pub async fn offer_pairing(
    server: &Server,
    handle: Handle,
    device: NewDevice,
) -> Result<PairingOffered, PairError> {
    let key = chance::private_key();
    let kind = match device.kind {
        DeviceKind::App => Kind::App,
        DeviceKind::HomeDevice => Kind::HomeDevice,
    };
    let machine = DevicePairing::new(key.public(), kind, device.label.clone(), chance::bytes());
    let offer = PairingOffer {
        handle,
        commit: Blob(machine.offer().to_vec()),
    };
    let opened = post(server, "/v1/pairings", None, &offer).await?;
    Ok(PairingOffered {
        server: server.clone(),
        opened,
        machine,
        key,
        device,
    })
}

impl PairingOffered {
    /// Waits until an app has taken it up and both have revealed.
    ///
    /// # Errors
    /// When it is refused or expires, or the app reveals other keys than it committed to.
    pub async fn digits(mut self) -> Result<PairingDigits, PairError> {
        let PairingState::Accepted { commit } = self.step(0).await? else {
            return Err(PairError::OutOfOrder);
        };
        let own = self.machine.accepted(array(&commit)?)?;
        let reveal = PairingReveal {
            device_key: Blob(own.device_key.0.to_vec()),
            nonce: Blob(own.nonce.to_vec()),
            kind: self.device.kind,
            label: self.device.label.clone(),
        };
        let path = format!("/v1/pairings/{}/reveal", self.opened.pairing);
        let () = post(&self.server, &path, Some(&self.opened.secret), &reveal).await?;
        let PairingState::Revealed {
            genesis,
            app_key,
            nonce,
        } = self.step(1).await?
        else {
            return Err(PairError::OutOfOrder);
        };
        let app = AppReveal {
            genesis: PublicKey(array(&genesis)?),
            app_key: PublicKey(array(&app_key)?),
            nonce: array(&nonce)?,
        };
        let digits = self.machine.revealed(&app)?;
        Ok(PairingDigits {
            offered: self,
            digits,
        })
    }

    /// Waits for a step beyond `after`.
    async fn step(&self, after: u8) -> Result<PairingState, PairError> {
        let path = format!("/v1/pairings/{}?after={after}", self.opened.pairing);
        loop {
            // The server holds each request for up to 25 s, so this loop is no busy one.
            let state: PairingState = get(&self.server, &path, Some(&self.opened.secret)).await?;
            match state {
                PairingState::Refused => return Err(PairError::Refused),
                state if step_of(&state) > after => return Ok(state),
                _ => {}
            }
        }
    }
}

impl PairingDigits {
    /// Six digits, to be shown or spoken here and typed into the app.
    #[must_use]
    pub fn text(&self) -> String {
        self.digits.text()
    }

    /// Waits until the app has certified this device; pins the household.
    ///
    /// # Errors
    /// When the digits were wrong, or chain and roster are not from the household that revealed itself.
    pub async fn finish(self) -> Result<Identity, PairError> {
        let PairingState::Certified {
            chain,
            roster,
            token,
            account,
            ..
        } = self.offered.step(2).await?
        else {
            return Err(PairError::OutOfOrder);
        };
        let mut offered = self.offered;
        let chain = Chain::decode(&chain.0)?;
        let paired = offered.machine.finish(&chain, &roster, now())?;
        Ok(Identity {
            token,
            account,
            device_key: offered.key,
            genesis_key: None,
            genesis: paired.roster.genesis_key(),
            chain,
            roster_pin: paired.roster.pin(),
            revisions: Vec::new(),
            first_contacts: Vec::new(),
            call_links: Vec::new(),
        })
    }
}

fn step_of(state: &PairingState) -> u8 {
    match state {
        PairingState::Waiting => 0,
        PairingState::Accepted { .. } => 1,
        PairingState::Revealed { .. } => 2,
        PairingState::Certified { .. } | PairingState::Refused => 3,
    }
}

fn array(blob: &Blob) -> Result<[u8; 32], DecodeError> {
    <[u8; 32]>::try_from(blob.0.as_slice()).map_err(|_| DecodeError::Truncated)
}
