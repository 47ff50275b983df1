//! A media node of the test's own, and its operator with the token.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::web;

/// A running node, ended with the test.
pub(super) struct MediaNode {
    child: Child,
    /// Its working directory; `data` in it is its data directory.
    pub(super) folder: tempfile::TempDir,
    pub(super) address: SocketAddr,
    pub(super) token: String,
    /// Everything it has printed and logged so far.
    pub(super) log: Arc<Mutex<String>>,
}

/// What the node answered.
pub(super) struct Answered {
    pub(super) status: u16,
    body: Vec<u8>,
}

impl Answered {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }
}

/// A peer's, room's or track's id.
pub(super) fn id(number: u8) -> String {
    format!("{number:02x}").repeat(16)
}

impl MediaNode {
    /// Starts a node on the loopback with free ports, and waits until it says where it listens.
    pub(super) fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with settings.
    pub(super) fn start_with(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut child = command(&["--roles", "media", "--data-dir", "data"], settings)
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let log = Arc::new(Mutex::new(String::new()));
        let (errors, held) = (child.stderr.take().expect("piped"), Arc::clone(&log));
        std::thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                held.lock().expect("no panic holds it").push_str(&line);
            }
        });
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut address = None;
        for line in lines.map_while(Result::ok) {
            *log.lock().expect("no panic holds it") += &format!("{line}\n");
            if let Some((_, rest)) = line.split_once("http://") {
                address = rest.split(',').next().and_then(|text| text.parse().ok());
            }
            if line.contains("Ctrl-C") {
                break;
            }
        }
        let address = address.expect("the node says where it listens");
        let token = std::fs::read_to_string(folder.path().join("data/media-admin-token"));
        Self {
            child,
            token: token.expect("the token's file").trim().to_owned(),
            folder,
            address,
            log,
        }
    }

    /// A request with the token; `Null` is no body.
    pub(super) fn ask(&self, method: &str, path: &str, body: &Value) -> Answered {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.send(method, path, Some(&self.token), &body)
    }

    pub(super) fn get(&self, path: &str) -> Answered {
        self.ask("GET", path, &Value::Null)
    }

    pub(super) fn send(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: &str,
    ) -> Answered {
        send(self.address, method, path, token, body)
    }

    /// The peers of a room, in the order of their ids.
    pub(super) fn figures(&self, room: &str) -> Vec<Value> {
        let mut answer = self.get(&format!("/v1/rooms/{room}")).json();
        let Value::Array(mut peers) = answer["peers"].take() else {
            panic!("no peers in {answer}");
        };
        peers.sort_by_key(|peer| peer["peer"].to_string());
        peers
    }

    /// The stream of events, from its head on.
    pub(super) fn events(&self) -> TcpStream {
        let mut stream = web::connect(self.address);
        let request = request("GET", "/v1/events", Some(&self.token), "");
        stream.write_all(request.as_bytes()).expect("it listens");
        let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
        let mut line = String::new();
        reader.read_line(&mut line).expect("an answer");
        assert!(line.contains(" 200 "), "{line}");
        stream
    }
}

/// One request on a connection of its own.
pub(super) fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: &str,
) -> Answered {
    let mut stream = web::connect(address);
    let request = request(method, path, token, body);
    // A body that is too long is refused before all of it is read.
    stream.write_all(request.as_bytes()).ok();
    let answer = web::answer(stream);
    Answered {
        status: answer.status,
        body: answer.body,
    }
}

fn request(method: &str, path: &str, token: Option<&str>, body: &str) -> String {
    let authorization = token.map_or(String::new(), |token| {
        format!("Authorization: Bearer {token}\r\n")
    });
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{authorization}\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

impl Drop for MediaNode {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.child.kill().expect("the node was ours");
            self.child.wait().expect("the node was ours");
        }
    }
}

/// A start that is refused: its status and what it said.
pub(super) fn run_until_end(arguments: &[&str], settings: &[(&str, &str)]) -> (ExitStatus, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let output = command(arguments, settings)
        .current_dir(folder.path())
        .output()
        .expect("the binary starts");
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status, words)
}

fn command(arguments: &[&str], settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_homeline"));
    command
        .arg("serve")
        .args(arguments)
        .env("HOMELINE_LOG__FILTER", "debug")
        .env("HOMELINE_MEDIA__UDP_PORT", "0")
        .env("HOMELINE_MEDIA__BIND", "[\"127.0.0.1\"]")
        .env("HOMELINE_MEDIA__ADVERTISED_ADDRESSES", "[\"127.0.0.1\"]")
        .env("HOMELINE_MEDIA__CONTROL__BIND", "127.0.0.1:0")
        .envs(settings.iter().copied())
        .stdin(Stdio::null());
    command
}
