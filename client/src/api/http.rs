//! One HTTP request at a time, JSON both ways: what happens before there is a session.

use std::time::Duration;

use bytes::Bytes;
use homeline_protocol::Secret;
use homeline_protocol::session::{ApiError, ErrorCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::server::Server;

/// The longest reply read: a roster of many entries stays below.
const REPLY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Longer than the server holds a waiting request (25 s), so that it answers first.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(40);

/// Why a request to the HTTP API failed.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("the server can't be reached: {0}")]
    Unreachable(#[from] std::io::Error),
    #[error("the connection to the server broke: {0}")]
    Broken(#[from] hyper::Error),
    #[error("the server did not answer in time")]
    TooSlow,
    #[error("the server's answer makes no sense (status {0})")]
    Nonsense(StatusCode),
    /// The server refused, and says why in words for people.
    #[error("{0}")]
    Refused(ApiError),
}

impl HttpError {
    /// The server's stable code, when it refused.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused(error) => Some(error.code),
            _ => None,
        }
    }
}

/// Sends JSON and reads JSON.
pub(super) async fn post<B: Serialize, R: DeserializeOwned>(
    server: &Server,
    path: &str,
    token: Option<&Secret>,
    body: &B,
) -> Result<R, HttpError> {
    let body = serde_json::to_vec(body).expect("protocol types always serialize");
    exchange(server, Method::POST, path, token, body).await
}

/// Reads JSON.
pub(super) async fn get<R: DeserializeOwned>(
    server: &Server,
    path: &str,
    token: Option<&Secret>,
) -> Result<R, HttpError> {
    exchange(server, Method::GET, path, token, Vec::new()).await
}

async fn exchange<R: DeserializeOwned>(
    server: &Server,
    method: Method,
    path: &str,
    token: Option<&Secret>,
    body: Vec<u8>,
) -> Result<R, HttpError> {
    let once = send(server, method, path, token, body);
    let (status, bytes) = tokio::time::timeout(REQUEST_TIME_MAX, once)
        .await
        .map_err(|_| HttpError::TooSlow)??;
    if status.is_success() {
        // An empty body stands for "done": `null` parses as the unit type.
        let text: &[u8] = if bytes.is_empty() { b"null" } else { &bytes };
        return serde_json::from_slice(text).map_err(|_| HttpError::Nonsense(status));
    }
    match serde_json::from_slice::<ApiError>(&bytes) {
        Ok(error) => Err(HttpError::Refused(error)),
        Err(_) => Err(HttpError::Nonsense(status)),
    }
}

async fn send(
    server: &Server,
    method: Method,
    path: &str,
    token: Option<&Secret>,
    body: Vec<u8>,
) -> Result<(StatusCode, Bytes), HttpError> {
    let stream = TokioIo::new(server.connect().await?);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
    // Ends by itself when the sender is dropped; its error also reaches the request below.
    let connection = tokio::spawn(connection);
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", server.authority())
        .header("accept", "application/json");
    if !body.is_empty() {
        request = request.header("content-type", "application/json");
    }
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {}", token.expose()));
    }
    let request = request
        .body(Full::new(Bytes::from(body)))
        .map_err(|_| std::io::Error::from(std::io::ErrorKind::InvalidInput))?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let body = Limited::new(response.into_body(), REPLY_BYTES_MAX)
        .collect()
        .await;
    connection.abort();
    let bytes = body.map_err(|_| HttpError::Nonsense(status))?.to_bytes();
    Ok((status, bytes))
}
