//! The configuration of signaling: a tree of what each part documents itself.

use serde::{Deserialize, Serialize};

use crate::domain::accounts::AccountsConfig;
use crate::domain::calls::CallsConfig;
use crate::domain::limits::LimitsConfig;
use crate::domain::numbers::NumbersConfig;
use crate::domain::outside::OutsideConfig;
use crate::domain::relays::RelaysConfig;
use crate::domain::secrets::PasswordsConfig;
use crate::edge::session::SessionConfig;
use crate::gateway::push::PushConfig;
use crate::gateway::{MailConfig, SmsConfig};
use crate::store::StoreConfig;

/// Signaling: accounts, households, sessions and calls.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SignalingConfig {
    /// Where the data is kept.
    pub store: StoreConfig,
    /// How passwords are kept.
    pub passwords: PasswordsConfig,
    /// How people are let in.
    pub accounts: AccountsConfig,
    /// How often strangers may try.
    pub limits: LimitsConfig,
    /// Sessions of apps and devices.
    pub session: SessionConfig,
    /// Calls.
    pub calls: CallsConfig,
    /// Waking apps that are closed, by Web Push and UnifiedPush.
    pub push: PushConfig,
    /// Phone numbers: how they are read, and how often codes are sent to them.
    pub numbers: NumbersConfig,
    /// Text messages, for verifying numbers: one HTTP request for each.
    pub sms: SmsConfig,
    /// Outgoing mail.
    pub mail: MailConfig,
    /// Relays (TURN) that apps and devices are told, for networks that block UDP to the media port. A server
    /// in one process has its own (`media.turn`) and needs nothing here.
    pub relays: RelaysConfig,
    /// The test from outside. Set by the composition root.
    #[serde(skip)]
    pub outside: OutsideConfig,
}
