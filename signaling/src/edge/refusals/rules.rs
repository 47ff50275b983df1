//! The rules of reaching people: roles, leaving, settings, children, and who can't be reached.

use homeline_protocol::session::{ApiError, ErrorCode};

use super::{bad, conflict, limit, not_found};
use crate::domain::accounts::PasswordCheckError;
use crate::domain::children::ChildError;
use crate::domain::households::NotAdult;
use crate::domain::members::{DeregisterError, LeaveError, RemoveMemberError, SetRoleError};
use crate::domain::reach::{BadSchedule, Refusal};
use crate::domain::settings::SettingsError;

const LAST_ADULT: &str = "You are the last adult here whose app may sign. First make another member \
    an adult with such an app, or remove the others.";
const ONLY_APP: &str = "A device can't do this. Use your app.";

fn forbidden(message: &str) -> ApiError {
    ApiError::new(ErrorCode::Forbidden, message)
}

/// The words are the domain's own: what may be told is a matter of its rules.
impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let code = match &refusal {
            Refusal::NoDevice
            | Refusal::NotAdmitted
            | Refusal::OwnHandle
            | Refusal::OwnDevice
            | Refusal::NotHousehold => ErrorCode::BadRequest,
            Refusal::NoConsent
            | Refusal::SwitchedOff(_)
            | Refusal::NotChosen
            | Refusal::ChildAsksForGuest
            | Refusal::GuestApart
            | Refusal::ChildInCall
            | Refusal::ChildApart { .. }
            | Refusal::NoGrant => ErrorCode::Forbidden,
            Refusal::NoSuchDevice | Refusal::NoSuchGuest => ErrorCode::NotFound,
            Refusal::ChildSwitchedOff { .. }
            | Refusal::ChildNoConsent { .. }
            | Refusal::PersonQuiet { .. }
            | Refusal::DeviceQuiet { .. }
            | Refusal::AllQuiet
            | Refusal::DeviceCannot { .. }
            | Refusal::DropInOff { .. }
            | Refusal::NoDevices => ErrorCode::NotAvailable,
        };
        Self::new(code, refusal.to_string())
    }
}

impl From<NotAdult> for ApiError {
    fn from(error: NotAdult) -> Self {
        match error {
            NotAdult::NoRight(error) => error.into(),
            NotAdult::Store(error) => error.into(),
        }
    }
}

impl From<BadSchedule> for ApiError {
    fn from(error: BadSchedule) -> Self {
        bad(match error {
            BadSchedule::Zone => "There is no time zone of this name. Choose one of the list.",
            BadSchedule::Windows => "A schedule has at most 32 windows.",
            BadSchedule::Window => {
                "A window has one day or more, none named twice, and times of the day."
            }
        })
    }
}

impl From<SettingsError> for ApiError {
    fn from(error: SettingsError) -> Self {
        match error {
            SettingsError::NoRight(error) => error.into(),
            SettingsError::NotApp => forbidden(ONLY_APP),
            SettingsError::NotYours => {
                forbidden("You can change this only for your own devices. Ask an adult.")
            }
            SettingsError::Field(message) => bad(message),
            SettingsError::Schedule(error) => error.into(),
            SettingsError::NotFound => {
                not_found("The household has no such device. It may have been removed.")
            }
            SettingsError::Full => limit("You have blocked 1000 handles. Unblock one first."),
            SettingsError::Store(error) => error.into(),
        }
    }
}

impl From<ChildError> for ApiError {
    fn from(error: ChildError) -> Self {
        match error {
            ChildError::NotAdult(error) => error.into(),
            ChildError::NotFound => not_found("The household has no such child."),
            ChildError::Field(message) => bad(message),
            ChildError::Store(error) => error.into(),
        }
    }
}

impl From<SetRoleError> for ApiError {
    fn from(error: SetRoleError) -> Self {
        match error {
            SetRoleError::NotAdult(error) => error.into(),
            SetRoleError::NotFound => not_found("The household has no such member."),
            SetRoleError::NotThis => {
                bad("Nobody changes their own role or the owner's, and there is one owner.")
            }
            SetRoleError::HasAdultApp => conflict(
                "An app of theirs has the adult right, which a child's can't have. Remove that app \
                 first; it can be paired again without the right.",
            ),
            SetRoleError::Store(error) => error.into(),
        }
    }
}

impl From<RemoveMemberError> for ApiError {
    fn from(error: RemoveMemberError) -> Self {
        match error {
            RemoveMemberError::NoRight(error) => error.into(),
            RemoveMemberError::NotFound => not_found("The household has no such member."),
            RemoveMemberError::NotThis => {
                bad("Nobody removes the owner, and to go yourself you leave the household.")
            }
            RemoveMemberError::Grow(error) => error.into(),
            RemoveMemberError::Store(error) => error.into(),
        }
    }
}

impl From<LeaveError> for ApiError {
    fn from(error: LeaveError) -> Self {
        match error {
            LeaveError::NoRight(error) => error.into(),
            LeaveError::NotApp => forbidden(ONLY_APP),
            LeaveError::LastAdult => conflict(LAST_ADULT),
            LeaveError::LastMember => {
                conflict("You are the only member. Delete your account instead.")
            }
            LeaveError::Grow(error) => error.into(),
            LeaveError::Store(error) => error.into(),
        }
    }
}

impl From<DeregisterError> for ApiError {
    fn from(error: DeregisterError) -> Self {
        match error {
            DeregisterError::Password(error) => error.into(),
            DeregisterError::NotFound => not_found("Your account is gone already."),
            DeregisterError::NotApp => forbidden(ONLY_APP),
            DeregisterError::LastAdult => conflict(LAST_ADULT),
            DeregisterError::NoHeir => bad("Only an adult member can take over your devices."),
            DeregisterError::Grow(error) => error.into(),
            DeregisterError::Store(error) => error.into(),
        }
    }
}

impl From<PasswordCheckError> for ApiError {
    fn from(error: PasswordCheckError) -> Self {
        match error {
            PasswordCheckError::TooMany(error) => error.into(),
            PasswordCheckError::Wrong => Self::new(
                ErrorCode::WrongCredentials,
                "The password does not match. Check it, then try again.",
            ),
            PasswordCheckError::Password(error) => error.into(),
            PasswordCheckError::Store(error) => error.into(),
        }
    }
}
