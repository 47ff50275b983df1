//! Households and the people a family knows: what was left to say about them.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::id::{ContactId, EntryId};

/// Whose number it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum NumberOf {
    /// A contact of the household.
    Contact {
        /// Which.
        contact: ContactId,
    },
    /// An entry that the own account imported.
    Entry {
        /// Which.
        entry: EntryId,
    },
}
