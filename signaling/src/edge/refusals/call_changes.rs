//! Adding somebody to a call, and moving it.

use homeline_protocol::session::ApiError;

use super::{bad, conflict, limit, not_found};
use crate::domain::calls::{AddError, MoveError};

impl From<AddError> for ApiError {
    fn from(error: AddError) -> Self {
        match error {
            AddError::Start(error) => error.into(),
            AddError::Call(error) => error.into(),
            AddError::NotAdded => {
                bad("A person is added to a call, by handle, or a guest; a device is moved to.")
            }
            AddError::Busy => limit("They are in too many calls at once. Try again later."),
        }
    }
}

impl From<MoveError> for ApiError {
    fn from(error: MoveError) -> Self {
        match error {
            MoveError::NoDevice => {
                not_found("The household has no such device that could take your call.")
            }
            MoveError::Engaged => conflict("That device is in another call. Hang up there first."),
            MoveError::Invitation => {
                bad("A call moves with an invitation of at most 16 KiB. Reload and try again.")
            }
            MoveError::Call(error) => error.into(),
            MoveError::Internal(error) => error.into(),
        }
    }
}
