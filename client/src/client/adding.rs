//! Pairing from the app's side: standing at "Add a device", typing the digits, certifying.

use homeline_e2ee::certificate::Kind;
use homeline_e2ee::key::PublicKey;
use homeline_e2ee::pairing::{AppPairing, DeviceReveal, PairingError};
use homeline_protocol::Blob;
use homeline_protocol::id::{DeviceId, PairingId};
use homeline_protocol::session::{DeviceKind, ErrorCode, Event, Request};
use tokio::sync::mpsc;

use super::Client;
use crate::chance;
use crate::session::RequestError;
use crate::time::now;

/// Events of pairings that may wait.
const EVENTS_MAX: usize = 64;

/// A roster that moves under us is signed upon again, this often.
const CERTIFY_TRIES_MAX: u32 = 4;

/// Why a device was not added.
#[derive(Debug, thiserror::Error)]
pub enum AddDeviceError {
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error("{0}")]
    Pairing(#[from] PairingError),
    #[error("the device sent something that can't be read")]
    Unreadable,
    #[error("the pairing ended without a device")]
    Ended,
    #[error("only an adult's app may add devices")]
    NotAdult,
}

/// Stands at "Add a device".
pub struct DeviceListener {
    client: Client,
    events: mpsc::Receiver<Event>,
}

/// A device has revealed itself: its digits are to be typed.
pub struct DeviceDigits {
    client: Client,
    pairing: PairingId,
    machine: AppPairing,
    label: String,
}

impl Client {
    /// Stands at "Add a device": only now are pairings offered to this app.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn listen_for_devices(&self) -> Result<DeviceListener, AddDeviceError> {
        let (sender, events) = mpsc::channel(EVENTS_MAX);
        self.shared.set_adding(Some(sender));
        self.session()
            .done(Request::ListenForPairing { on: true })
            .await?;
        Ok(DeviceListener {
            client: self.clone(),
            events,
        })
    }
}

impl DeviceListener {
    /// Takes up the first pairing that is offered, and waits until the device has revealed itself.
    ///
    /// # Errors
    /// When the device reveals another key than it committed to, or goes away.
    pub async fn next(&mut self) -> Result<DeviceDigits, AddDeviceError> {
        let (pairing, commit) = loop {
            if let Event::PairingOffered { pairing, commit } = self.event().await? {
                break (pairing, commit);
            }
        };
        let session = self.client.session().clone();
        let commit_d = array(&commit)?;
        let mut machine = {
            let state = self.client.shared.state();
            let genesis = state.household.roster().genesis_key();
            let app = state.identity.device_key.public();
            AppPairing::new(genesis, app, chance::bytes(), commit_d)
        };
        let commit = Blob(machine.accept().to_vec());
        session
            .done(Request::AcceptPairing { pairing, commit })
            .await?;
        let reveal = self.revealed(pairing).await?;
        let label = reveal.label.clone();
        let own = match machine.revealed(&reveal) {
            Ok(own) => own,
            Err(error) => {
                session.done(Request::RefusePairing { pairing }).await?;
                return Err(error.into());
            }
        };
        let request = Request::RevealPairing {
            pairing,
            genesis: Blob(own.genesis.0.to_vec()),
            app_key: Blob(own.app_key.0.to_vec()),
            nonce: Blob(own.nonce.to_vec()),
        };
        session.done(request).await?;
        Ok(DeviceDigits {
            client: self.client.clone(),
            pairing,
            machine,
            label,
        })
    }

    async fn revealed(&mut self, wanted: PairingId) -> Result<DeviceReveal, AddDeviceError> {
        loop {
            match self.event().await? {
                Event::PairingRevealed {
                    pairing,
                    device_key,
                    nonce,
                    kind,
                    label,
                } if pairing == wanted => {
                    let kind = match kind {
                        DeviceKind::App => Kind::App,
                        DeviceKind::HomeDevice => Kind::HomeDevice,
                    };
                    let device_key = PublicKey(array(&device_key)?);
                    return Ok(DeviceReveal {
                        device_key,
                        nonce: array(&nonce)?,
                        kind,
                        label,
                    });
                }
                Event::PairingEnded { pairing } if pairing == wanted => {
                    return Err(AddDeviceError::Ended);
                }
                _ => {}
            }
        }
    }

    async fn event(&mut self) -> Result<Event, AddDeviceError> {
        self.events.recv().await.ok_or(AddDeviceError::Ended)
    }
}

impl DeviceDigits {
    /// What the device wants to be called.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The digits as they were typed: one try. Certifies the device and gives its id.
    ///
    /// # Errors
    /// When they are wrong, which ends the pairing.
    pub async fn enter(mut self, typed: &str) -> Result<DeviceId, AddDeviceError> {
        let session = self.client.session().clone();
        let pairing = self.pairing;
        let added = match self.machine.enter(typed) {
            Ok(added) => added,
            Err(error) => {
                session.done(Request::RefusePairing { pairing }).await?;
                return Err(error.into());
            }
        };
        let device = homeline_e2ee::ids::device_id(added.device_key);
        let kind = match added.kind {
            Kind::HomeDevice => DeviceKind::HomeDevice,
            Kind::App | Kind::RecoveryKey | Kind::Guest => DeviceKind::App,
        };
        for _ in 0..CERTIFY_TRIES_MAX {
            let (admission, account) = {
                let state = self.client.shared.state();
                if !state.household.may_sign(&state.identity) {
                    return Err(AddDeviceError::NotAdult);
                }
                let account = state.identity.account;
                (
                    state
                        .household
                        .admit(&added, account, &state.identity, now()),
                    account,
                )
            };
            let request = Request::CertifyPairing {
                pairing,
                device,
                account,
                kind,
                label: added.label.clone(),
                adult: added.kind == Kind::App,
                entry: admission.entry,
                chain: admission.chain,
            };
            match session.done(request).await {
                Err(error) if error.code() == Some(ErrorCode::RosterMoved) => {
                    // The entry that came before ours is on its way as an event.
                    self.client.refresh().await?;
                }
                result => {
                    result?;
                    // So that whoever adds a device can name it at once.
                    self.client.refresh().await?;
                    return Ok(device);
                }
            }
        }
        Err(AddDeviceError::Ended)
    }
}

fn array(blob: &Blob) -> Result<[u8; 32], AddDeviceError> {
    blob.0
        .as_slice()
        .try_into()
        .map_err(|_| AddDeviceError::Unreadable)
}
