//! The table of pairings that ended well and may still be fetched.

use homeline_protocol::id::{DeviceId, PairingId};

use super::{StoreError, Tx, on_tx};
use crate::model::UnixMillis;

/// A certified pairing's row.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct PairingRow {
    /// The pairing.
    #[sqlx(try_from = "String")]
    pub id: PairingId,
    /// SHA-256 of the secret that the new device holds.
    pub secret_hash: Vec<u8>,
    /// The new device.
    #[sqlx(try_from = "String")]
    pub device: DeviceId,
    /// Until when its token may be fetched.
    #[sqlx(try_from = "i64")]
    pub expires_at_ms: UnixMillis,
}

/// Notes a certified pairing.
pub async fn insert(tx: &mut Tx, pairing: &PairingRow) -> Result<(), StoreError> {
    let query = sqlx::query(
        "insert into certified_pairing (id, secret_hash, device, expires_at_ms) \
         values ($1, $2, $3, $4)",
    )
    .bind(pairing.id.to_string())
    .bind(pairing.secret_hash.clone())
    .bind(pairing.device.to_string())
    .bind(pairing.expires_at_ms.column());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// The certified pairing with this id.
pub async fn find(tx: &mut Tx, id: PairingId) -> Result<Option<PairingRow>, StoreError> {
    let query =
        sqlx::query_as("select * from certified_pairing where id = $1").bind(id.to_string());
    Ok(on_tx!(tx, connection => query.fetch_optional(connection).await?))
}

/// Forgets pairings whose time is over.
pub async fn delete_expired(tx: &mut Tx, now: UnixMillis) -> Result<(), StoreError> {
    let query =
        sqlx::query("delete from certified_pairing where expires_at_ms <= $1").bind(now.column());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}
