//! The server's own certificate: made at each start under the authority, never stored.

use std::sync::Arc;

use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use time::{Duration, OffsetDateTime};

use super::{Authority, AuthorityError, Names};

/// Below the 398 days that phones accept. The server makes a new one every day it runs.
const LIFETIME: Duration = Duration::days(390);

/// TLS settings with a fresh certificate for those of `names` that the authority may vouch for.
///
/// # Errors
/// When the certificate can't be made.
pub fn server_config(
    authority: &Authority,
    names: &Names,
) -> Result<Arc<ServerConfig>, AuthorityError> {
    let covered = names.within(&authority.names);
    let mut params = CertificateParams::new(covered.texts().collect::<Vec<_>>())?;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, "Homeline");
    params.distinguished_name = subject;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let now = OffsetDateTime::now_utc();
    params.not_before = now - Duration::days(1);
    params.not_after = now + LIFETIME;
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, &authority.issuer())?;
    let chain = vec![
        certificate.der().clone(),
        CertificateDer::from(authority.certificate_der.clone()),
    ];
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("rcgen writes PKCS #8");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring supports TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("the certificate was made for this key");
    // Not HTTP/2: a browser opens its WebSocket on a connection of its own then anyway.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
