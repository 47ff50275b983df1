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
    /// The same, PEM.
    pub(crate) certificate_pem: String,
    /// Its SHA-256 fingerprint.
    pub(crate) fingerprint: String,
    /// Where to go afterwards.
    pub(crate) urls: Vec<String>,
}

pub(crate) fn router(page: InstallPage) -> Router {
    let html = Arc::new(html(&page));
    let page = Arc::new(page);
    let pem = Arc::clone(&page);
    Router::new()
        .route(
            "/install",
            get(move || async move { Html(html.as_ref().clone()) }),
        )
        .route(
            "/install/homeline-authority.crt",
            get(move || async move { download("crt", page.certificate_der.clone()) }),
        )
        .route(
            "/install/homeline-authority.pem",
            get(move || async move { download("pem", pem.certificate_pem.clone()) }),
        )
        .route(
            "/install/style.css",
            get(|| async {
                (
                    [(header::CONTENT_TYPE, "text/css")],
                    include_str!("install.css"),
                )
            }),
        )
}

fn download(ending: &str, certificate: impl IntoResponse) -> impl IntoResponse {
    let file = format!("attachment; filename=\"homeline-authority.{ending}\"");
    // Phones know this type and offer to install what it names.
    let kind = "application/x-x509-ca-cert".to_owned();
    (
        [
            (header::CONTENT_TYPE, kind),
            (header::CONTENT_DISPOSITION, file),
        ],
        certificate,
    )
}

fn html(page: &InstallPage) -> String {
    let links: String = page
        .urls
        .iter()
        .map(|url| format!("<li><a href=\"{url}\">{url}</a></li>"))
        .collect();
    include_str!("install.html")
        .replace("{fingerprint}", &page.fingerprint)
        .replace("{links}", &links)
}
