//! Speech by flite: a sentence to samples.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use homeline_client::sound::read_file;
use tokio::process::Command;

/// The synthesizer, if this machine has it.
#[derive(Debug, Clone)]
pub(crate) struct Voice {
    program: PathBuf,
}

impl Voice {
    /// What is spoken at once: a name and a few words.
    pub(crate) const CHARACTERS_MAX: usize = 200;

    /// `None` when flite is not installed.
    pub(crate) fn find() -> Option<Self> {
        let path = std::env::var_os("PATH")?;
        let candidates = std::env::split_paths(&path).map(|folder| folder.join("flite"));
        let program = candidates.into_iter().find(|program| program.is_file())?;
        Some(Self { program })
    }

    /// The sentence as samples at 48 kHz.
    pub(crate) async fn say(&self, text: &str) -> anyhow::Result<Vec<i16>> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("speech.wav");
        // The text goes as one argument, never through a shell; a leading dash is no option of flite's.
        let output = Command::new(&self.program)
            .arg("-t")
            .arg(spoken(text))
            .arg("-o")
            .arg(&file)
            .kill_on_drop(true)
            .output()
            .await
            .context("flite")?;
        ensure!(
            output.status.success(),
            "flite ended with {}",
            output.status
        );
        Ok(tokio::task::spawn_blocking(move || read_file(&file)).await??)
    }
}

/// Letters, digits and plain punctuation; a name of other people's choosing is read, not obeyed.
fn spoken(text: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || " ,.'-".contains(letter);
    let text: String = text
        .chars()
        .map(|letter| if plain(letter) { letter } else { ' ' })
        .collect();
    text.trim_start_matches(['-', ' '])
        .chars()
        .take(Voice::CHARACTERS_MAX)
        .collect()
}

#[cfg(test)]
mod tests {
    use homeline_client::sound::loudness;

    use super::*;

    #[test]
    fn names_are_read_as_text() {
        assert_eq!(spoken("--setf <x>`rm`"), "setf  x  rm ");
        assert_eq!(spoken("Zoë O'Neil"), "Zoë O'Neil");
    }

    #[tokio::test]
    async fn a_sentence_is_spoken_where_there_is_a_voice() {
        // Machines without flite ring without speech; that is another test's business.
        let Some(voice) = Voice::find() else { return };
        let samples = voice.say("Incoming call from Anna").await.unwrap();
        assert!(samples.len() > 48_000 && loudness(&samples) > 100.0);
    }
}
