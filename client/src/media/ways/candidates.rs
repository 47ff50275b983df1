//! Where an answer says that the media node is, and how a stand-in is told to ICE.

use std::net::SocketAddr;

/// Addresses of each kind that are used; what an answer lists beyond is not. Ours list eight and six.
const ADDRESSES_MAX: usize = 8;

/// The media node's addresses in an answer, nearest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Candidates {
    pub(super) udp: Vec<SocketAddr>,
    /// Those that wait for a connection.
    pub(super) tcp: Vec<SocketAddr>,
    /// The lowest priority of all, below which those of the stand-ins begin.
    lowest: Option<u32>,
}

impl Candidates {
    /// Reads an answer. Lines that are no candidates of these kinds are left out.
    pub(super) fn of(sdp: &str) -> Self {
        let mut all = Self::default();
        for line in sdp.lines() {
            let Some(words) = line.trim().strip_prefix("a=candidate:") else {
                continue;
            };
            let words: Vec<_> = words.split_whitespace().collect();
            let &[_, _, protocol, priority, ip, port, "typ", _, ref more @ ..] = &words[..] else {
                continue;
            };
            let (Ok(priority), Ok(ip), Ok(port)) = (priority.parse(), ip.parse(), port.parse())
            else {
                continue;
            };
            let kind = match protocol.to_ascii_lowercase().as_str() {
                "udp" => &mut all.udp,
                "tcp" if more.starts_with(&["tcptype", "passive"]) => &mut all.tcp,
                _ => continue,
            };
            let address = SocketAddr::new(ip, port);
            // Each media section lists them again.
            if kind.len() < ADDRESSES_MAX && !kind.contains(&address) {
                kind.push(address);
            }
            all.lowest = Some(all.lowest.map_or(priority, |lowest| lowest.min(priority)));
        }
        all
    }

    /// The priority of a stand-in; the higher `rank` the later it is preferred.
    pub(super) fn priority(&self, rank: u32) -> u32 {
        self.lowest.unwrap_or(u32::MAX).saturating_sub(rank).max(1)
    }
}

/// A stand-in as a line of SDP names it. It is a host like another to ICE.
pub(super) fn line(stand_in: SocketAddr, priority: u32) -> String {
    let (ip, port) = (stand_in.ip(), stand_in.port());
    format!("candidate:carried 1 udp {priority} {ip} {port} typ host")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answers_addresses_are_found_once_each() {
        let sdp = "v=0\r\n\
            a=candidate:0 1 udp 500 192.0.2.1 8444 typ host\r\n\
            a=candidate:1 1 UDP 400 2001:db8::1 8444 typ host\r\n\
            a=candidate:2 1 tcp 300 192.0.2.1 8444 typ host tcptype passive\r\n\
            a=candidate:3 1 tcp 200 192.0.2.1 9 typ host tcptype active\r\n\
            a=candidate:x 1 udp nine 192.0.2.1 8444 typ host\r\n\
            a=candidate:short\r\n\
            m=video 9\r\n\
            a=candidate:0 1 udp 500 192.0.2.1 8444 typ host\r\n";
        let found = Candidates::of(sdp);
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        let udp = vec![address("192.0.2.1:8444"), address("[2001:db8::1]:8444")];
        assert_eq!(found.udp, udp);
        assert_eq!(found.tcp, vec![address("192.0.2.1:8444")]);
        assert_eq!((found.priority(0), found.priority(7)), (300, 293));
        assert_eq!(Candidates::of("v=0"), Candidates::default());
    }

    #[test]
    fn a_long_list_is_cut() {
        let sdp: String = (0..100)
            .map(|at| format!("a=candidate:{at} 1 udp 9 192.0.2.{at} 8444 typ host\r\n"))
            .collect();
        assert_eq!(Candidates::of(&sdp).udp.len(), ADDRESSES_MAX);
    }
}
