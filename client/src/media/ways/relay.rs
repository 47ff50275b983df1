//! A connection through a relay (TURN, RFC 8656): over UDP, TCP or TLS. The protocol is of the `rtc-turn` crate.
//!
//! One relayed connection leads to all of the media node's addresses of its family, each by a stand-in of its own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use rtc::crypto;
use rtc::sansio::Protocol as _;
use rtc::shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use rtc::turn::client::{Client, ClientConfig, Event};
use tokio::net::UdpSocket;

use super::carrier::Route;
use super::path::{Common, Ending, WayError, within};
use super::wire::{Framing, Wire};
use homeline_protocol::Secret;
use homeline_protocol::session::{RelayServer, RelayTransport};

/// An answer over a connection that is up takes no longer. Over UDP requests are repeated meanwhile.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(5);

/// The last word, that the relayed connection is not needed any more, may take so long to leave.
const GOODBYE_TIME_MAX: Duration = Duration::from_millis(100);

/// The library wants addresses. A connection has only one other end, so that any will do (RFC 5737).
const NEAR: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
const FAR: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 3478);

/// A relay, and what opens it.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) server: RelayServer,
    pub(super) username: String,
    pub(super) credential: Secret,
}

impl Place {
    fn describe(&self, host: &str) -> String {
        let over = match self.server.transport {
            RelayTransport::Udp => "UDP",
            RelayTransport::Tcp => "TCP",
            RelayTransport::Tls => "TLS",
        };
        format!("relay over {over} at {host}:{}", self.server.port)
    }
}

/// Leads to these addresses of the media node until it ends.
pub(super) async fn relayed(
    common: Common,
    place: Place,
    peers: Vec<SocketAddr>,
    priority: u32,
) -> Result<Ending, WayError> {
    let host = place.server.host.as_deref().unwrap_or(common.server.host());
    let way = place.describe(host);
    let wire = within(&way, wire(&common, &place.server, host)).await?;
    let udp = place.server.transport == RelayTransport::Udp;
    let config = ClientConfig {
        turn_serv_addr: FAR.to_string(),
        local_addr: NEAR,
        transport_protocol: match udp {
            true => TransportProtocol::UDP,
            false => TransportProtocol::TCP,
        },
        username: place.username,
        password: place.credential.expose().to_owned(),
        ..ClientConfig::default()
    };
    let client = crypto::default_provider()
        .map_err(|why| webrtc::error::Error::Crypto(why.to_string()))
        .and_then(|provider| Client::new(config, provider));
    let client = client.map_err(|why| WayError::WebRtc {
        way: way.clone(),
        why,
    })?;
    let run = Run {
        common,
        way,
        wire,
        client,
        relayed: None,
        peers,
        priority,
        open: Vec::new(),
    };
    run.run().await
}

async fn wire(common: &Common, server: &RelayServer, host: &str) -> std::io::Result<Wire> {
    if server.transport != RelayTransport::Udp {
        let tls = server.transport == RelayTransport::Tls;
        let stream = common.server.dial(host, server.port, tls).await?;
        return Ok(Wire::stream(stream, Framing::Turn));
    }
    let bare = host.trim_matches(['[', ']']);
    let mut failed = std::io::ErrorKind::NotFound.into();
    for address in tokio::net::lookup_host((bare, server.port)).await? {
        let any: IpAddr = match address {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind((any, 0)).await?;
        match socket.connect(address).await {
            Ok(()) => return Ok(Wire::udp(socket)),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

struct Run {
    common: Common,
    way: String,
    wire: Wire,
    client: Client,
    relayed: Option<SocketAddr>,
    peers: Vec<SocketAddr>,
    priority: u32,
    /// Peers that the relay permits, and their stand-ins.
    open: Vec<(SocketAddr, Route)>,
}

impl Run {
    async fn run(mut self) -> Result<Ending, WayError> {
        let begun = self.client.allocate(Instant::now());
        begun.map_err(|why| self.broken(why))?;
        let answer = tokio::time::sleep(ANSWER_TIME_MAX);
        let mut answer = Box::pin(answer);
        let mut closing = Box::pin(self.common.until_reserve_is_closed());
        let (mut in_reserve, over) = (true, self.common.clone());
        loop {
            self.drain().await?;
            let due = self
                .client
                .poll_timeout()
                .map(tokio::time::Instant::from_std);
            tokio::select! {
                datagram = self.wire.receive() => match datagram {
                    Some(datagram) => self.read(&datagram),
                    None if self.in_use() => return Ok(Ending::InUse),
                    None => return Err(WayError::Ended { way: self.way }),
                },
                (at, datagram) = outgoing(&mut self.open) => self.write(at, &datagram),
                () = tokio::time::sleep_until(due.unwrap_or_else(tokio::time::Instant::now)),
                    if due.is_some() =>
                {
                    let ticked = self.client.handle_timeout(Instant::now());
                    ticked.map_err(|why| self.broken(why))?;
                }
                () = &mut answer, if self.open.is_empty() => {
                    return Err(WayError::NoAnswer { way: self.way });
                }
                all = &mut closing, if in_reserve => {
                    in_reserve = false;
                    if all || !self.in_use() {
                        return Ok(self.leave().await);
                    }
                    tracing::info!(way = self.way, "media goes this way");
                }
                () = over.is_over(), if !in_reserve => return Ok(self.leave().await),
            }
        }
    }

    /// What the protocol wants told and sent.
    async fn drain(&mut self) -> Result<(), WayError> {
        while let Some(event) = self.client.poll_event() {
            match event {
                Event::AllocateResponse(_, relayed) => self.permit(relayed)?,
                Event::AllocateError(_, why) => return Err(self.refused(&why)),
                Event::CreatePermissionResponse(_, peer) => self.permitted(peer).await?,
                // One of several; a relay that permits none is given up when the time for an answer is over.
                Event::CreatePermissionError(_, why) => {
                    tracing::debug!(way = self.way, %why, "an address that the relay does not lead to");
                }
                Event::DataIndicationOrChannelData(_, peer, datagram) => {
                    if let Some((_, route)) = self.open.iter().find(|(known, _)| *known == peer) {
                        let datagram = datagram.to_vec();
                        self.common.carrier.deliver(route.stand_in, datagram);
                    }
                }
                Event::TransactionTimeout(_) if self.open.is_empty() => {
                    return Err(WayError::NoAnswer {
                        way: self.way.clone(),
                    });
                }
                _ => {}
            }
        }
        while let Some(message) = self.client.poll_write() {
            self.wire.send(message.message.to_vec());
        }
        Ok(())
    }

    fn permit(&mut self, relayed: SocketAddr) -> Result<(), WayError> {
        self.relayed = Some(relayed);
        let now = Instant::now();
        let family = relayed.is_ipv4();
        let fits = self.peers.iter().filter(|peer| peer.is_ipv4() == family);
        let asked = self.client.relay(relayed).and_then(|mut relay| {
            for peer in fits {
                relay.create_permission(now, *peer)?;
            }
            Ok(())
        });
        asked.map_err(|why| self.broken(why))
    }

    async fn permitted(&mut self, peer: SocketAddr) -> Result<(), WayError> {
        // A permission is renewed every two minutes.
        if self.open.iter().any(|(known, _)| *known == peer) {
            return Ok(());
        }
        let route = self.common.offer(&self.way, self.priority).await?;
        self.open.push((peer, route));
        Ok(())
    }

    fn read(&mut self, datagram: &[u8]) {
        let message = TaggedBytesMut {
            now: Instant::now(),
            transport: TransportContext {
                local_addr: NEAR,
                peer_addr: FAR,
                ecn: None,
                transport_protocol: TransportProtocol::UDP,
            },
            message: datagram.into(),
        };
        if let Err(error) = self.client.handle_read(message) {
            tracing::debug!(way = self.way, %error, "a message of the relay was not understood");
        }
    }

    fn write(&mut self, at: usize, datagram: &[u8]) {
        let (Some(relayed), Some((peer, _))) = (self.relayed, self.open.get(at)) else {
            return;
        };
        let sent = self
            .client
            .relay(relayed)
            .and_then(|mut relay| relay.send_to(Instant::now(), datagram, *peer));
        if let Err(error) = sent {
            tracing::debug!(way = self.way, %error, "a datagram was not relayed");
        }
    }

    fn in_use(&self) -> bool {
        let mut routes = self.open.iter();
        routes.any(|(_, route)| self.common.carrier.uses(route.stand_in))
    }

    /// Gives the relayed connection back, which otherwise the relay would keep for minutes.
    async fn leave(mut self) -> Ending {
        if let Some(relayed) = self.relayed
            && let Ok(mut relay) = self.client.relay(relayed)
            && relay.close(Instant::now()).is_ok()
        {
            while let Some(message) = self.client.poll_write() {
                self.wire.send(message.message.to_vec());
            }
            let flushing = tokio::time::timeout(GOODBYE_TIME_MAX, self.wire.flush());
            flushing.await.ok();
        }
        Ending::Reserve
    }

    fn refused(&self, why: &webrtc::error::Error) -> WayError {
        WayError::Refused {
            way: self.way.clone(),
            why: why.to_string(),
        }
    }

    fn broken(&self, why: webrtc::error::Error) -> WayError {
        WayError::WebRtc {
            way: self.way.clone(),
            why,
        }
    }
}

/// The next datagram from ICE, and to which of the peers.
async fn outgoing(open: &mut [(SocketAddr, Route)]) -> (usize, Vec<u8>) {
    std::future::poll_fn(|cx| {
        for (at, (_, route)) in open.iter_mut().enumerate() {
            if let std::task::Poll::Ready(Some(datagram)) = route.outgoing.poll_recv(cx) {
                return std::task::Poll::Ready((at, datagram));
            }
        }
        std::task::Poll::Pending
    })
    .await
}
