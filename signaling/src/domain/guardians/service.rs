//! Takes and ends consents, shows what a child did, and deletes it.

use homeline_protocol::http::ConsentReview;
use homeline_protocol::id::{AccountId, ConsentId, HouseholdId};
use homeline_protocol::session::{Child, ConsentRecord, ConsentText, Event, PastCall, Role};
use homeline_protocol::{EmailAddress, Secret};

use super::rules::{check, reference};
use super::{ConsentLinkError, GiveConsentError, GuardianError, letters, text};
use crate::bus::{Audience, Bus, Notice};
use crate::domain::history::History;
use crate::domain::households::{adult_of, child as child_view};
use crate::domain::limits::{Limiter, LimitsConfig, Origin};
use crate::domain::mail::Mailer;
use crate::domain::secrets::{hash_token, new_token, random_id};
use crate::model::{Clock, Speaker, UnixMillis};
use crate::store::accounts::AccountRow;
use crate::store::consents::{self, ConsentRow};
use crate::store::rules::children::{self, ChildRow};
use crate::store::{Db, Nullable, StoreError, Tx, accounts, erasure};

/// What adults may do about the children of their household.
#[derive(Debug)]
pub struct Guardians {
    parts: GuardiansParts,
    per_household: Limiter<HouseholdId>,
    per_address: Limiter<Origin>,
}

/// What it is built from.
#[derive(Debug)]
pub struct GuardiansParts {
    /// The database.
    pub db: Db,
    /// Where changes are told.
    pub bus: Bus,
    /// The time.
    pub clock: Clock,
    /// Confirmations go here.
    pub mailer: Mailer,
    /// Past calls.
    pub history: History,
    /// Where links in mails lead.
    pub link_base: String,
}

/// A consent as an adult gives it.
#[derive(Debug)]
pub struct NewConsent {
    /// For whom.
    pub child: AccountId,
    /// The adult's name.
    pub name: String,
    /// Where the confirmation goes.
    pub email: EmailAddress,
    /// Which text was read.
    pub version: u16,
}

impl Guardians {
    /// The service, from its parts.
    #[must_use]
    pub fn new(parts: GuardiansParts, limits: &LimitsConfig) -> Self {
        Self {
            parts,
            per_household: Limiter::new(limits.consent_per_household, limits.remembered_max),
            per_address: Limiter::new(limits.consent_per_address, limits.remembered_max),
        }
    }

    /// The text of today, and the newest consent for a child.
    ///
    /// # Errors
    /// When the speaker is no adult of the child's household.
    pub async fn consent(
        &self,
        speaker: &Speaker,
        child: AccountId,
    ) -> Result<(ConsentText, Option<ConsentRecord>), GuardianError> {
        let mut tx = self.parts.db.read().await?;
        let (household, _) = find_child(&mut tx, speaker, child).await?;
        let row = consents::newest(&mut tx, child, household).await?;
        let record = match row {
            Some(row) => Some(self.record(&mut tx, row).await?),
            None => None,
        };
        Ok((text::current(), record))
    }

    /// Takes a consent, which replaces one before it. When this returns it is stored, and so is the
    /// mail that confirms it.
    ///
    /// # Errors
    /// When the speaker is no adult of the child's household, the name is none, the text has a newer
    /// version, or it is too often.
    pub async fn give(
        &self,
        speaker: &Speaker,
        new: NewConsent,
    ) -> Result<(ConsentText, ConsentRecord), GiveConsentError> {
        check(&new.name, new.version)?;
        let now = self.parts.clock.now();
        let mut tx = self.parts.db.write().await?;
        let (household, _) = find_child(&mut tx, speaker, new.child).await?;
        self.per_household.check(&household, now)?;
        let id = ConsentId(random_id());
        let (secret, secret_hash) = new_token();
        let link = (self.parts.link_base.as_str(), &secret);
        let letter = letters::given(household, new.email.clone(), id, link);
        let mail = self.parts.mailer.promise(&mut tx, letter).await;
        let row = ConsentRow {
            id,
            account: new.child,
            household,
            given_by: speaker.account,
            name: new.name,
            email: new.email,
            text_version: i64::from(new.version),
            given_at_ms: now,
            mail: Nullable(mail.map_err(GuardianError::from)?),
            withdrawn_at_ms: None,
        };
        consents::end_all(&mut tx, new.child, now).await?;
        consents::insert(&mut tx, &row, secret_hash).await?;
        set_consent(&mut tx, new.child, Some((speaker.account, now))).await?;
        let record = self.record(&mut tx, row).await?;
        let told = child_view(&mut tx, new.child).await?;
        tx.commit().await?;
        self.parts.mailer.wake();
        self.tell(household, told);
        Ok((text::current(), record))
    }

    /// Ends the consent for a child, and with it the child's part in running calls. Repeating it is no
    /// error.
    ///
    /// # Errors
    /// When the speaker is no adult of the child's household.
    pub async fn withdraw(&self, speaker: &Speaker, child: AccountId) -> Result<(), GuardianError> {
        let mut tx = self.parts.db.write().await?;
        let (household, _) = find_child(&mut tx, speaker, child).await?;
        consents::end_all(&mut tx, child, self.parts.clock.now()).await?;
        set_consent(&mut tx, child, None).await?;
        let told = child_view(&mut tx, child).await?;
        tx.commit().await?;
        self.tell(household, told);
        Ok(())
    }

    /// A child's past calls, newest first.
    ///
    /// # Errors
    /// When the speaker is no adult of the child's household, or the limit is out of its bounds.
    pub async fn calls(
        &self,
        speaker: &Speaker,
        child: AccountId,
        (before_ms, limit): (Option<u64>, u16),
    ) -> Result<Vec<PastCall>, GuardianError> {
        let mut tx = self.parts.db.read().await?;
        find_child(&mut tx, speaker, child).await?;
        drop(tx);
        Ok(self.parts.history.list(child, before_ms, limit).await?)
    }

    /// Deletes all that was collected about a child, in one piece, and confirms it by mail to whom the
    /// newest consent names. A call that runs is not history yet, and is kept when it ends.
    ///
    /// # Errors
    /// When the speaker is no adult of the child's household, or no more mail can be promised.
    pub async fn erase(&self, speaker: &Speaker, child: AccountId) -> Result<(), GuardianError> {
        let mut tx = self.parts.db.write().await?;
        let (household, account) = find_child(&mut tx, speaker, child).await?;
        erasure::erase(&mut tx, child, &account.handle).await?;
        if let Some(consent) = consents::newest(&mut tx, child, household).await? {
            let letter = letters::deleted(household, consent.email, consent.id);
            self.parts.mailer.promise(&mut tx, letter).await?;
        }
        tx.commit().await?;
        self.parts.mailer.wake();
        tracing::info!(account = %child, "what was collected about a child was deleted");
        Ok(())
    }

    /// A consent as its mail's link shows it.
    ///
    /// # Errors
    /// When no consent has this secret, or somebody tries too often.
    pub async fn review(
        &self,
        origin: Origin,
        secret: &Secret,
    ) -> Result<ConsentReview, ConsentLinkError> {
        self.per_address.check(&origin, self.parts.clock.now())?;
        let mut tx = self.parts.db.read().await?;
        let row = consents::by_secret(&mut tx, hash_token(secret)).await?;
        Ok(review(row.ok_or(ConsentLinkError::NotFound)?))
    }

    /// Ends a consent by its mail's link. One that has ended stays as it is: a link whose consent was
    /// replaced ends nothing.
    ///
    /// # Errors
    /// When no consent has this secret, or somebody tries too often.
    pub async fn withdraw_by_link(
        &self,
        origin: Origin,
        secret: &Secret,
    ) -> Result<ConsentReview, ConsentLinkError> {
        let now = self.parts.clock.now();
        self.per_address.check(&origin, now)?;
        let mut tx = self.parts.db.write().await?;
        let row = consents::by_secret(&mut tx, hash_token(secret)).await?;
        let mut row = row.ok_or(ConsentLinkError::NotFound)?;
        if row.withdrawn_at_ms.is_some() {
            return Ok(review(row));
        }
        consents::end_all(&mut tx, row.account, now).await?;
        set_consent(&mut tx, row.account, None).await?;
        let told = child_view(&mut tx, row.account).await?;
        tx.commit().await?;
        self.tell(row.household, told);
        row.withdrawn_at_ms = Some(now.column());
        Ok(review(row))
    }

    fn tell(&self, household: HouseholdId, child: Child) {
        let account = child.account;
        let audience = Audience::Household(household);
        self.parts.bus.publish(audience, Event::ChildChanged(child));
        self.parts
            .bus
            .publish(audience, Event::ConsentChanged { account });
        self.parts.bus.notify(Notice::ChildLimited { account });
    }

    async fn record(&self, tx: &mut Tx, row: ConsentRow) -> Result<ConsentRecord, StoreError> {
        let mail_state = self.parts.mailer.state(tx, row.mail.0).await?;
        Ok(ConsentRecord {
            consent: row.id,
            child: row.account,
            by: row.given_by,
            name: row.name,
            email: row.email,
            version: version(row.text_version),
            given_at_ms: row.given_at_ms.0,
            withdrawn_at_ms: row.withdrawn_at_ms.map(|at| UnixMillis::from(at).0),
            mail: row.mail.0,
            mail_state,
        })
    }
}

/// The child and its household, if the speaker is an adult there. An adult's doings are nobody's to see.
async fn find_child(
    tx: &mut Tx,
    speaker: &Speaker,
    child: AccountId,
) -> Result<(HouseholdId, AccountRow), GuardianError> {
    let household = adult_of(tx, speaker).await?;
    let account = accounts::find(tx, child).await?;
    let account = account
        .filter(|row| row.household.0 == Some(household) && row.role.0 == Role::Child)
        .ok_or(GuardianError::NotFound)?;
    Ok((household, account))
}

async fn set_consent(
    tx: &mut Tx,
    child: AccountId,
    given: Option<(AccountId, UnixMillis)>,
) -> Result<(), StoreError> {
    let row = children::find(tx, child).await?;
    let mut row = row.unwrap_or_else(|| ChildRow::unasked(child));
    row.set_consent(given);
    children::put(tx, &row).await
}

fn review(row: ConsentRow) -> ConsentReview {
    let version = version(row.text_version);
    let text = text::version(version.into());
    ConsentReview {
        reference: reference(row.id),
        version,
        text: text.map(|text| text.text).unwrap_or_default(),
        given_at_ms: row.given_at_ms.0,
        withdrawn_at_ms: row.withdrawn_at_ms.map(|at| UnixMillis::from(at).0),
    }
}

fn version(column: i64) -> u16 {
    u16::try_from(column).unwrap_or_default()
}
