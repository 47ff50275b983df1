//! The DTLS server of one peer: checks the client's certificate and exports the SRTP keys (RFC 5764).
//!
//! DTLS 1.2 by `dimpl`, which browsers and the `webrtc` crate both speak. No cookie exchange: only a path that has passed an authenticated ICE check gets
//! this far. Of the SRTP profiles that the client offers the first of ours is taken, whatever the client's order: Chromium
//! would rather have SHA1_80. Keys are given out only when the certificate is the one that the offer named.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dimpl::{Config, Dtls, DtlsCertificate, Output, SrtpProfile};
use ring::digest;

use super::DATAGRAM_MAX;
use super::path::Path;
use super::sdp::{Fingerprint, FingerprintHash};
use crate::outbox::Outbox;
use crate::srtp::{DtlsRole, Inbound, Outbound, Profile, from_exporter};

/// First wait before a flight is sent again, doubled each time: DTLS's own second is an age in a call.
const FLIGHT_TIMEOUT: Duration = Duration::from_millis(250);

/// A node's certificate, shown to every client, and how its handshakes are run.
#[derive(Clone)]
pub struct Identity {
    certificate: DtlsCertificate,
    fingerprint: Vec<u8>,
    config: Arc<Config>,
}

/// The DTLS library refused its settings or the key pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the certificate or its key can't be used")]
pub struct IdentityError;

impl Identity {
    /// From an ECDSA certificate and its PKCS#8 key, both DER. Use a fresh pair for each start.
    pub fn new(certificate: Vec<u8>, private_key: Vec<u8>) -> Result<Self, IdentityError> {
        let provider = dimpl::crypto::rust_crypto::default_provider();
        provider
            .key_provider
            .load_private_key(&private_key)
            .map_err(|_| IdentityError)?;
        let config = Config::builder()
            .with_crypto_provider(provider)
            .use_server_cookie(false)
            .mtu(DATAGRAM_MAX)
            .flight_start_rto(FLIGHT_TIMEOUT)
            .srtp_profiles(&Profile::PREFERRED.map(name_of))
            .build()
            .map_err(|_| IdentityError)?;
        let fingerprint = digest::digest(&digest::SHA256, &certificate)
            .as_ref()
            .to_vec();
        let certificate = DtlsCertificate {
            certificate,
            private_key,
        };
        Ok(Self {
            certificate,
            fingerprint,
            config: Arc::new(config),
        })
    }

    /// SHA-256 of the certificate.
    pub fn fingerprint(&self) -> &[u8] {
        &self.fingerprint
    }
}

/// What came of a step.
pub(crate) enum HandshakeEvent {
    /// The client is the one of the offer, and these are the keys.
    Established(Box<(Inbound, Outbound)>),
    /// The client said that it closes.
    Closed,
    /// Wrong certificate, no common SRTP profile, or a broken handshake. It is over.
    Failed,
}

/// See the module's description.
pub(crate) struct Handshake {
    /// `None` once failed or closed.
    dtls: Option<Box<Dtls>>,
    expected: Fingerprint,
    verified: bool,
    wake_at: Option<Instant>,
}

impl Handshake {
    pub(crate) fn new(now: Instant, identity: &Identity, expected: Fingerprint) -> Self {
        let certificate = identity.certificate.clone();
        let dtls = Dtls::new_12(Arc::clone(&identity.config), certificate, now);
        Self {
            dtls: Some(Box::new(dtls)),
            expected,
            verified: false,
            wake_at: None,
        }
    }

    pub(crate) fn expected(&self) -> &Fingerprint {
        &self.expected
    }

    pub(crate) fn wake_at(&self) -> Option<Instant> {
        self.wake_at
    }

    /// Takes a datagram; answers leave along `path`.
    pub(crate) fn handle_datagram(
        &mut self,
        now: Instant,
        path: Path,
        datagram: &[u8],
        outbox: &mut Outbox,
    ) -> Option<HandshakeEvent> {
        let dtls = self.dtls.as_mut()?;
        let taken = dtls
            .handle_timeout(now)
            .and_then(|()| dtls.handle_packet(datagram));
        self.settle(path, taken.is_ok(), outbox)
    }

    /// Sends flights again, if it is time.
    pub(crate) fn handle_timeout(
        &mut self,
        now: Instant,
        path: Path,
        outbox: &mut Outbox,
    ) -> Option<HandshakeEvent> {
        self.wake_at.filter(|at| *at <= now)?;
        let advanced = self.dtls.as_mut()?.handle_timeout(now);
        self.settle(path, advanced.is_ok(), outbox)
    }

    /// Says goodbye to the client.
    pub(crate) fn close(&mut self, path: Path, outbox: &mut Outbox) {
        let Some(dtls) = self.dtls.as_mut() else {
            return;
        };
        let closed = dtls.close();
        // The result does not matter: the association is given up in any case.
        drop(self.settle(path, closed.is_ok(), outbox));
        self.dtls = None;
        self.wake_at = None;
    }

    fn settle(&mut self, path: Path, healthy: bool, outbox: &mut Outbox) -> Option<HandshakeEvent> {
        let event = self.drain(path, outbox);
        let event = if healthy {
            event
        } else {
            Some(HandshakeEvent::Failed)
        };
        if matches!(event, Some(HandshakeEvent::Closed | HandshakeEvent::Failed)) {
            self.dtls = None;
            self.wake_at = None;
        }
        event
    }

    fn drain(&mut self, path: Path, outbox: &mut Outbox) -> Option<HandshakeEvent> {
        let dtls = self.dtls.as_mut()?;
        let mut buffer = vec![0; DATAGRAM_MAX];
        let mut event = None;
        loop {
            match dtls.poll_output(&mut buffer) {
                Output::Packet(packet) => outbox.push(path, packet),
                Output::BufferTooSmall { needed } => buffer.resize(needed, 0),
                Output::Timeout(at) => {
                    self.wake_at = Some(at);
                    return event;
                }
                Output::PeerCert(certificate) => {
                    self.verified = matches(&self.expected, certificate);
                    if !self.verified {
                        event = Some(HandshakeEvent::Failed);
                    }
                }
                Output::KeyingMaterial(material, profile) if self.verified => {
                    let keys = profile_of(profile).and_then(|profile| {
                        from_exporter(profile, &material, DtlsRole::Server).ok()
                    });
                    event = Some(match keys {
                        Some(keys) => HandshakeEvent::Established(Box::new(keys)),
                        None => HandshakeEvent::Failed,
                    });
                }
                Output::KeyingMaterial(..) => event = Some(HandshakeEvent::Failed),
                // Keys follow at once, unless the client had no profile that we take.
                Output::Connected => event = Some(HandshakeEvent::Failed),
                Output::CloseNotify => event = Some(HandshakeEvent::Closed),
                // No data channels: whatever a client writes here is of no interest.
                _ => {}
            }
        }
    }
}

fn matches(expected: &Fingerprint, certificate: &[u8]) -> bool {
    let algorithm = match expected.hash {
        FingerprintHash::Sha256 => &digest::SHA256,
        FingerprintHash::Sha384 => &digest::SHA384,
        FingerprintHash::Sha512 => &digest::SHA512,
    };
    digest::digest(algorithm, certificate).as_ref() == expected.bytes
}

fn profile_of(profile: SrtpProfile) -> Option<Profile> {
    Profile::PREFERRED
        .into_iter()
        .find(|preferred| name_of(*preferred) == profile)
}

/// What the library calls it.
const fn name_of(profile: Profile) -> SrtpProfile {
    match profile {
        Profile::AeadAes128Gcm => SrtpProfile::AEAD_AES_128_GCM,
        Profile::AeadAes256Gcm => SrtpProfile::AEAD_AES_256_GCM,
        Profile::Aes128CmHmacSha1_80 => SrtpProfile::AES128_CM_SHA1_80,
    }
}

#[cfg(test)]
mod tests;
