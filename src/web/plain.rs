//! Who may use plain HTTP: this machine, for which browsers allow a microphone; everyone else is sent to HTTPS.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

/// Lets requests from this machine through, and from elsewhere only those for the certificate page.
pub(crate) async fn only_from_this_machine(
    State(https_port): State<u16>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let from_here = peer.ip().to_canonical().is_loopback();
    if from_here || request.uri().path().starts_with("/install") {
        return next.run(request).await;
    }
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str());
    Redirect::temporary(&format!(
        "https://{}:{https_port}{path}",
        without_port(host)
    ))
    .into_response()
}

/// `host` of `host:port`, `[v6]` of `[v6]:port`.
fn without_port(host: &str) -> &str {
    match host.rfind(':') {
        Some(colon) if !host[colon..].contains(']') => &host[..colon],
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_cut_from_names_and_addresses() {
        for (host, bare) in [
            ("a.local:8080", "a.local"),
            ("a.local", "a.local"),
            ("[fd00::1]:8080", "[fd00::1]"),
            ("[fd00::1]", "[fd00::1]"),
            ("", ""),
        ] {
            assert_eq!(without_port(host), bare);
        }
    }
}
