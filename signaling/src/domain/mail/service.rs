//! The queue of outgoing mail: promised once stored, tried until it is sent or a day has passed.
//!
//! A mail can arrive twice when the server dies between the mail server's yes and the note of it; both
//! have one Message-ID.

use std::sync::Arc;
use std::time::Duration;

use homeline_protocol::EmailAddress;
use homeline_protocol::id::{HouseholdId, MailId};
use homeline_protocol::session::{Event, MailState};
use tokio::sync::{Mutex, Notify};
use tokio::task::AbortHandle;

use super::rules::next_try;
use crate::bus::{Audience, Bus};
use crate::domain::secrets::random_id;
use crate::gateway::{Letter, Mail};
use crate::model::Clock;
use crate::store::mail::{self, MailRow};
use crate::store::{Db, StoreError, Tx};

/// Mails that wait at most. A mail server that is away for a day and a household that asks for a
/// confirmation every minute fill it; then a request that needs a mail is refused.
const WAITING_MAX: i64 = 2_000;
/// How long the task sleeps when nothing is due sooner.
const IDLE: Duration = Duration::from_secs(60);
/// How soon it looks again at least, so that a clock that stands still keeps no core busy.
const PAUSE_MIN: Duration = Duration::from_secs(1);

/// The queue. Clones share it.
#[derive(Debug, Clone)]
pub struct Mailer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    db: Db,
    bus: Bus,
    clock: Clock,
    mail: Mail,
    wake: Notify,
    /// Held while sending: no mail is sent by two at once.
    sending: Mutex<()>,
}

/// A mail to promise.
pub struct NewMail {
    /// Whose apps are told what became of it.
    pub household: HouseholdId,
    /// To whom.
    pub to: EmailAddress,
    /// What about.
    pub subject: String,
    /// Plain text.
    pub text: String,
}

/// Why a mail can't be promised.
#[derive(Debug, thiserror::Error)]
pub enum PromiseMailError {
    /// Too many wait.
    #[error("{WAITING_MAX} mails wait already")]
    Full,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Mailer {
    /// The queue, from its parts.
    #[must_use]
    pub fn new((db, bus, clock): (Db, Bus, Clock), mail: Mail) -> Self {
        Self(Arc::new(Inner {
            db,
            bus,
            clock,
            mail,
            wake: Notify::new(),
            sending: Mutex::new(()),
        }))
    }

    /// Sends what is due from now on, beginning with what the last stop left.
    #[must_use]
    pub fn start(&self) -> AbortHandle {
        let mailer = self.clone();
        tokio::spawn(async move { mailer.run().await }).abort_handle()
    }

    /// Promises a mail: it is part of the caller's transaction, and stands once that is committed.
    /// Nothing where the server sends no mail.
    ///
    /// # Errors
    /// When too many wait.
    pub async fn promise(
        &self,
        tx: &mut Tx,
        new: NewMail,
    ) -> Result<Option<MailId>, PromiseMailError> {
        if !self.0.mail.is_on() {
            return Ok(None);
        }
        if mail::waiting(tx).await? >= WAITING_MAX {
            return Err(PromiseMailError::Full);
        }
        let id = MailId(random_id());
        let row = MailRow {
            id,
            household: new.household,
            recipient: new.to,
            subject: new.subject,
            body: new.text,
            created_at_ms: self.0.clock.now(),
            tries: 0,
        };
        mail::insert(tx, &row).await?;
        Ok(Some(id))
    }

    /// To be called after the commit: a promised mail is tried at once.
    pub fn wake(&self) {
        self.0.wake.notify_one();
    }

    /// What became of a mail.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn state(&self, tx: &mut Tx, mail: Option<MailId>) -> Result<MailState, StoreError> {
        let Some(id) = mail else {
            return Ok(MailState::Off);
        };
        Ok(match mail::is_waiting(tx, id).await? {
            Some(true) => MailState::Waiting,
            Some(false) => MailState::GivenUp,
            None => MailState::Sent,
        })
    }

    /// Tries everything that is due now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deliver_due(&self) -> Result<(), StoreError> {
        let _sending = self.0.sending.lock().await;
        if !self.0.mail.is_on() {
            return Ok(());
        }
        loop {
            let mut tx = self.0.db.read().await?;
            let Some(row) = mail::due(&mut tx, self.0.clock.now()).await? else {
                return Ok(());
            };
            drop(tx);
            self.deliver(row).await?;
        }
    }

    async fn deliver(&self, row: MailRow) -> Result<(), StoreError> {
        let (id, household) = (row.id, row.household);
        let letter = Letter {
            id,
            to: row.recipient,
            subject: row.subject,
            text: row.body,
        };
        let sent = self.0.mail.send(&letter).await;
        let tries = row.tries.saturating_add(1);
        let now = self.0.clock.now();
        let mut tx = self.0.db.write().await?;
        let settled = match sent {
            Ok(()) => {
                mail::delete(&mut tx, id).await?;
                Some(true)
            }
            Err(error) => {
                let count = u32::try_from(tries).unwrap_or(u32::MAX);
                if let Some(until) = next_try(row.created_at_ms, count, now) {
                    tracing::warn!(mail = %id, %error, tries, "a mail waits for another try");
                    mail::put_off(&mut tx, id, tries, until).await?;
                    None
                } else {
                    tracing::error!(mail = %id, %error, tries, "a mail was given up after a day");
                    mail::give_up(&mut tx, id).await?;
                    Some(false)
                }
            }
        };
        tx.commit().await?;
        if let Some(sent) = settled {
            let event = Event::MailSettled { mail: id, sent };
            self.0.bus.publish(Audience::Household(household), event);
        }
        Ok(())
    }

    async fn run(&self) {
        loop {
            let pause = match self.deliver_and_look().await {
                Ok(pause) => pause,
                Err(error) => {
                    tracing::error!(%error, "mail could not be sent");
                    IDLE
                }
            };
            tokio::select! {
                () = self.0.wake.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    async fn deliver_and_look(&self) -> Result<Duration, StoreError> {
        self.deliver_due().await?;
        let mut tx = self.0.db.read().await?;
        let next = mail::next_due(&mut tx).await?;
        let pause = next.map_or(IDLE, |at| at.since(self.0.clock.now()));
        Ok(pause.clamp(PAUSE_MIN, IDLE))
    }
}
