//! The table of apps and home devices.

use homeline_protocol::id::{AccountId, DeviceId, HouseholdId};
use homeline_protocol::session::{
    CameraSwitch, Capabilities, DeviceKind, DeviceSettings, Switches,
};

use super::{Nullable, StoreError, Tx, on_tx};
use crate::model::UnixMillis;

/// A device's row.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct DeviceRow {
    /// The id: the hash of its key.
    #[sqlx(try_from = "String")]
    pub id: DeviceId,
    /// Its Ed25519 public key.
    pub public_key: Vec<u8>,
    /// Whose it is; a shared device's default person.
    #[sqlx(try_from = "String")]
    pub account: AccountId,
    /// Absent while an invited member waits.
    #[sqlx(try_from = "Option<String>")]
    pub household: Nullable<HouseholdId>,
    /// App or home device.
    #[sqlx(try_from = "String")]
    pub kind: KindColumn,
    /// Its label.
    pub label: String,
    /// Whether it may certify and sign.
    pub adult: bool,
    /// Its newest certificate chain; absent while an invited member waits.
    pub chain: Option<Vec<u8>>,
    /// When it was removed from its household.
    pub removed_at_ms: Option<i64>,
    /// What stands at it beside what is signed.
    #[sqlx(flatten)]
    pub settings: SettingsColumns,
}

/// What stands at a device beside what is signed.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SettingsColumns {
    /// Where it stands.
    pub room: String,
    /// Its own do not disturb.
    pub quiet: bool,
    has_microphone: bool,
    has_speaker: bool,
    has_screen: bool,
    has_camera: bool,
    microphone_on: bool,
    #[sqlx(try_from = "String")]
    camera_switch: CameraColumn,
    /// Whether anybody may drop in on it, whatever the grants.
    pub drop_in: bool,
    /// Whether it may say that somebody is near.
    pub recently_active: bool,
}

/// As the columns' defaults are.
impl Default for SettingsColumns {
    fn default() -> Self {
        Self {
            room: String::new(),
            quiet: false,
            has_microphone: true,
            has_speaker: true,
            has_screen: false,
            has_camera: false,
            microphone_on: true,
            camera_switch: CameraColumn(CameraSwitch::On),
            drop_in: true,
            recently_active: true,
        }
    }
}

impl SettingsColumns {
    /// What it can do.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        Capabilities {
            microphone: self.has_microphone,
            speaker: self.has_speaker,
            screen: self.has_screen,
            camera: self.has_camera,
        }
    }

    /// Where its switches stand.
    #[must_use]
    pub fn switches(&self) -> Switches {
        Switches {
            microphone: self.microphone_on,
            camera: self.camera_switch.0,
        }
    }

    /// As clients see it.
    #[must_use]
    pub fn view(&self) -> DeviceSettings {
        DeviceSettings {
            room: self.room.clone(),
            do_not_disturb: self.quiet,
            capabilities: self.capabilities(),
            switches: self.switches(),
            drop_in: self.drop_in,
            recently_active: self.recently_active,
        }
    }
}

/// A camera's switch as its column says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CameraColumn(CameraSwitch);

impl CameraColumn {
    fn text(self) -> &'static str {
        match self.0 {
            CameraSwitch::On => "on",
            CameraSwitch::Off => "off",
            CameraSwitch::Shutter => "shutter",
        }
    }
}

impl TryFrom<String> for CameraColumn {
    type Error = String;
    fn try_from(column: String) -> Result<Self, String> {
        match column.as_str() {
            "on" => Ok(Self(CameraSwitch::On)),
            "off" => Ok(Self(CameraSwitch::Off)),
            "shutter" => Ok(Self(CameraSwitch::Shutter)),
            _ => Err(format!("unknown camera switch {column:?}")),
        }
    }
}

/// A device's kind as its column says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindColumn(pub DeviceKind);

impl KindColumn {
    fn text(self) -> &'static str {
        match self.0 {
            DeviceKind::App => "app",
            DeviceKind::HomeDevice => "home_device",
        }
    }
}

impl TryFrom<String> for KindColumn {
    type Error = String;
    fn try_from(column: String) -> Result<Self, String> {
        match column.as_str() {
            "app" => Ok(Self(DeviceKind::App)),
            "home_device" => Ok(Self(DeviceKind::HomeDevice)),
            _ => Err(format!("unknown device kind {column:?}")),
        }
    }
}

/// Adds a device.
pub async fn insert(tx: &mut Tx, device: &DeviceRow, at: UnixMillis) -> Result<(), StoreError> {
    let query = sqlx::query(
        "insert into device \
         (id, public_key, account, household, kind, label, adult, chain, created_at_ms) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(device.id.to_string())
    .bind(device.public_key.clone())
    .bind(device.account.to_string())
    .bind(device.household.0.map(|id| id.to_string()))
    .bind(device.kind.text())
    .bind(device.label.clone())
    .bind(device.adult)
    .bind(device.chain.clone())
    .bind(at.column());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// The device with this id, removed or not.
pub async fn find(tx: &mut Tx, id: DeviceId) -> Result<Option<DeviceRow>, StoreError> {
    let query = sqlx::query_as("select * from device where id = $1").bind(id.to_string());
    Ok(on_tx!(tx, connection => query.fetch_optional(connection).await?))
}

/// The devices of a household that are not removed, in the order in which they came.
pub async fn of_household(
    tx: &mut Tx,
    household: HouseholdId,
) -> Result<Vec<DeviceRow>, StoreError> {
    let query = sqlx::query_as(
        "select * from device where household = $1 and removed_at_ms is null \
         order by created_at_ms, id",
    )
    .bind(household.to_string());
    Ok(on_tx!(tx, connection => query.fetch_all(connection).await?))
}

/// The devices of a person that are in a household and not removed.
pub async fn of_account(tx: &mut Tx, account: AccountId) -> Result<Vec<DeviceRow>, StoreError> {
    let query = sqlx::query_as(
        "select * from device where account = $1 and household is not null \
         and removed_at_ms is null order by created_at_ms, id",
    )
    .bind(account.to_string());
    Ok(on_tx!(tx, connection => query.fetch_all(connection).await?))
}

/// Takes a waiting app into a household.
pub async fn admit(
    tx: &mut Tx,
    id: DeviceId,
    household: HouseholdId,
    adult: bool,
    label: &str,
    chain: &[u8],
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "update device set household = $2, adult = $3, label = $4, chain = $5 where id = $1",
    )
    .bind(id.to_string())
    .bind(household.to_string())
    .bind(adult)
    .bind(label)
    .bind(chain.to_vec());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Replaces the certificate chain.
pub async fn set_chain(tx: &mut Tx, id: DeviceId, chain: &[u8]) -> Result<(), StoreError> {
    let query = sqlx::query("update device set chain = $2 where id = $1")
        .bind(id.to_string())
        .bind(chain.to_vec());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Notes that a device was removed.
pub async fn remove(tx: &mut Tx, id: DeviceId, at: UnixMillis) -> Result<(), StoreError> {
    let query = sqlx::query("update device set removed_at_ms = $2, adult = $3 where id = $1")
        .bind(id.to_string())
        .bind(at.column())
        .bind(false);
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Forgets an app that never was in a household, with its tokens and whatever asks for it.
pub async fn forget(tx: &mut Tx, id: DeviceId) -> Result<(), StoreError> {
    let query =
        sqlx::query("delete from device where id = $1 and household is null").bind(id.to_string());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Changes what stands at a device beside what is signed, and its label.
pub async fn set_settings(
    tx: &mut Tx,
    id: DeviceId,
    label: &str,
    settings: &DeviceSettings,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "update device set label = $2, room = $3, quiet = $4, has_microphone = $5, \
         has_speaker = $6, has_screen = $7, has_camera = $8, microphone_on = $9, \
         camera_switch = $10, drop_in = $11, recently_active = $12 where id = $1",
    )
    .bind(id.to_string())
    .bind(label.to_owned())
    .bind(settings.room.clone())
    .bind(settings.do_not_disturb)
    .bind(settings.capabilities.microphone)
    .bind(settings.capabilities.speaker)
    .bind(settings.capabilities.screen)
    .bind(settings.capabilities.camera)
    .bind(settings.switches.microphone)
    .bind(CameraColumn(settings.switches.camera).text())
    .bind(settings.drop_in)
    .bind(settings.recently_active);
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}
