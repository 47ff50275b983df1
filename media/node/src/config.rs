//! The media node's configuration.

use std::net::IpAddr;
use std::num::NonZeroU16;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::control::ControlConfig;
use crate::turn::TurnConfig;

/// What the media threads optimise for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OperatingPoint {
    /// Every packet is sent on as soon as it is there.
    #[default]
    Latency,
    /// Packets wait up to half a millisecond for others, so that more are handled at once.
    Economy,
}

/// How the media node (SFU) is reached, and its limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NodeConfig {
    /// Addresses on which media is received. The default is all addresses, IPv4 and IPv6; a family that the
    /// machine lacks is skipped.
    #[schemars(with = "Vec<String>")]
    pub bind: Vec<IpAddr>,
    /// UDP port of all media, the same for IPv4 and IPv6: the one to let through a firewall and to forward
    /// on a router. When another program has it, the server does not start. 0 takes a free one, which no
    /// rule can name.
    pub udp_port: u16,
    /// Whether media can come by TCP as well, for clients whose network lets no UDP through. It costs nothing
    /// while nobody needs it.
    pub tcp: bool,
    /// TCP port of media; the default is the number of the UDP port. Each worker has the next after it, as with
    /// `udp_port`. Let it through a firewall and forward it on a router like the UDP port. 0 takes a free one.
    pub tcp_port: Option<u16>,
    /// TCP connections that one media thread serves at the same time; a further one is closed at once. Costs up
    /// to 0.2 MB each, for receivers that are slow.
    pub tcp_connections_max: usize,
    /// Addresses at which clients can reach this node, most preferred first. Empty means the addresses of
    /// this machine's interfaces, as they are at the moment, loopback only where there is no other. For callers from outside a home behind NAT, list
    /// the machine's address in the home and then the router's public address, and forward `udp_port` on it,
    /// by UDP and by TCP.
    #[schemars(with = "Vec<String>")]
    pub advertised_addresses: Vec<IpAddr>,
    /// Rooms (calls) at the same time; another call is refused. Costs about 1 kB each.
    pub rooms_max: usize,
    /// Peers (devices and apps) in one room; another one is refused.
    pub peers_per_room_max: usize,
    /// Tracks (microphone, camera, screen) that one peer may publish. A video track costs up to 0.75 MB for
    /// repair.
    pub tracks_per_peer_max: usize,
    /// Tracks that one peer may receive.
    pub subscriptions_per_peer_max: usize,
    /// Media threads. Each has its rooms and the next UDP port after `udp_port`, which a firewall and a router
    /// must let through as well. One carries hundreds of calls; a node for a community gives as many as the
    /// machine has cores.
    pub workers: NonZeroU16,
    /// Peers of one room on one media thread; further ones are placed on other threads, if there are several, and
    /// earlier where that thread uses four fifths of its core and another less. One thread sends 600,000 packets a
    /// second, and this many receivers of 10 Mbit/s each take half of that: a smaller room is cheaper on one thread,
    /// since nothing passes between threads then.
    pub room_peers_per_worker_max: usize,
    /// `latency` sends every packet on at once; `economy` lets packets wait up to half a millisecond for
    /// others, which costs less processor time for each under load.
    pub operating_point: OperatingPoint,
    /// Send alike packets for one receiver in a single call, where the system can. Off is for network cards
    /// or drivers that mishandle it.
    pub segmentation_offload: bool,
    /// Estimate what each receiver's connection carries, from its feedback, and send it no larger pictures than
    /// that: smaller ones at once when it narrows, larger ones again when it widens. Sound is never held back.
    /// Off sends everything to everybody.
    pub bandwidth_estimation: bool,
    /// Kernel buffer of each media socket, in bytes, for both directions. Holds what arrives while the media
    /// thread is busy; the kernel may grant less.
    pub socket_buffer_bytes: usize,
    /// How long the node may take to say goodbye to its peers when it stops, in seconds.
    pub shutdown_deadline_secs: u32,
    /// The HTTP interface that commands the media node, for operators and load tests (docs/media-node.md). A
    /// server with `roles = ["media"]` always has it.
    pub control: ControlConfig,
    /// The relay (TURN) for clients whose network blocks UDP to the media port. It relays to this node's own
    /// media sockets and to nothing else.
    pub turn: TurnConfig,
}

impl Default for NodeConfig {
    fn default() -> Self {
        Self {
            bind: vec![
                IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED),
                IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED),
            ],
            udp_port: 8444,
            tcp: true,
            tcp_port: None,
            tcp_connections_max: 1_000,
            advertised_addresses: Vec::new(),
            rooms_max: 1_000,
            peers_per_room_max: 100,
            tracks_per_peer_max: 8,
            subscriptions_per_peer_max: 256,
            workers: NonZeroU16::MIN,
            room_peers_per_worker_max: 250,
            operating_point: OperatingPoint::default(),
            segmentation_offload: true,
            bandwidth_estimation: true,
            socket_buffer_bytes: 2 * 1024 * 1024,
            shutdown_deadline_secs: 3,
            control: ControlConfig::default(),
            turn: TurnConfig::default(),
        }
    }
}
