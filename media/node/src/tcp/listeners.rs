//! The sockets on which a worker's clients knock: IPv4 and IPv6 on one port.

use std::io;
use std::net::{IpAddr, SocketAddr};

use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol, Socket, Type};

use crate::bind;

/// Connections that the kernel has accepted and we have not; it refuses more.
const BACKLOG_MAX: i32 = 128;

/// What the kernel holds for a slow receiver, so that what it holds is not much too late.
const SEND_BUFFER_BYTES: usize = 64 * 1_024;

/// Bound sockets; none when TCP is switched off.
#[derive(Default)]
pub(crate) struct Listeners {
    sockets: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
    ready: Vec<bool>,
}

impl Listeners {
    /// The addresses that are listened on.
    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Watches the sockets, as tokens from `first` on.
    pub(crate) fn register(&mut self, registry: &Registry, first: usize) -> io::Result<()> {
        for (at, socket) in self.sockets.iter_mut().enumerate() {
            registry.register(socket, Token(first + at), Interest::READABLE)?;
        }
        Ok(())
    }

    /// Whether the token is one of these, which then has somebody waiting.
    pub(crate) fn note(&mut self, number: usize) -> bool {
        let known = self.ready.get_mut(number);
        known.map(|ready| *ready = true).is_some()
    }

    /// Looks at all of them again: an earlier call may have failed, for instance for want of a descriptor.
    pub(crate) fn look_again(&mut self) {
        self.ready.fill(true);
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.ready.contains(&true)
    }

    /// The next who waits.
    pub(crate) fn accept(&mut self) -> Option<(TcpStream, SocketAddr)> {
        for (socket, ready) in self.sockets.iter().zip(&mut self.ready) {
            while *ready {
                match socket.accept() {
                    Ok(accepted) => return Some(accepted),
                    // Who was there has gone again.
                    Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => {
                        *ready = false;
                        if error.kind() != io::ErrorKind::WouldBlock {
                            tracing::warn!(%error, "no media connection can be accepted");
                        }
                    }
                }
            }
        }
        None
    }
}

/// Makes an accepted connection fit for media: small packets leave at once, and little waits in the kernel.
pub(super) fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    if let Err(error) = socket2::SockRef::from(stream).set_send_buffer_size(SEND_BUFFER_BYTES) {
        tracing::debug!(%error, "the kernel did not limit a media connection's buffer");
    }
    Ok(())
}

/// Listens on every address on one port. A family that the machine lacks is skipped; nothing at all is an error.
pub(crate) fn bind(addresses: &[IpAddr], port: u16) -> io::Result<Listeners> {
    let mut listeners = Listeners::default();
    if addresses.is_empty() {
        return Ok(listeners);
    }
    for (socket, address) in bind::on_all(addresses, port, "media connections", listen)? {
        listeners.sockets.push(socket);
        listeners.addresses.push(address);
        listeners.ready.push(false);
    }
    Ok(listeners)
}

fn listen(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // Connections of an earlier run may linger on the port.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG_MAX)?;
    let socket = std::net::TcpListener::from(socket);
    let address = socket.local_addr()?;
    Ok((TcpListener::from_std(socket), address))
}
