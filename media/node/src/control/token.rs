//! The admin token: from the configuration, or made once and kept in a file that only its owner reads.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use homeline_protocol::Secret;
use ring::hmac;

/// Shorter than this can be guessed.
const TOKEN_LEN_MIN: usize = 16;

/// The file's name in the data directory.
const FILE_NAME: &str = "media-admin-token";

/// Recognises the admin token. It keeps no copy of it, and comparing takes the same time whatever is shown.
#[derive(Debug, Clone)]
pub struct AdminToken {
    key: hmac::Key,
    tag: hmac::Tag,
}

/// Where the token came from, for whoever looks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenOrigin {
    /// The configuration or the environment.
    Configured,
    /// This file, which may have been made just now.
    File(PathBuf),
}

/// Why there is no admin token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Guessable.
    #[error("media.control.token has fewer than {TOKEN_LEN_MIN} characters")]
    Short,
    /// The file can't be read or written.
    #[error("the admin token at {path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds something else.
    #[error("the admin token at {0} is damaged: delete the file to have a new one made")]
    Damaged(PathBuf),
}

impl AdminToken {
    /// The token of the configuration, or that of the data directory, which is made where there is none.
    ///
    /// # Errors
    /// When the token is too short, or its file can't be read or written.
    pub fn open(
        configured: Option<&Secret>,
        data_dir: &Path,
    ) -> Result<(Self, TokenOrigin), TokenError> {
        if let Some(token) = configured {
            let token = token.expose();
            if token.len() < TOKEN_LEN_MIN {
                return Err(TokenError::Short);
            }
            return Ok((Self::new(token), TokenOrigin::Configured));
        }
        let path = data_dir.join(FILE_NAME);
        let failed = |source| TokenError::File {
            path: path.clone(),
            source,
        };
        let token = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                make(data_dir, &path).map_err(failed)?
            }
            Err(error) => return Err(failed(error)),
        };
        let token = token.trim();
        if token.len() < TOKEN_LEN_MIN {
            return Err(TokenError::Damaged(path));
        }
        Ok((Self::new(token), TokenOrigin::File(path)))
    }

    fn new(token: &str) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &rand::random::<[u8; 32]>());
        let tag = hmac::sign(&key, token.as_bytes());
        Self { key, tag }
    }

    /// Whether that is the token.
    pub(super) fn is(&self, shown: &str) -> bool {
        hmac::verify(&self.key, shown.as_bytes(), self.tag.as_ref()).is_ok()
    }
}

/// Makes a token and its file.
fn make(data_dir: &Path, path: &Path) -> std::io::Result<String> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data_dir)?;
    let bytes: [u8; 32] = rand::random();
    let token: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    homeline_durable::write(path, format!("{token}\n").as_bytes())?;
    Ok(token)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_token_is_made_once_is_private_and_is_known_again() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let (_, origin) = AdminToken::open(None, &data).unwrap();
        let path = data.join(FILE_NAME);
        assert_eq!(origin, TokenOrigin::File(path.clone()));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&data)), (0o600, 0o700));
        let text = fs::read_to_string(&path).unwrap();
        let (again, _) = AdminToken::open(None, &data).unwrap();
        assert!(again.is(text.trim()));
        assert!(!again.is("") && !again.is(&text.trim()[1..]));
        fs::write(&path, "short\n").unwrap();
        assert!(matches!(
            AdminToken::open(None, &data),
            Err(TokenError::Damaged(_))
        ));
    }

    #[test]
    fn a_configured_token_needs_no_file_and_must_be_long() {
        let nowhere = Path::new("/nonexistent/data");
        let token = Secret::new("an operator's own token");
        let (admin, origin) = AdminToken::open(Some(&token), nowhere).unwrap();
        assert_eq!(origin, TokenOrigin::Configured);
        assert!(admin.is(token.expose()));
        let short = AdminToken::open(Some(&Secret::new("short")), nowhere);
        assert!(matches!(short, Err(TokenError::Short)));
    }
}
