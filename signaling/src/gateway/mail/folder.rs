//! Mail into a folder, for development: a file for each, readable for its owner only.

use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
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
        let (folder, name) = (self.path.clone(), letter.id.to_string());
        let written = tokio::task::spawn_blocking(move || write(&folder, &name, &mail)).await;
        match written {
            Ok(written) => written.map_err(|error| SendError::Write(error.kind())),
            Err(_) => Err(SendError::Write(io::ErrorKind::Other)),
        }
    }
}

/// Under another name first: whoever reads `.eml` files finds whole ones.
fn write(folder: &Path, name: &str, mail: &[u8]) -> io::Result<()> {
    let part = folder.join(format!("{name}.part"));
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(&part)?;
    file.write_all(mail)?;
    file.sync_all()?;
    std::fs::rename(part, folder.join(format!("{name}.eml")))
}
