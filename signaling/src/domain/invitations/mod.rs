//! Further members: inviting, admitting and refusing them.

mod error;
mod service;

pub use error::{
    AdmitMemberError, CancelInvitationError, CreateInvitationError, RefuseMemberError,
};
pub use service::{Admission, Invitations};
