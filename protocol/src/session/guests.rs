//! Call links, and the guests who come by one (docs/guests.md).

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::id::CallLinkId;

/// A call link, as its maker's apps see it. Its secret is known only to the app that made it and to
/// whoever has the link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CallLink {
    /// The id in the link.
    pub link: CallLinkId,
    /// What its maker calls it; 1 to 64 characters.
    pub label: String,
    /// When it was made, Unix milliseconds.
    #[ts(type = "number")]
    pub made_at_ms: u64,
    /// When it ends, Unix milliseconds.
    #[ts(type = "number")]
    pub expires_at_ms: u64,
}

/// Why a guest is sent away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum GuestRefusal {
    /// The link's maker does not let them in.
    Refused,
    /// The link has ended, or was revoked.
    LinkEnded,
    /// Nobody let them in for as long as a guest may wait.
    NoAnswer,
}
