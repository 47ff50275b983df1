//! Who may drop in on a household, as its members and devices see it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Blob;
use crate::id::GrantId;

/// A grant of the own household, in its newest revision. Devices and apps go by the signed statement alone;
/// one that was revoked is shown until no earlier revision of it could count any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DropInGrant {
    /// Chosen by the app that gave it.
    pub id: GrantId,
    /// What an adult's app signed (docs/drop-in.md).
    pub statement: Blob,
}
