//! What a person has set, and what children may, as clients see it; and who counts as an adult.

use homeline_protocol::id::{AccountId, HouseholdId};
use homeline_protocol::session::{
    Child, ChildLimits, Consent, DeviceKind, DoNotDisturb, PersonSettings, QuietSchedule, Role,
    TopContact,
};

use crate::model::{NoRight, Speaker, UnixMillis};
use crate::store::rules::children::{self, ChildRow};
use crate::store::rules::chosen::{self, Chosen};
use crate::store::rules::people;
use crate::store::{self, StoreError, Tx};

/// Why somebody does not speak as an adult of their household.
#[derive(Debug, thiserror::Error)]
pub enum NotAdult {
    /// They may not.
    #[error(transparent)]
    NoRight(#[from] NoRight),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The household of which the speaker is an adult, speaking with an app of their own.
///
/// # Errors
/// When it is a device, a child's app, or in no household.
pub async fn adult_of(tx: &mut Tx, speaker: &Speaker) -> Result<HouseholdId, NotAdult> {
    let household = speaker.household.ok_or(NoRight::NoHousehold)?;
    let row = store::accounts::find(tx, speaker.account).await?;
    let adult = row.is_some_and(|row| row.role.0 != Role::Child);
    if adult && speaker.kind == DeviceKind::App {
        Ok(household)
    } else {
        Err(NoRight::NotAdult.into())
    }
}

/// What a person has set for themself.
///
/// # Errors
/// When the database fails.
pub async fn person_settings(
    tx: &mut Tx,
    account: AccountId,
) -> Result<PersonSettings, StoreError> {
    let Some(row) = people::settings(tx, account).await? else {
        return Ok(PersonSettings::default());
    };
    let schedule = match row.quiet_zone {
        Some(time_zone) => Some(QuietSchedule {
            time_zone,
            windows: people::windows(tx, account).await?,
        }),
        None => None,
    };
    let contact = row
        .top_contact
        .0
        .map(|contact| TopContact::Contact { contact });
    let person = row.top_handle.0.map(|handle| TopContact::Person { handle });
    Ok(PersonSettings {
        do_not_disturb: DoNotDisturb {
            everywhere: row.quiet_everywhere,
            schedule,
            exceptions: chosen::contacts(tx, Chosen::Undisturbed, account).await?,
        },
        blocked: people::blocked(tx, account).await?,
        top_contact: contact.or(person),
    })
}

/// A child.
///
/// # Errors
/// When the database fails.
pub async fn child(tx: &mut Tx, account: AccountId) -> Result<Child, StoreError> {
    let row = children::find(tx, account).await?;
    let row = row.unwrap_or_else(|| ChildRow::unasked(account));
    let at = |column: i64| UnixMillis::from(column).0;
    let consent = row.consent_by.0.zip(row.consent_at_ms);
    Ok(Child {
        account,
        limits: ChildLimits {
            calling: row.calling,
            messaging: row.messaging,
            drop_in: row.drop_in,
            contacts: chosen::contacts(tx, Chosen::ForChild, account).await?,
        },
        consent: consent.map(|(by, at_ms)| Consent {
            by,
            at_ms: at(at_ms),
        }),
    })
}

/// The children of a household.
///
/// # Errors
/// When the database fails.
pub async fn children_of(tx: &mut Tx, household: HouseholdId) -> Result<Vec<Child>, StoreError> {
    let mut found = Vec::new();
    for member in store::accounts::members(tx, household).await? {
        if member.role.0 == Role::Child {
            found.push(child(tx, member.id).await?);
        }
    }
    Ok(found)
}
