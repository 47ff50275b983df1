//! End-to-end encryption of a home's calls: who a device is, and which keys its calls have.
//!
//! No I/O and no clock: everything takes the time, private seeds and nonces as arguments (MLS
//! itself draws on the crypto provider's randomness). The formats are docs/identity.md, the key
//! rules docs/call-keys.md; the browser's twin is `app/src/e2ee`.
//!
//! In reading order: bytes and keys (`encoding`, `key`, `signed`, `ids`, `time`), who is who
//! (`certificate`, `chain`, `roster`, `recovery`, `recovery_proof`, `pairing`, `invitation`, `guest`,
//! `contact`, `policy`), who may drop in (`drop_in`), what is
//! announced (`announcement`), then a call (`introduction`, `group`, `sframe`, and `member`, which drives them).

pub mod announcement;
pub mod certificate;
pub mod chain;
pub mod contact;
pub mod drop_in;
pub mod encoding;
pub mod group;
pub mod guest;
pub mod ids;
pub mod introduction;
pub mod invitation;
pub mod key;
pub mod member;
pub mod pairing;
pub mod policy;
mod quiet;
pub mod recovery;
pub mod recovery_proof;
pub mod roster;
pub mod sframe;
pub mod signed;
pub mod time;

#[cfg(test)]
mod robustness;
#[cfg(test)]
mod testkit;
#[cfg(test)]
mod vectors;
