//! Nonces that need no memory: the time, and a MAC over it and the client's address.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hmac::{Hmac, Mac as _};
use sha1::Sha1;

/// How long one counts, in seconds: a client asks for a new one within a call, and repeats its request.
const LIFETIME: Duration = Duration::from_secs(60 * 60);

/// Bytes of the MAC that are given out; enough that nobody guesses one within its hour.
const MAC_LEN: usize = 10;

pub(super) struct Nonces {
    key: [u8; 32],
    since: Instant,
}

impl Nonces {
    pub(super) fn new(key: [u8; 32], now: Instant) -> Self {
        Self { key, since: now }
    }

    pub(super) fn make(&self, now: Instant, client: SocketAddr) -> String {
        let secs = now.saturating_duration_since(self.since).as_secs();
        let mac = self.mac(secs, client).finalize().into_bytes();
        format!("{secs:x}-{}", hex::encode(&mac[..MAC_LEN]))
    }

    /// Whether it is one of ours, for this client, and still counts.
    pub(super) fn is_fresh(&self, nonce: &[u8], now: Instant, client: SocketAddr) -> bool {
        let parsed = std::str::from_utf8(nonce).ok().and_then(|nonce| {
            let (secs, mac) = nonce.split_once('-')?;
            Some((u64::from_str_radix(secs, 16).ok()?, hex::decode(mac).ok()?))
        });
        let Some((secs, mac)) = parsed.filter(|(_, mac)| mac.len() == MAC_LEN) else {
            return false;
        };
        let age = now
            .saturating_duration_since(self.since)
            .as_secs()
            .checked_sub(secs);
        age.is_some_and(|age| age < LIFETIME.as_secs())
            && self.mac(secs, client).verify_truncated_left(&mac).is_ok()
    }

    fn mac(&self, secs: u64, client: SocketAddr) -> Hmac<Sha1> {
        let mut mac =
            <Hmac<Sha1> as hmac::Mac>::new_from_slice(&self.key).expect("HMAC takes any length");
        mac.update(&secs.to_be_bytes());
        match client {
            SocketAddr::V4(v4) => mac.update(&v4.ip().octets()),
            SocketAddr::V6(v6) => mac.update(&v6.ip().octets()),
        }
        mac.update(&client.port().to_be_bytes());
        mac
    }
}
