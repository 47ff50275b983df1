//! What can go wrong with an own number, one enum for each operation.

use crate::domain::limits::TooMany;
use crate::domain::secrets::PasswordError;
use crate::gateway::SmsError;
use crate::model::NotAnApp;
use crate::store::StoreError;

/// Why no code is sent.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Only a person's app may ask.
    #[error(transparent)]
    NotAnApp(#[from] NotAnApp),
    /// This server sends no messages.
    #[error("no way to send a message is configured")]
    NoSms,
    /// The text is no valid number in the account's region.
    #[error("no valid number")]
    NotANumber,
    /// It is a number that gets no messages.
    #[error("no mobile number")]
    NotMobile,
    /// A child for whom no adult has consented: its number goes to nobody else.
    #[error("no adult has consented")]
    NoConsent,
    /// Too many codes.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// The message was not taken.
    #[error(transparent)]
    Sms(#[from] SmsError),
    /// The code cannot be hashed now.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a number is not confirmed.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    /// Only a person's app may.
    #[error(transparent)]
    NotAnApp(#[from] NotAnApp),
    /// No code is on its way.
    #[error("no code was asked for")]
    NoCode,
    /// Its time is over.
    #[error("the code has expired")]
    Expired,
    /// It was tried too often.
    #[error("the code was tried too often")]
    TooManyTries,
    /// It is another one.
    #[error("the wrong code; {tries_left} tries are left")]
    Wrong {
        /// How often one may still be entered.
        tries_left: i64,
    },
    /// The code cannot be checked now.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why the own number is not changed.
#[derive(Debug, thiserror::Error)]
pub enum OwnNumberError {
    /// Only a person's app may.
    #[error(transparent)]
    NotAnApp(#[from] NotAnApp),
    /// There is none.
    #[error("the account has no verified number")]
    NoNumber,
    /// A child is found by nobody through a number.
    #[error("a child")]
    Child,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
