//! As much of HTTP as a router in the home takes: one question and one answer.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long one exchange may take.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The longest answer; a router's description of itself has some ten kilobytes. A longer one is none.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// The body of an answer of status 200. Whoever would send us elsewhere is not followed.
pub(super) async fn ask(at: SocketAddr, question: Request<Full<Bytes>>) -> Option<String> {
    timeout(TIMEOUT, exchange(at, question)).await.ok()?
}

async fn exchange(at: SocketAddr, question: Request<Full<Bytes>>) -> Option<String> {
    let stream = TcpStream::connect(at).await.ok()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    // Ends by itself when the sender is dropped; its error also reaches the question below.
    let connection = tokio::spawn(connection);
    let answer = read(&mut sender, question).await;
    // Many routers would keep it.
    connection.abort();
    answer
}

async fn read(
    sender: &mut http1::SendRequest<Full<Bytes>>,
    question: Request<Full<Bytes>>,
) -> Option<String> {
    let answer = sender.send_request(question).await.ok()?;
    if answer.status() != StatusCode::OK {
        return None;
    }
    let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX);
    let bytes = body.collect().await.ok()?.to_bytes();
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
