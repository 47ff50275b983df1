//! The times and limits of calls.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::reach::StrangerLimits;

/// How long things may take in a call, and how many calls there may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CallsConfig {
    /// How long a call rings before it ends as "no answer", in seconds, from its start.
    pub ring_timeout_secs: u32,
    /// If no device has begun to ring by then, a call within the household ends as "unreachable", in
    /// seconds. From outside it ends as "no answer" after the whole ring time, whatever the cause, so
    /// that calling tells nothing about who is registered, away, on do not disturb or blocking.
    pub unreachable_after_secs: u32,
    /// How long a caller's app may be gone while it still rings, before the call is cancelled, in
    /// seconds. Long enough for a short loss of the network.
    pub caller_grace_secs: u32,
    /// How long a side's device may be gone, session and media both, before an answered call ends
    /// as "device lost", in seconds.
    pub device_lost_after_secs: u32,
    /// How long a device may take to decide about a drop-in, in seconds. To somebody of another household
    /// every refusal looks like this time having passed.
    pub drop_in_timeout_secs: u32,
    /// How long a device that is to take a call over may take for it, in seconds. Then the call stays
    /// where it is.
    pub move_timeout_secs: u32,
    /// How long the members of a call wait for each other before they all send under the next key,
    /// in milliseconds. Clients switch by themselves after two seconds.
    pub key_switch_timeout_ms: u32,
    /// Calls that the server carries at once. Further ones are refused with `limit_reached`.
    pub running_max: u32,
    /// Calls that one account takes part in at once, ringing ones included. A further one is
    /// refused to the caller, or finds the callee busy.
    pub running_per_account_max: u32,
    /// Calls in an hour with which one stranger rings one person: somebody neither of their household
    /// nor in its address book. Further ones look unanswered and ring nothing.
    pub one_stranger_an_hour_max: u32,
    /// Calls in a day with which all strangers together ring one person.
    pub all_strangers_a_day_max: u32,
    /// Past calls kept for each account; the oldest go first.
    pub history_per_account_max: u32,
}

impl Default for CallsConfig {
    fn default() -> Self {
        Self {
            ring_timeout_secs: 45,
            unreachable_after_secs: 10,
            caller_grace_secs: 10,
            device_lost_after_secs: 30,
            drop_in_timeout_secs: 8,
            move_timeout_secs: 20,
            key_switch_timeout_ms: 2_000,
            running_max: 1_000,
            running_per_account_max: 8,
            one_stranger_an_hour_max: 5,
            all_strangers_a_day_max: 20,
            history_per_account_max: 1_000,
        }
    }
}

impl CallsConfig {
    pub(super) fn ring_timeout(&self) -> Duration {
        Duration::from_secs(self.ring_timeout_secs.into())
    }

    pub(super) fn unreachable_after(&self) -> Duration {
        Duration::from_secs(self.unreachable_after_secs.into())
    }

    pub(super) fn caller_grace(&self) -> Duration {
        Duration::from_secs(self.caller_grace_secs.into())
    }

    pub(super) fn device_lost_after(&self) -> Duration {
        Duration::from_secs(self.device_lost_after_secs.into())
    }

    pub(super) fn drop_in_timeout(&self) -> Duration {
        Duration::from_secs(self.drop_in_timeout_secs.into())
    }

    /// The limits as `reach` weighs them.
    #[must_use]
    pub fn stranger_limits(&self) -> StrangerLimits {
        StrangerLimits {
            one_an_hour: self.one_stranger_an_hour_max,
            all_a_day: self.all_strangers_a_day_max,
        }
    }

    pub(super) fn move_timeout(&self) -> Duration {
        Duration::from_secs(self.move_timeout_secs.into())
    }

    pub(super) fn key_switch_timeout(&self) -> Duration {
        Duration::from_millis(self.key_switch_timeout_ms.into())
    }
}
