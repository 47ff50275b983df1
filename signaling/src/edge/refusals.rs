//! What people read when a request is refused: each operation's errors, turned into a code and a
//! sentence that says what happened and what to do. Here, and nowhere else.

use homeline_protocol::session::{ApiError, ErrorCode};

use crate::domain::accounts::{
    AuthenticateError, RecoverBeginError, RecoverFinishError, SetNameError, SignInError,
    SignUpError,
};
use crate::domain::contacts::{DeleteContactError, PutContactError};
use crate::domain::devices::{PutAnswerPolicyError, RemoveDeviceError, RenewCertificateError};
use crate::domain::households::HomeError;
use crate::domain::identity::{ChainError, RosterError, StatementError};
use crate::domain::invitations::{
    AdmitMemberError, CancelInvitationError, CreateInvitationError, RefuseMemberError,
};
use crate::domain::limits::TooMany;
use crate::domain::pairing::{AppPairingError, CertifyError, DevicePairingError, OpenPairingError};
use crate::domain::roster::GrowError;
use crate::domain::secrets::PasswordError;
use crate::model::NoRight;
use crate::store::StoreError;

const NO_FIT: &str = "What was signed does not fit the request. Reload the app and try again.";
const OUTDATED: &str = "A newer version is stored already. Reload the app and try again.";
const PAIRING_GONE: &str = "This pairing is over or unknown. Start again on the device.";
const PAIRING_TURN: &str = "The pairing is at another step. Start again on the device.";

/// A fault of the server: logged here, and told without details.
pub(crate) fn internal(error: &dyn std::error::Error) -> ApiError {
    tracing::error!(%error, "a request failed");
    ApiError::new(
        ErrorCode::Internal,
        "The server failed at this. It has been logged; try again in a moment.",
    )
}

fn bad(message: &str) -> ApiError {
    ApiError::new(ErrorCode::BadRequest, message)
}

fn not_found(message: &str) -> ApiError {
    ApiError::new(ErrorCode::NotFound, message)
}

fn conflict(message: &str) -> ApiError {
    ApiError::new(ErrorCode::Conflict, message)
}

fn limit(message: &str) -> ApiError {
    ApiError::new(ErrorCode::LimitReached, message)
}

fn limited(retry_after_secs: u32) -> ApiError {
    let message = format!("Too many tries. Wait {retry_after_secs} seconds, then try again.");
    let retry_after_secs = Some(retry_after_secs);
    ApiError {
        code: ErrorCode::RateLimited,
        message,
        retry_after_secs,
    }
}

fn removed() -> ApiError {
    ApiError::new(
        ErrorCode::DeviceRevoked,
        "This device was removed from its household. Pair it again to use it.",
    )
}

// ---- shared parts ----

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        internal(&error)
    }
}

impl From<TooMany> for ApiError {
    fn from(error: TooMany) -> Self {
        limited(error.retry_after_secs)
    }
}

impl From<PasswordError> for ApiError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => limited(2),
            fault => internal(&fault),
        }
    }
}

impl From<NoRight> for ApiError {
    fn from(error: NoRight) -> Self {
        let message = match error {
            NoRight::NoHousehold => {
                "You belong to no household yet. Wait until you are admitted, then try again."
            }
            NoRight::NotAdult => "Only an adult's app may do this. Use one of those.",
        };
        Self::new(ErrorCode::Forbidden, message)
    }
}

impl From<StatementError> for ApiError {
    fn from(error: StatementError) -> Self {
        match error {
            StatementError::SignerMayNot => Self::new(
                ErrorCode::Forbidden,
                "This was not signed by an adult's app of the household. Use one of those.",
            ),
            _ => bad(NO_FIT),
        }
    }
}

impl From<ChainError> for ApiError {
    fn from(error: ChainError) -> Self {
        match error {
            ChainError::Statement(error) => error.into(),
            ChainError::Broken => bad(NO_FIT),
            ChainError::Expired => bad(
                "A certificate is outdated, or a clock is wrong. Check date and time on both \
                 devices, then try again.",
            ),
        }
    }
}

impl From<RosterError> for ApiError {
    fn from(error: RosterError) -> Self {
        match error {
            RosterError::Statement(error) => error.into(),
            RosterError::Moved => Self::new(
                ErrorCode::RosterMoved,
                "The household changed meanwhile. Fetch it and sign again.",
            ),
            RosterError::DoesNotFit => {
                conflict("This device is in the household already, or was removed from it.")
            }
            RosterError::Full => limit("This household has changed too often. It is full."),
        }
    }
}

impl From<GrowError> for ApiError {
    fn from(error: GrowError) -> Self {
        match error {
            GrowError::Entry(error) => error.into(),
            GrowError::Chain(error) => error.into(),
            GrowError::SaysOtherwise => bad(NO_FIT),
            GrowError::DeviceTaken => {
                conflict("This device belongs to somebody already. Reset it, then pair it again.")
            }
            GrowError::TooManyDevices => {
                limit("The household has as many devices as it may. Remove one first.")
            }
            GrowError::Store(error) => error.into(),
        }
    }
}

// ---- accounts ----

impl From<SignUpError> for ApiError {
    fn from(error: SignUpError) -> Self {
        match error {
            SignUpError::TooMany(error) => error.into(),
            SignUpError::Field(message) => bad(message),
            SignUpError::HandleTaken => Self::new(
                ErrorCode::HandleTaken,
                "Somebody has this handle. Choose another.",
            ),
            SignUpError::Exists => conflict(
                "This app, account or household is registered already. Sign in instead, or start \
                 again with a fresh page.",
            ),
            SignUpError::NoInvitation => {
                not_found("This invitation was used, cancelled, or has expired. Ask for a new one.")
            }
            SignUpError::TooManyWait => {
                limit("Others wait on this invitation already. Ask for a new one.")
            }
            SignUpError::ServerFull => {
                limit("This server takes no further people. Ask whoever runs it.")
            }
            SignUpError::Roster(_) => bad(NO_FIT),
            SignUpError::Chain(error) => error.into(),
            SignUpError::SaysOtherwise => bad(NO_FIT),
            SignUpError::Password(error) => error.into(),
            SignUpError::Store(error) => error.into(),
        }
    }
}

impl From<SignInError> for ApiError {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::TooMany(error) => error.into(),
            SignInError::ClockOff => {
                bad("This device's clock is off by more than five minutes. Set it, then try again.")
            }
            SignInError::Wrong => Self::new(
                ErrorCode::WrongCredentials,
                "Handle and password do not match. Check both, or use your recovery code.",
            ),
            SignInError::DeviceRevoked => removed(),
            SignInError::Password(error) => error.into(),
            SignInError::Store(error) => error.into(),
        }
    }
}

impl From<AuthenticateError> for ApiError {
    fn from(error: AuthenticateError) -> Self {
        match error {
            AuthenticateError::Unknown => Self::new(
                ErrorCode::Unauthorized,
                "This sign-in has ended, or never was. Sign in again, or sign up first.",
            ),
            AuthenticateError::DeviceRevoked => removed(),
            AuthenticateError::Store(error) => error.into(),
        }
    }
}

impl From<RecoverBeginError> for ApiError {
    fn from(error: RecoverBeginError) -> Self {
        match error {
            RecoverBeginError::TooMany(error) => error.into(),
            RecoverBeginError::Wrong => Self::new(
                ErrorCode::WrongCredentials,
                "Handle and recovery code do not match. Check both.",
            ),
            RecoverBeginError::Password(error) => error.into(),
            RecoverBeginError::Store(error) => error.into(),
        }
    }
}

impl From<RecoverFinishError> for ApiError {
    fn from(error: RecoverFinishError) -> Self {
        match error {
            RecoverFinishError::TooMany(error) => error.into(),
            RecoverFinishError::Field(message) => bad(message),
            RecoverFinishError::NoTicket => Self::new(
                ErrorCode::Unauthorized,
                "This recovery took too long or was finished already. Begin again.",
            ),
            RecoverFinishError::Grow(error) => error.into(),
            RecoverFinishError::Password(error) => error.into(),
            RecoverFinishError::Store(error) => error.into(),
        }
    }
}

impl From<SetNameError> for ApiError {
    fn from(error: SetNameError) -> Self {
        match error {
            SetNameError::Field(message) => bad(message),
            SetNameError::NotFound => not_found("Your account is gone. Sign up again."),
            SetNameError::Store(error) => error.into(),
        }
    }
}

// ---- household ----

impl From<HomeError> for ApiError {
    fn from(error: HomeError) -> Self {
        match error {
            HomeError::NotFound => not_found("Your account is gone. Sign up again."),
            HomeError::Store(error) => error.into(),
        }
    }
}

impl From<RenewCertificateError> for ApiError {
    fn from(error: RenewCertificateError) -> Self {
        match error {
            RenewCertificateError::NoRight(error) => error.into(),
            RenewCertificateError::NotFound => {
                not_found("The household has no such device. It may have been removed.")
            }
            RenewCertificateError::Chain(error) => error.into(),
            RenewCertificateError::SaysOtherwise => bad(NO_FIT),
            RenewCertificateError::Roster(error) => error.into(),
            RenewCertificateError::Store(error) => error.into(),
        }
    }
}

impl From<RemoveDeviceError> for ApiError {
    fn from(error: RemoveDeviceError) -> Self {
        match error {
            RemoveDeviceError::NoRight(error) => error.into(),
            RemoveDeviceError::NotFound => not_found("The household has no such device."),
            RemoveDeviceError::Grow(error) => error.into(),
            RemoveDeviceError::Store(error) => error.into(),
        }
    }
}

impl From<PutAnswerPolicyError> for ApiError {
    fn from(error: PutAnswerPolicyError) -> Self {
        match error {
            PutAnswerPolicyError::NoRight(error) => error.into(),
            PutAnswerPolicyError::NotFound => {
                not_found("The household has no such home device. It may have been removed.")
            }
            PutAnswerPolicyError::Statement(error) => error.into(),
            PutAnswerPolicyError::Outdated => conflict(OUTDATED),
            PutAnswerPolicyError::Roster(error) => error.into(),
            PutAnswerPolicyError::Store(error) => error.into(),
        }
    }
}

// ---- contacts ----

impl From<PutContactError> for ApiError {
    fn from(error: PutContactError) -> Self {
        match error {
            PutContactError::NoRight(error) => error.into(),
            PutContactError::Field(message) => bad(message),
            PutContactError::Statement(error) => error.into(),
            PutContactError::Outdated => conflict(OUTDATED),
            PutContactError::Full => {
                limit("The address book is full: 5000 contacts. Delete one first.")
            }
            PutContactError::Roster(error) => error.into(),
            PutContactError::Store(error) => error.into(),
        }
    }
}

impl From<DeleteContactError> for ApiError {
    fn from(error: DeleteContactError) -> Self {
        match error {
            DeleteContactError::NoRight(error) => error.into(),
            DeleteContactError::Statement(error) => error.into(),
            DeleteContactError::Outdated => conflict(OUTDATED),
            DeleteContactError::Roster(error) => error.into(),
            DeleteContactError::Store(error) => error.into(),
        }
    }
}

// ---- further members ----

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

// ---- pairing ----

impl From<OpenPairingError> for ApiError {
    fn from(error: OpenPairingError) -> Self {
        match error {
            OpenPairingError::TooMany(error) => error.into(),
            OpenPairingError::Field(message) => bad(message),
            OpenPairingError::Full => {
                limit("Too many devices ask to be paired right now. Try again in ten minutes.")
            }
            OpenPairingError::Store(error) => error.into(),
        }
    }
}

impl From<DevicePairingError> for ApiError {
    fn from(error: DevicePairingError) -> Self {
        match error {
            DevicePairingError::NotFound => not_found(PAIRING_GONE),
            DevicePairingError::Field(message) => bad(message),
            DevicePairingError::TooManyAsk => {
                limit("This device asks too often at once. Wait for an answer.")
            }
            DevicePairingError::OutOfTurn => conflict(PAIRING_TURN),
            DevicePairingError::Store(error) => error.into(),
        }
    }
}

impl From<AppPairingError> for ApiError {
    fn from(error: AppPairingError) -> Self {
        match error {
            AppPairingError::NoRight(error) => error.into(),
            AppPairingError::NotFound => not_found(PAIRING_GONE),
            AppPairingError::Field(message) => bad(message),
            AppPairingError::TakenByAnother => {
                conflict("Another of your apps took this pairing up. Go on there.")
            }
            AppPairingError::OutOfTurn => conflict(PAIRING_TURN),
            AppPairingError::TooManyListen => {
                limit("Too many apps are adding devices right now. Try again in ten minutes.")
            }
        }
    }
}

impl From<CertifyError> for ApiError {
    fn from(error: CertifyError) -> Self {
        match error {
            CertifyError::Pairing(error) => error.into(),
            CertifyError::NoSuchMember => not_found("The household has no such member."),
            CertifyError::AnotherDevice => bad(NO_FIT),
            CertifyError::Grow(error) => error.into(),
            CertifyError::Store(error) => error.into(),
        }
    }
}
