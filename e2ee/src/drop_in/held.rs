//! What a device keeps of the grants that it was shown, and of what somebody ended at it.
//!
//! It outlives a restart beside the device's key: else a server could show an older revision again. What
//! was ended here needs no server and no signature, since it only takes away.

use std::collections::{BTreeMap, BTreeSet};

use homeline_protocol::id::GrantId;

use super::grant::{Grant, GrantError, LIFETIME_MS_MAX};
use crate::quiet::quiet_debug;
use crate::roster::Roster;
use crate::signed::Signed;
use crate::time::{CLOCK_SKEW_MS, UnixMs};

quiet_debug!(HeldGrants);

/// More grants than a household gives; a further one is not taken until one ends.
pub const HELD_MAX: usize = 128;
/// More grants than a household changes in a month; a further one is not taken until old ones are forgotten.
pub const SEEN_MAX: usize = 1024;
/// More grants than anybody ends at a device; beyond, drop-in is off at it.
pub const ENDED_HERE_MAX: usize = 1024;

/// All that a device knows of grants. Stored as it is.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct HeldGrants {
    /// The newest revision of each, as it was signed, revocations too.
    pub statements: BTreeMap<GrantId, Signed>,
    /// The newest revision seen, also of grants that are not held any more.
    pub seen: BTreeMap<GrantId, Seen>,
    /// Ended at this device: no later revision revives them.
    pub ended_here: BTreeSet<GrantId>,
    /// Everyone was put out at this moment: nothing signed until then counts.
    pub out_since: UnixMs,
    /// Drop-in was switched off at this device, whatever the grants.
    pub off: bool,
}

/// The newest revision of one grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    pub revision: u64,
    /// SHA-256 of the whole envelope: two statements of one revision are not one.
    pub hash: [u8; 32],
    /// Whether it was ended: then no later revision revives it, as that of an app which renews it and has
    /// not heard yet.
    pub revoked: bool,
    /// Until then older revisions can matter.
    pub until: UnixMs,
}

/// Why a grant is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TakeError {
    #[error(transparent)]
    Grant(#[from] GrantError),
    #[error("revision {found} is not newer than {seen}, seen before")]
    Replayed { seen: u64, found: u64 },
    #[error("the grant was revoked before, which is final")]
    Revoked,
    #[error("the grant was signed in the future")]
    NotYet,
    #[error("the device holds as many grants as it can")]
    Full,
}

impl HeldGrants {
    /// Takes a grant, or a change or revocation of one. The same one twice is no error.
    ///
    /// # Errors
    /// When it does not hold, is older than one seen before, or there is no room.
    pub fn take(
        &mut self,
        now: UnixMs,
        signed: &Signed,
        roster: &Roster,
    ) -> Result<Grant, TakeError> {
        let grant = Grant::open(signed, roster)?;
        if grant.signed_at > now.plus(CLOCK_SKEW_MS) {
            return Err(TakeError::NotYet);
        }
        self.check_newer(&grant, signed)?;
        self.sweep(now);
        let id = grant.id;
        let room = (self.statements.len() < HELD_MAX || self.statements.contains_key(&id))
            && (self.seen.len() < SEEN_MAX || self.seen.contains_key(&id));
        if !room {
            return Err(TakeError::Full);
        }
        let seen = Seen {
            revision: grant.revision,
            hash: signed.hash(),
            revoked: grant.revoked,
            // Whatever was signed until now has ended by then, and so has this one.
            until: now
                .plus(LIFETIME_MS_MAX + 2 * CLOCK_SKEW_MS)
                .max(grant.expires_at),
        };
        self.seen.insert(id, seen);
        self.statements.insert(id, signed.clone());
        Ok(grant)
    }

    /// The server says that it is gone. It can be believed, since that only takes away; should it show
    /// the grant again, the same revision is taken again.
    pub fn forget(&mut self, id: GrantId) {
        self.statements.remove(&id);
    }

    /// Somebody at the device ended this grant.
    pub fn end_here(&mut self, id: GrantId) {
        if self.ended_here.len() < ENDED_HERE_MAX || self.ended_here.contains(&id) {
            self.ended_here.insert(id);
        } else {
            self.off = true;
        }
    }

    /// Somebody at the device put everyone out: what is held, and what was signed until now and never
    /// arrived.
    pub fn everyone_out(&mut self, now: UnixMs) {
        self.out_since = self.out_since.max(now);
        let held: Vec<GrantId> = self.statements.keys().copied().collect();
        held.into_iter().for_each(|id| self.end_here(id));
    }

    /// Refuses what is older than one seen before, another statement of the same revision, and what goes
    /// on after it was revoked.
    pub(super) fn check_newer(&self, grant: &Grant, signed: &Signed) -> Result<(), TakeError> {
        let Some(seen) = self.seen.get(&grant.id) else {
            return Ok(());
        };
        let same = grant.revision == seen.revision && signed.hash() == seen.hash;
        if grant.revision <= seen.revision && !same {
            return Err(TakeError::Replayed {
                seen: seen.revision,
                found: grant.revision,
            });
        }
        match seen.revoked && !grant.revoked {
            true => Err(TakeError::Revoked),
            false => Ok(()),
        }
    }

    pub(super) fn was_ended_here(&self, grant: &Grant) -> bool {
        self.ended_here.contains(&grant.id) || grant.signed_at <= self.out_since
    }

    /// Forgets what has ended, and revisions of which no older one can count any more.
    fn sweep(&mut self, now: UnixMs) {
        self.statements.retain(|_, signed| {
            Grant::read(&signed.body).is_ok_and(|grant| grant.expires_at > now)
        });
        self.seen.retain(|_, seen| seen.until > now);
    }
}
