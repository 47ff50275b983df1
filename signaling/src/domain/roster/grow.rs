//! Adds a checked entry to a roster, and brings the device table in line with it.

use std::collections::BTreeSet;
use std::sync::Arc;

use homeline_protocol::Blob;
use homeline_protocol::id::{AccountId, DeviceId, HouseholdId};
use homeline_protocol::session::{DeviceKind, Event, Role};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::{device_view, member_view};
use crate::bus::{Audience, Bus};
use crate::domain::identity::{
    Chain, ChainError, Change, Kind, PublicKey, Roster, RosterError, device_id,
};
use crate::model::UnixMillis;
use crate::store::devices::{DeviceRow, KindColumn, SettingsColumns};
use crate::store::{self, Nullable, StoreError, Tx};

/// More devices than a home has; the roster's own bound counts removed ones too.
const DEVICES_MAX: usize = 256;

/// Why a roster does not grow.
#[derive(Debug, thiserror::Error)]
pub enum GrowError {
    /// The entry does not belong there.
    #[error(transparent)]
    Entry(#[from] RosterError),
    /// The new device's chain does not hold.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// Entry, chain and request do not speak of the same device.
    #[error("the signed entry, the chain and the request do not agree")]
    SaysOtherwise,
    /// The key belongs to another account or household.
    #[error("the device belongs to somebody already")]
    DeviceTaken,
    /// A child's app never has the adult right.
    #[error("a child's app can't have the adult right")]
    Child,
    /// The household has as many devices as it may.
    #[error("the household has {DEVICES_MAX} devices")]
    TooManyDevices,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Lets one change at a time grow rosters, from the look at the head to the event: so that clients
/// hear of entries in their order.
#[derive(Debug, Clone, Default)]
pub struct RosterGate(Arc<Mutex<()>>);

impl RosterGate {
    /// Waits for the change before to be told.
    pub async fn enter(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.0).lock_owned().await
    }
}

/// A device to be added, as the request says.
#[derive(Debug, Clone, Copy)]
pub struct Addition<'a> {
    /// Its key.
    pub key: PublicKey,
    /// App or home device.
    pub kind: DeviceKind,
    /// Whose.
    pub account: AccountId,
    /// Its label.
    pub label: &'a str,
    /// Whether it may certify and sign; `None`: as the entry says.
    pub adult: Option<bool>,
    /// The signed entry.
    pub entry: &'a [u8],
    /// Its chain.
    pub chain: &'a [u8],
}

/// A roster that grew: to be told once the transaction is committed.
#[derive(Debug)]
pub struct Grown {
    household: HouseholdId,
    event: Event,
}

impl Grown {
    /// Tells the household.
    pub fn publish(self, bus: &Bus) {
        bus.publish(Audience::Household(self.household), self.event);
    }
}

/// The roster of a household.
///
/// # Errors
/// When the database fails.
pub async fn load(tx: &mut Tx, household: HouseholdId) -> Result<Roster, GrowError> {
    Ok(Roster::from_stored(
        &store::households::roster(tx, household).await?,
    )?)
}

/// Adds a device: the entry to the roster, the device to the table.
///
/// # Errors
/// When anything about the entry or the chain is wrong.
pub async fn add_device(
    tx: &mut Tx,
    household: HouseholdId,
    addition: Addition<'_>,
    now: UnixMillis,
) -> Result<Grown, GrowError> {
    let mut roster = load(tx, household).await?;
    let change = roster.append(addition.entry)?;
    let adult = check_addition(&roster, &change, addition, now)?;
    let whose = store::accounts::find(tx, addition.account).await?;
    if adult && whose.is_some_and(|row| row.role.0 == Role::Child) {
        return Err(GrowError::Child);
    }
    if store::devices::of_household(tx, household).await?.len() >= DEVICES_MAX {
        return Err(GrowError::TooManyDevices);
    }
    store::households::append(tx, household, roster.seq(), addition.entry).await?;
    let id = device_id(addition.key);
    match store::devices::find(tx, id).await? {
        None => {
            let row = DeviceRow {
                id,
                public_key: addition.key.0.to_vec(),
                account: addition.account,
                household: Nullable(Some(household)),
                kind: KindColumn(addition.kind),
                label: addition.label.to_owned(),
                adult,
                chain: Some(addition.chain.to_vec()),
                removed_at_ms: None,
                settings: SettingsColumns::default(),
            };
            store::devices::insert(tx, &row, now).await?;
        }
        Some(waiting) => {
            if waiting.household.0.is_some() || waiting.account != addition.account {
                return Err(GrowError::DeviceTaken);
            }
            let (label, chain) = (addition.label, addition.chain);
            store::devices::admit(tx, id, household, adult, label, chain).await?;
        }
    }
    grown(tx, household, &[addition.entry.to_vec().into()]).await
}

/// Removes a device: the entry to the roster, the device marked. Its tokens and sessions are the
/// caller's affair.
///
/// # Errors
/// When anything about the entry is wrong.
pub async fn remove_device(
    tx: &mut Tx,
    household: HouseholdId,
    device: DeviceId,
    entry: &[u8],
    now: UnixMillis,
) -> Result<Grown, GrowError> {
    let mut roster = load(tx, household).await?;
    let Change::RemoveDevice { key } = roster.append(entry)? else {
        return Err(GrowError::SaysOtherwise);
    };
    if device_id(key) != device {
        return Err(GrowError::SaysOtherwise);
    }
    store::households::append(tx, household, roster.seq(), entry).await?;
    store::devices::remove(tx, device, now).await?;
    store::push::delete_of_device(tx, device).await?;
    store::households::delete_policy(tx, device).await?;
    grown(tx, household, &[entry.to_vec().into()]).await
}

/// Removes devices with one entry each, in any order: exactly these and no others.
///
/// # Errors
/// When anything about the entries is wrong, or they are not all.
pub async fn remove_devices(
    tx: &mut Tx,
    household: HouseholdId,
    devices: &BTreeSet<DeviceId>,
    entries: &[Blob],
    now: UnixMillis,
) -> Result<Grown, GrowError> {
    if entries.len() != devices.len() {
        return Err(GrowError::SaysOtherwise);
    }
    let mut roster = load(tx, household).await?;
    for entry in entries {
        let Change::RemoveDevice { key } = roster.append(entry.as_ref())? else {
            return Err(GrowError::SaysOtherwise);
        };
        let device = device_id(key);
        if !devices.contains(&device) {
            return Err(GrowError::SaysOtherwise);
        }
        store::households::append(tx, household, roster.seq(), entry.as_ref()).await?;
        store::devices::remove(tx, device, now).await?;
        store::households::delete_policy(tx, device).await?;
    }
    grown(tx, household, entries).await
}

/// Checks that entry and chain say what the request says; returns the adult right they give.
fn check_addition(
    roster: &Roster,
    change: &Change,
    addition: Addition<'_>,
    now: UnixMillis,
) -> Result<bool, GrowError> {
    let kind = match addition.kind {
        DeviceKind::App => Kind::App,
        DeviceKind::HomeDevice => Kind::HomeDevice,
    };
    let Change::AddDevice {
        key,
        kind: entry_kind,
        adult,
        person,
        label,
    } = change
    else {
        return Err(GrowError::SaysOtherwise);
    };
    let account = addition.account.to_string();
    let entry_agrees = *key == addition.key
        && *entry_kind == kind
        && *person == account
        && label == addition.label
        && addition.adult.is_none_or(|said| said == *adult);
    let identity = Chain::verify(addition.chain, now)?;
    let chain_agrees = identity.key == addition.key
        && identity.kind == kind
        && identity.adult == *adult
        && identity.person == account
        && roster.vouches_for(&identity);
    if entry_agrees && chain_agrees {
        Ok(*adult)
    } else {
        Err(GrowError::SaysOtherwise)
    }
}

/// What the household is told: the new entries, and members and devices as they are in this
/// transaction.
///
/// # Errors
/// When the database fails.
pub async fn grown(
    tx: &mut Tx,
    household: HouseholdId,
    entries: &[Blob],
) -> Result<Grown, GrowError> {
    let members = store::accounts::members(tx, household).await?;
    let devices = store::devices::of_household(tx, household).await?;
    let event = Event::RosterGrew {
        entries: entries.to_vec(),
        members: members.iter().map(member_view).collect(),
        devices: devices.iter().map(device_view).collect(),
    };
    Ok(Grown { household, event })
}
