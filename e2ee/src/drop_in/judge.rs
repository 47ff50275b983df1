//! May this one drop in on this device now? Asked by the device itself, before it opens anything.
//!
//! Nothing here is the server's word: the grant is signed by an adult of the own roster, the initiator by
//! their own household's key, and what was seen before is kept by the device. Pure, and told the time.

use homeline_protocol::id::{ContactId, GrantId};

use super::grant::{Grant, GrantError, Grantee, Opening};
use super::held::{HeldGrants, TakeError};
use crate::chain::{Chain, ChainError, Identity, verify_chain};
use crate::key::PublicKey;
use crate::roster::Roster;
use crate::signed::Signed;
use crate::time::{CLOCK_SKEW_MS, UnixMs};

/// What the device knows of its household besides the grants.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// The device's own key.
    pub device: PublicKey,
    pub roster: &'a Roster,
    /// The keys that the household's contacts have pinned now; who is no contact any more has none.
    pub pinned: &'a [(ContactId, PublicKey)],
}

/// A drop-in that somebody wants.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Who: the chain of the device that begins it. That it holds the key is shown by the group.
    pub initiator: &'a Chain,
    /// Whether with picture.
    pub picture: bool,
    /// The grant that it goes by, if it was shown; else any that is held counts. A device takes what it is
    /// shown first, so that nothing older counts afterwards.
    pub shown: Option<&'a Signed>,
}

/// What may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permit {
    pub grant: GrantId,
    pub revision: u64,
    pub picture: bool,
    pub opening: Opening,
    /// It has to end by then.
    pub until: UnixMs,
}

/// Why nothing begins. In the order in which they are found: of several grants, the one that came
/// furthest says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("drop-in is switched off at this device")]
    Off,
    #[error("the initiator's certificate does not hold: {0}")]
    Initiator(ChainError),
    #[error("the initiator is no device of the household any more")]
    NotInHousehold,
    #[error("no grant lets this initiator drop in")]
    NoGrant,
    #[error("the grant that was shown does not hold: {0}")]
    Forged(GrantError),
    #[error("the grant is of another household")]
    OtherHousehold,
    #[error("the grant's signer is no adult of the household any more")]
    SignerMayNot,
    #[error("the grant is older than one seen before")]
    Replayed,
    #[error("the grant was revoked")]
    Revoked,
    #[error("the grant was ended at this device")]
    EndedHere,
    #[error("the grant was signed in the future")]
    NotYet,
    #[error("the grant has expired")]
    Expired,
    #[error("the grant is to somebody who is no contact any more, or has another key now")]
    NotAContact,
    #[error("they are new in the contact's household, and no adult here has agreed to them yet")]
    NewMember,
    #[error("the grant does not cover this device")]
    OtherDevice,
    #[error("it is outside the grant's hours")]
    OutsideHours,
    #[error("the grant covers sound only")]
    SoundOnly,
}

/// Decides about one request.
///
/// # Errors
/// [`Refusal`]: nothing of the device may then be heard or seen.
pub fn judge(
    now: UnixMs,
    held: &HeldGrants,
    standing: Standing<'_>,
    request: Request<'_>,
) -> Result<Permit, Refusal> {
    if held.off {
        return Err(Refusal::Off);
    }
    let initiator = verify_chain(request.initiator, now).map_err(Refusal::Initiator)?;
    let own = initiator.genesis == standing.roster.genesis_key();
    if own && !standing.roster.admits(&initiator) {
        return Err(Refusal::NotInHousehold);
    }
    if initiator.is_guest() || initiator.device_key == standing.device {
        return Err(Refusal::NoGrant);
    }
    let question = Question {
        now,
        held,
        standing,
        initiator: &initiator,
        picture: request.picture,
    };
    if let Some(shown) = request.shown {
        return question.ask(shown);
    }
    let mut told = Refusal::NoGrant;
    for signed in held.statements.values() {
        match question.ask(signed) {
            Ok(permit) => return Ok(permit),
            Err(refusal) if refusal.place() > told.place() => told = refusal,
            Err(_) => {}
        }
    }
    Err(told)
}

struct Question<'a> {
    now: UnixMs,
    held: &'a HeldGrants,
    standing: Standing<'a>,
    initiator: &'a Identity,
    picture: bool,
}

impl Question<'_> {
    fn ask(&self, signed: &Signed) -> Result<Permit, Refusal> {
        let grant = self.open(signed)?;
        if !self.is_to_initiator(&grant.to) {
            return Err(Refusal::NoGrant);
        }
        match self.held.check_newer(&grant, signed) {
            Err(TakeError::Replayed { .. }) => return Err(Refusal::Replayed),
            Err(TakeError::Revoked) => return Err(Refusal::Revoked),
            _ => {}
        }
        self.counts(&grant)?;
        if !grant.to.names(&self.initiator.person) {
            return Err(Refusal::NewMember);
        }
        if !grant.covers(self.standing.device) {
            return Err(Refusal::OtherDevice);
        }
        if grant
            .hours
            .as_ref()
            .is_some_and(|hours| !hours.are_open(self.now))
        {
            return Err(Refusal::OutsideHours);
        }
        if self.picture && !grant.picture {
            return Err(Refusal::SoundOnly);
        }
        Ok(Permit {
            grant: grant.id,
            revision: grant.revision,
            picture: self.picture,
            opening: grant.opening,
            until: grant.expires_at,
        })
    }

    fn open(&self, signed: &Signed) -> Result<Grant, Refusal> {
        Grant::open(signed, self.standing.roster).map_err(|error| match error {
            GrantError::OtherHousehold => Refusal::OtherHousehold,
            GrantError::SignerMayNot => Refusal::SignerMayNot,
            GrantError::Decode(_) | GrantError::Signature(_) => Refusal::Forged(error),
        })
    }

    fn is_to_initiator(&self, to: &Grantee) -> bool {
        let genesis = self.initiator.genesis;
        match to {
            Grantee::OwnHousehold => genesis == self.standing.roster.genesis_key(),
            Grantee::Person {
                their_genesis,
                person,
                ..
            } => genesis == *their_genesis && self.initiator.person == *person,
            Grantee::Household { their_genesis, .. } => genesis == *their_genesis,
        }
    }

    /// Whether the grant counts at all now, for whatever it is. No grace after its end: it bounds what a
    /// withheld revocation can do.
    fn counts(&self, grant: &Grant) -> Result<(), Refusal> {
        if grant.revoked {
            return Err(Refusal::Revoked);
        }
        if self.held.was_ended_here(grant) {
            return Err(Refusal::EndedHere);
        }
        if grant.signed_at > self.now.plus(CLOCK_SKEW_MS) {
            return Err(Refusal::NotYet);
        }
        if grant.expires_at <= self.now {
            return Err(Refusal::Expired);
        }
        let named = grant.to.contact().zip(grant.to.their_genesis());
        match named.is_none_or(|named| self.standing.pinned.contains(&named)) {
            true => Ok(()),
            false => Err(Refusal::NotAContact),
        }
    }
}

impl Refusal {
    /// How far a grant came before it was refused.
    fn place(self) -> u8 {
        match self {
            Self::Off | Self::Initiator(_) | Self::NotInHousehold | Self::NoGrant => 0,
            Self::Forged(_) | Self::OtherHousehold => 1,
            Self::SignerMayNot => 2,
            Self::Replayed => 3,
            Self::Revoked => 4,
            Self::EndedHere => 5,
            Self::NotYet | Self::Expired => 6,
            Self::NotAContact => 7,
            Self::NewMember => 8,
            Self::OtherDevice => 9,
            Self::OutsideHours => 10,
            Self::SoundOnly => 11,
        }
    }
}
