//! Randomness for keys, nonces and ids: always the operating system's.

use homeline_e2ee::key::PrivateKey;
use rand::TryRngCore as _;
use rand::rngs::OsRng;
use zeroize::Zeroizing;

pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Without it no key can be made, and none must be made badly.
    OsRng
        .try_fill_bytes(&mut bytes)
        .expect("the operating system gives random bytes");
    bytes
}

pub(crate) fn private_key() -> PrivateKey {
    let seed = Zeroizing::new(bytes());
    PrivateKey::from_seed(&seed)
}
