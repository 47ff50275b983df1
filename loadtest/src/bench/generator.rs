//! One thread that plays all peers: sends each flow's bursts on time, answers, and counts what arrives.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::{Timespec, epoll};
use str0m::media::{MediaKind, Mid};
use str0m::rtp::ExtensionValues;

use super::endpoint::{Endpoint, Target};
use crate::media::descriptor::Descriptor;
use crate::peer::{Outgoing, Peer, Told};
use crate::shape::Flow;
use crate::sockets::drop_media;

/// How often peers are asked whether they want to be called; their timers are coarse.
const TEND_INTERVAL: Duration = Duration::from_millis(10);

/// The generator's core is its own: a thread that slept would have to be woken by whoever sends to it, which
/// on a network costs the sender nothing.
const NEVER_SLEEP: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 0,
};

/// A flow that is this late skips what it missed: the generator was held up, and a flood of its arrears is
/// not the load that was asked for.
const LATE_MAX: Duration = Duration::from_millis(100);

/// Ticks of a codec's clock from one burst to the next. No server here plays anything, and so one suits all.
const CLOCK_STEP: u32 = 960;

/// The size that pictures say they have.
const PICTURE: (u16, u16) = (1_280, 720);

/// Where a flow's packets come from.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// The track of a joined peer.
    Peer(Mid),
    /// Packets made as they are, to this address.
    Bare(SocketAddr),
}

struct Running {
    target: Target,
    endpoint: usize,
    flow: Flow,
    source: Source,
    due: Instant,
    bursts: usize,
    sequence: u64,
    /// A receiver waits for a key frame.
    key_wanted: bool,
}

/// What was sent and received in a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Traffic {
    /// Packets sent.
    pub sent: u64,
    /// Media packets received by all.
    pub received: u64,
}

/// See the module's description.
pub struct Generator {
    epoll: OwnedFd,
    endpoints: Vec<Endpoint>,
    flows: Vec<Running>,
    payload: Vec<u8>,
    buffer: Vec<u8>,
    tend_at: Instant,
    sent: u64,
}

impl Generator {
    /// Without endpoints.
    ///
    /// # Errors
    /// When the system gives no epoll.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            endpoints: Vec::new(),
            flows: Vec::new(),
            payload: vec![0x5a; 2_048],
            buffer: vec![0; 65_536],
            tend_at: Instant::now(),
            sent: 0,
        })
    }

    /// Adds an endpoint; returns its number.
    ///
    /// # Errors
    /// When the system can't watch its socket.
    pub fn add_endpoint(&mut self, endpoint: Endpoint) -> io::Result<usize> {
        let number = self.endpoints.len();
        epoll::add(
            &self.epoll,
            &endpoint.socket,
            epoll::EventData::new_u64(number as u64),
            epoll::EventFlags::IN,
        )?;
        self.endpoints.push(endpoint);
        Ok(number)
    }

    /// Adds a flow from an endpoint.
    pub fn add_flow(&mut self, endpoint: usize, flow: &Flow, source: Source) {
        self.flows.push(Running {
            target: self.endpoints[endpoint].target,
            endpoint,
            flow: flow.clone(),
            source,
            due: Instant::now(),
            bursts: 0,
            sequence: 1,
            key_wanted: true,
        });
    }

    /// Replaces the bursts of all flows.
    pub fn set_bursts(&mut self, bursts: &[u32], interval: Duration) {
        for running in &mut self.flows {
            running.flow.bursts = bursts.to_vec();
            running.flow.interval = interval;
        }
    }

    /// From now on the kernel drops media before most receivers' sockets, for loads that no reader on one
    /// core could take; each `one_in`th still gets it. Returns how many of the target's do.
    ///
    /// # Errors
    /// When the system takes no filter.
    pub fn sink_all_but_one_in(&mut self, target: Target, one_in: usize) -> io::Result<u64> {
        let mut left = 0;
        for (number, endpoint) in self.endpoints.iter().enumerate() {
            if endpoint.target != target || self.flows.iter().any(|flow| flow.endpoint == number) {
                continue;
            }
            if number.is_multiple_of(one_in) {
                left += 1;
            } else {
                drop_media(&endpoint.socket)?;
            }
        }
        Ok(left)
    }

    /// Whether every peer is connected.
    pub fn all_connected(&self) -> bool {
        self.endpoints
            .iter()
            .filter_map(|endpoint| endpoint.peer.as_ref())
            .all(|peer| peer.connected)
    }

    /// Drives one of the programs, or only keeps the peers alive, and returns what went to and fro.
    ///
    /// # Errors
    /// When the system can't wait for sockets.
    pub fn run(&mut self, target: Option<Target>, duration: Duration) -> io::Result<Traffic> {
        let started = Instant::now();
        let end = started + duration;
        let received = self.received();
        self.sent = 0;
        self.spread(target, started);
        let mut events = Vec::with_capacity(256);
        loop {
            let now = Instant::now();
            if now >= end {
                break;
            }
            self.send_due(target, now);
            if self.tend_at <= now {
                self.tend_at = now + TEND_INTERVAL;
                self.tend(now);
            }
            events.clear();
            let space = rustix::buffer::spare_capacity(&mut events);
            match epoll::wait(&self.epoll, space, Some(&NEVER_SLEEP)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            for event in &events {
                self.read(event.data.u64() as usize);
            }
        }
        Ok(Traffic {
            sent: self.sent,
            received: self.received() - received,
        })
    }

    fn received(&self) -> u64 {
        self.endpoints
            .iter()
            .map(|endpoint| endpoint.received)
            .sum()
    }

    /// Starts the flows evenly over their intervals, as independent senders are.
    fn spread(&mut self, target: Option<Target>, now: Instant) {
        let mut of_target: Vec<&mut Running> = self
            .flows
            .iter_mut()
            .filter(|flow| Some(flow.target) == target)
            .collect();
        let count = of_target.len() as u32;
        for (at, running) in of_target.iter_mut().enumerate() {
            running.due = now + running.flow.interval * at as u32 / count.max(1);
        }
    }

    /// Sends what is due.
    fn send_due(&mut self, target: Option<Target>, now: Instant) {
        for at in 0..self.flows.len() {
            if self.flows[at].due <= now && Some(self.flows[at].target) == target {
                self.send_burst(at, now);
            }
        }
    }

    fn send_burst(&mut self, at: usize, now: Instant) {
        let running = &mut self.flows[at];
        let count = running.flow.bursts[running.bursts % running.flow.bursts.len()];
        running.bursts += 1;
        running.due += running.flow.interval;
        if now.saturating_duration_since(running.due) > LATE_MAX {
            running.due = now;
        }
        let endpoint = &mut self.endpoints[running.endpoint];
        match (running.source, &mut endpoint.peer) {
            (Source::Bare(to), _) => {
                // As long as the node's packets are when sealed: header and tag.
                let len = 12 + running.flow.payload;
                let packet = &mut self.payload[..len];
                packet[..2].copy_from_slice(&[0x80, 96]);
                for _ in 0..count {
                    // What the system does not take is lost, as on a network.
                    drop(endpoint.socket.send_to(packet, to));
                }
            }
            (Source::Peer(mid), Some(peer)) => {
                let payload = &self.payload[..running.flow.payload];
                running.write(now, mid, count, (peer, endpoint.describes), payload);
                peer.timeout(now);
                // Sealed first and sent together, as a sender's pacer does.
                let mut ready = Vec::new();
                peer.poll_all(|told| match told {
                    Told::Datagram(to, bytes) => ready.push((to, bytes.to_vec())),
                    Told::KeyFrame(_) => running.key_wanted = true,
                    Told::Packet(_) => {}
                });
                for (to, bytes) in ready {
                    drop(endpoint.socket.send_to(&bytes, to));
                }
            }
            (Source::Peer(_), None) => {}
        }
        self.sent += u64::from(count);
    }

    /// Lets the peers' time pass.
    fn tend(&mut self, now: Instant) {
        for number in 0..self.endpoints.len() {
            let endpoint = &mut self.endpoints[number];
            let Some(peer) = endpoint.peer.as_mut().filter(|peer| peer.due <= now) else {
                continue;
            };
            peer.timeout(now);
            if endpoint.poll() {
                self.want_key_frame(number);
            }
        }
    }

    fn read(&mut self, number: usize) {
        if let Some(endpoint) = self.endpoints.get_mut(number)
            && endpoint.read(&mut self.buffer)
        {
            self.want_key_frame(number);
        }
    }

    fn want_key_frame(&mut self, endpoint: usize) {
        let own = self
            .flows
            .iter_mut()
            .filter(|flow| flow.endpoint == endpoint);
        own.for_each(|flow| flow.key_wanted = true);
    }
}

impl Running {
    /// Queues a burst, which is a frame where it is a picture.
    fn write(
        &mut self,
        now: Instant,
        mid: Mid,
        count: u32,
        (peer, describes): (&mut Peer, bool),
        payload: &[u8],
    ) {
        let picture = describes && self.flow.kind == MediaKind::Video;
        let key = std::mem::take(&mut self.key_wanted).then_some(PICTURE);
        for number in 0..count {
            self.sequence += 1;
            let mut extensions = ExtensionValues::default();
            if picture {
                extensions.user_values.set(Descriptor {
                    first: number == 0,
                    last: number + 1 == count,
                    frame: self.bursts as u16,
                    key,
                });
            }
            let packet = Outgoing {
                mid,
                rid: None,
                sequence: self.sequence,
                time: (self.bursts as u32).wrapping_mul(CLOCK_STEP),
                marker: number + 1 == count,
                payload,
                extensions,
            };
            peer.send(now, packet);
        }
    }
}
