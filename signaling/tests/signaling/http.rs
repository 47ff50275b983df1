//! The HTTP API itself: errors as JSON, strict headers, and its own description.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use homeline_protocol::http::About;
use homeline_protocol::session::ErrorCode;
use serde_json::Value;

use crate::support::Server;

const ROUTES: [(&str, &str); 20] = [
    ("post", "/v1/consent/review"),
    ("post", "/v1/consent/withdraw"),
    ("post", "/v1/sign-up"),
    ("post", "/v1/sign-in"),
    ("post", "/v1/sign-out"),
    ("post", "/v1/recover/begin"),
    ("post", "/v1/recover/finish"),
    ("post", "/v1/pairings"),
    ("get", "/v1/pairings/{id}"),
    ("post", "/v1/pairings/{id}/reveal"),
    ("get", "/v1/push/key"),
    ("post", "/v1/push/decline"),
    ("get", "/v1/session"),
    ("get", "/v1/about"),
    ("get", "/v1/openapi.json"),
    ("get", "/v1/docs"),
    ("post", "/v1/guests"),
    ("post", "/v1/outside/begin"),
    ("post", "/v1/outside/offer"),
    ("post", "/v1/outside/report"),
];

#[tokio::test]
async fn every_error_is_json_with_a_code_and_words() {
    let server = Server::start().await;
    let json = |body: &str| {
        Request::post("/v1/sign-in")
            .header("content-type", "application/json")
            .body(Body::from(body.to_owned()))
            .unwrap()
    };
    let plain = Request::post("/v1/sign-in").body(Body::from("{}")).unwrap();
    let large = json(&format!("{{\"handle\":\"{}\"}}", "a".repeat(70_000)));
    let get = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    let deep = json(&"[".repeat(10_000));
    let cases = [
        (
            "an unknown path",
            get("/v1/nowhere"),
            404,
            ErrorCode::NotFound,
        ),
        (
            "another method",
            get("/v1/sign-in"),
            405,
            ErrorCode::BadRequest,
        ),
        ("no JSON", json("hello"), 400, ErrorCode::BadRequest),
        ("deep JSON", deep, 400, ErrorCode::BadRequest),
        ("a field missing", json("{}"), 400, ErrorCode::BadRequest),
        ("no content type", plain, 400, ErrorCode::BadRequest),
        ("too large", large, 413, ErrorCode::TooLarge),
        (
            "a bad id",
            get("/v1/pairings/nothing"),
            400,
            ErrorCode::BadRequest,
        ),
        (
            "a bad step",
            get("/v1/pairings/00000000000000000000000000000000?after=x"),
            400,
            ErrorCode::BadRequest,
        ),
    ];
    for (what, request, status, code) in cases {
        let answer = server.send([127, 0, 0, 1].into(), request).await;
        assert_eq!(answer.status.as_u16(), status, "{what}");
        let error = answer.error();
        assert_eq!(error.code, code, "{what}");
        assert!(
            error.message.ends_with('.') || error.message.contains(": "),
            "{}",
            error.message
        );
    }
}

#[tokio::test]
async fn answers_are_strict_towards_browsers_and_never_cached() {
    let server = Server::start().await;
    for path in ["/v1/about", "/v1/docs", "/v1/nowhere"] {
        let headers = server.get(path).await.headers;
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe-inline"), "{path}: {policy}");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert_eq!(headers["cache-control"], "no-store");
    }
}

#[tokio::test]
async fn anyone_may_ask_what_this_server_is() {
    let server = Server::start().await;
    let about: About = server.get("/v1/about").await.ok();
    assert_eq!(about.protocol, homeline_protocol::PROTOCOL_VERSION);
    assert_eq!(about.app_hash, "0123abcd");
}

#[tokio::test]
async fn the_openapi_document_names_every_route_and_error_code() {
    let server = Server::start().await;
    let document: Value = server.get("/v1/openapi.json").await.ok();
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.len(), ROUTES.len());
    for (method, path) in ROUTES {
        let operation = &paths[path][method];
        assert!(operation["summary"].is_string(), "{method} {path}");
        assert!(operation["responses"].is_object(), "{method} {path}");
    }
    let codes = document["components"]["schemas"]["ErrorCode"].to_string();
    for code in [
        ErrorCode::BadRequest,
        ErrorCode::RosterMoved,
        ErrorCode::Internal,
    ] {
        let code = serde_json::to_string(&code).unwrap();
        assert!(codes.contains(&code), "{code}");
    }
    assert_every_reference_resolves(&document, &document);
}

fn assert_every_reference_resolves(document: &Value, part: &Value) {
    if let Some(reference) = part["$ref"].as_str() {
        let pointer = reference.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    match part {
        Value::Object(fields) => {
            fields
                .values()
                .for_each(|field| assert_every_reference_resolves(document, field));
        }
        Value::Array(items) => {
            items
                .iter()
                .for_each(|item| assert_every_reference_resolves(document, item));
        }
        _ => {}
    }
}

#[tokio::test]
async fn the_routes_in_the_document_are_there() {
    let server = Server::start().await;
    for (method, path) in ROUTES {
        let path = path.replace("{id}", "00000000000000000000000000000000");
        let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
        let status = server.request(method, &path, None).await.status;
        assert_ne!(status, StatusCode::NOT_FOUND, "{path}");
        assert_ne!(status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
}

#[tokio::test]
async fn the_page_for_people_shows_all_of_it_without_scripts() {
    let server = Server::start().await;
    let page = server.get("/v1/docs").await;
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    let page = page.text();
    assert!(!page.contains("<script") && !page.contains("style=") && !page.contains('`'));
    for (_, path) in ROUTES {
        assert!(page.contains(&format!("<code>{path}</code>")), "{path}");
    }
    assert!(page.contains("roster_moved") && page.contains("wrong_credentials"));
    let style = server.get("/v1/docs.css").await;
    assert_eq!(style.headers["content-type"], "text/css");
}
