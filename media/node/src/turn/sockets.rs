//! The relay's own sockets: those that clients reach, and those to the media sockets behind it.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};

use quinn_udp::{RecvMeta, UdpSocketState};
use socket2::{Domain, SockRef, Socket, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use crate::bind;

/// Connections that the system holds until they are accepted.
const BACKLOG: i32 = 128;

/// One UDP socket that clients reach. It answers from the address at which it was reached, for which a
/// machine with several of them is asked for each datagram.
pub(super) struct ClientSocket {
    socket: UdpSocket,
    state: UdpSocketState,
}

impl ClientSocket {
    /// Must be called within a runtime.
    pub(super) fn new(socket: std::net::UdpSocket) -> io::Result<Self> {
        let state = UdpSocketState::new((&socket).into())?;
        let socket = UdpSocket::from_std(socket)?;
        Ok(Self { socket, state })
    }

    /// The next datagrams: one, or a train that the system has put together.
    pub(super) async fn receive(&self, buffer: &mut [u8]) -> io::Result<RecvMeta> {
        let mut meta = [RecvMeta::default()];
        let mut read = || {
            let mut slices = [IoSliceMut::new(buffer)];
            self.state
                .recv((&self.socket).into(), &mut slices, &mut meta)
        };
        self.socket.async_io(Interest::READABLE, &mut read).await?;
        Ok(meta[0])
    }

    /// Sends at once or not at all: what waits would be late.
    pub(super) fn send(&self, local: Option<IpAddr>, remote: SocketAddr, contents: &[u8]) {
        let transmit = quinn_udp::Transmit {
            destination: remote,
            ecn: None,
            contents,
            segment_size: None,
            src_ip: local,
        };
        if let Err(error) = self.state.try_send((&self.socket).into(), &transmit) {
            tracing::trace!(%error, "a relayed datagram was not sent");
        }
    }
}

/// A socket that reaches one media socket of ours and nothing else.
pub(super) fn connect(door: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(door), Type::DGRAM, None)?;
    socket.set_nonblocking(true)?;
    // No bind: the system takes the address that the media socket's own has a way to.
    socket.connect(&door.into())?;
    UdpSocket::from_std(socket.into())
}

/// Sends without waiting; what finds no room is dropped, as a network would.
pub(super) fn send_connected(socket: &UdpSocket, contents: &[u8]) {
    if let Err(error) = SockRef::from(socket).send(contents) {
        tracing::trace!(%error, "a relayed datagram was not sent");
    }
}

/// Binds every address on one port. A family that the machine lacks is skipped; a port that is taken, or
/// nothing at all, is an error.
pub(super) fn bind_all<S: From<Socket>>(
    addresses: &[IpAddr],
    port: u16,
    kind: Type,
) -> io::Result<(u16, Vec<S>)> {
    let bound = bind::on_all(addresses, port, "relay", |address| listen(address, kind))?;
    let port = bound.first().map_or(port, |(_, address)| address.port());
    let sockets = bound.into_iter().map(|(socket, _)| S::from(socket));
    Ok((port, sockets.collect()))
}

fn listen(address: SocketAddr, kind: Type) -> io::Result<(Socket, SocketAddr)> {
    let socket = Socket::new(Domain::for_address(address), kind, None)?;
    if address.is_ipv6() {
        // IPv4 has its own socket on the same port.
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    if kind == Type::STREAM {
        socket.set_reuse_address(true)?;
    }
    socket.bind(&address.into())?;
    if kind == Type::STREAM {
        socket.listen(BACKLOG)?;
    }
    let bound = socket.local_addr()?.as_socket();
    Ok((socket, bound.unwrap_or(address)))
}
