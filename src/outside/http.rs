//! As much of HTTP as a router in the home takes: one question and one answer.
//!
//! The answer ends where it says so, by its length or in chunks, since many routers keep the connection. Only one that
//! says nothing ends with the connection.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long one exchange may take.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The longest answer; a router's description of itself has some ten kilobytes. A longer one is none.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// The body of an answer of status 200.
pub(super) async fn ask(at: SocketAddr, question: &str) -> Option<String> {
    timeout(TIMEOUT, exchange(at, question)).await.ok()?
}

async fn exchange(at: SocketAddr, question: &str) -> Option<String> {
    let mut stream = TcpStream::connect(at).await.ok()?;
    stream.write_all(question.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    let mut read = [0; 4_096];
    loop {
        let len = stream.read(&mut read).await.ok()?;
        let ended = len == 0;
        answer.extend_from_slice(read.get(..len)?);
        if answer.len() > ANSWER_BYTES_MAX {
            return None;
        }
        match body(&answer, ended) {
            Read::Body(body) => return Some(String::from_utf8_lossy(&body).into_owned()),
            Read::Unfinished if !ended => {}
            Read::Unfinished | Read::Refused => return None,
        }
    }
}

/// What an answer is so far.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    Body(Vec<u8>),
    /// More must come.
    Unfinished,
    /// Not of status 200, or not HTTP.
    Refused,
}

/// Reads as much of an answer as has come; `ended` once no more will.
pub(super) fn body(answer: &[u8], ended: bool) -> Read {
    let Some(head_len) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Read::Unfinished;
    };
    let (head, rest) = answer.split_at(head_len);
    let rest = rest.get(4..).unwrap_or_default();
    let head = String::from_utf8_lossy(head);
    let status = head.split_ascii_whitespace().nth(1);
    if status != Some("200") {
        return Read::Refused;
    }
    let field = |wanted: &str| {
        let fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
        let mut found = fields.filter(|(name, _)| name.trim().eq_ignore_ascii_case(wanted));
        found.next().map(|(_, value)| value.trim())
    };
    let coding = field("transfer-encoding").unwrap_or_default();
    if coding.eq_ignore_ascii_case("chunked") {
        return chunks(rest);
    }
    let Some(len) = field("content-length") else {
        let whole = Read::Body(rest.to_vec());
        return if ended { whole } else { Read::Unfinished };
    };
    match len.parse::<usize>() {
        Ok(len) => rest.get(..len).map_or(Read::Unfinished, whole),
        Err(_) => Read::Refused,
    }
}

/// Puts chunks together (RFC 9112 section 7.1). What may follow the last is not waited for.
fn chunks(mut rest: &[u8]) -> Read {
    let mut body = Vec::new();
    loop {
        let Some(line_len) = rest.windows(2).position(|two| two == b"\r\n") else {
            return Read::Unfinished;
        };
        let (line, after) = rest.split_at(line_len);
        let line = String::from_utf8_lossy(line);
        let len = line.split(';').next().unwrap_or_default().trim();
        let Ok(len) = u32::from_str_radix(len, 16) else {
            return Read::Refused;
        };
        if len == 0 {
            return Read::Body(body);
        }
        let len = len as usize;
        // Each chunk has an end of line before and after it.
        let (Some(chunk), Some(next)) = (after.get(2..2 + len), after.get(4 + len..)) else {
            return Read::Unfinished;
        };
        body.extend_from_slice(chunk);
        rest = next;
    }
}

fn whole(body: &[u8]) -> Read {
    Read::Body(body.to_vec())
}
