//! The tables of push addresses, and of the server's own key for push services.

use homeline_protocol::id::{AccountId, DeviceId};
use homeline_protocol::session::PushKind;

use super::{StoreError, Tx, on_tx};
use crate::model::UnixMillis;

/// A push address's row.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct PushAddressRow {
    /// The device that is woken.
    #[sqlx(try_from = "String")]
    pub device: DeviceId,
    /// The subscription's URL.
    #[sqlx(try_from = "String")]
    pub endpoint: Endpoint,
    /// The device's public key.
    pub p256dh: Vec<u8>,
    /// The device's authentication secret.
    pub auth: Vec<u8>,
    /// Who stands at the other end.
    #[sqlx(try_from = "String")]
    pub kind: PushKindColumn,
}

/// A subscription's URL, which `Debug` does not show.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(pub String);

impl From<String> for Endpoint {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Endpoint")
    }
}

/// A kind of push service as a column holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PushKindColumn(pub PushKind);

impl PushKindColumn {
    fn text(self) -> &'static str {
        match self.0 {
            PushKind::WebPush => "web_push",
            PushKind::UnifiedPush => "unified_push",
        }
    }
}

/// What no version of ours has written.
#[derive(Debug, thiserror::Error)]
#[error("no kind of push service")]
pub struct UnknownKind;

impl TryFrom<String> for PushKindColumn {
    type Error = UnknownKind;
    fn try_from(text: String) -> Result<Self, UnknownKind> {
        match text.as_str() {
            "web_push" => Ok(Self(PushKind::WebPush)),
            "unified_push" => Ok(Self(PushKind::UnifiedPush)),
            _ => Err(UnknownKind),
        }
    }
}

/// The server's key, if one was made.
pub async fn key(tx: &mut Tx) -> Result<Option<Vec<u8>>, StoreError> {
    let query = sqlx::query_scalar("select pkcs8 from push_key where id = 1");
    Ok(on_tx!(tx, connection => query.fetch_optional(connection).await?))
}

/// Keeps the server's key, for good.
pub async fn keep_key(tx: &mut Tx, pkcs8: &[u8]) -> Result<(), StoreError> {
    let query = sqlx::query("insert into push_key (id, pkcs8) values (1, $1)").bind(pkcs8.to_vec());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Adds an address or changes its keys.
pub async fn put(tx: &mut Tx, row: &PushAddressRow, now: UnixMillis) -> Result<(), StoreError> {
    let query = sqlx::query(
        "insert into push_address (device, endpoint, p256dh, auth, kind, created_at_ms) \
         values ($1, $2, $3, $4, $5, $6) on conflict (device, endpoint) do update set \
         p256dh = excluded.p256dh, auth = excluded.auth, kind = excluded.kind, \
         created_at_ms = excluded.created_at_ms",
    )
    .bind(row.device.to_string())
    .bind(row.endpoint.0.clone())
    .bind(row.p256dh.clone())
    .bind(row.auth.clone())
    .bind(row.kind.text())
    .bind(now.column());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Takes an address from the devices that had it before. Only who has its keys too was given it by
/// the browser; a guessed endpoint takes nothing away.
pub async fn take_over(tx: &mut Tx, row: &PushAddressRow) -> Result<(), StoreError> {
    let query = sqlx::query(
        "delete from push_address \
         where endpoint = $1 and p256dh = $2 and auth = $3 and device <> $4",
    )
    .bind(row.endpoint.0.clone())
    .bind(row.p256dh.clone())
    .bind(row.auth.clone())
    .bind(row.device.to_string());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Keeps only the newest `keep` addresses of a device.
pub async fn keep_newest(tx: &mut Tx, device: DeviceId, keep: i64) -> Result<(), StoreError> {
    let query = sqlx::query(
        "delete from push_address where device = $1 and endpoint in (select endpoint \
         from push_address where device = $1 order by created_at_ms desc, endpoint \
         limit 1000 offset $2)",
    )
    .bind(device.to_string())
    .bind(keep);
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Where a device can be woken now: nowhere once it was removed or nothing is signed in on it.
pub async fn of_device(
    tx: &mut Tx,
    device: DeviceId,
    now: UnixMillis,
) -> Result<Vec<PushAddressRow>, StoreError> {
    let query = sqlx::query_as(
        "select push_address.* from push_address join device on device.id = push_address.device \
         where push_address.device = $1 and device.removed_at_ms is null and exists \
         (select 1 from token where token.device = device.id and token.expires_at_ms > $2) \
         order by push_address.created_at_ms desc, push_address.endpoint",
    )
    .bind(device.to_string())
    .bind(now.column());
    Ok(on_tx!(tx, connection => query.fetch_all(connection).await?))
}

/// Which of a person's devices have an address to be woken at.
pub async fn devices_of(tx: &mut Tx, account: AccountId) -> Result<Vec<DeviceId>, StoreError> {
    let query = sqlx::query_scalar(
        "select distinct push_address.device from push_address \
         join device on device.id = push_address.device where device.account = $1",
    )
    .bind(account.to_string());
    let ids: Vec<String> = on_tx!(tx, connection => query.fetch_all(connection).await?);
    // What does not parse is no device that could be asked for.
    Ok(ids.iter().filter_map(|id| id.parse().ok()).collect())
}

/// Forgets one address of a device.
pub async fn delete(tx: &mut Tx, device: DeviceId, endpoint: &str) -> Result<(), StoreError> {
    let query = sqlx::query("delete from push_address where device = $1 and endpoint = $2")
        .bind(device.to_string())
        .bind(endpoint.to_owned());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Forgets all addresses of a device.
pub async fn delete_of_device(tx: &mut Tx, device: DeviceId) -> Result<(), StoreError> {
    let query = sqlx::query("delete from push_address where device = $1").bind(device.to_string());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Forgets the addresses of devices that nothing is signed in on any more.
pub async fn delete_abandoned(tx: &mut Tx, now: UnixMillis) -> Result<(), StoreError> {
    let query = sqlx::query(
        "delete from push_address where not exists (select 1 from token \
         where token.device = push_address.device and token.expires_at_ms > $1)",
    )
    .bind(now.column());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}
