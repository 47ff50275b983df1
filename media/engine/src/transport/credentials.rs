//! ICE user fragments and passwords (RFC 8445 section 5.3).

use rand::Rng;
use rand::rngs::StdRng;
use zeroize::Zeroize;

/// One side's ICE credentials. The password is wiped when dropped and never printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) ufrag: String,
    pub(crate) password: String,
}

/// 64 of them: six bits each.
const ICE_CHARACTERS: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// RFC 8445 asks for 24 bits; 48 make collisions within a node improbable.
const UFRAG_LEN: usize = 8;

/// RFC 8445 asks for 128 bits: 24 characters carry 144.
const PASSWORD_LEN: usize = 24;

impl Credentials {
    pub(crate) fn random(rng: &mut StdRng) -> Self {
        let mut text = |len: usize| -> String {
            (0..len)
                .map(|_| char::from(ICE_CHARACTERS[rng.random_range(0..64)]))
                .collect()
        };
        Self {
            ufrag: text(UFRAG_LEN),
            password: text(PASSWORD_LEN),
        }
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl Drop for Credentials {
    fn drop(&mut self) {
        self.password.zeroize();
    }
}
