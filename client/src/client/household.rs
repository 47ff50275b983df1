//! What an adult's app changes in its household: contacts, answer policies, devices.

use homeline_e2ee::chain::verify_chain_bytes;
use homeline_e2ee::contact::Pin;
use homeline_e2ee::key::PublicKey;
use homeline_e2ee::policy::{Mode, Rule};
use homeline_protocol::id::{CallId, ContactId, DeviceId};
use homeline_protocol::session::{PastCall, Reply, Request, RunningCall};
use homeline_protocol::{Blob, Handle};

use super::Client;
use crate::chance;
use crate::session::RequestError;
use crate::time::now;

/// Why a change of the household was not made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error("only an adult's app may change this")]
    NotAdult,
    #[error("there is no such contact")]
    NoContact,
    #[error("there is no such device")]
    NoDevice,
    #[error("this contact's household is not known yet: call them first, or use their link")]
    NotPinned,
}

impl Client {
    /// Adds a contact. `pin`: the household's key from a link, which makes the first contact safe.
    ///
    /// # Errors
    /// When this is no adult's app, or the server refuses.
    pub async fn add_contact(
        &self,
        name: &str,
        handle: Handle,
        pin: Option<PublicKey>,
    ) -> Result<ContactId, ChangeError> {
        let id = ContactId(chance::bytes());
        self.put_contact(id, name, handle, pin.map_or(Pin::NoneYet, Pin::Verified))
            .await?;
        Ok(id)
    }

    /// The call code was compared: the contact is verified from now on.
    ///
    /// # Errors
    /// When nobody of that name was met yet.
    pub async fn verify_contact(&self, name: &str) -> Result<(), ChangeError> {
        let household = self.household();
        let card = household.find_contact(name).ok_or(ChangeError::NoContact)?;
        let pin = card
            .pin
            .key()
            .map(Pin::Verified)
            .ok_or(ChangeError::NotPinned)?;
        let handle = card.handle.parse().map_err(|_| ChangeError::NoContact)?;
        self.put_contact(card.id, &card.name, handle, pin).await
    }

    async fn put_contact(
        &self,
        contact: ContactId,
        name: &str,
        handle: Handle,
        pin: Pin,
    ) -> Result<(), ChangeError> {
        let card = {
            let state = self.shared.state();
            if !state.household.may_sign(&state.identity) {
                return Err(ChangeError::NotAdult);
            }
            state
                .household
                .card(contact, name, handle.as_str(), pin, &state.identity)
        };
        let name = name.to_owned();
        let request = Request::PutContact {
            contact,
            name: name.clone(),
            handle: handle.clone(),
            card: card.clone(),
        };
        self.session().done(request).await?;
        // The server tells the household's other clients, and may tell this one too; either way the
        // card counts from now on.
        let shown = homeline_protocol::session::Contact {
            id: contact,
            name,
            handle,
            card,
        };
        self.take_own(homeline_protocol::session::Event::ContactPut(shown));
        Ok(())
    }

    /// Lets a home device answer by itself for a contact's household, or echo; `None`: ask again.
    ///
    /// # Errors
    /// When the contact was never met, or this is no adult's app.
    pub async fn set_answer_mode(
        &self,
        device: DeviceId,
        contact: &str,
        mode: Option<Mode>,
    ) -> Result<(), ChangeError> {
        let policy = {
            let state = self.shared.state();
            let (household, identity) = (&state.household, &state.identity);
            if !household.may_sign(identity) {
                return Err(ChangeError::NotAdult);
            }
            let their_genesis = household.pinned(contact, identity).or_else(|| {
                household
                    .find_contact(contact)
                    .and_then(|card| household.pinned(&card.handle, identity))
            });
            let their_genesis = their_genesis.ok_or(ChangeError::NotPinned)?;
            let rule = |mode| Rule {
                their_genesis,
                person: String::new(),
                mode,
            };
            let key = self.device_key(
                household
                    .devices()
                    .iter()
                    .find(|known| known.id == device)
                    .map(|known| &known.chain),
            )?;
            household.policy(key, mode.map(rule).into_iter().collect(), identity, now())
        };
        self.session()
            .done(Request::PutAnswerPolicy { device, policy })
            .await?;
        Ok(())
    }

    /// Takes a device out of the household; its sessions and calls end at once.
    ///
    /// # Errors
    /// When there is no such device, or this is no adult's app.
    pub async fn remove_device(&self, device: DeviceId) -> Result<(), ChangeError> {
        let entry = {
            let state = self.shared.state();
            let (household, identity) = (&state.household, &state.identity);
            if !household.may_sign(identity) {
                return Err(ChangeError::NotAdult);
            }
            let known = household.devices().iter().find(|known| known.id == device);
            let key = self.device_key(known.map(|known| &known.chain))?;
            household.removal(key, identity, now())
        };
        let entry = Blob(entry.encode());
        self.session()
            .done(Request::RemoveDevice { device, entry })
            .await?;
        Ok(())
    }

    /// The key that a device's chain is for.
    fn device_key(&self, chain: Option<&Blob>) -> Result<PublicKey, ChangeError> {
        let chain = chain.ok_or(ChangeError::NoDevice)?;
        let identity = verify_chain_bytes(&chain.0, now()).map_err(|_| ChangeError::NoDevice)?;
        Ok(identity.device_key)
    }

    /// Past calls of this person, newest first.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn history(&self, limit: u16) -> Result<Vec<PastCall>, RequestError> {
        match self
            .session()
            .request(Request::ListHistory {
                before_ms: None,
                limit,
            })
            .await?
        {
            Reply::History { calls } => Ok(calls),
            _ => Err(RequestError::WrongReply),
        }
    }

    /// The calls of this person that run, on whatever device.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn running(&self) -> Result<Vec<RunningCall>, RequestError> {
        match self.session().request(Request::ListCalls).await? {
            Reply::Calls { calls } => Ok(calls),
            _ => Err(RequestError::WrongReply),
        }
    }

    /// Asks for a call that runs at another device of this person. It comes as `Moving`.
    ///
    /// # Errors
    /// When the server refuses: no such call, or not this person's.
    pub async fn take_over(&self, call: CallId) -> Result<(), RequestError> {
        let (to, invitation) = (self.shared.device(), None);
        let request = Request::MoveCall {
            call,
            to,
            invitation,
        };
        self.session().done(request).await
    }

    /// Missed calls that nobody has seen, newest first.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn missed(&self) -> Result<Vec<PastCall>, RequestError> {
        match self.session().request(Request::ListMissed).await? {
            Reply::Missed { calls } => Ok(calls),
            _ => Err(RequestError::WrongReply),
        }
    }

    /// Missed calls that began until then were seen.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn mark_missed_seen(&self, until_ms: u64) -> Result<(), RequestError> {
        let request = Request::MarkMissedSeen { until_ms };
        self.session().done(request).await
    }

    /// Takes in what this client just signed and the server stored.
    fn take_own(&self, event: homeline_protocol::session::Event) {
        {
            let mut state = self.shared.state();
            let super::State {
                identity,
                household,
            } = &mut *state;
            if let Err(error) = household.apply(&event, identity, now()) {
                tracing::error!(%error, "an own statement does not hold");
            }
        }
        self.shared.save();
    }
}
