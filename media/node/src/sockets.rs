//! The UDP sockets of one worker: IPv4 and IPv6 on one port.
//!
//! Received datagrams carry the local address that they were sent to, and answers leave from it: a machine
//! with several addresses must not answer from another one than it was asked at.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::task::{Context, Poll};

use quinn_udp::{RecvMeta, Transmit, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::Interest;

/// Datagrams taken by one call.
const BATCH: usize = 8;

/// One buffer of a batch: the kernel may coalesce a train of datagrams into one.
const BUFFER_LEN: usize = 65_536;

/// One bound socket.
pub(crate) struct MediaSocket {
    socket: tokio::net::UdpSocket,
    state: UdpSocketState,
    address: SocketAddr,
}

/// Space for one batch, used again and again.
pub(crate) struct Batch {
    buffers: Vec<Vec<u8>>,
    meta: [RecvMeta; BATCH],
}

impl Batch {
    pub(crate) fn new() -> Self {
        Self {
            buffers: vec![vec![0; BUFFER_LEN]; BATCH],
            meta: [RecvMeta::default(); BATCH],
        }
    }

    /// Every datagram of the first `count` buffers with its description.
    pub(crate) fn datagrams(
        &mut self,
        count: usize,
    ) -> impl Iterator<Item = (RecvMeta, &mut [u8])> {
        self.buffers
            .iter_mut()
            .zip(&self.meta)
            .take(count)
            .flat_map(|(buffer, meta)| {
                let stride = meta.stride.max(1);
                buffer[..meta.len]
                    .chunks_mut(stride)
                    .map(move |datagram| (*meta, datagram))
            })
    }
}

impl MediaSocket {
    /// Binds one address. To be called inside a tokio runtime.
    pub(crate) fn bind(address: SocketAddr, buffer_bytes: usize) -> io::Result<Self> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::DGRAM,
            Some(Protocol::UDP),
        )?;
        if address.is_ipv6() {
            // IPv4 has its own socket on the same port.
            socket.set_only_v6(true)?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        let socket = UdpSocket::from(socket);
        let state = UdpSocketState::new((&socket).into())?;
        for set in [
            UdpSocketState::set_recv_buffer_size,
            UdpSocketState::set_send_buffer_size,
        ] {
            if let Err(error) = set(&state, (&socket).into(), buffer_bytes) {
                tracing::debug!(%error, "the kernel did not grant the media socket's buffer");
            }
        }
        let address = socket.local_addr()?;
        Ok(Self {
            socket: tokio::net::UdpSocket::from_std(socket)?,
            state,
            address,
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The local address at which a datagram arrived.
    pub(crate) fn reached_at(&self, meta: &RecvMeta) -> SocketAddr {
        SocketAddr::new(
            meta.dst_ip.unwrap_or(self.address.ip()),
            self.address.port(),
        )
    }

    /// Whether there may be something to read; if not, the context is woken when there is. An error counts:
    /// it shows itself again, in words, when the socket is read.
    pub(crate) fn poll_readable(&self, context: &mut Context<'_>) -> Poll<()> {
        self.socket.poll_recv_ready(context).map(drop)
    }

    /// Takes what is there. `Ok(0)` when there is nothing.
    pub(crate) fn receive(&self, batch: &mut Batch) -> io::Result<usize> {
        let mut slices = batch
            .buffers
            .iter_mut()
            .map(|buffer| IoSliceMut::new(buffer));
        let mut slices: [IoSliceMut<'_>; BATCH] =
            std::array::from_fn(|_| slices.next().expect("a batch has that many buffers"));
        let received = self.socket.try_io(Interest::READABLE, || {
            self.state
                .recv((&self.socket).into(), &mut slices, &mut batch.meta)
        });
        match received {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            received => received,
        }
    }

    /// Sends one datagram from the address at which the peer reached us.
    pub(crate) fn send(&self, local: IpAddr, remote: SocketAddr, payload: &[u8]) -> io::Result<()> {
        let transmit = Transmit {
            destination: remote,
            ecn: None,
            contents: payload,
            segment_size: None,
            src_ip: (!local.is_unspecified()).then_some(local),
        };
        self.socket.try_io(Interest::WRITABLE, || {
            self.state.try_send((&self.socket).into(), &transmit)
        })
    }
}

/// Binds every address on one port. A family that the machine lacks is skipped; nothing at all is an error.
pub(crate) fn bind_all(
    addresses: &[IpAddr],
    port: u16,
    buffer_bytes: usize,
) -> io::Result<Vec<MediaSocket>> {
    let mut port = port;
    let mut sockets: Vec<MediaSocket> = Vec::new();
    let mut last_error = None;
    for address in addresses {
        match MediaSocket::bind(SocketAddr::new(*address, port), buffer_bytes) {
            Ok(socket) => {
                // With port 0 the first takes a free one, and the others the same.
                port = socket.address().port();
                sockets.push(socket);
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            Err(error) => {
                tracing::warn!(%address, %error, "no media on this address");
                last_error = Some(error);
            }
        }
    }
    if sockets.is_empty() {
        let none = || io::Error::new(io::ErrorKind::InvalidInput, "no address to bind");
        return Err(last_error.unwrap_or_else(none));
    }
    Ok(sockets)
}
