//! A short shake when two presses were taken: felt where the confirmation may not be heard.
//!
//! Linux has vibrators in its LED class, with the "transient" trigger
//! (Documentation/leds/ledtrig-transient in the kernel's source). A device without one does not shake.

use std::fs;
use std::path::{Path, PathBuf};

/// Felt as one shake, and over before the confirmation is.
const SHAKE_MS: &str = "120";

/// A vibrator, if the device has one.
pub(crate) struct Vibrator {
    folder: Option<PathBuf>,
}

impl Vibrator {
    pub(crate) fn new(folder: Option<&Path>) -> Self {
        let folder = folder.map(Path::to_owned);
        Self { folder }
    }

    pub(crate) fn shake(&self) {
        let Some(folder) = &self.folder else { return };
        // The files appear with the trigger; `activate` starts it.
        let steps = [
            ("trigger", "transient"),
            ("state", "1"),
            ("duration", SHAKE_MS),
            ("activate", "1"),
        ];
        for (file, value) in steps {
            // A vibrator that fails must not keep anybody from calling.
            if let Err(error) = fs::write(folder.join(file), value) {
                tracing::warn!(%error, file, "the vibrator can't be set");
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linux_vibrator_is_written_and_a_missing_one_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        Vibrator::new(Some(folder.path())).shake();
        let read = |file: &str| fs::read_to_string(folder.path().join(file)).unwrap();
        assert_eq!(
            (read("duration").as_str(), read("activate").as_str()),
            ("120", "1")
        );
        Vibrator::new(Some(&folder.path().join("gone"))).shake();
        Vibrator::new(None).shake();
    }
}
