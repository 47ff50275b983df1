//! A node with all peers of a shape joined, a floor with the same routes, and another server where one is asked for.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use homeline_media_node::{Link, Node, NodeConfig};
use homeline_protocol::id::{PeerId, RoomId, TrackId};
use homeline_protocol::media_control::{MediaCommand, MediaReply, Publish, Subscribe};
use str0m::media::{Direction, Mid};
use tokio::runtime::Runtime;

use super::endpoint::{Endpoint, Target};
use super::floor::Floor;
use super::generator::{Generator, Source, Traffic};
use super::janus::Janus;
use super::setting::Setting;
use crate::measure::Reading;
use crate::peer::{Features, Peer};
use crate::pin;
use crate::shape::{Member, Shape};
use crate::sockets::peer_socket;

/// The programs' boards are renewed at least this often.
pub const BOARD: Duration = Duration::from_millis(300);

/// How long all peers may take to connect.
const CONNECT_MAX: Duration = Duration::from_secs(60);

/// All programs, joined.
pub struct Stage {
    /// The node that is measured.
    pub node: Node,
    /// The floor beside it.
    pub floor: Floor,
    /// What drives them.
    pub generator: Generator,
    janus: Option<Janus>,
    // Signaling's end: the node lives as long as it does.
    _link: Link,
}

impl Stage {
    /// Starts the programs on the measured core, and joins the peers; `beside` starts another server too.
    ///
    /// # Errors
    /// When a program does not start, or not all peers connect in a minute.
    pub fn new(shape: &Shape, setting: Setting, beside: bool) -> Result<Self> {
        let features = setting.features();
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let config = NodeConfig {
            bind: vec![loopback],
            advertised_addresses: vec![loopback],
            udp_port: 0,
            peers_per_room_max: 1_024,
            ..setting.config()
        };
        let buffer = config.socket_buffer_bytes;
        pin::this_thread(pin::MEASURED);
        let (node, link) = Node::start(config)?;
        pin::this_thread(pin::GENERATOR);
        let mut janus = beside.then(Janus::start).transpose()?;
        let mut generator = Generator::new()?;
        for (room, members) in shape.rooms.iter().enumerate() {
            let id = RoomId([room as u8; 16]);
            runtime
                .block_on(link.send(MediaCommand::CreateRoom { room: id }))
                .map_err(|error| anyhow::anyhow!("no room: {error:?}"))?;
            for (at, member) in members.iter().enumerate() {
                let join = Join {
                    room: id,
                    members,
                    at,
                    member,
                };
                join.run(&runtime, &link, features, &mut generator)?;
            }
        }
        if let Some(janus) = &mut janus {
            janus.join(shape, features, &mut generator)?;
        }
        wait_connected(&mut generator)?;
        let floor = floor_for(shape, &mut generator, buffer)?;
        Ok(Self {
            node,
            floor,
            generator,
            janus,
            _link: link,
        })
    }

    /// What a program has done so far, at most a quarter of a second ago. The other server does not tell what it
    /// forwarded, only the receivers do.
    ///
    /// # Errors
    /// When the program is not there.
    pub fn reading(&self, target: Target) -> Result<Reading> {
        Ok(match target {
            Target::Node => {
                let metrics = self.node.metrics();
                Reading {
                    forwarded: metrics.counters.rtp_forwarded,
                    cpu: metrics.cpu_time,
                }
            }
            Target::Floor => self.floor.reading(),
            Target::Janus => Reading {
                forwarded: 0,
                cpu: self.janus.as_ref().context("there is none")?.cpu()?,
            },
        })
    }

    /// Drives a program for so long; what went to and fro, and what it cost: microseconds for each packet.
    ///
    /// # Errors
    /// When the program is not there, or forwarded nothing.
    pub fn turn(&mut self, target: Target, length: Duration) -> Result<(Traffic, f64)> {
        // Boards are renewed now and then; what a program still does for the turn before is over by then.
        self.generator.run(Some(target), BOARD)?;
        let before = self.reading(target)?;
        let traffic = self.generator.run(Some(target), length)?;
        let mut after = self.reading(target)?;
        if target == Target::Janus {
            after.forwarded = traffic.received;
        }
        let cost = after
            .micros_since(&before)
            .with_context(|| format!("{target:?} forwarded nothing"))?;
        self.generator.run(None, BOARD)?;
        Ok((traffic, cost))
    }
}

/// Lets the peers' time pass until all of them are connected.
///
/// # Errors
/// When that takes more than a minute.
pub fn wait_connected(generator: &mut Generator) -> Result<()> {
    let deadline = Instant::now() + CONNECT_MAX;
    while !generator.all_connected() {
        if Instant::now() > deadline {
            bail!("not all peers are connected after a minute");
        }
        generator.run(None, Duration::from_millis(50))?;
    }
    Ok(())
}

struct Join<'a> {
    room: RoomId,
    members: &'a [Member],
    at: usize,
    member: &'a Member,
}

impl Join<'_> {
    fn run(
        &self,
        runtime: &Runtime,
        link: &Link,
        features: Features,
        generator: &mut Generator,
    ) -> Result<()> {
        let (socket, address) = peer_socket()?;
        let mut peer = Peer::new(Instant::now(), address, features)?;
        let kind_of = |(member, track): &(usize, usize)| self.members[*member].sends[*track].kind;
        let sends = self
            .member
            .sends
            .iter()
            .map(|flow| (flow.kind, Direction::SendOnly, Vec::new()));
        let takes = self
            .member
            .takes
            .iter()
            .map(|take| (kind_of(take), Direction::RecvOnly, Vec::new()));
        let (offer, mids) = peer.offer(sends.chain(takes).collect())?;
        let (sending, receiving) = mids.split_at(self.member.sends.len());
        let publish = sending.iter().enumerate().map(|(track, mid)| Publish {
            mid: mid.to_string(),
            track: track_id((self.at, track)),
        });
        let subscribe = receiving
            .iter()
            .zip(&self.member.takes)
            .map(|(mid, take)| Subscribe {
                mid: mid.to_string(),
                track: track_id(*take),
            });
        let id = peer_id(self.at);
        let negotiate = MediaCommand::Negotiate {
            room: self.room,
            peer: id,
            offer,
            publish: publish.collect(),
            subscribe: subscribe.collect(),
        };
        let on = MediaCommand::SetForwarding {
            room: self.room,
            peer: id,
            on: true,
        };
        match runtime.block_on(link.send(negotiate)) {
            Ok(MediaReply::Answer { sdp }) => peer.accept(&sdp)?,
            other => bail!("no answer: {other:?}"),
        }
        if let Err(error) = runtime.block_on(link.send(on)) {
            bail!("not forwarded: {error:?}");
        }
        let endpoint =
            generator.add_endpoint(Endpoint::joined(Target::Node, socket, peer, features))?;
        let mids: Vec<Mid> = sending.to_vec();
        for (flow, mid) in self.member.sends.iter().zip(mids) {
            generator.add_flow(endpoint, flow, Source::Peer(mid));
        }
        Ok(())
    }
}

fn peer_id(at: usize) -> PeerId {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&(at as u64).to_be_bytes());
    PeerId(bytes)
}

fn track_id((member, track): (usize, usize)) -> TrackId {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&(member as u64).to_be_bytes());
    bytes[15] = track as u8;
    TrackId(bytes)
}

/// Each track has a socket of its own towards the floor, which tells sources by their address.
fn floor_for(shape: &Shape, generator: &mut Generator, buffer: usize) -> Result<Floor> {
    let mut routes: HashMap<SocketAddr, Vec<SocketAddr>> = HashMap::new();
    let mut flows = Vec::new();
    let mut sinks = HashMap::new();
    for (room, members) in shape.rooms.iter().enumerate() {
        for (at, member) in members.iter().enumerate() {
            if !member.takes.is_empty() {
                let (socket, address) = peer_socket()?;
                generator.add_endpoint(Endpoint::bare(socket))?;
                sinks.insert((room, at), address);
            }
        }
    }
    for (room, at, track, flow, _) in shape.flows() {
        let (socket, address) = peer_socket()?;
        let endpoint = generator.add_endpoint(Endpoint::bare(socket))?;
        let takes = |member: &Member| member.takes.contains(&(at, track));
        let takers = shape.rooms[room]
            .iter()
            .enumerate()
            .filter(|(_, member)| takes(member));
        routes.insert(
            address,
            takers.map(|(taker, _)| sinks[&(room, taker)]).collect(),
        );
        flows.push((endpoint, flow));
    }
    let floor = Floor::start(routes, buffer)?;
    for (endpoint, flow) in flows {
        generator.add_flow(endpoint, flow, Source::Bare(floor.address));
    }
    Ok(floor)
}
