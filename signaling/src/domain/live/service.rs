//! Begins live announcements.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use homeline_protocol::Blob;
use homeline_protocol::id::{CallId, DeviceId, HouseholdId};
use homeline_protocol::session::{
    Account, AnnounceTo, AnnouncementFate, AnnouncementReceiver, Switches,
};

use super::LiveError;
use crate::domain::announcements::{
    AnnounceError, Announcements, CLOCK_SKEW, DEVICES_COUNTED_MAX, RATE, STATEMENT_BYTES_MAX,
    fates, member,
};
use crate::domain::calls::{BeginLiveError, Calls, NewLive};
use crate::domain::identity::{LiveStatement, StatementError};
use crate::domain::limits::Limiter;
use crate::domain::roster::{self, account_view};
use crate::model::{Clock, Speaker, UnixMillis};
use crate::store::{self, Db, Tx};

/// What is announced live.
#[derive(Debug)]
pub struct LiveAnnouncements {
    db: Db,
    clock: Clock,
    announcements: Arc<Announcements>,
    calls: Calls,
    often: Limiter<DeviceId>,
    /// Those that run, for whoever asks twice. As many as the server carries calls.
    running: Arc<Mutex<HashMap<CallId, Begun>>>,
}

#[derive(Debug)]
struct Begun {
    device: DeviceId,
    statement: Blob,
    receivers: Vec<AnnouncementReceiver>,
}

impl LiveAnnouncements {
    /// The service, from its parts.
    #[must_use]
    pub fn new((db, clock): (Db, Clock), announcements: Arc<Announcements>, calls: Calls) -> Self {
        Self {
            db,
            clock,
            announcements,
            calls,
            often: Limiter::new(RATE, DEVICES_COUNTED_MAX),
            running: Arc::default(),
        }
    }

    /// Begins one, and tells the devices. Repeating it is no error and tells nobody again.
    ///
    /// # Errors
    /// When the speaker may not, the statement does not hold, or nobody could hear it.
    pub async fn announce(
        &self,
        speaker: &Speaker,
        (call, to): (CallId, &AnnounceTo),
        statement: &Blob,
    ) -> Result<Vec<AnnouncementReceiver>, LiveError> {
        let (household, device) = member(speaker).map_err(AnnounceError::from)?;
        if statement.0.len() > STATEMENT_BYTES_MAX {
            return Err(AnnounceError::TooLong.into());
        }
        if let Some(begun) = self.running().get(&call) {
            let same = begun.device == device && begun.statement == *statement;
            return same
                .then(|| begun.receivers.clone())
                .ok_or(LiveError::Begin(BeginLiveError::IdTaken));
        }
        let (mut receivers, new) = self
            .beginning(speaker, (household, device), (call, to), statement)
            .await?;
        if new.hearers.is_empty() {
            return Err(LiveError::NobodyHears);
        }
        let now = self.clock.now();
        self.often
            .check(&device, now)
            .map_err(AnnounceError::from)?;
        let begun = self.calls.begin_live(new).await?;
        for one in &mut receivers {
            if begun.busy.contains(&one.device) {
                one.fate = AnnouncementFate::Busy;
            }
        }
        let kept = Begun {
            device,
            statement: statement.clone(),
            receivers: receivers.clone(),
        };
        self.running().insert(call, kept);
        let running = Arc::clone(&self.running);
        tokio::spawn(async move {
            // Nothing is sent: it closes when the announcement is over.
            drop(begun.over.await);
            lock(&running).remove(&call);
        });
        Ok(receivers)
    }

    /// What becomes of it at each device, and what the call begins with.
    async fn beginning(
        &self,
        speaker: &Speaker,
        (household, device): (HouseholdId, DeviceId),
        (call, to): (CallId, &AnnounceTo),
        statement: &Blob,
    ) -> Result<(Vec<AnnouncementReceiver>, NewLive), AnnounceError> {
        let now = self.clock.now();
        let mut tx = self.db.read().await?;
        let roster = roster::load(&mut tx, household).await?;
        let said = LiveStatement::open(statement.as_ref(), &roster)?;
        if said.call != call || said.signer != device {
            return Err(StatementError::SaysOtherwise.into());
        }
        let at = UnixMillis(said.at_ms);
        if at > now.plus(CLOCK_SKEW) || at < now.minus(CLOCK_SKEW) {
            return Err(AnnounceError::NotNow);
        }
        let world = self.announcements.world(&mut tx, speaker, to, now).await?;
        let fates = fates(&world, &said.devices)?;
        let (account, switches) = seat(&mut tx, device).await?;
        let mut hearers = Vec::new();
        for (device, fate) in &fates {
            if *fate == AnnouncementFate::Told {
                hearers.push((*device, seat(&mut tx, *device).await?.0));
            }
        }
        let receivers = fates.into_iter();
        let receivers = receivers.map(|(device, fate)| AnnouncementReceiver { device, fate });
        let new = NewLive {
            call,
            account,
            device,
            switches,
            hearers,
            statement: statement.clone(),
        };
        Ok((receivers.collect(), new))
    }

    fn running(&self) -> MutexGuard<'_, HashMap<CallId, Begun>> {
        lock(&self.running)
    }
}

/// Whose a device is, and where its switches stand.
async fn seat(tx: &mut Tx, device: DeviceId) -> Result<(Account, Switches), AnnounceError> {
    let row = store::devices::find(tx, device).await?;
    let row = row.ok_or(AnnounceError::NotFound)?;
    let account = store::accounts::find(tx, row.account).await?;
    let account = account.ok_or(AnnounceError::NotFound)?;
    Ok((account_view(&account), row.settings.switches()))
}

fn lock(running: &Mutex<HashMap<CallId, Begun>>) -> MutexGuard<'_, HashMap<CallId, Begun>> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}
