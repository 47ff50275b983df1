//! Mail into a folder, for development: a file for each, readable for its owner only.

use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use homeline_protocol::EmailAddress;

use super::{Letter, MailConfigError, SendError, compose};

/// A folder that stands in for a mail server.
#[derive(Debug, Clone)]
pub struct MailFolder {
    from: EmailAddress,
    path: PathBuf,
}

impl MailFolder {
    pub(super) fn new(from: EmailAddress, path: &Path) -> Result<Self, MailConfigError> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(MailConfigError::Folder)?;
        let path = path.to_owned();
        Ok(Self { from, path })
    }

    pub(super) async fn send(&self, letter: &Letter) -> Result<(), SendError> {
        let mail = compose(&self.from, letter)?.formatted();
        // Whoever reads `.eml` files finds whole ones.
        let file = self.path.join(format!("{}.eml", letter.id));
        let written = tokio::task::spawn_blocking(move || homeline_durable::write(&file, &mail));
        let written = written.await;
        match written {
            Ok(written) => written.map_err(|error| SendError::Write(error.kind())),
            Err(_) => Err(SendError::Write(io::ErrorKind::Other)),
        }
    }
}
