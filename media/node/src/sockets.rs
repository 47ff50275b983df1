//! The UDP sockets of one worker: IPv4 and IPv6 on one port.
//!
//! Received datagrams carry the local address that they were sent to, and answers leave from it: a machine
//! with several addresses must not answer from another one than it was asked at. Trains of datagrams arrive
//! and leave in one call where the system can, and one by one where it can't.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};

use mio::net::UdpSocket;
use quinn_udp::{RecvMeta, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};

use crate::bind;

/// Datagrams, or trains of them, taken by one call.
pub(crate) const BATCH: usize = 8;

/// One buffer of a batch: the kernel may coalesce a train of datagrams into one.
const BUFFER_LEN: usize = 65_536;

/// One bound socket.
pub(crate) struct MediaSocket {
    socket: UdpSocket,
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

/// What became of a train.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Calls that it took.
    pub(crate) calls: u64,
    /// Datagrams that found the socket's queue full. Dropped, as a network would: what waits here would be
    /// late.
    pub(crate) queue_full: u64,
    /// Datagrams that the system refused.
    pub(crate) refused: u64,
}

impl Sent {
    fn note(&mut self, error: &io::Error, datagrams: u64) {
        if error.kind() == io::ErrorKind::WouldBlock {
            self.queue_full += datagrams;
        } else {
            tracing::trace!(%error, "sending failed");
            self.refused += datagrams;
        }
    }
}

impl MediaSocket {
    /// Binds one address.
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
        let socket = std::net::UdpSocket::from(socket);
        let state = UdpSocketState::new((&socket).into())?;
        for set in [
            UdpSocketState::set_recv_buffer_size,
            UdpSocketState::set_send_buffer_size,
        ] {
            if let Err(error) = set(&state, (&socket).into(), buffer_bytes) {
                tracing::debug!(%error, "the kernel did not grant the media socket's buffer");
            }
        }
        if let Err(error) = allow_fragments(&socket, address.is_ipv6()) {
            tracing::debug!(%error, "datagrams too long for a link on their way will be lost");
        }
        let address = socket.local_addr()?;
        Ok(Self {
            socket: UdpSocket::from_std(socket),
            state,
            address,
        })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// For the worker's poll.
    pub(crate) const fn source(&mut self) -> &mut UdpSocket {
        &mut self.socket
    }

    /// The local address at which a datagram arrived.
    pub(crate) fn reached_at(&self, meta: &RecvMeta) -> SocketAddr {
        SocketAddr::new(
            meta.dst_ip.unwrap_or(self.address.ip()),
            self.address.port(),
        )
    }

    /// Takes what is there. Less than a batch, or an error, means that nothing is left.
    pub(crate) fn receive(&self, batch: &mut Batch) -> io::Result<usize> {
        let mut slices = batch
            .buffers
            .iter_mut()
            .map(|buffer| IoSliceMut::new(buffer));
        let mut slices: [IoSliceMut<'_>; BATCH] =
            std::array::from_fn(|_| slices.next().expect("a batch has that many buffers"));
        let received = self.socket.try_io(|| {
            self.state
                .recv((&self.socket).into(), &mut slices, &mut batch.meta)
        });
        match received {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            received => received,
        }
    }

    /// Longest train that the system takes at the moment; 1 when it takes none.
    pub(crate) fn train_max(&self) -> usize {
        self.state.max_gso_segments()
    }

    /// Sends a train of datagrams of `segment` bytes, the last of which may be shorter, from the address at
    /// which the peer reached us. A train that the system refuses as such is sent one by one: an interface
    /// may lack the offload, or have a smaller MTU than the train was made for.
    pub(crate) fn send(
        &self,
        local: IpAddr,
        remote: SocketAddr,
        payload: &[u8],
        segment: usize,
    ) -> Sent {
        let mut sent = Sent::default();
        let is_train = payload.len() > segment;
        if is_train {
            sent.calls += 1;
            match self.send_once(local, remote, payload, Some(segment)) {
                Ok(()) => return sent,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    sent.note(&error, payload.len().div_ceil(segment) as u64);
                    return sent;
                }
                Err(error) => tracing::debug!(%error, "a train was refused and goes one by one"),
            }
        }
        for datagram in payload.chunks(segment.max(1)) {
            sent.calls += 1;
            if let Err(error) = self.send_once(local, remote, datagram, None) {
                sent.note(&error, 1);
            }
        }
        sent
    }

    fn send_once(
        &self,
        local: IpAddr,
        remote: SocketAddr,
        contents: &[u8],
        segment_size: Option<usize>,
    ) -> io::Result<()> {
        let names_source = self.address.ip().is_unspecified() && !local.is_unspecified();
        if segment_size.is_none() && !names_source {
            // A socket on one address has no choice to make, and the plain call is the quickest.
            return self.socket.send_to(contents, remote).map(drop);
        }
        let transmit = quinn_udp::Transmit {
            destination: remote,
            ecn: None,
            contents,
            segment_size,
            src_ip: names_source.then_some(local),
        };
        self.socket
            .try_io(|| self.state.try_send((&self.socket).into(), &transmit))
    }
}

/// Lets datagrams be cut on their way where a link is too narrow for them, instead of being lost: `quinn-udp`
/// forbids it, for QUIC finds out what a path carries, and RTP does not. What leaves here is as long as its
/// publisher made it, and a few bytes more.
///
/// With IPv4 the routers cut (`OMIT`, which also ignores what ICMP messages say of the path: they can be forged).
/// With IPv6 we do, as routers say how (`WANT`).
#[cfg(target_os = "linux")]
fn allow_fragments(socket: &std::net::UdpSocket, v6: bool) -> io::Result<()> {
    use rustix::net::sockopt::{
        Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, set_ip_mtu_discover, set_ipv6_mtu_discover,
    };
    if v6 {
        set_ipv6_mtu_discover(socket, Ipv6PathMtuDiscovery::WANT)?;
    } else {
        set_ip_mtu_discover(socket, Ipv4PathMtuDiscovery::OMIT)?;
    }
    Ok(())
}

/// Other systems cut unless they are told not to.
#[cfg(not(target_os = "linux"))]
const fn allow_fragments(_: &std::net::UdpSocket, _: bool) -> io::Result<()> {
    Ok(())
}

/// Binds every address on one port. A family that the machine lacks is skipped; nothing at all is an error.
pub(crate) fn bind_all(
    addresses: &[IpAddr],
    port: u16,
    buffer_bytes: usize,
) -> io::Result<Vec<MediaSocket>> {
    let bound = bind::on_all(addresses, port, "media", |address| {
        let socket = MediaSocket::bind(address, buffer_bytes)?;
        let address = socket.address();
        Ok((socket, address))
    })?;
    Ok(bound.into_iter().map(|(socket, _)| socket).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (MediaSocket, std::net::UdpSocket) {
        let loopback = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
        let ours = MediaSocket::bind(SocketAddr::new(loopback, 0), 1 << 20).unwrap();
        let theirs = std::net::UdpSocket::bind((loopback, 0)).unwrap();
        let patience = std::time::Duration::from_secs(5);
        theirs.set_read_timeout(Some(patience)).unwrap();
        (ours, theirs)
    }

    fn arrived(theirs: &std::net::UdpSocket, count: usize) -> Vec<Vec<u8>> {
        let mut buffer = [0; 2_000];
        let mut one = || {
            let len = theirs.recv(&mut buffer).unwrap();
            buffer[..len].to_vec()
        };
        (0..count).map(|_| one()).collect()
    }

    #[test]
    fn a_train_arrives_as_its_datagrams() {
        let (ours, theirs) = pair();
        let (local, remote) = (ours.address().ip(), theirs.local_addr().unwrap());
        let train: Vec<u8> = (0..250_u8).collect();
        let sent = Sent {
            calls: 1,
            ..Sent::default()
        };
        assert_eq!(ours.send(local, remote, &train, 100), sent);
        let expected = train.chunks(100).map(<[u8]>::to_vec);
        assert_eq!(arrived(&theirs, 3), expected.collect::<Vec<_>>());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn datagrams_may_be_cut_on_their_way() {
        use rustix::net::sockopt::{Ipv4PathMtuDiscovery, ip_mtu_discover};
        let (ours, _theirs) = pair();
        let allowed = ip_mtu_discover(&ours.socket).unwrap();
        assert_eq!(allowed, Ipv4PathMtuDiscovery::OMIT);
    }

    #[test]
    fn a_datagram_that_the_system_refuses_is_dropped_and_counted_and_the_next_goes() {
        let (ours, theirs) = pair();
        let (local, remote) = (ours.address().ip(), theirs.local_addr().unwrap());
        // Longer than UDP can say.
        let long = vec![1; 65_535];
        let sent = ours.send(local, remote, &long, long.len());
        assert_eq!((sent.calls, sent.refused), (1, 1));
        assert_eq!(ours.send(local, remote, &[2; 9], 9).refused, 0);
        assert_eq!(arrived(&theirs, 1), [[2; 9]]);
    }

    #[test]
    fn a_train_that_the_system_refuses_goes_one_by_one() {
        let (ours, theirs) = pair();
        let (local, remote) = (ours.address().ip(), theirs.local_addr().unwrap());
        // More than any kernel takes as one train.
        let train = vec![7; 10 * 150];
        let sent = Sent {
            calls: 151,
            ..Sent::default()
        };
        assert_eq!(ours.send(local, remote, &train, 10), sent);
        assert!(
            arrived(&theirs, 150)
                .iter()
                .all(|datagram| datagram == &[7; 10])
        );
        assert_eq!(ours.train_max(), 1, "and no train is made after it");
    }
}
