//! What can go wrong with address books, one enum for each operation.

use crate::model::{NoRight, NotAnApp};
use crate::store::StoreError;

/// Why a setting is not shown or changed.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// Only a person's app may.
    #[error(transparent)]
    NotAnApp(#[from] NotAnApp),
    /// The region is none.
    #[error(transparent)]
    Region(#[from] crate::domain::numbers::BadRegion),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an import does not go on.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Only a person's app may.
    #[error(transparent)]
    NotAnApp(#[from] NotAnApp),
    /// The person did not allow it.
    #[error("import is not switched on")]
    Off,
    /// A field is out of its bounds.
    #[error("{0}")]
    Field(&'static str),
    /// The import is unknown, or another one took its place.
    #[error("no such import")]
    Unknown,
    /// It is finished already.
    #[error("the import is finished")]
    Finished,
    /// The id was used for another source.
    #[error("the id was used for another source")]
    Used,
    /// The account has imported from as many sources as it may.
    #[error("too many sources")]
    TooManySources,
    /// There would be more entries than an account may have.
    #[error("too many entries")]
    Full,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why entries or numbers are not listed.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// Only a person's app may.
    #[error(transparent)]
    NotAnApp(#[from] NotAnApp),
    /// The speaker belongs to no household.
    #[error(transparent)]
    NoRight(#[from] NoRight),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an entry is not hidden.
#[derive(Debug, thiserror::Error)]
pub enum HideError {
    /// Only a person's app may.
    #[error(transparent)]
    NotAnApp(#[from] NotAnApp),
    /// The account has no such entry.
    #[error("no such entry")]
    NotFound,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why the numbers of a contact are not kept.
#[derive(Debug, thiserror::Error)]
pub enum SetNumbersError {
    /// The speaker may not.
    #[error(transparent)]
    NoRight(#[from] NoRight),
    /// A number is out of its bounds.
    #[error("{0}")]
    Field(&'static str),
    /// The household has no such contact.
    #[error("no such contact")]
    NotFound,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why it is not noted that a number was called.
#[derive(Debug, thiserror::Error)]
pub enum NumberUsedError {
    /// The contact or entry is not there, or has no such number.
    #[error("no such number")]
    NotFound,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
