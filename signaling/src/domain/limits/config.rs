//! The rates, with their defaults.

use serde::{Deserialize, Serialize};

/// How often something may be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Tries in a row.
    pub burst: u32,
    /// Seconds until one more try is allowed.
    pub refill_secs: u32,
}

/// How often strangers may try. Addresses are IPv4 addresses or IPv6 networks of 64 bits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// Sign-ups from one address. A family at its first evening needs a handful.
    pub sign_up_per_address: Rate,
    /// Sign-ins and recoveries from one address.
    pub sign_in_per_address: Rate,
    /// Sign-ins for one handle, from anywhere: what bounds the guessing of a password.
    pub sign_in_per_handle: Rate,
    /// Recoveries of one handle, from anywhere.
    pub recover_per_handle: Rate,
    /// Pairings opened from one address.
    pub pairing_per_address: Rate,
    /// Pairings that ask for one handle, from anywhere.
    pub pairing_per_handle: Rate,
    /// Consents that one household gives; each sends a mail.
    pub consent_per_household: Rate,
    /// Links of consents that one address opens.
    pub consent_per_address: Rate,
    /// How many addresses and handles are remembered; when full, those that were quiet longest are
    /// forgotten.
    pub remembered_max: u32,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            sign_up_per_address: Rate {
                burst: 10,
                refill_secs: 60,
            },
            sign_in_per_address: Rate {
                burst: 30,
                refill_secs: 5,
            },
            sign_in_per_handle: Rate {
                burst: 10,
                refill_secs: 30,
            },
            recover_per_handle: Rate {
                burst: 5,
                refill_secs: 300,
            },
            pairing_per_address: Rate {
                burst: 20,
                refill_secs: 10,
            },
            pairing_per_handle: Rate {
                burst: 10,
                refill_secs: 30,
            },
            consent_per_household: Rate {
                burst: 10,
                refill_secs: 600,
            },
            consent_per_address: Rate {
                burst: 30,
                refill_secs: 10,
            },
            remembered_max: 16_384,
        }
    }
}
