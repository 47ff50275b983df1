//! The server as a child process: found beside the program, started on free ports, ended with the run.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::pin;

/// The last lines of its log that are shown when it does not start.
const LOG_LINES_SHOWN: usize = 12;

/// Lines of its log that are kept; the oldest go first.
const LOG_LINES_MAX: usize = 400;

/// A running server.
pub struct ServerChild {
    child: Child,
    /// What it printed at its start.
    printed: Vec<String>,
    log: Arc<Mutex<Vec<String>>>,
    /// Removed with it.
    data: Option<TempDir>,
}

/// How to start one.
pub struct Start<'a> {
    /// The program; without one it is looked for beside this program.
    pub binary: Option<&'a Path>,
    /// Whether only the media node.
    pub media_alone: bool,
    /// Settings, as in the environment.
    pub settings: Vec<(String, String)>,
    /// Whether to keep it on the measured core.
    pub pinned: bool,
}

impl ServerChild {
    /// Starts it with a data directory of its own, and waits until it says where it is.
    ///
    /// # Errors
    /// When it isn't there or does not start; the words say what to do.
    pub fn start(start: &Start<'_>) -> Result<Self> {
        let binary = find(start.binary)?;
        let data = tempfile::tempdir().context("a directory for the server's data")?;
        let mut command = Command::new(&binary);
        command.args(["serve", "--data-dir"]).arg(data.path());
        if start.media_alone {
            command.args(["--roles", "media"]);
        }
        command
            .env("HOMELINE_LOG__FILTER", "warn")
            .envs(start.settings.iter().map(|(name, value)| (name, value)))
            .current_dir(data.path())
            // Ctrl-C on a terminal goes to a whole group: the server must outlive the run that it ends.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if start.pinned {
            pin::this_thread(pin::MEASURED);
        }
        let started = command.spawn();
        if start.pinned {
            pin::this_thread(pin::GENERATOR);
        }
        let child = started.with_context(|| format!("starting {}", binary.display()))?;
        let mut server = Self {
            child,
            printed: Vec::new(),
            log: Arc::default(),
            data: Some(data),
        };
        server.listen()?;
        Ok(server)
    }

    fn listen(&mut self) -> Result<()> {
        let (errors, log) = (self.child.stderr.take(), Arc::clone(&self.log));
        let errors = errors.context("the server's log")?;
        std::thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
                if log.len() == LOG_LINES_MAX {
                    log.remove(0);
                }
                log.push(line);
            }
        });
        let output = self.child.stdout.take().context("the server's output")?;
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        for line in lines.by_ref() {
            let last = line.contains("Ctrl-C");
            self.printed.push(line);
            if last {
                // The rest is read, so that it never blocks on a full pipe.
                std::thread::spawn(move || lines.for_each(drop));
                return Ok(());
            }
        }
        // It has ended; its log follows at once.
        drop(self.child.wait());
        std::thread::sleep(std::time::Duration::from_millis(100));
        bail!("the server did not start. It said:\n{}", self.log_tail())
    }

    /// The last lines of its log.
    pub fn log_tail(&self) -> String {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let from = log.len().saturating_sub(LOG_LINES_SHOWN);
        log[from..].join("\n")
    }

    /// The first address that it printed and that begins with this.
    ///
    /// # Errors
    /// When it printed none.
    pub fn url(&self, beginning: &str) -> Result<String> {
        let find = |line: &String| {
            let url = &line[line.find(beginning)?..];
            let end = url.find([',', ' ']).unwrap_or(url.len());
            Some(url[..end].to_owned())
        };
        let url = self.printed.iter().find_map(find);
        url.context("the server printed no address; is it of this version?")
    }

    /// Its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for ServerChild {
    fn drop(&mut self) {
        // Nothing of it is kept, so that nothing has to be stored first.
        drop(self.child.kill());
        drop(self.child.wait());
        drop(self.data.take());
    }
}

/// The program `homeline`: as told, or beside this one. Builds put both into one folder; tests run one below.
fn find(told: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = told {
        if path.is_file() {
            // It starts in a directory of its own, from where a relative path leads elsewhere.
            return Ok(path.canonicalize()?);
        }
        bail!("there is no program at {}", path.display());
    }
    let own = std::env::current_exe().context("where this program is")?;
    let folders = own.ancestors().skip(1).take(2);
    let found = folders
        .map(|folder| folder.join("homeline"))
        .find(|path| path.is_file());
    found.with_context(|| {
        let release = own.components().any(|part| part.as_os_str() == "release");
        let option = if release { " --release" } else { "" };
        format!(
            "the server is not built: there is no `homeline` beside {}. Build it with\n\
             \x20   scripts/build-app && cargo build --locked{option} --package homeline\n\
             or name one with --server-binary",
            own.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_found_from_where_it_was_named_or_told_with_what_to_do() {
        let here = Path::new("Cargo.toml");
        assert!(find(Some(here)).unwrap().is_absolute());
        let missing = Path::new("/nowhere/homeline");
        let refused = find(Some(missing)).unwrap_err().to_string();
        assert!(refused.contains("/nowhere/homeline"), "{refused}");
    }

    #[test]
    fn a_program_that_ends_at_once_shows_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("homeline");
        std::fs::write(&path, "#!/bin/sh\necho broken >&2\nexit 1\n").unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(&path, mode).unwrap();
        let start = Start {
            binary: Some(&path),
            media_alone: true,
            settings: Vec::new(),
            pinned: false,
        };
        let refused = ServerChild::start(&start).err().unwrap().to_string();
        assert!(refused.contains("broken"), "{refused}");
    }
}
