//! What can go wrong with members, one enum for each operation.

use crate::domain::accounts::PasswordCheckError;
use crate::domain::households::NotAdult;
use crate::domain::roster::GrowError;
use crate::model::NoRight;
use crate::store::StoreError;

/// Why a role is not changed.
#[derive(Debug, thiserror::Error)]
pub enum SetRoleError {
    /// The speaker is no adult's app.
    #[error(transparent)]
    NotAdult(#[from] NotAdult),
    /// The household has no such member.
    #[error("no such member")]
    NotFound,
    /// Nobody changes their own role, and nobody makes or unmakes an owner.
    #[error("this role can't be changed")]
    NotThis,
    /// An app of theirs may certify and sign, which a child's never may.
    #[error("an app of theirs has the adult right")]
    HasAdultApp,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why the ownership is not handed over.
#[derive(Debug, thiserror::Error)]
pub enum HandOverError {
    /// The speaker is no adult's app.
    #[error(transparent)]
    NotAdult(#[from] NotAdult),
    /// Only the owner can.
    #[error("not the owner")]
    NotOwner,
    /// The household has no such member.
    #[error("no such member")]
    NotFound,
    /// A child, or an adult without an app that may sign.
    #[error("this member can't own the household")]
    NoHeir,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a member is not removed.
#[derive(Debug, thiserror::Error)]
pub enum RemoveMemberError {
    /// The speaker's app may not sign.
    #[error(transparent)]
    NoRight(#[from] NoRight),
    /// The household has no such member.
    #[error("no such member")]
    NotFound,
    /// One leaves by oneself, and nobody removes the owner.
    #[error("this member can't be removed")]
    NotThis,
    /// The roster does not take the entries.
    #[error(transparent)]
    Grow(#[from] GrowError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why somebody does not leave.
#[derive(Debug, thiserror::Error)]
pub enum LeaveError {
    /// They are in no household.
    #[error(transparent)]
    NoRight(#[from] NoRight),
    /// A device does not leave for its person.
    #[error("only an app may do this")]
    NotApp,
    /// The others would be without an adult.
    #[error("the last adult can't leave the others")]
    LastAdult,
    /// Nobody would be left.
    #[error("the last member can't leave")]
    LastMember,
    /// The roster does not take the entries.
    #[error(transparent)]
    Grow(#[from] GrowError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an account is not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeregisterError {
    /// The password is wrong, or was tried too often.
    #[error(transparent)]
    Password(#[from] PasswordCheckError),
    /// The account is gone already.
    #[error("no such account")]
    NotFound,
    /// A device does not delete its person's account.
    #[error("only an app may do this")]
    NotApp,
    /// The others would be without an adult.
    #[error("the last adult can't leave the others")]
    LastAdult,
    /// The one who is to take over is no adult member.
    #[error("only an adult member can take over")]
    NoHeir,
    /// The roster does not take the entries.
    #[error(transparent)]
    Grow(#[from] GrowError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
