//! Relays for hostile networks.

use homeline_protocol::session::{ApiError, ErrorCode};

use crate::domain::relays::RelaysError;

impl From<RelaysError> for ApiError {
    fn from(error: RelaysError) -> Self {
        let message = match error {
            RelaysError::MakesNoCalls => {
                "Relays are for devices that make calls. Sign in with an app of a household first."
            }
            RelaysError::NotInCall => "Relays are for calls. Wait until you are let in.",
        };
        Self::new(ErrorCode::Forbidden, message)
    }
}
