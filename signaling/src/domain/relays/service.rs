//! Tells devices the relays, with credentials for some hours.

use std::time::Duration;

use homeline_protocol::Secret;
use homeline_protocol::id::DeviceId;
use homeline_protocol::session::{RelayServer, RelayServers};

use super::config::RelaysConfig;
use super::rules::{self, BadRelay};
use crate::domain::calls::Calls;
use crate::model::{Clock, Masked, Speaker};

/// Longest that a credential counts, whatever is configured: relays refuse what expires later than in a
/// week.
const LIFETIME_SECS_MAX: u32 = 6 * 24 * 60 * 60;

/// The relays.
#[derive(Debug)]
pub struct Relays {
    clock: Clock,
    calls: Calls,
    servers: Vec<RelayServer>,
    secret: Option<Masked>,
    lifetime: Duration,
}

/// Why somebody is told no relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RelaysError {
    /// No device of a household, and so none that makes calls.
    #[error("the one who asks makes no calls")]
    MakesNoCalls,
    /// A guest who neither rings nor talks.
    #[error("the guest is in no call")]
    NotInCall,
}

impl Relays {
    /// Makes the service.
    ///
    /// # Errors
    /// When a configured relay is none.
    pub fn new(clock: Clock, calls: Calls, config: RelaysConfig) -> Result<Self, BadRelay> {
        let mut servers = config.own;
        if !config.servers.is_empty() {
            let elsewhere = config.servers.iter().map(|text| rules::server(text));
            servers = elsewhere.collect::<Result<_, _>>()?;
        }
        let lifetime = config.lifetime_secs.clamp(1, LIFETIME_SECS_MAX);
        Ok(Self {
            clock,
            calls,
            servers,
            secret: config.secret.filter(|secret| !secret.expose().is_empty()),
            lifetime: Duration::from_secs(lifetime.into()),
        })
    }

    /// The relays and a credential, for whoever may begin a call, or is in one.
    ///
    /// # Errors
    /// When the one who asks is neither.
    pub fn servers(&self, speaker: &Speaker) -> Result<RelayServers, RelaysError> {
        let device = speaker.device.ok_or(RelaysError::MakesNoCalls)?;
        if speaker.guest {
            if self.calls.list(speaker).is_empty() {
                return Err(RelaysError::NotInCall);
            }
        } else if speaker.household.is_none() {
            return Err(RelaysError::MakesNoCalls);
        }
        Ok(self.told(device))
    }

    /// The relays and a credential for a test from outside, whose ticket was checked and has this id. It
    /// counts no longer than another.
    #[must_use]
    pub fn for_a_test(&self, id: [u8; 16]) -> RelayServers {
        self.told(DeviceId(id))
    }

    fn told(&self, device: DeviceId) -> RelayServers {
        let expires = rules::expiry(self.clock.now(), self.lifetime);
        let told = self.secret.as_ref().filter(|_| !self.servers.is_empty());
        let (servers, (username, credential)) = match told {
            Some(secret) => (
                self.servers.clone(),
                rules::credential(secret.expose(), device, expires),
            ),
            None => (Vec::new(), (String::new(), Secret::new(""))),
        };
        RelayServers {
            servers,
            username,
            credential,
            expires_at_ms: expires.0,
        }
    }
}
