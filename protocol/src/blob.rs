//! Bytes that pass through unread (keys, certificates, MLS messages): base64url without padding in JSON.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The longest blob that parses: a Welcome for 32 members with certificate chains stays far below.
pub const BLOB_BYTES_MAX: usize = 256 * 1024;

/// Opaque bytes. `Debug` shows only the length, since some blobs are secret.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, ts_rs::TS)]
#[ts(type = "string")]
pub struct Blob(pub Vec<u8>);

impl Blob {
    /// The base64url text without padding.
    #[must_use]
    pub fn to_base64url(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.0)
    }

    /// Parses base64url without padding.
    ///
    /// # Errors
    /// When the text is not base64url or is longer than [`BLOB_BYTES_MAX`] decoded.
    pub fn from_base64url(text: &str) -> Result<Self, InvalidBlob> {
        if text.len() > BLOB_BYTES_MAX / 3 * 4 + 4 {
            return Err(InvalidBlob);
        }
        URL_SAFE_NO_PAD
            .decode(text)
            .map(Self)
            .map_err(|_| InvalidBlob)
    }
}

/// Why a text is not a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("bytes are written as base64url without padding, at most 256 KiB")]
pub struct InvalidBlob;

impl From<Vec<u8>> for Blob {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl AsRef<[u8]> for Blob {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({} bytes)", self.0.len())
    }
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_base64url())
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::from_base64url(&text).map_err(de::Error::custom)
    }
}

impl utoipa::PartialSchema for Blob {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        <String as utoipa::PartialSchema>::schema()
    }
}
impl utoipa::ToSchema for Blob {}
