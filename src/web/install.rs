//! `/install`: puts this server's certificate authority on a phone, in words for each kind of phone.

use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::response::{Html, IntoResponse};
use axum::routing::get;

/// What the page shows and hands out.
pub(crate) struct InstallPage {
    /// The authority's certificate, DER.
    pub(crate) certificate_der: Vec<u8>,
    /// Its SHA-256 fingerprint.
    pub(crate) fingerprint: String,
    /// Where to go afterwards.
    pub(crate) urls: Vec<String>,
}

pub(crate) fn router(page: InstallPage) -> Router {
    let html = Arc::new(html(&page));
    let certificate = Arc::new(page.certificate_der);
    let download = move || {
        let certificate = Arc::clone(&certificate);
        async move {
            let about = [
                (header::CONTENT_TYPE, "application/x-x509-ca-cert"),
                (header::CONTENT_DISPOSITION, "attachment; filename=\"homeline-authority.crt\""),
            ];
            (about, certificate.as_ref().clone()).into_response()
        }
    };
    Router::new()
        .route("/install", get(move || async move { Html(html.as_ref().clone()) }))
        .route("/install/homeline-authority.crt", get(download))
        .route(
            "/install/style.css",
            get(|| async { ([(header::CONTENT_TYPE, "text/css")], include_str!("install.css")) }),
        )
}

fn html(page: &InstallPage) -> String {
    let links: String =
        page.urls.iter().map(|url| format!("<li><a href=\"{url}\">{url}</a></li>")).collect();
    include_str!("install.html").replace("{fingerprint}", &page.fingerprint).replace("{links}", &links)
}
