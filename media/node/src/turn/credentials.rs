//! Short-lived credentials by a shared secret (draft-uberti-behave-turn-rest-00).
//!
//! The username is `expiry:anything`, the expiry in Unix seconds; the password is the Base64 of
//! HMAC-SHA1(secret, username). So the relay needs no list of users and signaling no way to tell it of one.
//! The long-term key of RFC 8489 section 9.2.2 is an MD5, which is what clients speak.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use homeline_media_engine::wire::stun::IntegrityKey;
use md5::{Digest as _, Md5};
use ring::hmac::{self, HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key};

use super::config::SharedSecret;

/// What the relay calls itself to clients; part of the key.
pub(super) const REALM: &str = "homeline";

/// Longest username that is looked at: an expiry and a random text.
const USERNAME_LEN_MAX: usize = 128;

/// Furthest expiry that counts, in seconds: a credential can't be made for ever by a clock that is wrong.
const LIFETIME_SECS_MAX: u64 = 7 * 24 * 60 * 60;

/// Checks who may allocate.
pub(super) struct Credentials {
    /// Without one nobody may.
    secret: Option<SharedSecret>,
}

impl Credentials {
    pub(super) fn new(secret: Option<SharedSecret>) -> Self {
        let secret = secret.filter(|secret| !secret.expose().is_empty());
        Self { secret }
    }

    /// The key that requests under this username are signed with, while it counts.
    pub(super) fn key(&self, username: &str, unix_secs: u64) -> Option<IntegrityKey> {
        if username.len() > USERNAME_LEN_MAX {
            return None;
        }
        let (expiry, _) = username.split_once(':')?;
        let expiry: u64 = expiry.parse().ok()?;
        if expiry <= unix_secs || expiry > unix_secs + LIFETIME_SECS_MAX {
            return None;
        }
        let password = password(self.secret.as_ref()?, username);
        let long_term = Md5::digest(format!("{username}:{REALM}:{password}"));
        Some(IntegrityKey::new(&long_term))
    }
}

fn password(secret: &SharedSecret, username: &str) -> String {
    // What everybody who derives passwords in this way uses; SHA-1's collisions do not weaken its HMAC.
    let key = Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.expose().as_bytes());
    STANDARD.encode(hmac::sign(&key, username.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value was made by `openssl dgst -sha1 -hmac north -binary | base64`.
    #[test]
    fn a_password_is_what_others_derive() {
        let secret = SharedSecret::new("north");
        assert_eq!(
            password(&secret, "1433895918:506070"),
            "qaBNhtJt+jJcIb7bXBUp4XK9OSk="
        );
    }

    #[test]
    fn a_username_counts_until_its_expiry_and_never_without_a_secret() {
        let credentials = Credentials::new(Some(SharedSecret::new("north")));
        assert!(credentials.key("1000:x", 999).is_some());
        for (username, now) in [
            ("1000:x", 1_000),
            ("1000", 0),
            (":x", 0),
            ("x:1000", 0),
            ("18446744073709551615:x", 0),
        ] {
            assert!(credentials.key(username, now).is_none(), "{username}");
        }
        assert!(
            credentials
                .key(&format!("1000:{}", "x".repeat(200)), 0)
                .is_none()
        );
        for secret in [None, Some(SharedSecret::new(""))] {
            assert!(Credentials::new(secret).key("1000:x", 0).is_none());
        }
    }
}
