//! A `homeline` process of the test's own: its own data directory and free ports, ended with the test.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

/// Quick password hashes, and sign-ups by the dozen from one address.
const QUICK: [(&str, &str); 5] = [
    ("HOMELINE_SIGNALING__PASSWORDS__MEMORY_KIB", "64"),
    ("HOMELINE_SIGNALING__PASSWORDS__PASSES", "1"),
    (
        "HOMELINE_SIGNALING__LIMITS__SIGN_UP_PER_ADDRESS__BURST",
        "10000",
    ),
    (
        "HOMELINE_SIGNALING__LIMITS__SIGN_IN_PER_ADDRESS__BURST",
        "10000",
    ),
    (
        "HOMELINE_SIGNALING__LIMITS__PAIRING_PER_ADDRESS__BURST",
        "10000",
    ),
];

/// A running server.
pub(crate) struct Server {
    child: Child,
    /// As printed: `http://localhost:PORT`.
    pub(crate) url: String,
    /// As printed, for other devices: `https://192.168.7.2:PORT` and the like.
    pub(crate) https_urls: Vec<String>,
    /// Everything it has logged so far.
    pub(crate) log: Arc<Mutex<String>>,
}

/// How to start a server.
pub(crate) struct Start<'a> {
    /// Its data directory.
    pub(crate) data: &'a Path,
    /// Settings, as in the environment: `("HOMELINE_CALLS__RING_TIMEOUT_SECS", "2")`.
    pub(crate) settings: &'a [(&'a str, &'a str)],
    /// A network namespace to start it in.
    pub(crate) namespace: Option<&'a str>,
}

impl Server {
    /// Starts a server on `data` with free ports, and waits until it prints its URL.
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_with(&Start {
            data,
            settings: &[],
            namespace: None,
        })
    }

    /// Starts a server where another one was, on its data and its port.
    pub(crate) fn start_again(data: &Path, (name, port): &(&'static str, String)) -> Self {
        let settings = &[(*name, port.as_str())];
        Self::start_with(&Start {
            data,
            settings,
            namespace: None,
        })
    }

    /// Starts a server as told, and waits until it prints its URL.
    pub(crate) fn start_with(start: &Start<'_>) -> Self {
        let mut command = match start.namespace {
            Some(namespace) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", namespace]).arg(binary());
                command
            }
            None => Command::new(binary()),
        };
        command
            .args(["serve", "--data-dir"])
            .arg(start.data)
            .env("HOMELINE_LOG__FILTER", "debug")
            .envs(QUICK)
            .envs(start.settings.iter().copied())
            .current_dir(start.data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        for port in [
            "HOMELINE_SERVER__HTTP_PORT",
            "HOMELINE_SERVER__HTTPS_PORT",
            "HOMELINE_MEDIA__UDP_PORT",
            "HOMELINE_MEDIA__TURN__UDP_PORT",
            "HOMELINE_MEDIA__TURN__TCP_PORT",
        ] {
            if !start.settings.iter().any(|(name, _)| *name == port) {
                command.env(port, "0");
            }
        }
        let mut child = command.spawn().expect("the binary starts");
        let log = Arc::new(Mutex::new(String::new()));
        let (errors, held) = (child.stderr.take().expect("piped"), Arc::clone(&log));
        std::thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                let mut held = held.lock().expect("no panic holds it");
                held.push_str(&line);
                held.push('\n');
            }
        });
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut lines = lines.map_while(Result::ok);
        let printed: Vec<String> = lines
            .by_ref()
            .take_while(|line| !line.contains("Ctrl-C"))
            .collect();
        let url = printed
            .iter()
            .find_map(|line| url_in(line, "http://localhost:"));
        let url = url.unwrap_or_else(|| {
            panic!(
                "the server ended without a URL:\n{}",
                log.lock().expect("no panic holds it")
            )
        });
        let https_urls = printed
            .iter()
            .filter_map(|line| url_in(line, "https://"))
            .collect();
        // The rest of what it prints is read, so that it never blocks on a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            url,
            https_urls,
            log,
        }
    }

    /// Its port for plain HTTP, as a setting: with it the next server is found where this one was.
    pub(crate) fn port_setting(&self) -> (&'static str, String) {
        ("HOMELINE_SERVER__HTTP_PORT", self.port().to_string())
    }

    /// Its port for plain HTTP.
    pub(crate) fn port(&self) -> u16 {
        self.url
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok())
            .expect("a URL with a port")
    }

    /// Its port for HTTPS, as its URLs have it.
    pub(crate) fn https_port(&self) -> String {
        let url = self.https_urls.first().expect("a URL for other devices");
        url.rsplit(':').next().expect("a port").to_owned()
    }

    /// As clients on this machine reach it.
    pub(crate) fn here(&self) -> homeline_client::Server {
        homeline_client::Server::new(&self.url).expect("the printed URL")
    }

    /// `kill -9`, and waits for its end.
    pub(crate) fn kill(mut self) {
        self.end();
    }

    /// Asks it to stop (SIGTERM).
    pub(crate) fn terminate(&self) {
        let asked = Command::new("kill")
            .args(["-TERM", &self.pid().to_string()])
            .status();
        assert!(asked.is_ok_and(|status| status.success()), "kill runs");
    }

    /// Waits for its end.
    pub(crate) fn ended(mut self) -> ExitStatus {
        self.child.wait().expect("the server was ours")
    }

    /// The process id of the server itself: `ip netns exec` becomes what it starts.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    fn end(&mut self) {
        // The whole process group, since `ip netns exec` may stand between.
        let group = format!("-{}", self.child.id());
        let killed = Command::new("kill").args(["-9", "--", &group]).status();
        assert!(killed.is_ok(), "kill runs");
        self.child.wait().expect("the server was ours");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.end();
        }
    }
}

fn url_in(line: &str, prefix: &str) -> Option<String> {
    let url = &line[line.find(prefix)?..];
    Some(url.split_whitespace().next().unwrap_or(url).to_owned())
}

fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_homeline"))
}
