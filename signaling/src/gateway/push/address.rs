//! Where a message may be sent: which URLs are endpoints, and which network addresses they may lead
//! to, so that nobody makes the server speak to machines of its own network.
//!
//! Pure. A name is resolved by `connect`, which connects only to addresses that passed here: between
//! the check and the connection no other answer of the name service can slip in.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use homeline_protocol::session::PushAddress;
use url::{Host, Url};

use super::encryption::{AUTH_BYTES, PUBLIC_KEY_BYTES, Receiver, is_usable};

/// The longest endpoint: those of the large services take some 200 to 500 characters.
const ENDPOINT_BYTES_MAX: usize = 2_048;

/// A device's address at a push service, parsed.
#[derive(Clone)]
pub struct Subscription {
    pub(super) endpoint: Url,
    public_key: [u8; PUBLIC_KEY_BYTES],
    auth: [u8; AUTH_BYTES],
}

/// Why an address is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is no URL that messages can be sent to.
    #[error("the endpoint is not a https URL of at most 2048 characters")]
    Endpoint,
    /// It leads into a private network.
    #[error("the endpoint leads into a private network")]
    Private,
    /// The keys are none.
    #[error("the keys are not a point on P-256 and 16 bytes")]
    Keys,
}

impl Subscription {
    /// Parses an address. Whether its endpoint may be used is asked of the gateway.
    ///
    /// # Errors
    /// When the endpoint is no URL of a push service, or the keys are none.
    pub fn parse(endpoint: &str, public_key: &[u8], auth: &[u8]) -> Result<Self, AddressError> {
        if endpoint.len() > ENDPOINT_BYTES_MAX {
            return Err(AddressError::Endpoint);
        }
        let url = Url::parse(endpoint).map_err(|_| AddressError::Endpoint)?;
        let bare =
            url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        if !matches!(url.scheme(), "https" | "http") || !url.has_host() || !bare {
            return Err(AddressError::Endpoint);
        }
        if !is_usable(Receiver { public_key, auth }) {
            return Err(AddressError::Keys);
        }
        Ok(Self {
            endpoint: url,
            public_key: public_key.try_into().map_err(|_| AddressError::Keys)?,
            auth: auth.try_into().map_err(|_| AddressError::Keys)?,
        })
    }

    pub(super) fn receiver(&self) -> Receiver<'_> {
        Receiver {
            public_key: &self.public_key,
            auth: &self.auth,
        }
    }

    /// Scheme, host and port: the audience of RFC 8292, and what tells services apart.
    pub(super) fn origin(&self) -> String {
        self.endpoint.origin().ascii_serialization()
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.endpoint.scheme() == "https"
    }

    pub(super) fn host(&self) -> Option<Host<&str>> {
        self.endpoint.host()
    }
}

/// An endpoint is a capability, so only who it is for may see it.
impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subscription")
    }
}

impl TryFrom<&PushAddress> for Subscription {
    type Error = AddressError;
    fn try_from(address: &PushAddress) -> Result<Self, AddressError> {
        Self::parse(
            address.endpoint.expose(),
            address.p256dh.as_ref(),
            address.auth.as_ref(),
        )
    }
}

/// Which of the addresses that a name leads to may be connected to. One that may not spoils all: a
/// name with both kinds belongs to nobody's push service.
pub(super) fn admit(
    addresses: Vec<IpAddr>,
    encrypted: bool,
    private_allowed: bool,
) -> Result<Vec<IpAddr>, AddressError> {
    let public = addresses
        .iter()
        .filter(|address| is_public(**address))
        .count();
    if public < addresses.len() && !private_allowed {
        return Err(AddressError::Private);
    }
    // Plain HTTP stays within the house.
    if public > 0 && !encrypted {
        return Err(AddressError::Endpoint);
    }
    Ok(addresses)
}

/// Whether an address is one of the public internet (IANA's special-purpose registries).
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = match address.octets() {
        [0 | 127 | 224.., ..] => true,
        [100, second, ..] => second & 0xc0 == 64,
        [192, 0, 0, _] => true,
        [192, 88, 99, _] => true,
        [198, second, ..] => second & 0xfe == 18,
        _ => false,
    };
    !special && !address.is_private() && !address.is_link_local() && !address.is_documentation()
}

/// Global unicast, less what carries another address inside (6to4, Teredo) or is for documents.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let global = first & 0xe000 == 0x2000;
    let special = match first {
        0x2001 => second < 0x200 || second == 0xdb8,
        0x2002 => true,
        0x3fff => second < 0x1000,
        _ => false,
    };
    global && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_internet_is_public() {
        for public in [
            "1.1.1.1",
            "9.9.9.9",
            "100.63.0.1",
            "100.128.0.1",
            "172.32.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1",
            "2a00:1450:4001::1",
            "::ffff:1.1.1.1",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for private in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "203.0.113.5",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:a00:1::",
            "3fff::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
    }

    #[test]
    fn a_name_that_leads_inside_as_well_is_refused_and_plain_http_stays_inside() {
        let (outside, inside) = (IpAddr::from([1, 1, 1, 1]), IpAddr::from([192, 168, 1, 1]));
        let cases = [
            (vec![outside], true, false, Ok(())),
            (vec![outside], false, true, Err(AddressError::Endpoint)),
            (
                vec![outside, inside],
                true,
                false,
                Err(AddressError::Private),
            ),
            (
                vec![outside, inside],
                false,
                true,
                Err(AddressError::Endpoint),
            ),
            (vec![inside], true, false, Err(AddressError::Private)),
            (vec![inside], false, false, Err(AddressError::Private)),
            (vec![inside], true, true, Ok(())),
            (vec![inside], false, true, Ok(())),
        ];
        for (addresses, encrypted, allowed, expected) in cases {
            let found = admit(addresses.clone(), encrypted, allowed).map(drop);
            assert_eq!(found, expected, "{addresses:?} {encrypted} {allowed}");
        }
    }

    #[test]
    fn an_endpoint_is_a_short_bare_url_and_is_not_shown() {
        let public_key = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
        let public_key = homeline_protocol::Blob::from_base64url(public_key).unwrap();
        let parse = |endpoint: &str| Subscription::parse(endpoint, &public_key.0, &[7; 16]);
        let good = parse("https://push.example:444/a?b=c").unwrap();
        assert_eq!(good.origin(), "https://push.example:444");
        assert_eq!(format!("{good:?}"), "Subscription");
        let long = format!("https://push.example/{}", "a".repeat(ENDPOINT_BYTES_MAX));
        for bad in [
            "",
            "push.example/a",
            "ftp://push.example/a",
            "file:///etc/passwd",
            "https://user@push.example/",
            "https://user:word@push.example/",
            "https://push.example/#a",
            &long,
        ] {
            assert_eq!(parse(bad).err(), Some(AddressError::Endpoint), "{bad}");
        }
        let keys = Subscription::parse("https://push.example", &public_key.0, &[7; 15]);
        assert_eq!(keys.err(), Some(AddressError::Keys));
    }
}
