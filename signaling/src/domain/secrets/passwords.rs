//! Passwords and recovery secrets under argon2id, a bounded number at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use homeline_protocol::Secret;
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

/// How passwords are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PasswordsConfig {
    /// Memory for each hash, KiB. More costs an attacker who has the database, and this machine
    /// at each sign-in. The default is what OWASP advises.
    pub memory_kib: u32,
    /// Passes over that memory.
    pub passes: u32,
    /// Hashes computed at the same time; each takes the memory above and one processor core.
    pub concurrent_max: u32,
    /// Sign-ins that wait for their turn; further ones are told to come back in a moment.
    pub waiting_max: u32,
}

impl Default for PasswordsConfig {
    fn default() -> Self {
        Self {
            memory_kib: 19 * 1024,
            passes: 2,
            concurrent_max: 2,
            waiting_max: 64,
        }
    }
}

/// Why a secret could not be hashed or checked.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too many wait already.
    #[error("too many passwords are being checked")]
    Busy,
    /// The hash cannot be computed or read.
    #[error("argon2: {0}")]
    Hash(#[from] argon2::password_hash::Error),
    /// The worker was lost.
    #[error("the hashing worker was lost")]
    Lost(#[from] tokio::task::JoinError),
}

/// Hashes and checks secrets on the blocking threads.
#[derive(Debug, Clone)]
pub struct Passwords(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    argon: Argon2<'static>,
    permits: Semaphore,
    pending: AtomicUsize,
    pending_max: usize,
    /// Of no one: checked in place of an unknown person's, so that both take the same time.
    nobody: String,
}

impl Passwords {
    /// A hasher as configured.
    ///
    /// # Errors
    /// When argon2 does not take these figures.
    pub fn new(config: &PasswordsConfig) -> Result<Self, PasswordError> {
        let params = Params::new(config.memory_kib, config.passes, 1, None)
            .map_err(argon2::password_hash::Error::from)?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let nobody = hash(&argon, "nobody")?;
        let concurrent = usize::try_from(config.concurrent_max.max(1)).unwrap_or(1);
        let waiting = usize::try_from(config.waiting_max).unwrap_or(0);
        Ok(Self(Arc::new(Inner {
            argon,
            permits: Semaphore::new(concurrent),
            pending: AtomicUsize::new(0),
            pending_max: concurrent + waiting,
            nobody,
        })))
    }

    /// What to keep of a secret.
    ///
    /// # Errors
    /// When too many wait, or argon2 fails.
    pub async fn hash(&self, secret: &Secret) -> Result<String, PasswordError> {
        let secret = secret.clone();
        self.run(move |inner| hash(&inner.argon, secret.expose()))
            .await
    }

    /// Whether a secret is the one that was kept; with `None`, does the same work and says no.
    ///
    /// # Errors
    /// When too many wait, or argon2 fails.
    pub async fn verify(&self, secret: &Secret, kept: Option<&str>) -> Result<bool, PasswordError> {
        let secret = secret.clone();
        let known = kept.is_some();
        let kept = kept.map(str::to_owned);
        self.run(move |inner| {
            let kept = kept.as_deref().unwrap_or(&inner.nobody);
            let kept = PasswordHash::new(kept)?;
            match inner
                .argon
                .verify_password(secret.expose().as_bytes(), &kept)
            {
                Ok(()) => Ok(known),
                Err(argon2::password_hash::Error::Password) => Ok(false),
                Err(error) => Err(error.into()),
            }
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let _pending = Pending::enter(&self.0)?;
        let Ok(_permit) = self.0.permits.acquire().await else {
            return Err(PasswordError::Busy);
        };
        let inner = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || work(&inner)).await?
    }
}

/// Counts one that works or waits, until dropped.
struct Pending<'a>(&'a Inner);

impl<'a> Pending<'a> {
    fn enter(inner: &'a Inner) -> Result<Self, PasswordError> {
        let before = inner.pending.fetch_add(1, Ordering::Relaxed);
        let pending = Self(inner);
        if before < inner.pending_max {
            Ok(pending)
        } else {
            Err(PasswordError::Busy)
        }
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        self.0.pending.fetch_sub(1, Ordering::Relaxed);
    }
}

fn hash(argon: &Argon2<'_>, secret: &str) -> Result<String, PasswordError> {
    let mut salt = [0; 16];
    SystemRandom::new()
        .fill(&mut salt)
        .map_err(|_| argon2::password_hash::Error::Crypto)?;
    let salt = SaltString::encode_b64(&salt)?;
    Ok(argon.hash_password(secret.as_bytes(), &salt)?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passwords(waiting_max: u32) -> Passwords {
        let config = PasswordsConfig {
            memory_kib: 64,
            passes: 1,
            concurrent_max: 1,
            waiting_max,
        };
        Passwords::new(&config).unwrap()
    }

    #[tokio::test]
    async fn only_the_secret_that_was_kept_verifies() {
        let passwords = passwords(8);
        let kept = passwords.hash(&Secret::new("correct horse")).await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
        assert!(
            passwords
                .verify(&Secret::new("correct horse"), Some(&kept))
                .await
                .unwrap()
        );
        assert!(
            !passwords
                .verify(&Secret::new("correct house"), Some(&kept))
                .await
                .unwrap()
        );
        assert!(
            !passwords
                .verify(&Secret::new("nobody"), None)
                .await
                .unwrap()
        );
    }

    #[tokio::test]
    async fn more_than_may_wait_are_turned_away() {
        let passwords = passwords(0);
        let permit = passwords.0.permits.acquire().await.unwrap();
        let secret = Secret::new("first");
        let mut first = std::pin::pin!(passwords.hash(&secret));
        assert!(futures_util::poll!(first.as_mut()).is_pending());
        let second = passwords.hash(&Secret::new("second")).await;
        assert!(matches!(second, Err(PasswordError::Busy)));
        drop(permit);
        assert!(first.await.is_ok());
    }
}
