//! What can go wrong when something is set.

use crate::domain::households::NotAdult;
use crate::domain::reach::BadSchedule;
use crate::model::NoRight;
use crate::store::StoreError;

/// Why something is not set.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The speaker may not.
    #[error(transparent)]
    NoRight(#[from] NoRight),
    /// The speaker is no app.
    #[error("only an app may do this")]
    NotApp,
    /// The device is not the child's own.
    #[error("a child's app sets only what is the child's own")]
    NotYours,
    /// A field is out of its bounds.
    #[error("{0}")]
    Field(&'static str),
    /// The schedule is none.
    #[error(transparent)]
    Schedule(#[from] BadSchedule),
    /// The household has no such device.
    #[error("no such device")]
    NotFound,
    /// The list of blocked handles is full.
    #[error("the list is full")]
    Full,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<NotAdult> for SettingsError {
    fn from(error: NotAdult) -> Self {
        match error {
            NotAdult::NoRight(error) => error.into(),
            NotAdult::Store(error) => error.into(),
        }
    }
}
