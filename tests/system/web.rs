//! Plain HTTP requests, as `curl` would make them.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// What a server said.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Status line and headers.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let prefix = format!("{name}: ");
        self.head.lines().find_map(|line| {
            let start = line.get(..prefix.len())?;
            start
                .eq_ignore_ascii_case(&prefix)
                .then(|| &line[prefix.len()..])
        })
    }
}

/// One GET on a connection of its own.
pub(crate) fn get(server: impl ToSocketAddrs, host: &str, path: &str) -> Answer {
    let mut stream = connect(server);
    stream.write_all(request(host, path).as_bytes()).unwrap();
    answer(stream)
}

pub(crate) fn connect(server: impl ToSocketAddrs) -> TcpStream {
    let stream = TcpStream::connect(server).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
}

pub(crate) fn request(host: &str, path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
}

/// Reads until the server closes.
pub(crate) fn answer(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let split = bytes
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .expect("a whole answer");
    let head = String::from_utf8_lossy(&bytes[..split]).into_owned();
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .expect("a status");
    Answer {
        status,
        head,
        body: bytes.split_off(split + 4),
    }
}

/// A figure of `/metrics`; 0 while there is no such row. `row` is its name with its labels.
pub(crate) fn figure(metrics: &str, row: &str) -> u64 {
    let value = |line: &str| line.strip_prefix(row)?.strip_prefix(' ')?.parse().ok();
    metrics.lines().find_map(value).unwrap_or(0)
}
