//! The way out for mail: a mail server, a folder, or none.
//!
//! A letter is handed over once and well, or refused; queueing and trying again is the domain's. What
//! is said about a failure never holds an address or a text.

mod config;
mod folder;
mod smtp;

use homeline_protocol::EmailAddress;
use homeline_protocol::id::MailId;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};

pub use config::{MailConfig, MailWay, Security, SmtpConfig};
pub use folder::MailFolder;
pub use smtp::Smtp;

/// The way out.
#[derive(Debug, Clone)]
pub enum Mail {
    /// A mail server.
    Smtp(Box<Smtp>),
    /// A file for each mail.
    Folder(MailFolder),
    /// None: nothing can be sent.
    Off,
}

/// A letter to send. No `Debug`: it is personal.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its id, from which its Message-ID is made: a letter sent twice can be told as one.
    pub id: MailId,
    /// To whom.
    pub to: EmailAddress,
    /// What it is about.
    pub subject: String,
    /// Plain text.
    pub text: String,
}

/// Why the settings are not possible.
#[derive(Debug, thiserror::Error)]
pub enum MailConfigError {
    /// The sender's address is none.
    #[error("mail.from is no e-mail address")]
    From,
    /// A password would travel in the clear.
    #[error("mail.smtp.security is none: only a server on this machine may have that")]
    Unprotected,
    /// A user without a password, or the other way round.
    #[error("mail.smtp needs both user and password, or neither")]
    Credentials,
    /// The authority's file.
    #[error("mail.smtp.authority can't be read: {0}")]
    Authority(std::io::Error),
    /// TLS is not possible with these settings.
    #[error("mail.smtp: {0}")]
    Tls(lettre::transport::smtp::Error),
    /// The folder can't be made.
    #[error("mail.folder can't be made: {0}")]
    Folder(std::io::Error),
}

/// Why a letter did not go out now. Worth another try, whatever it is: a full mailbox is emptied, a
/// wrong password corrected.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// There is no way out.
    #[error("no mail is sent by this server")]
    Off,
    /// The letter can't be written down as a mail.
    #[error("the letter can't be composed")]
    Compose,
    /// The mail server can't be reached, or not safely.
    #[error("the mail server can't be reached or trusted")]
    Unreachable,
    /// The mail server said no. Its words may name the recipient, so only the number is kept.
    #[error("the mail server refused with {0}")]
    Refused(u16),
    /// The file can't be written.
    #[error("the mail can't be written down: {0}")]
    Write(std::io::ErrorKind),
}

impl Mail {
    /// The way that the settings say.
    ///
    /// # Errors
    /// When they are not possible.
    pub fn new(config: &MailConfig) -> Result<Self, MailConfigError> {
        let from: EmailAddress = config.from.parse().map_err(|_| MailConfigError::From)?;
        Ok(match config.way {
            MailWay::Off => Self::Off,
            MailWay::Folder => Self::Folder(MailFolder::new(from, &config.folder)?),
            MailWay::Smtp => Self::Smtp(Box::new(Smtp::new(from, &config.smtp)?)),
        })
    }

    /// Whether anything can be sent at all.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !matches!(self, Self::Off)
    }

    /// Hands a letter over.
    ///
    /// # Errors
    /// When it was not taken; then it may be tried again.
    pub async fn send(&self, letter: &Letter) -> Result<(), SendError> {
        match self {
            Self::Smtp(smtp) => smtp.send(letter).await,
            Self::Folder(folder) => folder.send(letter).await,
            Self::Off => Err(SendError::Off),
        }
    }
}

/// The letter as a mail.
fn compose(from: &EmailAddress, letter: &Letter) -> Result<Message, SendError> {
    let mailbox = |address: &EmailAddress, name: Option<&str>| {
        let address = address.as_str().parse().map_err(|_| SendError::Compose)?;
        Ok::<_, SendError>(Mailbox::new(name.map(str::to_owned), address))
    };
    let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
    Message::builder()
        .from(mailbox(from, Some("Homeline"))?)
        .to(mailbox(&letter.to, None)?)
        .subject(&letter.subject)
        .message_id(Some(format!("<{}@{}>", letter.id, from.domain())))
        .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
        .header(ContentType::TEXT_PLAIN)
        .body(letter.text.clone())
        .map_err(|_| SendError::Compose)
}
