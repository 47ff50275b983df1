//! What adults see and say about a child: consent, and what is collected.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::EmailAddress;
use crate::id::{AccountId, ConsentId, MailId};

/// What an adult consents to, as this server ships it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ConsentText {
    /// Grows by one with each change of the text.
    pub version: u16,
    /// Paragraphs, separated by empty lines.
    pub text: String,
}

/// What became of the mail that confirms a consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum MailState {
    /// This server is not set up to send mail.
    Off,
    /// It waits, or is being tried again.
    Waiting,
    /// The mail server has taken it.
    Sent,
    /// It could not be sent for a day. Giving consent again sends another.
    GivenUp,
}

/// A consent on record, shown to the household's adults only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ConsentRecord {
    /// The consent. Its first eight digits stand in the mail, which names nobody.
    pub consent: ConsentId,
    /// The child.
    pub child: AccountId,
    /// Which account gave it.
    pub by: AccountId,
    /// The name that the adult signed with.
    pub name: String,
    /// Where the confirmation went.
    pub email: EmailAddress,
    /// To which version of the text.
    pub version: u16,
    /// When, Unix milliseconds.
    #[ts(type = "number")]
    pub given_at_ms: u64,
    /// When it was withdrawn or replaced by another.
    #[ts(type = "number | null")]
    pub withdrawn_at_ms: Option<u64>,
    /// The mail that confirms it; absent where the server sends none.
    pub mail: Option<MailId>,
    /// What became of that mail.
    pub mail_state: MailState,
}
