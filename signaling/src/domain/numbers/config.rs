//! Where numbers are read, and how often codes are sent.

use serde::{Deserialize, Serialize};

use crate::domain::limits::Rate;

/// Phone numbers and their verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NumbersConfig {
    /// The region in which numbers without a country code are read, two capital letters; each
    /// person can choose another for themselves.
    pub default_region: String,
    /// Codes that one account may ask for.
    pub codes_per_account: Rate,
    /// Codes sent to one number, whoever asks.
    pub codes_per_number: Rate,
    /// Codes asked for from one address.
    pub codes_per_address: Rate,
    /// Codes that the whole server sends: what bounds the bill.
    pub codes_per_server: Rate,
}

impl Default for NumbersConfig {
    fn default() -> Self {
        Self {
            default_region: "US".to_owned(),
            codes_per_account: Rate {
                burst: 3,
                refill_secs: 600,
            },
            codes_per_number: Rate {
                burst: 3,
                refill_secs: 1_200,
            },
            codes_per_address: Rate {
                burst: 10,
                refill_secs: 300,
            },
            codes_per_server: Rate {
                burst: 50,
                refill_secs: 60,
            },
        }
    }
}
