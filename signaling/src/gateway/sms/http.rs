//! Sends a message by one HTTP request, written from templates.
//!
//! No redirect is followed: it would carry the message and its secrets to somewhere else.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use homeline_protocol::E164;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Url};

use super::template::{Place, fill};
use super::{SmsBody, SmsConfig, SmsConfigError, SmsError};

/// What is read of an answer; what must be in it stands at its beginning.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// A way over HTTP.
pub struct HttpSms {
    client: Client,
    config: SmsConfig,
    method: Method,
    headers: HeaderMap,
}

/// Holds secrets, and shows none.
impl fmt::Debug for HttpSms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpSms")
    }
}

impl HttpSms {
    pub(super) fn new(config: &SmsConfig) -> Result<Self, SmsConfigError> {
        let (url, body) = (config.url.expose(), config.body.expose());
        let names = |what: &str| url.contains(what) || body.contains(what);
        if !names("{to}") || !names("{text}") {
            return Err(SmsConfigError::Template);
        }
        address(url, "+12015550123", "text").ok_or(SmsConfigError::Url)?;
        let method =
            Method::from_bytes(config.method.as_bytes()).map_err(|_| SmsConfigError::Method)?;
        Ok(Self {
            client: client(config)?,
            config: config.clone(),
            method,
            headers: headers(config)?,
        })
    }

    pub(super) async fn send(&self, to: &E164, text: &str) -> Result<(), SmsError> {
        let config = &self.config;
        let url = address(config.url.expose(), to.as_str(), text).ok_or(SmsError::NotConfigured)?;
        let mut request = self
            .client
            .request(self.method.clone(), url)
            .headers(self.headers.clone());
        if !config.body.expose().is_empty() {
            let place = Place::Body(config.body_format);
            request = request.body(fill(config.body.expose(), place, to.as_str(), text));
        }
        let answer = request.send().await.map_err(|_| SmsError::Unreachable)?;
        let status = answer.status().as_u16();
        let refused = SmsError::Refused { status };
        if !answer.status().is_success() {
            return Err(refused);
        }
        let wanted = config.success_contains.as_bytes();
        if wanted.is_empty() {
            return Ok(());
        }
        let body = beginning(answer).await?;
        let found = body.windows(wanted.len()).any(|window| window == wanted);
        if found { Ok(()) } else { Err(refused) }
    }
}

fn address(template: &str, to: &str, text: &str) -> Option<Url> {
    let url = Url::parse(&fill(template, Place::Url, to, text)).ok()?;
    (["http", "https"].contains(&url.scheme()) && url.has_host()).then_some(url)
}

fn headers(config: &SmsConfig) -> Result<HeaderMap, SmsConfigError> {
    let mut headers = HeaderMap::new();
    let content = match config.body_format {
        SmsBody::Json => "application/json",
        SmsBody::Form => "application/x-www-form-urlencoded",
        SmsBody::Text => "text/plain; charset=utf-8",
    };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content));
    for header in &config.headers {
        let (name, value) = header
            .expose()
            .split_once(':')
            .ok_or(SmsConfigError::Header)?;
        let name = HeaderName::try_from(name.trim()).map_err(|_| SmsConfigError::Header)?;
        let mut value = HeaderValue::try_from(value.trim()).map_err(|_| SmsConfigError::Header)?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

/// Trusts the roots that browsers trust; the cryptography is the one that the whole server uses.
fn client(config: &SmsConfig) -> Result<Client, SmsConfigError> {
    let roots = rustls::RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| SmsConfigError::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(Policy::none())
        .timeout(Duration::from_secs(u64::from(config.timeout_secs.max(1))))
        .build()
        .map_err(|_| SmsConfigError::Tls)
}

async fn beginning(mut answer: reqwest::Response) -> Result<Vec<u8>, SmsError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|_| SmsError::Unreachable)? {
        body.extend_from_slice(&chunk);
        if body.len() >= ANSWER_BYTES_MAX {
            break;
        }
    }
    Ok(body)
}
