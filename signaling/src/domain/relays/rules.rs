//! How a relay is written, and how credentials for it are derived (draft-uberti-behave-turn-rest-00). Pure.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use homeline_protocol::Secret;
use homeline_protocol::id::DeviceId;
use homeline_protocol::session::{RelayServer, RelayTransport};
use ring::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign};

use crate::model::UnixMillis;

/// An expiry is a full hour, so that a device which asks again meanwhile gets the same credential: the
/// relay's bound for one credential is then one for a device.
const STEP_SECS: u64 = 60 * 60;

/// Bytes of a device's pseudonym: enough that two never meet in one hour.
const PSEUDONYM_LEN: usize = 8;

/// A relay in the configuration is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "relays.servers: {0:?} is no relay; write turn:HOST:PORT?transport=udp, the same with tcp, or turns:HOST:PORT?transport=tcp"
)]
pub struct BadRelay(String);

/// Reads `turn:host:port?transport=udp` and the like (RFC 7065, with the port and the transport named).
pub(super) fn server(text: &str) -> Result<RelayServer, BadRelay> {
    let bad = || BadRelay(text.to_owned());
    let (scheme, rest) = text.split_once(':').ok_or_else(bad)?;
    let (place, transport) = rest.split_once("?transport=").ok_or_else(bad)?;
    let (host, port) = place.rsplit_once(':').ok_or_else(bad)?;
    let transport = match (scheme, transport) {
        ("turn", "udp") => RelayTransport::Udp,
        ("turn", "tcp") => RelayTransport::Tcp,
        ("turns", "tcp") => RelayTransport::Tls,
        _ => return Err(bad()),
    };
    let port = port
        .parse()
        .ok()
        .filter(|port| *port != 0)
        .ok_or_else(bad)?;
    if host.is_empty() || host.contains(['/', '@', '?']) {
        return Err(bad());
    }
    let host = Some(host.to_owned());
    Ok(RelayServer {
        host,
        port,
        transport,
    })
}

/// When a credential that is asked for now ends.
pub(super) fn expiry(now: UnixMillis, lifetime: Duration) -> UnixMillis {
    let secs = now.plus(lifetime).0.div_ceil(1_000);
    UnixMillis(secs.next_multiple_of(STEP_SECS).saturating_mul(1_000))
}

/// Username and password for a device. The relay learns from them that two connections are of one device
/// within an hour, and nothing else of whom.
pub(super) fn credential(secret: &str, device: DeviceId, expires: UnixMillis) -> (String, Secret) {
    let key = Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
    let secs = expires.0 / 1_000;
    let pseudonym = sign(&key, format!("device {device} until {secs}").as_bytes());
    let pseudonym: String = pseudonym.as_ref()[..PSEUDONYM_LEN]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let username = format!("{secs}:{pseudonym}");
    let password = STANDARD.encode(sign(&key, username.as_bytes()));
    (username, Secret::new(password))
}
