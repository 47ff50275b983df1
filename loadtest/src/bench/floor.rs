//! The floor: one packet in, each receiver's copy sealed and sent, nothing else.
//!
//! It opens nothing, stores nothing, numbers nothing but the nonce, keeps no timers and answers nobody.
//! Batches and trains are taken and sent as well as the system can: all that one wake-up brings, trains of
//! equal packets by segmentation offload, single ones by the plainest call that there is.

use std::collections::HashMap;
use std::io::{self, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use homeline_media_node::TransitTimes;
use mio::{Events, Interest, Poll, Token};
use quinn_udp::{RecvMeta, Transmit, UdpSocketState};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use crate::measure::Reading;
use crate::pin;

const BATCH: usize = 8;
const BUFFER_LEN: usize = 65_536;
const HEADER_LEN: usize = 12;
const TAG_LEN: usize = 16;

/// Packets gathered before they are sent: what keeps the first from waiting for a flood.
const GATHER_MAX: usize = 64;

/// Longest train: what fits a datagram of UDP at the sizes in use.
const TRAIN_MAX: usize = 32;

/// Packets in hand from which on it pays to look again before sending.
const LOOK_AGAIN_FROM: usize = 16;

const READING_INTERVAL: Duration = Duration::from_millis(100);

/// A running floor.
pub struct Floor {
    /// Where packets go in.
    pub address: SocketAddr,
    /// Whether the system sends trains of packets in one call (GSO).
    pub trains: bool,
    stop: Arc<AtomicBool>,
    timing: Arc<AtomicBool>,
    board: Arc<Mutex<Board>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

/// What a floor shows of itself.
#[derive(Clone, Copy, Default)]
struct Board {
    reading: Reading,
    inside: TransitTimes,
}

/// A packet that was taken, and when it had arrived in the kernel.
struct Taken {
    source: SocketAddr,
    packet: Vec<u8>,
    arrived: Option<SystemTime>,
}

impl Floor {
    /// Starts it on the measured core: what comes from a source goes to its receivers.
    ///
    /// # Errors
    /// When the socket or the thread can't be had.
    pub fn start(routes: HashMap<SocketAddr, Vec<SocketAddr>>, buffer: usize) -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = socket.local_addr()?;
        let state = UdpSocketState::new((&socket).into())?;
        state.set_recv_buffer_size((&socket).into(), buffer)?;
        state.set_send_buffer_size((&socket).into(), buffer)?;
        let (stop, timing, board) = (Arc::default(), Arc::default(), Arc::default());
        let mut program = Program {
            socket: mio::net::UdpSocket::from_std(socket),
            state,
            routes: HashMap::new(),
            slab: vec![0; GATHER_MAX * 2_048],
            number: 0,
            forwarded: 0,
            timing: Arc::clone(&timing),
            inside: TransitTimes::default(),
        };
        for (source, receivers) in routes {
            let keyed = |receiver| {
                let key = UnboundKey::new(&AES_128_GCM, &[7; 16])
                    .map_err(|_| io::Error::other("no key"))?;
                Ok((receiver, LessSafeKey::new(key)))
            };
            let receivers: io::Result<Vec<_>> = receivers.into_iter().map(keyed).collect();
            program.routes.insert(source, receivers?);
        }
        let trains = program.state.max_gso_segments() > 1;
        let (stopping, shown) = (Arc::clone(&stop), Arc::clone(&board));
        let thread = std::thread::Builder::new()
            .name("floor".to_owned())
            .spawn(move || {
                pin::this_thread(pin::MEASURED);
                program.run(&stopping, &shown)
            })?;
        Ok(Self {
            address,
            trains,
            stop,
            timing,
            board,
            thread: Some(thread),
        })
    }

    /// What it has done so far, at most a tenth of a second ago.
    pub fn reading(&self) -> Reading {
        self.board().reading
    }

    /// From now on it looks at the clock for each copy, or does not: that costs, so that nothing else should be
    /// measured meanwhile.
    pub fn time_inside(&self, on: bool) {
        self.timing.store(on, Ordering::Relaxed);
    }

    /// How long copies were inside while they were timed, from the kernel's arrival of a packet until its copy was
    /// sent; at most a tenth of a second ago.
    pub fn inside(&self) -> TransitTimes {
        self.board().inside
    }

    fn board(&self) -> Board {
        *self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

struct Program {
    socket: mio::net::UdpSocket,
    state: UdpSocketState,
    routes: HashMap<SocketAddr, Vec<(SocketAddr, LessSafeKey)>>,
    slab: Vec<u8>,
    number: u64,
    forwarded: u64,
    timing: Arc<AtomicBool>,
    inside: TransitTimes,
}

impl Program {
    fn run(&mut self, stop: &AtomicBool, board: &Mutex<Board>) -> io::Result<()> {
        let mut poll = Poll::new()?;
        poll.registry()
            .register(&mut self.socket, Token(0), Interest::READABLE)?;
        let mut events = Events::with_capacity(8);
        let mut buffers = vec![vec![0; BUFFER_LEN]; BATCH];
        let mut gathered: Vec<Taken> = Vec::new();
        let mut publish_at = Instant::now();
        while !stop.load(Ordering::Relaxed) {
            match poll.poll(&mut events, Some(READING_INTERVAL)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                polled => polled?,
            }
            loop {
                let (count, emptied) = self.gather(&mut buffers, &mut gathered);
                let copies: usize = gathered[..count]
                    .iter()
                    .filter_map(|taken| self.routes.get(&taken.source))
                    .map(Vec::len)
                    .sum();
                self.send(&gathered[..count]);
                if emptied && copies < LOOK_AGAIN_FROM || count == 0 {
                    break;
                }
            }
            let now = Instant::now();
            if publish_at <= now {
                publish_at = now + READING_INTERVAL;
                *board.lock().unwrap_or_else(PoisonError::into_inner) = Board {
                    reading: Reading {
                        forwarded: self.forwarded,
                        cpu: crate::measure::cpu_of_this_thread(),
                    },
                    inside: self.inside,
                };
            }
        }
        Ok(())
    }

    /// Takes what is there into the first places of `gathered`. Returns how many, and whether that was all.
    fn gather(&self, buffers: &mut [Vec<u8>], gathered: &mut Vec<Taken>) -> (usize, bool) {
        let mut count = 0;
        while count < GATHER_MAX {
            let mut meta = [RecvMeta::default(); BATCH];
            let mut slices = buffers.iter_mut().map(|buffer| IoSliceMut::new(buffer));
            let mut slices: [IoSliceMut<'_>; BATCH] =
                std::array::from_fn(|_| slices.next().expect("as many as a batch"));
            let received = self.socket.try_io(|| {
                self.state
                    .recv((&self.socket).into(), &mut slices, &mut meta)
            });
            let Ok(received) = received else {
                return (count, true);
            };
            for (buffer, meta) in buffers.iter().zip(&meta).take(received) {
                for datagram in buffer[..meta.len].chunks(meta.stride.max(1)) {
                    if gathered.len() == count {
                        gathered.push(Taken {
                            source: meta.addr,
                            packet: Vec::with_capacity(2_048),
                            arrived: None,
                        });
                    }
                    let place = &mut gathered[count];
                    place.source = meta.addr;
                    place.packet.clear();
                    place.packet.extend_from_slice(datagram);
                    place.arrived = meta.timestamp.map(|at| SystemTime::UNIX_EPOCH + at);
                    count += 1;
                }
            }
            if received < BATCH {
                return (count, true);
            }
        }
        (count, false)
    }

    /// Seals and sends, source by source and receiver by receiver.
    fn send(&mut self, gathered: &[Taken]) {
        let timing = self.timing.load(Ordering::Relaxed);
        for trains in gathered.chunk_by(|one, other| {
            one.source == other.source && one.packet.len() == other.packet.len()
        }) {
            let Some(receivers) = self.routes.get(&trains[0].source) else {
                continue;
            };
            for train in trains.chunks(TRAIN_MAX) {
                for (receiver, key) in receivers {
                    let mut at = 0;
                    for taken in train {
                        self.number += 1;
                        at += seal(key, self.number, &taken.packet, &mut self.slab[at..]);
                    }
                    let len = train[0].packet.len() + TAG_LEN;
                    if train.len() == 1 || self.state.max_gso_segments() < train.len() {
                        for part in self.slab[..at].chunks(len) {
                            // What the system does not take is lost, as on a network.
                            drop(self.socket.send_to(part, *receiver));
                        }
                    } else {
                        let transmit = Transmit {
                            destination: *receiver,
                            ecn: None,
                            contents: &self.slab[..at],
                            segment_size: Some(len),
                            src_ip: None,
                        };
                        drop(self.state.try_send((&self.socket).into(), &transmit));
                    }
                    self.forwarded += train.len() as u64;
                    if let Some(arrived) = train[0].arrived.filter(|_| timing) {
                        let time = SystemTime::now().duration_since(arrived);
                        self.inside
                            .note(time.unwrap_or_default(), train.len() as u64);
                    }
                }
            }
        }
    }
}

/// Copy, header, nonce, seal: the hand-written forward.
fn seal(key: &LessSafeKey, number: u64, packet: &[u8], out: &mut [u8]) -> usize {
    let end = packet.len();
    out[..end].copy_from_slice(packet);
    out[2..4].copy_from_slice(&(number as u16).to_be_bytes());
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&number.to_be_bytes());
    let (header, body) = out[..end].split_at_mut(HEADER_LEN);
    let nonce = Nonce::assume_unique_for_key(nonce);
    let tag = key
        .seal_in_place_separate_tag(nonce, Aad::from(header), body)
        .expect("a datagram is far below the limit");
    out[end..end + TAG_LEN].copy_from_slice(tag.as_ref());
    end + TAG_LEN
}
