//! Says to push services who sends: RFC 8292, a JWT signed with the server's own P-256 key.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};

use crate::model::UnixMillis;

/// RFC 8292 allows a day; half of it bears clocks that are off.
const TOKEN_LIFETIME: Duration = Duration::from_hours(12);

/// The server's key. Subscriptions are bound to its public half, so it is kept for good.
pub struct VapidKey {
    pair: EcdsaKeyPair,
    pkcs8: Vec<u8>,
}

/// The kept key can't be read, or none can be made.
#[derive(Debug, thiserror::Error)]
#[error("the key for push services can't be read or made")]
pub struct VapidError;

impl VapidKey {
    /// A fresh key.
    ///
    /// # Errors
    /// When the system's random source fails.
    pub fn generate() -> Result<Self, VapidError> {
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
                .map_err(|_| VapidError)?;
        Self::from_pkcs8(pkcs8.as_ref())
    }

    /// The key that was kept.
    ///
    /// # Errors
    /// When it is none.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, VapidError> {
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8, &SystemRandom::new())
            .map_err(|_| VapidError)?;
        let pkcs8 = pkcs8.to_vec();
        Ok(Self { pair, pkcs8 })
    }

    /// To be kept, and never shown.
    #[must_use]
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// The uncompressed public point, which anyone may know.
    #[must_use]
    pub fn public(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// The `Authorization` header for a service at `origin`.
    pub(super) fn authorization(
        &self,
        origin: &str,
        contact: &str,
        now: UnixMillis,
    ) -> Result<String, VapidError> {
        let mut claims = serde_json::json!({
            "aud": origin,
            "exp": now.plus(TOKEN_LIFETIME).0 / 1_000,
        });
        if !contact.is_empty() {
            claims["sub"] = contact.into();
        }
        let header = URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"ES256"}"#);
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = self
            .pair
            .sign(&SystemRandom::new(), signed.as_bytes())
            .map_err(|_| VapidError)?;
        Ok(format!(
            "vapid t={signed}.{}, k={}",
            URL_SAFE_NO_PAD.encode(signature),
            URL_SAFE_NO_PAD.encode(self.public())
        ))
    }
}

impl std::fmt::Debug for VapidKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VapidKey")
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    #[test]
    fn a_kept_key_is_the_same_key_and_signs_for_one_service() {
        let made = VapidKey::generate().unwrap();
        let kept = VapidKey::from_pkcs8(made.pkcs8()).unwrap();
        assert_eq!((made.public().len(), made.public()), (65, kept.public()));
        let now = UnixMillis(1_795_305_600_000);
        let header = kept
            .authorization("https://push.example", "mailto:a@b.example", now)
            .unwrap();
        let token = header.strip_prefix("vapid t=").unwrap();
        let (token, key) = token.split_once(", k=").unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(key).unwrap(), made.public());
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, made.public())
            .verify(signed.as_bytes(), &signature)
            .unwrap();
        let (_, claims) = signed.split_once('.').unwrap();
        let claims = URL_SAFE_NO_PAD.decode(claims).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["aud"], "https://push.example");
        assert_eq!(claims["exp"], now.0 / 1_000 + 12 * 60 * 60);
        assert_eq!(claims["sub"], "mailto:a@b.example");
        assert!(VapidKey::from_pkcs8(b"nothing").is_err());
        assert_eq!(format!("{made:?}"), "VapidKey");
    }
}
