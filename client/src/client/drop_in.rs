//! Dropping in, and what somebody at a home device sets about being dropped in on.

use std::time::Duration;

use homeline_e2ee::drop_in::{Grant, Grantee, LIFETIME_MS_MAX, Opening};
use homeline_protocol::Blob;
use homeline_protocol::id::GrantId;
use homeline_protocol::session::{Activity, Request};
use tokio::sync::oneshot;

use super::{ChangeError, Client};
use crate::call::{Call, DropInError, Outgoing, drop_in};
use crate::chance;
use crate::drop_in::DeskInput;
use crate::session::RequestError;
use crate::time::now;

impl Client {
    /// Drops in: on a home device of the own household by its label, on a contact by the family's name for
    /// them, or on somebody by handle. With a picture or a screen it is one with picture. What comes of it is
    /// told by the call; only the household that is meant is let into it.
    ///
    /// # Errors
    /// When the name is unknown, nobody has pinned their household, or no media socket can be opened.
    pub async fn drop_in(&self, to: &str, with: Outgoing) -> Result<Call, DropInError> {
        drop_in(self.shared.clone(), to, with).await
    }

    /// Signs a grant of this household, or a further revision of one, and gives it: an adult's app alone may.
    ///
    /// # Errors
    /// When this is no adult's app, or the server refuses.
    pub async fn put_drop_in_grant(&self, grant: &Grant) -> Result<(), ChangeError> {
        let statement = {
            let state = self.shared.state();
            if !state.household.may_sign(&state.identity) {
                return Err(ChangeError::NotAdult);
            }
            grant.sign(&state.identity.device_key).encode()
        };
        let request = Request::PutDropInGrant {
            grant: grant.id,
            statement: Blob(statement),
        };
        Ok(self.session().done(request).await?)
    }

    /// Lets everybody of the own household drop in on all of its home devices, at once and always, for as long
    /// as a grant lasts: an adult's app alone may.
    ///
    /// # Errors
    /// When this is no adult's app, or the server refuses.
    pub async fn let_household_drop_in(&self, picture: bool) -> Result<(), ChangeError> {
        let at = now();
        let grant = Grant {
            genesis: self.shared.state().household.roster().genesis_key(),
            id: GrantId(chance::bytes()),
            revision: at.0,
            to: Grantee::OwnHousehold,
            devices: vec![],
            hours: None,
            picture,
            opening: Opening::AtOnce,
            signed_at: at,
            expires_at: at.plus(LIFETIME_MS_MAX),
            revoked: false,
        };
        self.put_drop_in_grant(&grant).await
    }

    /// Switches drop-in off or on at this home device, whatever the grants. It counts here at once, with or
    /// without a server. False: it could not be stored, and counts only until the program ends.
    pub async fn allow_drop_in(&self, on: bool) -> bool {
        let (done, is_done) = oneshot::channel();
        let off = !on;
        self.ask_desk(DeskInput::Switch { off, done }, is_done)
            .await
            == Some(true)
    }

    /// Whether anybody may drop in here at all: not switched off at this device, nor in the household.
    pub async fn allows_drop_in(&self) -> bool {
        let (sender, is_off) = oneshot::channel();
        self.ask_desk(DeskInput::IsOff(sender), is_off).await == Some(false)
    }

    /// Everyone out: what runs ends, and no grant that there is counts at this home device any more, with
    /// or without a server. False: it could not be stored, and counts only until the program ends.
    pub async fn everyone_out(&self) -> bool {
        let (done, is_done) = oneshot::channel();
        self.ask_desk(DeskInput::EveryoneOut { done }, is_done)
            .await
            == Some(true)
    }

    /// How long the picture is frosted when somebody drops in here: 5 to 30 seconds; none counts for the own
    /// household alone.
    pub async fn set_frosted(&self, time: Duration) {
        self.shared.to_desk(DeskInput::Frosted(time)).await;
    }

    /// Tells that somebody is near this home device.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn report_activity(&self, activity: Activity) -> Result<(), RequestError> {
        self.session()
            .done(Request::ReportActivity { activity })
            .await
    }

    /// `None`: this is no home device.
    async fn ask_desk<T>(&self, input: DeskInput, answer: oneshot::Receiver<T>) -> Option<T> {
        if !self.shared.has_desk() {
            return None;
        }
        self.shared.to_desk(input).await;
        answer.await.ok()
    }
}
