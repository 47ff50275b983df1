//! The sockets that ICE is given: UDP as the system has it, and datagrams of stand-ins beside.

use std::fmt;
use std::future::Future;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::mpsc;
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, RecvMeta, Runtime,
    TokioRuntime, Transmit,
};

use super::carrier::{Arrival, Carrier, is_stand_in};
use crate::media_ways::{MediaWays, Way};

/// Tokio, with sockets that know of stand-ins.
#[derive(Debug)]
pub(crate) struct Carrying {
    tokio: TokioRuntime,
    carrier: Arc<Carrier>,
    ways: MediaWays,
}

impl Carrying {
    pub(crate) fn new(carrier: Arc<Carrier>, ways: MediaWays) -> Self {
        Self {
            tokio: TokioRuntime,
            carrier,
            ways,
        }
    }
}

impl Runtime for Carrying {
    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        // Stand-ins are of IPv4, and so must be whoever ICE pairs them with.
        let ipv4 = socket.local_addr()?.is_ipv4();
        Ok(Arc::new(Socket {
            udp: self.tokio.wrap_udp_socket(socket)?,
            incoming: ipv4
                .then(|| self.carrier.attach())
                .flatten()
                .map(Mutex::new),
            carrier: Arc::clone(&self.carrier),
            direct: self.ways.allows(Way::Udp),
        }))
    }

    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) -> Box<dyn JoinHandle> {
        self.tokio.spawn(future)
    }

    fn wrap_tcp_listener(
        &self,
        listener: std::net::TcpListener,
    ) -> io::Result<Arc<dyn AsyncTcpListener>> {
        self.tokio.wrap_tcp_listener(listener)
    }

    fn connect_tcp<'a>(
        &'a self,
        remote: SocketAddr,
    ) -> Pin<Box<dyn Future<Output = io::Result<Arc<dyn AsyncTcpStream>>> + Send + 'a>> {
        self.tokio.connect_tcp(remote)
    }

    fn resolve_host<'a>(
        &'a self,
        host: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>> {
        self.tokio.resolve_host(host)
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
        self.tokio.sleep(duration)
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        self.tokio.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        self.tokio.block_on(future);
    }

    fn yield_now(&self) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
        self.tokio.yield_now()
    }

    fn name(&self) -> &'static str {
        self.tokio.name()
    }
}

struct Socket {
    udp: Arc<dyn AsyncUdpSocket>,
    carrier: Arc<Carrier>,
    /// Of the one socket that speaks with stand-ins. Only the task that receives takes the lock.
    incoming: Option<Mutex<mpsc::Receiver<Arrival>>>,
    /// Whether UDP may go out. Else it is as if the network blocked it.
    direct: bool,
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("udp", &self.udp).finish()
    }
}

impl AsyncUdpSocket for Socket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.udp.local_addr()
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        if is_stand_in(transmit.destination) {
            if self.incoming.is_some() {
                let size = transmit.segment_size.unwrap_or(transmit.contents.len());
                for datagram in transmit.contents.chunks(size.max(1)) {
                    self.carrier.send(transmit.destination, datagram);
                }
            }
            return Poll::Ready(Ok(transmit.contents.len()));
        }
        if !self.direct {
            return Poll::Ready(Ok(transmit.contents.len()));
        }
        self.carrier
            .sent_directly(transmit.destination, transmit.contents);
        self.udp.poll_send(cx, transmit)
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        if let Some(incoming) = &self.incoming {
            let arrival = incoming
                .lock()
                .expect("nothing panics while it is held")
                .poll_recv(cx);
            if let (Poll::Ready(Some((from, datagram))), Some(buffer), Some(meta)) =
                (arrival, bufs.first_mut(), meta.first_mut())
            {
                let len = datagram.len().min(buffer.len());
                buffer[..len].copy_from_slice(&datagram[..len]);
                *meta = RecvMeta::default();
                meta.addr = from;
                meta.len = len;
                meta.stride = len.max(1);
                return Poll::Ready(Ok(1));
            }
        }
        self.udp.poll_recv(cx, bufs, meta)
    }

    fn max_gso_segments(&self) -> usize {
        self.udp.max_gso_segments()
    }

    fn max_gro_segments(&self) -> usize {
        self.udp.max_gro_segments()
    }
}
