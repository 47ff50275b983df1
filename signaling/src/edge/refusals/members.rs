//! Further members.

use homeline_protocol::session::ApiError;

use super::{bad, conflict, limit, not_found};
use crate::domain::invitations::{
    AdmitMemberError, CancelInvitationError, CreateInvitationError, RefuseMemberError,
};

impl From<CreateInvitationError> for ApiError {
    fn from(error: CreateInvitationError) -> Self {
        match error {
            CreateInvitationError::NoRight(error) => error.into(),
            CreateInvitationError::TooManyOpen => {
                limit("Too many invitations are open. Cancel one first.")
            }
            CreateInvitationError::Store(error) => error.into(),
        }
    }
}

impl From<CancelInvitationError> for ApiError {
    fn from(error: CancelInvitationError) -> Self {
        match error {
            CancelInvitationError::NoRight(error) => error.into(),
            CancelInvitationError::Store(error) => error.into(),
        }
    }
}

impl From<AdmitMemberError> for ApiError {
    fn from(error: AdmitMemberError) -> Self {
        match error {
            AdmitMemberError::NoRight(error) => error.into(),
            AdmitMemberError::NotFound => {
                not_found("Nobody waits with this invitation. They may have been turned away.")
            }
            AdmitMemberError::BadRole => {
                bad("Members are admitted as adults, or as children without the adult right.")
            }
            AdmitMemberError::Full => limit("The household has as many members as it may."),
            AdmitMemberError::Grow(error) => error.into(),
            AdmitMemberError::Store(error) => error.into(),
        }
    }
}

impl From<RefuseMemberError> for ApiError {
    fn from(error: RefuseMemberError) -> Self {
        match error {
            RefuseMemberError::NoRight(error) => error.into(),
            RefuseMemberError::Admitted => {
                conflict("They were admitted already. Remove their app instead.")
            }
            RefuseMemberError::Store(error) => error.into(),
        }
    }
}
