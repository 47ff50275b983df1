//! A link between two network interfaces of our own, as bad as it is told to be: for tests that run real programs
//! in network namespaces. The kernel has a module for this, which many machines lack.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use tun_rs::{DeviceBuilder, SyncDevice};

use crate::nat::{self, End};
use crate::weather::{Lane, Weather};

/// Bytes in the largest packet; what our interfaces take is less.
const PACKET_MAX: usize = 65_535;

/// Packets on their way in one direction; one more is dropped.
const ON_THEIR_WAY_MAX: usize = 10_000;

/// What passes a link at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fence {
    /// Whether UDP passes.
    pub udp: bool,
    /// TCP passes only from or to these ports; all of it without a list.
    pub tcp_ports: Option<Vec<u16>>,
    /// Of TCP only what looks like TLS passes: a packet with contents that begin otherwise is kept, as by a firewall
    /// that looks inside.
    pub only_tls: bool,
    /// Nothing passes.
    pub cut: bool,
    /// The address near, and the one by which it is known far: there is a router with NAT between them.
    pub known_as: Option<(Ipv4Addr, Ipv4Addr)>,
}

impl Default for Fence {
    fn default() -> Self {
        Self {
            udp: true,
            tcp_ports: None,
            only_tls: false,
            cut: false,
            known_as: None,
        }
    }
}

impl Fence {
    /// Whether this IPv4 packet passes. Others than UDP and TCP do, and so do later fragments.
    #[must_use]
    pub fn lets_through(&self, packet: &[u8]) -> bool {
        if self.cut {
            return false;
        }
        let (Some(first), Some(protocol)) = (packet.first(), packet.get(9)) else {
            return false;
        };
        let header = usize::from(first & 0x0f) * 4;
        match protocol {
            17 => self.udp,
            6 => {
                if self.only_tls && is_plain_stun(packet, header) {
                    return false;
                }
                let ports = packet.get(header..header + 4);
                let (Some(allowed), Some(ports)) = (&self.tcp_ports, ports) else {
                    return true;
                };
                ports
                    .chunks_exact(2)
                    .any(|port| allowed.contains(&u16::from_be_bytes([port[0], port[1]])))
            }
            _ => true,
        }
    }
}

/// Whether a TCP packet begins with a STUN message outside TLS: plain TURN. What is in the middle of a stream can't be
/// told, and its stream does not get so far.
fn is_plain_stun(packet: &[u8], header: usize) -> bool {
    let words = packet
        .get(header + 12)
        .map(|first| usize::from(first >> 4) * 4);
    let contents = words.and_then(|len| packet.get(header + len..));
    contents.and_then(|contents| contents.get(4..8)) == Some(&[0x21, 0x12, 0xa4, 0x42])
}

/// Which way a direction goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heading {
    /// From near to far.
    Up,
    Down,
}

/// Packets on their way in one direction.
struct Way {
    heading: Heading,
    lane: Lane,
    fence: Fence,
    /// By the time at which they arrive, then by the order in which they came.
    travelling: BinaryHeap<Reverse<(Instant, u64, Vec<u8>)>>,
    count: u64,
    passed: u64,
    lost: u64,
}

/// One direction of a link, shared by the thread that takes packets in and the one that lets them out.
struct Direction {
    way: Mutex<Way>,
    changed: Condvar,
}

/// A link between two interfaces, `NAME-near` and `NAME-far`. It lives as long as the program.
pub struct Link {
    /// From near to far.
    up: Arc<Direction>,
    down: Arc<Direction>,
}

/// What passed a link, and what did not.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Passed {
    /// Packets that entered and came out, or will.
    pub passed: u64,
    /// Packets that the weather or the fence kept.
    pub lost: u64,
}

impl Link {
    /// Makes the interfaces and lets packets through. They may be moved to other network namespaces.
    ///
    /// # Errors
    /// When the system has no such interfaces, or this program may not make them.
    pub fn open(name: &str, seed: u64) -> io::Result<Self> {
        let near = Arc::new(interface(&format!("{name}-near"))?);
        let far = Arc::new(interface(&format!("{name}-far"))?);
        Ok(Self {
            up: carry(&near, &far, Heading::Up, seed)?,
            down: carry(&far, &near, Heading::Down, seed.rotate_left(32))?,
        })
    }

    /// From now on the weather is this, each way.
    pub fn change(&self, up: Weather, down: Weather, fence: &Fence) {
        for (direction, weather) in [(&self.up, up), (&self.down, down)] {
            let mut way = direction.way.lock().unwrap_or_else(PoisonError::into_inner);
            way.lane.change(weather);
            way.fence = fence.clone();
        }
    }

    /// What passed so far: from near to far, and back.
    #[must_use]
    pub fn passed(&self) -> [Passed; 2] {
        [&self.up, &self.down].map(|direction| {
            let way = direction.way.lock().unwrap_or_else(PoisonError::into_inner);
            Passed {
                passed: way.passed,
                lost: way.lost,
            }
        })
    }
}

fn interface(name: &str) -> io::Result<SyncDevice> {
    DeviceBuilder::new()
        .name(name)
        .packet_information(false)
        .enable(false)
        .build_sync()
}

fn carry(
    from: &Arc<SyncDevice>,
    to: &Arc<SyncDevice>,
    heading: Heading,
    seed: u64,
) -> io::Result<Arc<Direction>> {
    let direction = Arc::new(Direction {
        way: Mutex::new(Way {
            heading,
            lane: Lane::new(seed),
            fence: Fence::default(),
            travelling: BinaryHeap::new(),
            count: 0,
            passed: 0,
            lost: 0,
        }),
        changed: Condvar::new(),
    });
    let (entrance, inside) = (Arc::clone(from), Arc::clone(&direction));
    std::thread::Builder::new()
        .name("entrance".to_owned())
        .spawn(move || take_in(&entrance, &inside))?;
    let (exit, inside) = (Arc::clone(to), Arc::clone(&direction));
    std::thread::Builder::new()
        .name("exit".to_owned())
        .spawn(move || let_out(&exit, &inside))?;
    Ok(direction)
}

fn take_in(from: &SyncDevice, direction: &Direction) {
    let mut buffer = vec![0; PACKET_MAX];
    loop {
        // An interface that is down gives errors until it is up.
        let Ok(len) = from.recv(&mut buffer) else {
            std::thread::sleep(std::time::Duration::from_millis(5));
            continue;
        };
        let packet = &mut buffer[..len];
        let now = Instant::now();
        let mut way = direction.way.lock().unwrap_or_else(PoisonError::into_inner);
        let open = way.fence.lets_through(packet) && way.travelling.len() < ON_THEIR_WAY_MAX;
        let arrives = if open { way.lane.pass(now, len) } else { None };
        let Some(arrives) = arrives else {
            way.lost += 1;
            continue;
        };
        match (way.fence.known_as, way.heading) {
            (Some((near, far)), Heading::Up) => nat::rewrite(packet, End::Source, near, far),
            (Some((near, far)), Heading::Down) => {
                nat::rewrite(packet, End::Destination, far, near);
            }
            (None, _) => {}
        }
        way.passed += 1;
        way.count += 1;
        let number = way.count;
        way.travelling
            .push(Reverse((arrives, number, packet.to_vec())));
        direction.changed.notify_one();
    }
}

fn let_out(to: &SyncDevice, direction: &Direction) {
    let mut way = direction.way.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let now = Instant::now();
        let due = way.travelling.peek().map(|Reverse((at, _, _))| *at);
        match due {
            Some(at) if at <= now => {
                let first = way.travelling.pop();
                drop(way);
                if let Some(Reverse((_, _, packet))) = first {
                    // An interface that is down loses what comes, as a cable that is out does.
                    to.send(&packet).ok();
                }
                way = direction.way.lock().unwrap_or_else(PoisonError::into_inner);
            }
            Some(at) => {
                let waited = direction.changed.wait_timeout(way, at - now);
                way = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
            None => {
                let waited = direction.changed.wait(way);
                way = waited.unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(protocol: u8, from: u16, to: u16) -> Vec<u8> {
        let mut packet = vec![0x45; 24];
        packet[9] = protocol;
        packet[20..22].copy_from_slice(&from.to_be_bytes());
        packet[22..24].copy_from_slice(&to.to_be_bytes());
        packet
    }

    #[test]
    fn a_fence_keeps_udp_or_all_but_some_ports() {
        let open = Fence::default();
        assert!(open.lets_through(&packet(17, 1, 2)) && open.lets_through(&packet(6, 1, 2)));
        let no_udp = Fence {
            udp: false,
            ..Fence::default()
        };
        assert!(!no_udp.lets_through(&packet(17, 1, 2)) && no_udp.lets_through(&packet(6, 1, 2)));
        let web = Fence {
            udp: false,
            tcp_ports: Some(vec![443]),
            ..Fence::default()
        };
        assert!(web.lets_through(&packet(6, 50_000, 443)));
        assert!(web.lets_through(&packet(6, 443, 50_000)));
        assert!(!web.lets_through(&packet(6, 50_000, 8_444)));
        let inside = Fence {
            only_tls: true,
            ..Fence::default()
        };
        let mut contents = packet(6, 50_000, 8_445);
        contents.resize(20 + 20, 0);
        contents[20 + 12] = 5 << 4;
        contents.extend([0x16, 3, 1, 0, 200, 1, 0, 0, 196]);
        assert!(inside.lets_through(&contents));
        contents.truncate(40);
        contents.extend([0, 3, 0, 8, 0x21, 0x12, 0xa4, 0x42]);
        assert!(!inside.lets_through(&contents));
        let cut = Fence {
            cut: true,
            ..Fence::default()
        };
        assert!(!cut.lets_through(&packet(6, 1, 2)));
        assert!(!open.lets_through(&[0x45]));
    }
}
