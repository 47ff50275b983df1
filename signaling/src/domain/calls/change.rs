//! Adding somebody to a running call, and moving it to another device: who may be meant is found out here.

use homeline_protocol::Blob;
use homeline_protocol::id::{AccountId, CallId, DeviceId};
use homeline_protocol::session::{
    Account, Callee, DeviceKind, EndReason, Event, PastCall, Switches,
};

use super::begin::{INVITATION_BYTES_MAX, StartError};
use super::entry::Entry;
use super::input::{Act, Adding, CallError, Moving};
use super::service::Calls;
use crate::bus::Audience;
use crate::domain::history::HistoryError;
use crate::domain::roster::account_view;
use crate::model::{Speaker, UnixMillis};
use crate::store::{StoreError, accounts, devices};

/// Why nobody is added.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// They can't be reached, or nothing is tried.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The call does not take them.
    #[error(transparent)]
    Call(#[from] CallError),
    /// They are of the own household, and take part in too many calls.
    #[error("they take part in too many calls")]
    Busy,
    /// Neither a person nor a guest.
    #[error("a person is added to a call, by handle, or a guest; a device is moved to")]
    NotAdded,
}

/// Why a call does not move.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// The device is not of this person, nor a home device of the household.
    #[error("the household has no such device")]
    NoDevice,
    /// The device is in another call.
    #[error("that device is in another call")]
    Engaged,
    /// The invitation is too long, or missing.
    #[error("a call moves with an invitation of at most 16 KiB")]
    Invitation,
    /// The call does not move now.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The database failed.
    #[error(transparent)]
    Internal(#[from] StoreError),
}

impl Calls {
    /// Adds somebody to a running call.
    ///
    /// # Errors
    /// [`AddError`]. A handle that nobody has is no error: it is not reached.
    pub async fn add(
        &self,
        speaker: &Speaker,
        call: CallId,
        to: Callee,
        invitation: Blob,
    ) -> Result<(), AddError> {
        if invitation.0.len() > INVITATION_BYTES_MAX {
            return Err(StartError::TooLong.into());
        }
        if !matches!(to, Callee::Person { .. } | Callee::Guest { .. }) {
            return Err(AddError::NotAdded);
        }
        let decisions = self.0.index().decisions();
        let there = self.people_in(call);
        let reached = self.reached(speaker, &to, &there).await?;
        let account = reached.people.first().copied();
        let devices: Vec<_> = reached.ring.iter().map(|one| one.device).collect();
        let (full, engaged) = {
            let index = self.0.index();
            let full = |account| index.is_full(&self.0.config, account);
            let full = !devices.is_empty() && account.is_some_and(full);
            // Nobody hears that somebody is busy whom nothing would have rung.
            if full && reached.family {
                return Err(AddError::Busy);
            }
            (full, index.engaged(&devices))
        };
        let adding = Adding {
            from: reached.caller,
            callee: reached.callee,
            account,
            // Somebody outside learns nothing of it: it looks as if nobody were there.
            ring: if full { Vec::new() } else { reached.ring },
            engaged,
            full,
            family: reached.family,
            to: to.clone(),
            there,
            invitation,
        };
        self.act_adding(speaker, call, adding).await?;
        if self.0.index().decisions() != decisions {
            self.look_again(call).await.map_err(StartError::from)?;
        }
        if let Some(callee) = account.filter(|_| reached.stranger) {
            let now = self.0.clock.now();
            self.0.reach.count_stranger(callee, speaker.account, now);
        }
        Ok(())
    }

    /// Moves a call to a device of the same person, or to a home device of the household. Without
    /// an invitation it is the device itself that wants the call.
    ///
    /// # Errors
    /// [`MoveError`].
    pub async fn move_call(
        &self,
        speaker: &Speaker,
        call: CallId,
        to: DeviceId,
        invitation: Option<Blob>,
    ) -> Result<(), MoveError> {
        let (person, switches) = self.person_at(speaker, to).await?;
        if self.0.index().is_engaged(to) && !self.is_in(call, to) {
            return Err(MoveError::Engaged);
        }
        let act = match invitation {
            Some(invitation) if invitation.0.len() <= INVITATION_BYTES_MAX => {
                Act::Move(Box::new(Moving {
                    to,
                    switches,
                    person,
                    invitation,
                }))
            }
            None if speaker.device == Some(to) => Act::WantHere,
            _ => return Err(MoveError::Invitation),
        };
        self.act(speaker, call, act).await?;
        Ok(())
    }

    /// A person's missed calls that nobody has seen.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn missed(&self, speaker: &Speaker) -> Result<Vec<PastCall>, HistoryError> {
        self.0.history.missed(speaker.account).await
    }

    /// A person has seen their missed calls; their other devices hear of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mark_missed_seen(
        &self,
        speaker: &Speaker,
        until_ms: u64,
    ) -> Result<(), HistoryError> {
        let until = UnixMillis(until_ms);
        self.0.history.mark_seen(speaker.account, until).await?;
        let event = Event::MissedSeen { until_ms };
        self.0
            .bus
            .publish(Audience::Account(speaker.account), event);
        Ok(())
    }

    /// A guest waits no more while a call rings for them; if the call takes nobody now, they wait on.
    async fn act_adding(
        &self,
        speaker: &Speaker,
        call: CallId,
        adding: Adding,
    ) -> Result<(), CallError> {
        let guest = match adding.to {
            Callee::Guest { guest } => Some(guest),
            _ => None,
        };
        if let Some(guest) = guest {
            self.0.guests.let_in(guest).await;
        }
        let added = self.act(speaker, call, Act::Add(Box::new(adding))).await;
        if let (Err(_), Some(guest)) = (&added, guest) {
            self.0.guests.call_over(guest);
        }
        added.map(|_| ())
    }

    /// Takes a guest out of a call, for whoever made the link that they came by.
    ///
    /// # Errors
    /// When they are no guest of the speaker's, or not in this call.
    pub async fn remove_guest(
        &self,
        speaker: &Speaker,
        call: CallId,
        guest: DeviceId,
    ) -> Result<(), CallError> {
        let visitor = self.0.guests.visitor(guest);
        let visitor = visitor.filter(|one| one.maker == speaker.account && one.let_in);
        let visitor = visitor.ok_or(CallError::NotFound)?;
        let leaving = Speaker::of_guest(visitor.account, guest);
        let reason = EndReason::HungUp;
        self.act(&leaving, call, Act::HangUp { reason }).await?;
        Ok(())
    }

    /// Who takes part in a call.
    fn people_in(&self, call: CallId) -> Vec<AccountId> {
        let index = self.0.index();
        index.get(call).map_or(Vec::new(), Entry::people)
    }

    /// Whether a device takes part in a call, or is to take it over.
    fn is_in(&self, call: CallId, device: DeviceId) -> bool {
        let index = self.0.index();
        let entry = index.get(call);
        entry.is_some_and(|entry| entry.holds(device))
    }

    /// The one who asks, if the device may take their calls, and where its switches stand.
    async fn person_at(
        &self,
        speaker: &Speaker,
        to: DeviceId,
    ) -> Result<(Account, Switches), MoveError> {
        let mut tx = self.0.db.read().await?;
        let device = devices::find(&mut tx, to).await?;
        let device = device.ok_or(MoveError::NoDevice)?;
        let own = device.account == speaker.account || device.kind.0 == DeviceKind::HomeDevice;
        let here = device.household.0.is_some() && device.household.0 == speaker.household;
        if !own || !here || device.removed_at_ms.is_some() {
            return Err(MoveError::NoDevice);
        }
        let account = accounts::find(&mut tx, speaker.account).await?;
        let account = account.ok_or(MoveError::NoDevice)?;
        Ok((account_view(&account), device.settings.switches()))
    }
}
