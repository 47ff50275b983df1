//! Nonces that need no memory: the time, and a MAC over it and the client's address.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ring::hmac::{self, HMAC_SHA256, Key};

/// How long one counts, in seconds: a client asks for a new one within a call, and repeats its request.
const LIFETIME: Duration = Duration::from_secs(60 * 60);

pub(super) struct Nonces {
    key: Key,
    since: Instant,
}

impl Nonces {
    pub(super) fn new(key: [u8; 32], now: Instant) -> Self {
        let key = Key::new(HMAC_SHA256, &key);
        Self { key, since: now }
    }

    pub(super) fn make(&self, now: Instant, client: SocketAddr) -> String {
        let secs = now.saturating_duration_since(self.since).as_secs();
        let mac = hmac::sign(&self.key, &signed(secs, client));
        format!("{secs:x}-{}", hex::encode(mac))
    }

    /// Whether it is one of ours, for this client, and still counts.
    pub(super) fn is_fresh(&self, nonce: &[u8], now: Instant, client: SocketAddr) -> bool {
        let parsed = std::str::from_utf8(nonce).ok().and_then(|nonce| {
            let (secs, mac) = nonce.split_once('-')?;
            Some((u64::from_str_radix(secs, 16).ok()?, hex::decode(mac).ok()?))
        });
        let Some((secs, mac)) = parsed else {
            return false;
        };
        let age = now
            .saturating_duration_since(self.since)
            .as_secs()
            .checked_sub(secs);
        age.is_some_and(|age| age < LIFETIME.as_secs())
            && hmac::verify(&self.key, &signed(secs, client), &mac).is_ok()
    }
}

/// The time, and the client's address in 16 bytes, whose lengths never differ.
fn signed(secs: u64, client: SocketAddr) -> Vec<u8> {
    let address = match client {
        SocketAddr::V4(v4) => v4.ip().to_ipv6_mapped(),
        SocketAddr::V6(v6) => *v6.ip(),
    };
    let mut bytes = secs.to_be_bytes().to_vec();
    bytes.extend(address.octets());
    bytes.extend(client.port().to_be_bytes());
    bytes
}
