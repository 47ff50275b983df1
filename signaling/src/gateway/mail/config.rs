//! The settings of outgoing mail.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::Masked;

/// Outgoing mail: confirmations that adults ask for. No mail names a child.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MailConfig {
    /// How mail leaves: `off` (the app says that none is sent), `smtp` (through a mail server), or
    /// `folder` (for development: a file for each mail).
    pub way: MailWay,
    /// The address that mail comes from.
    pub from: String,
    /// Where the links in mails lead, as `https://home.example:8443`. Without it, the first of
    /// `server.host_names` (or this machine's name) with `server.https_port`.
    pub link_base: Option<String>,
    /// For `folder`: where the mails go, in `server.data_dir` unless the path is absolute. Files of mode
    /// 0600 with the ending `.eml`.
    pub folder: PathBuf,
    /// For `smtp`: the mail server.
    pub smtp: SmtpConfig,
}

/// The way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MailWay {
    /// None.
    Off,
    /// A mail server.
    Smtp,
    /// Files.
    Folder,
}

/// A mail server that takes mail from us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SmtpConfig {
    /// Its name, which its certificate must have.
    pub server: String,
    /// Its port: 465 for `tls`, 587 for `starttls`.
    pub port: u16,
    /// `tls` from the first byte, `starttls` and never without, or `none`, which only a server on this
    /// machine may have.
    pub security: Security,
    /// The user to sign in as; without one it takes mail from us as we are.
    pub user: Option<String>,
    /// That user's password.
    pub password: Option<Masked>,
    /// A file with the certificate (PEM) of the authority that signed the server's, beside the usual
    /// ones: for a mail server of one's own.
    pub authority: Option<PathBuf>,
}

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// TLS before anything is said.
    Starttls,
    /// None.
    None,
}

impl Default for MailConfig {
    fn default() -> Self {
        Self {
            way: MailWay::Off,
            from: "homeline@localhost".to_owned(),
            link_base: None,
            folder: PathBuf::from("mail"),
            smtp: SmtpConfig::default(),
        }
    }
}

impl Default for SmtpConfig {
    fn default() -> Self {
        Self {
            server: "localhost".to_owned(),
            port: 465,
            security: Security::Tls,
            user: None,
            password: None,
            authority: None,
        }
    }
}
