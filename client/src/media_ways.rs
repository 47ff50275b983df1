//! Which ways a program, or whoever runs it, lets its media take.

use std::fmt;
use std::str::FromStr;

use homeline_protocol::session::RelayTransport;

/// One way from a client to the media node, nearest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Straight to the media node.
    Udp,
    /// The same over a TCP connection.
    Tcp,
    /// Through a relay that is spoken to over UDP.
    RelayUdp,
    /// The same over TCP.
    RelayTcp,
    /// The same over TLS, which looks like the web.
    RelayTls,
}

impl Way {
    pub(crate) const ALL: [Self; 5] = [
        Self::Udp,
        Self::Tcp,
        Self::RelayUdp,
        Self::RelayTcp,
        Self::RelayTls,
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::RelayUdp => "relay-udp",
            Self::RelayTcp => "relay-tcp",
            Self::RelayTls => "relay-tls",
        }
    }
}

impl From<RelayTransport> for Way {
    fn from(transport: RelayTransport) -> Self {
        match transport {
            RelayTransport::Udp => Self::RelayUdp,
            RelayTransport::Tcp => Self::RelayTcp,
            RelayTransport::Tls => Self::RelayTls,
        }
    }
}

/// The ways that media may take; all, unless somebody says otherwise. Written as in `udp,tcp,relay`, where
/// `relay` stands for `relay-udp,relay-tcp,relay-tls`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaWays([bool; Way::ALL.len()]);

impl MediaWays {
    /// Exactly these.
    fn only(ways: &[Way]) -> Self {
        Self(Way::ALL.map(|way| ways.contains(&way)))
    }

    /// Whether this way may be taken.
    pub(crate) const fn allows(self, way: Way) -> bool {
        self.0[way as usize]
    }
}

impl Default for MediaWays {
    fn default() -> Self {
        Self::only(&Way::ALL)
    }
}

/// A text that names no ways, or one that there is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "ways for media are udp, tcp, relay, relay-udp, relay-tcp and relay-tls, with commas between"
)]
pub struct UnknownWay;

impl FromStr for MediaWays {
    type Err = UnknownWay;
    fn from_str(text: &str) -> Result<Self, UnknownWay> {
        let mut ways = Vec::new();
        for word in text.split(',').map(str::trim) {
            match Way::ALL.into_iter().find(|way| way.word() == word) {
                Some(way) => ways.push(way),
                None if word == "relay" => {
                    ways.extend([Way::RelayUdp, Way::RelayTcp, Way::RelayTls]);
                }
                None => return Err(UnknownWay),
            }
        }
        Ok(Self::only(&ways))
    }
}

impl fmt::Display for MediaWays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let allowed = Way::ALL.into_iter().filter(|way| self.allows(*way));
        let words: Vec<_> = allowed.map(Way::word).collect();
        f.write_str(&words.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_are_written_with_commas_and_relay_stands_for_three() {
        let ways: MediaWays = "tcp, relay".parse().unwrap();
        assert_eq!(ways.to_string(), "tcp,relay-udp,relay-tcp,relay-tls");
        assert!(!ways.allows(Way::Udp) && ways.allows(Way::RelayTls));
        let all = MediaWays::default();
        assert_eq!(all.to_string().parse(), Ok(all));
        for wrong in ["", "udp,", "pigeon"] {
            assert_eq!(wrong.parse::<MediaWays>(), Err(UnknownWay), "{wrong}");
        }
    }
}
