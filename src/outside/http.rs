//! As much of HTTP as a router in the home takes: one question, one answer, and the connection ends.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long one exchange may take.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The longest answer; a router's description of itself has some ten kilobytes.
const ANSWER_BYTES_MAX: u64 = 256 * 1024;

/// The body of an answer of status 200.
pub(super) async fn ask(at: SocketAddr, question: &str) -> Option<String> {
    timeout(TIMEOUT, exchange(at, question)).await.ok()?
}

async fn exchange(at: SocketAddr, question: &str) -> Option<String> {
    let mut stream = TcpStream::connect(at).await.ok()?;
    stream.write_all(question.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    let mut bounded = stream.take(ANSWER_BYTES_MAX);
    bounded.read_to_end(&mut answer).await.ok()?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split_ascii_whitespace().nth(1)?;
    (status == "200").then(|| body.to_owned())
}
