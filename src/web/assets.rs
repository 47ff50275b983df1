//! The browser app, embedded in the binary.

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use ring::digest::{Context, SHA256};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "app/dist"]
struct App;

/// `/` is the app, `/device` the browser home device, `/consent` what a consent's mail links to, `/outside` the test from outside, everything else a file of theirs.
pub(crate) fn router() -> Router {
    Router::new()
        .route(
            "/",
            get(|headers: HeaderMap| async move { file("index.html", &headers) }),
        )
        .route(
            "/device",
            get(|headers: HeaderMap| async move { file("device.html", &headers) }),
        )
        .route(
            "/consent",
            get(|headers: HeaderMap| async move { file("consent.html", &headers) }),
        )
        .route(
            "/outside",
            get(|headers: HeaderMap| async move { file("outside.html", &headers) }),
        )
        .route(
            "/{*path}",
            get(
                |Path(path): Path<String>, headers: HeaderMap| async move { file(&path, &headers) },
            ),
        )
}

/// SHA-256 over names and contents of all files, hexadecimal: printed at start, so that an operator can
/// compare what browsers are served with what a release says.
pub(crate) fn app_hash() -> String {
    let mut names: Vec<_> = App::iter().collect();
    names.sort_unstable();
    let mut hash = Context::new(&SHA256);
    for name in names {
        let Some(file) = App::get(&name) else {
            continue;
        };
        hash.update(&(name.len() as u64).to_be_bytes());
        hash.update(name.as_bytes());
        hash.update(&file.metadata.sha256_hash());
    }
    hash.finish()
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn file(path: &str, headers: &HeaderMap) -> Response {
    let Some(file) = App::get(path) else {
        return (StatusCode::NOT_FOUND, "There is no such page here.\n").into_response();
    };
    let digits: String = file
        .metadata
        .sha256_hash()
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let tag = format!("\"{digits}\"");
    let fresh = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|held| held.as_bytes() == tag.as_bytes());
    // `no-cache` asks before each use: an old page against a new server is never served from a cache.
    let about = [
        (header::ETAG, tag),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
    ];
    if fresh {
        return (StatusCode::NOT_MODIFIED, about).into_response();
    }
    let kind = [(header::CONTENT_TYPE, file.metadata.mimetype().to_owned())];
    (about, kind, file.data.into_owned()).into_response()
}
