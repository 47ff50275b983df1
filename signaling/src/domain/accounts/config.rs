//! How long tokens live.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How people are let in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AccountsConfig {
    /// Days after which an app or home device that was never seen must sign in or pair again.
    pub token_idle_days: u32,
    /// People on this server, those who wait for admission included. Further sign-ups are refused
    /// with `limit_reached`.
    pub accounts_max: u32,
}

impl Default for AccountsConfig {
    fn default() -> Self {
        Self {
            token_idle_days: 180,
            accounts_max: 10_000,
        }
    }
}

impl AccountsConfig {
    pub(super) fn token_idle(&self) -> Duration {
        Duration::from_hours(u64::from(self.token_idle_days.max(1)) * 24)
    }
}
