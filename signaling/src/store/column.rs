//! How columns that may be empty become ids.

use std::str::FromStr;

/// A text column that may be null, parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nullable<T>(pub Option<T>);

impl<T: FromStr> TryFrom<Option<String>> for Nullable<T> {
    type Error = T::Err;
    fn try_from(column: Option<String>) -> Result<Self, T::Err> {
        column.map(|text| text.parse()).transpose().map(Self)
    }
}
