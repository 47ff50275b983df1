//! Counts the calls from strangers that ring people: the figures that `rules` weighs.
//!
//! Only in memory: after a restart the counts begin anew, which lets a stranger ring a few times more.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use homeline_protocol::id::AccountId;

use super::facts::StrangerCalls;
use crate::model::UnixMillis;

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
/// People whose strangers are counted at once. Beyond, those who were rung longest ago are forgotten.
const PEOPLE_MAX: usize = 16_384;
/// Calls remembered for one person; the oldest go first. More than any sensible limit lets through.
const CALLS_MAX: usize = 1_000;

/// The calls of one person, oldest first: when, and from whom.
type Calls = VecDeque<(UnixMillis, AccountId)>;

/// What is counted.
#[derive(Debug, Default)]
pub(in crate::domain) struct Strangers(Mutex<HashMap<AccountId, Calls>>);

impl Strangers {
    /// What has rung somebody lately.
    pub(in crate::domain) fn calls(
        &self,
        callee: AccountId,
        asker: AccountId,
        now: UnixMillis,
    ) -> StrangerCalls {
        let people = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut counted = StrangerCalls::default();
        for (at, from) in people.get(&callee).into_iter().flatten() {
            let ago = now.since(*at);
            counted.from_all += u32::from(ago < DAY);
            counted.from_asker += u32::from(ago < HOUR && *from == asker);
        }
        counted
    }

    /// A stranger's call rings somebody.
    pub(in crate::domain) fn rang(&self, callee: AccountId, from: AccountId, now: UnixMillis) {
        let mut people = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if people.len() >= PEOPLE_MAX && !people.contains_key(&callee) {
            let newest = |calls: &Calls| calls.back().map(|(at, _)| *at);
            people.retain(|_, calls| newest(calls).is_some_and(|at| now.since(at) < DAY));
            let oldest = people.iter().min_by_key(|(_, calls)| newest(calls));
            if let Some(oldest) = oldest.map(|(account, _)| *account)
                && people.len() >= PEOPLE_MAX
            {
                people.remove(&oldest);
            }
        }
        let calls = people.entry(callee).or_default();
        while calls.len() >= CALLS_MAX || calls.front().is_some_and(|(at, _)| now.since(*at) >= DAY)
        {
            calls.pop_front();
        }
        calls.push_back((now, from));
    }
}
