//! Tokens: 32 random bytes as base64url, of which only the SHA-256 is kept.

use homeline_protocol::Secret;
use ring::digest;
use ring::rand::{SecureRandom, SystemRandom};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A fresh token, and its hash.
#[must_use]
pub fn new_token() -> (Secret, [u8; 32]) {
    let token = Secret::new(URL_SAFE_NO_PAD.encode(random::<32>()));
    let hash = hash_token(&token);
    (token, hash)
}

/// What is kept of a token. A token is random, so a plain hash is enough.
#[must_use]
pub fn hash_token(token: &Secret) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, token.expose().as_bytes()).as_ref());
    hash
}

/// The bytes of a fresh id.
#[must_use]
pub fn random_id() -> [u8; 16] {
    random()
}

/// Whether two hashes are equal, in a time that says nothing about where they differ.
#[must_use]
pub fn constant_time_eq(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .fold(0, |differs, (a, b)| differs | (a ^ b))
            == 0
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .expect("the system's random source works once it has begun");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_differ_and_hash_alike_twice() {
        let ((one, hash), (other, _)) = (new_token(), new_token());
        assert_eq!(one.expose().len(), 43);
        assert_ne!(one.expose(), other.expose());
        assert_eq!(hash_token(&one), hash);
        assert!(constant_time_eq(&hash, &hash_token(&one)));
        assert!(!constant_time_eq(&hash, &hash_token(&other)));
    }
}
