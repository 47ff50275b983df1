//! The peers' sockets: bound, watched and counted.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use socket2::{SockFilter, SockRef};

/// What a peer's socket holds while the generator is busy.
const PEER_BUFFER: usize = 1 << 20;

/// A peer's socket on the loopback, which does not block.
///
/// # Errors
/// When the system has no port or no file left.
pub fn peer_socket() -> io::Result<(UdpSocket, SocketAddr)> {
    peer_socket_at(Ipv4Addr::LOCALHOST.into())
}

/// As [`peer_socket`], at an address of this machine.
///
/// # Errors
/// When the system has no port or no file left.
pub fn peer_socket_at(address: IpAddr) -> io::Result<(UdpSocket, SocketAddr)> {
    let socket = UdpSocket::bind((address, 0))?;
    socket.set_nonblocking(true)?;
    SockRef::from(&socket).set_recv_buffer_size(PEER_BUFFER)?;
    let address = socket.local_addr()?;
    Ok((socket, address))
}

/// The address of this machine from which another is reached.
///
/// # Errors
/// When the system knows no way there.
pub fn own_address_towards(other: SocketAddr) -> io::Result<IpAddr> {
    let any: IpAddr = match other {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    // Connecting a socket of datagrams sends nothing.
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(other)?;
    Ok(socket.local_addr()?.ip())
}

/// Whether a datagram is media: RTP, not RTCP (RFC 5761 section 4).
pub fn is_media(datagram: &[u8]) -> bool {
    matches!(datagram, [128..=191, second, ..] if !(192..=223).contains(second))
}

/// Lets the kernel drop RTP and RTCP before they reach the socket; checks and handshakes pass.
///
/// # Errors
/// When the system takes no filter.
pub fn drop_media(socket: &UdpSocket) -> io::Result<()> {
    const UDP_HEADER: u32 = 8;
    let program = [
        // The first byte behind the header: 128 and above is RTP or RTCP (RFC 7983).
        SockFilter::new(0x30, 0, 0, UDP_HEADER),
        SockFilter::new(0x35, 0, 1, 128),
        SockFilter::new(0x06, 0, 0, 0),
        SockFilter::new(0x06, 0, 0, u32::MAX),
    ];
    SockRef::from(socket).attach_filter(&program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_is_told_from_the_rest_and_dropped_before_a_socket() {
        let (socket, address) = peer_socket().unwrap();
        let sender = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        drop_media(&socket).unwrap();
        assert!(is_media(&[0x80, 96]) && !is_media(&[0x80, 200]) && !is_media(&[0, 1]));
        for first in [0x80, 0x00] {
            sender.send_to(&[first, 96], address).unwrap();
        }
        let mut buffer = [0; 10];
        assert_eq!(socket.recv(&mut buffer).unwrap(), 2);
        assert_eq!(buffer[0], 0x00);
    }
}
