//! The peers' sockets: bound, watched and counted.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use socket2::SockRef;

/// What a peer's socket holds while the generator is busy.
const PEER_BUFFER: usize = 1 << 20;

/// A peer's socket on the loopback, which does not block.
///
/// # Errors
/// When the system has no port or no file left.
pub fn peer_socket() -> io::Result<(UdpSocket, SocketAddr)> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.set_nonblocking(true)?;
    SockRef::from(&socket).set_recv_buffer_size(PEER_BUFFER)?;
    let address = socket.local_addr()?;
    Ok((socket, address))
}

/// Whether a datagram is media: RTP, not RTCP (RFC 5761 section 4).
pub fn is_media(datagram: &[u8]) -> bool {
    matches!(datagram, [128..=191, second, ..] if !(192..=223).contains(second))
}
