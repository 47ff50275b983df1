//! Janus as a child process: its configuration in a directory that is removed with it, on free ports of this machine.

use std::fs::{self, File};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::pin;
use crate::sockets::own_address_towards;

/// Lines of its log that are shown when something fails.
const LOG_LINES_SHOWN: usize = 12;

/// An address from documentation (RFC 5737): this machine's address towards it is the one that others know it by.
const ELSEWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)), 9);

/// A running Janus.
pub(super) struct Process {
    child: Child,
    address: IpAddr,
    url: String,
    log: PathBuf,
    _folder: TempDir,
}

impl Process {
    /// Starts it on the measured core.
    pub(super) fn start() -> Result<Self> {
        let program = find()?;
        let parts = parts()?;
        // Its ICE leaves the loopback's address out; packets between addresses of one machine pass the loopback
        // all the same.
        let address = own_address_towards(ELSEWHERE)
            .context("Janus takes no loopback address, and this machine has no other")?;
        let folder = tempfile::tempdir().context("a directory for Janus")?;
        // Free now; whoever takes it in between makes this fail in words.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        let write = |name: &str, text: String| fs::write(folder.path().join(name), text);
        write("janus.jcfg", general(&parts, address))?;
        write("janus.transport.http.jcfg", http(port))?;
        write("janus.plugin.videoroom.jcfg", "general: {}\n".to_owned())?;
        let log = folder.path().join("log");
        let output = File::create(&log)?;
        pin::this_thread(pin::MEASURED);
        let child = Command::new(program)
            .arg("--configs-folder")
            .arg(folder.path())
            .arg("--disable-colors")
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn();
        pin::this_thread(pin::GENERATOR);
        Ok(Self {
            child: child.context("starting Janus")?,
            address,
            url: format!("http://127.0.0.1:{port}/janus"),
            log,
            _folder: folder,
        })
    }

    /// Its HTTP interface.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Where its media is.
    pub(super) const fn address(&self) -> IpAddr {
        self.address
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The end of its log, for whoever asks why it failed.
    pub(super) fn last_words(&mut self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let from = lines.len().saturating_sub(LOG_LINES_SHOWN);
        format!("Janus said:\n{}", lines[from..].join("\n"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing of it is kept.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn find() -> Result<PathBuf> {
    let path = Path::new("/usr/bin/janus");
    if path.is_file() {
        return Ok(path.to_owned());
    }
    bail!("Janus is not installed: scripts/install-missing peers")
}

/// Where its plugins and transports are: each architecture has a folder of its own.
fn parts() -> Result<PathBuf> {
    let folders = fs::read_dir("/usr/lib")?.filter_map(Result::ok);
    let mut found = folders.map(|folder| folder.path().join("janus"));
    found
        .find(|path| path.join("plugins").is_dir())
        .context("Janus's plugins are not in /usr/lib")
}

/// As installed, but for ports and addresses; a session of ours lives as long as the program.
fn general(parts: &Path, address: IpAddr) -> String {
    let shown = parts.display();
    format!(
        "general: {{\n\
         \x20 plugins_folder = \"{shown}/plugins\"\n\
         \x20 transports_folder = \"{shown}/transports\"\n\
         \x20 events_folder = \"{shown}/events\"\n\
         \x20 loggers_folder = \"{shown}/loggers\"\n\
         \x20 debug_level = 2\n\
         \x20 session_timeout = 0\n\
         }}\n\
         nat: {{\n\
         \x20 ice_enforce_list = \"{address}\"\n\
         }}\n\
         plugins: {{\n\
         \x20 disable = \"{}\"\n\
         }}\n\
         transports: {{\n\
         \x20 disable = \"{}\"\n\
         }}\n",
        all_but(parts, "plugins", "videoroom"),
        all_but(parts, "transports", "http"),
    )
}

/// The libraries in a folder of its, without the one that is used.
fn all_but(parts: &Path, folder: &str, used: &str) -> String {
    let files = fs::read_dir(parts.join(folder));
    let names = files.into_iter().flatten().filter_map(Result::ok);
    let names = names.map(|file| file.file_name().to_string_lossy().into_owned());
    let names: Vec<String> = names
        .filter(|name| name.ends_with(".so") && !name.contains(used))
        .collect();
    names.join(",")
}

fn http(port: u16) -> String {
    format!(
        "general: {{\n\
         \x20 http = true\n\
         \x20 ip = \"127.0.0.1\"\n\
         \x20 port = {port}\n\
         \x20 base_path = \"/janus\"\n\
         }}\n"
    )
}
