//! What a tester found becomes part of what is known, and what is known becomes what is kept.

use std::net::IpAddr;

use homeline_protocol::session::{OutsideFrom, OutsideLast, OutsideTried};

use super::facts::{Facts, Verdict};
use super::place::{is_public, stands};
use crate::model::UnixMillis;
use crate::store::outside::Kept;

/// Entries of a report: one for each way there is.
const TRIED_MAX: usize = 7;

/// Who tried, as far as it shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Tester {
    /// Where its packets come from.
    pub source: IpAddr,
    /// The address at which it reached the home.
    pub reached_at: Option<IpAddr>,
}

/// Addresses lead to people and stay out of logs.
impl std::fmt::Debug for Tester {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tester")
    }
}

/// A report without an entry, with more than there are ways, or with one twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the report is none")]
pub struct BadReport;

/// Whether it is a report.
///
/// # Errors
/// When it is none.
pub(super) fn check(tried: &[OutsideTried]) -> Result<(), BadReport> {
    let twice = tried.iter().enumerate();
    let mut twice = twice.map(|(at, one)| tried[..at].iter().any(|other| other.way == one.way));
    if tried.is_empty() || tried.len() > TRIED_MAX || twice.any(|twice| twice) {
        return Err(BadReport);
    }
    Ok(())
}

impl Facts {
    /// Takes what a tester found.
    ///
    /// # Errors
    /// When that is no report.
    pub fn note_test(
        &mut self,
        tried: &[OutsideTried],
        tester: Tester,
        now: UnixMillis,
    ) -> Result<(), BadReport> {
        check(tried)?;
        let Tester { source, reached_at } = tester;
        let known = reached_at.or(self.verdict.reached_at);
        let from = stands(&self.look, known, source);
        if from != OutsideFrom::Inside
            && let Some(reached_at) = reached_at.filter(|at| is_public(*at))
        {
            self.verdict.reached_at = Some(reached_at);
        }
        for one in tried {
            let last = OutsideLast {
                works: one.works,
                works_here: one.works_here,
                from,
                at_ms: now.0,
            };
            self.verdict.last.insert(one.way, last);
        }
        Ok(())
    }
}

impl From<Kept> for Verdict {
    fn from(kept: Kept) -> Self {
        Self {
            last: kept.last.into_iter().collect(),
            reached_at: kept.reached_at,
        }
    }
}

impl From<&Verdict> for Kept {
    fn from(verdict: &Verdict) -> Self {
        let last = verdict.last.iter().map(|(way, last)| (*way, *last));
        Self {
            last: last.collect(),
            reached_at: verdict.reached_at,
        }
    }
}
