//! A secret in the configuration: read like any text, written as stars.

use serde::{Deserialize, Serialize, Serializer};

/// A password of the configuration. Printing the configuration does not print it.
#[derive(Clone, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Masked(String);

impl Masked {
    /// Wraps a secret.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Serialize for Masked {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

impl std::fmt::Debug for Masked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_and_never_printed() {
        let masked: Masked = serde_json::from_str("\"hunter2\"").unwrap();
        assert_eq!(masked.expose(), "hunter2");
        assert_eq!(serde_json::to_string(&masked).unwrap(), "\"***\"");
        assert_eq!(format!("{masked:?}"), "***");
    }
}
