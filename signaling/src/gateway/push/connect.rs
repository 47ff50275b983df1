//! Reaches a push service: resolves its name, checks every address, connects to a checked one, and
//! sends one request.
//!
//! Our own few lines on `hyper` and `rustls`, which are in the binary already, and not a client such
//! as `reqwest`: those resolve behind our back, follow redirects and keep pools, and here the address
//! that was checked must be the one that is connected to, and no answer may lead elsewhere.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use http_body_util::Full;
use hyper::header::{HOST, HeaderValue, RETRY_AFTER};
use hyper::{HeaderMap, Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Host;

use super::address::{AddressError, Subscription, admit};

/// The longest pause that a service may ask for; a call rings for less than a minute.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(60 * 60);

/// Makes requests. Clones share the TLS settings.
#[derive(Clone)]
pub(super) struct Connector {
    tls: TlsConnector,
    private_allowed: bool,
}

/// What a service answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    /// The endpoint leads to where nothing may be sent.
    #[error(transparent)]
    Forbidden(#[from] AddressError),
    /// The service can't be reached.
    #[error("the service can't be reached: {0}")]
    Unreachable(#[from] std::io::Error),
    /// The service does not speak HTTP, or broke off.
    #[error("the service broke off: {0}")]
    Broken(#[from] hyper::Error),
}

/// A byte stream, encrypted or not.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Connector {
    /// Trusts the public certificate authorities.
    pub(super) fn new(private_allowed: bool) -> Result<Self, rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        // Named, not the process-wide default: a program that embeds this may have another.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            tls: TlsConnector::from(Arc::new(config)),
            private_allowed,
        })
    }

    /// The addresses that an endpoint leads to, all of them such as may be sent to.
    pub(super) async fn resolve(&self, to: &Subscription) -> Result<Vec<IpAddr>, ConnectError> {
        let addresses = match to.host() {
            Some(Host::Ipv4(address)) => vec![IpAddr::from(address)],
            Some(Host::Ipv6(address)) => vec![IpAddr::from(address)],
            Some(Host::Domain(name)) => {
                let found = tokio::net::lookup_host((name, 0)).await?;
                found.map(|address| address.ip()).collect()
            }
            None => return Err(AddressError::Endpoint.into()),
        };
        Ok(admit(addresses, to.is_encrypted(), self.private_allowed)?)
    }

    /// Sends one request. Redirects are answers like others: they are not followed.
    pub(super) async fn post(
        &self,
        to: &Subscription,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Answer, ConnectError> {
        let stream = TokioIo::new(self.connect(to).await?);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
        let request = request(to, headers, body)?;
        // The connection's work is done by the request; it is dropped with its answer's body unread.
        let answer = tokio::select! {
            answer = sender.send_request(request) => answer?,
            ended = connection => {
                ended?;
                return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
            }
        };
        Ok(Answer {
            status: answer.status(),
            retry_after: retry_after(answer.headers()),
        })
    }

    async fn connect(&self, to: &Subscription) -> Result<Box<dyn Stream>, ConnectError> {
        let port = to.endpoint.port_or_known_default().unwrap_or(443);
        let addresses = self.resolve(to).await?;
        let addresses: Vec<_> = addresses
            .into_iter()
            .map(|address| SocketAddr::new(address, port))
            .collect();
        let tcp = TcpStream::connect(addresses.as_slice()).await?;
        tcp.set_nodelay(true)?;
        if !to.is_encrypted() {
            return Ok(Box::new(tcp));
        }
        let name = match to.host() {
            Some(Host::Ipv4(address)) => ServerName::from(IpAddr::from(address)),
            Some(Host::Ipv6(address)) => ServerName::from(IpAddr::from(address)),
            Some(Host::Domain(name)) => {
                ServerName::try_from(name.to_owned()).map_err(std::io::Error::other)?
            }
            None => return Err(AddressError::Endpoint.into()),
        };
        Ok(Box::new(self.tls.connect(name, tcp).await?))
    }
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connector")
    }
}

fn request(
    to: &Subscription,
    headers: HeaderMap,
    body: Vec<u8>,
) -> Result<Request<Full<Bytes>>, ConnectError> {
    let endpoint = &to.endpoint;
    let path = match endpoint.query() {
        Some(query) => format!("{}?{query}", endpoint.path()),
        None => endpoint.path().to_owned(),
    };
    let host = endpoint.host_str().unwrap_or_default();
    let host = match endpoint.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    let unfit = |_| ConnectError::Forbidden(AddressError::Endpoint);
    let mut request = Request::new(Full::new(Bytes::from(body)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = path.parse().map_err(|_| AddressError::Endpoint)?;
    *request.headers_mut() = headers;
    let host = HeaderValue::try_from(host).map_err(unfit)?;
    request.headers_mut().insert(HOST, host);
    Ok(request)
}

/// In seconds. Services that give a date are asked again in our own time.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let secs = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(secs).min(RETRY_AFTER_MAX))
}
