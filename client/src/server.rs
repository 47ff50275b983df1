//! Where the server is and how a connection to it is made: TLS with public or own roots, or plain on this machine.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use crate::media_ways::MediaWays;

/// A server that can be connected to. Cheap to clone.
#[derive(Clone)]
pub struct Server {
    base: Url,
    trust: TlsConnector,
    ways: MediaWays,
}

/// Why a server's address can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error("the server's address is not a URL: {0}")]
    NotAUrl(#[from] url::ParseError),
    #[error("the server's address begins with https://, or with http:// on this machine only")]
    Scheme,
    #[error("the certificate authority's file has no usable certificate")]
    Authority,
    #[error("TLS can't be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// A byte stream to the server, encrypted or not.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Server {
    /// A server with a certificate that the public authorities vouch for, or one on this machine.
    ///
    /// # Errors
    /// When the address is no URL, or is plain `http` to another machine: tokens would travel in clear.
    pub fn new(address: &str) -> Result<Self, ServerError> {
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        Self::with_roots(address, roots)
    }

    /// A server with a certificate of its own authority, as `homeline serve` makes at first start.
    ///
    /// # Errors
    /// As [`Server::new`], and when `pem` holds no certificate.
    pub fn with_authority(address: &str, pem: &[u8]) -> Result<Self, ServerError> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|_| ServerError::Authority)?;
            roots.add(certificate).map_err(|_| ServerError::Authority)?;
        }
        if roots.is_empty() {
            return Err(ServerError::Authority);
        }
        Self::with_roots(address, roots)
    }

    fn with_roots(address: &str, roots: RootCertStore) -> Result<Self, ServerError> {
        let base = Url::parse(address)?;
        let fits = match base.scheme() {
            "https" => true,
            "http" => on_this_machine(&base),
            _ => false,
        };
        if !fits || !base.has_host() {
            return Err(ServerError::Scheme);
        }
        Ok(Self {
            base,
            trust: connector(roots)?,
            ways: MediaWays::default(),
        })
    }

    /// The same server, to which media goes by these ways alone.
    #[must_use]
    pub fn with_media_ways(mut self, ways: MediaWays) -> Self {
        self.ways = ways;
        self
    }

    pub(crate) fn media_ways(&self) -> MediaWays {
        self.ways
    }

    /// The address as it was given.
    #[must_use]
    pub fn address(&self) -> &str {
        self.base.as_str()
    }

    /// Whether the server runs on this machine, so that media may use the loopback interface.
    #[must_use]
    pub fn is_local(&self) -> bool {
        on_this_machine(&self.base)
    }

    /// The host alone, as a URL has it.
    pub(crate) fn host(&self) -> &str {
        self.base.host_str().unwrap_or_default()
    }

    /// Host and port as a `Host` header says them.
    pub(crate) fn authority(&self) -> String {
        let host = self.base.host_str().unwrap_or_default();
        match self.base.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        self.base.scheme() == "https"
    }

    pub(crate) async fn connect(&self) -> std::io::Result<Box<dyn Stream>> {
        let port = self.base.port_or_known_default().unwrap_or(443);
        self.dial(self.host(), port, self.is_encrypted()).await
    }

    /// A connection to some port that the server named. With TLS, whoever answers there has to show a certificate
    /// for this host that is trusted as the server's own.
    pub(crate) async fn dial(
        &self,
        host: &str,
        port: u16,
        tls: bool,
    ) -> std::io::Result<Box<dyn Stream>> {
        // As URLs have addresses of IPv6.
        let bare = host.trim_matches(['[', ']']);
        let tcp = TcpStream::connect((bare, port)).await?;
        // Frames are small and wanted at once.
        tcp.set_nodelay(true)?;
        if !tls {
            return Ok(Box::new(tcp));
        }
        let name = ServerName::try_from(bare.to_owned()).map_err(std::io::Error::other)?;
        Ok(Box::new(self.trust.connect(name, tcp).await?))
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address())
            .finish()
    }
}

fn connector(roots: RootCertStore) -> Result<TlsConnector, rustls::Error> {
    // Named, not the process-wide default: a program that embeds the SDK may have another.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn on_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for address in [
            "http://localhost:8080",
            "http://127.0.0.1:1",
            "http://[::1]:2",
        ] {
            assert!(
                Server::new(address).is_ok_and(|server| server.is_local()),
                "{address}"
            );
        }
        for address in [
            "http://192.168.1.2:8080",
            "http://example.org",
            "ftp://localhost",
            "x",
        ] {
            assert!(Server::new(address).is_err(), "{address}");
        }
        assert!(Server::new("https://example.org").is_ok_and(|server| !server.is_local()));
    }

    #[test]
    fn an_authority_without_a_certificate_is_refused() {
        assert!(matches!(
            Server::with_authority("https://localhost", b"nothing"),
            Err(ServerError::Authority)
        ));
    }
}
