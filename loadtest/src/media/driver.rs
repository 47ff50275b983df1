//! A thread that plays peers: sends each line's bursts on time, answers, and counts what arrives.
//!
//! Bursts keep to the times that were set at their beginning. A thread that was held up sends what it owes with
//! the times that were intended, and tells how late it was.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, Timespec, epoll, eventfd};

use super::recorder::Recorder;
use super::seat::Seat;
use crate::measure::cpu_of_this_thread;

/// How often peers are asked whether they want to be called; their timers are coarse.
const TEND_INTERVAL: Duration = Duration::from_millis(10);

/// A burst that is later than this is not sent but counted as skipped: a flood of arrears is not the load that
/// was asked for.
const LATE_MAX: Duration = Duration::from_secs(1);

/// The epoll number of the bell.
const BELL: u64 = u64::MAX;

/// What a thread is told.
enum Order {
    Seat(Box<Seat>),
    /// To send no more; what arrives is still counted.
    Quiet,
    Stop,
}

/// A running thread.
pub struct Driver {
    orders: Sender<Order>,
    bell: Arc<OwnedFd>,
    /// What it measures.
    pub recorder: Recorder,
    thread: Option<JoinHandle<()>>,
}

/// How to play.
#[derive(Clone, Copy, Debug)]
pub struct Play {
    /// What stamps count from.
    pub epoch: Instant,
    /// Never sleep: a sleeping thread has to be woken by whoever sends to it.
    pub spin: bool,
}

impl Driver {
    /// Starts it.
    ///
    /// # Errors
    /// When the system gives no thread, or nothing to wait with.
    pub fn start(number: usize, play: Play) -> io::Result<Self> {
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let bell = Arc::new(bell);
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let data = epoll::EventData::new_u64(BELL);
        epoll::add(&epoll, &bell, data, epoll::EventFlags::IN)?;
        let (orders, incoming) = mpsc::channel();
        let recorder = Recorder::default();
        let playing = Playing {
            play,
            epoll,
            bell: Arc::clone(&bell),
            orders: incoming,
            recorder: recorder.clone(),
            seats: Vec::new(),
            due: BinaryHeap::new(),
            quiet: false,
            tend_at: Instant::now(),
            payload: vec![0x5a; 2_048],
            buffer: vec![0; 65_536],
        };
        let thread = std::thread::Builder::new()
            .name(format!("peers-{number}"))
            .spawn(move || playing.run())?;
        Ok(Self {
            orders,
            bell,
            recorder,
            thread: Some(thread),
        })
    }

    /// Gives it a peer to play. What it sends begins once it is connected.
    pub fn seat(&self, seat: Seat) {
        self.order(Order::Seat(Box::new(seat)));
    }

    /// Lets its peers send no more media.
    pub fn quiet(&self) {
        self.order(Order::Quiet);
    }

    fn order(&self, order: Order) {
        // A thread that is gone has said why.
        if self.orders.send(order).is_ok() {
            rustix::io::write(&*self.bell, &1_u64.to_ne_bytes()).ok();
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.order(Order::Stop);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

struct Playing {
    play: Play,
    epoll: OwnedFd,
    bell: Arc<OwnedFd>,
    orders: Receiver<Order>,
    recorder: Recorder,
    seats: Vec<Seat>,
    /// When each line's next burst is due: the time, the seat and its line.
    due: BinaryHeap<Reverse<(Instant, usize, usize)>>,
    quiet: bool,
    tend_at: Instant,
    payload: Vec<u8>,
    buffer: Vec<u8>,
}

/// The thread is to end.
struct Over;

impl Playing {
    fn run(mut self) {
        let mut events = Vec::with_capacity(256);
        loop {
            let now = Instant::now();
            self.send_due(now);
            if self.tend_at <= now {
                self.tend_at = now + TEND_INTERVAL;
                self.tend(now);
            }
            let wait = self.wait();
            events.clear();
            let space = rustix::buffer::spare_capacity(&mut events);
            if let Err(error) = epoll::wait(&self.epoll, space, Some(&wait))
                && error != rustix::io::Errno::INTR
            {
                eprintln!("peers are not played any more: {error}");
                return;
            }
            for event in &events {
                match event.data.u64() {
                    BELL => {
                        if self.take_orders().is_err() {
                            return;
                        }
                    }
                    seat => self.read(seat as usize),
                }
            }
        }
    }

    /// Until the next burst or the next round of timers.
    fn wait(&self) -> Timespec {
        let next = self.due.peek().map_or(self.tend_at, |next| next.0.0);
        let next = next.min(self.tend_at);
        let wait = match self.play.spin {
            true => Duration::ZERO,
            false => next.saturating_duration_since(Instant::now()),
        };
        Timespec {
            tv_sec: wait.as_secs() as _,
            tv_nsec: wait.subsec_nanos().into(),
        }
    }

    fn take_orders(&mut self) -> Result<(), Over> {
        let mut rung = [0; 8];
        rustix::io::read(&*self.bell, &mut rung).ok();
        while let Ok(order) = self.orders.try_recv() {
            match order {
                Order::Seat(seat) => self.take_seat(*seat),
                Order::Quiet => {
                    self.quiet = true;
                    self.due.clear();
                }
                Order::Stop => return Err(Over),
            }
        }
        Ok(())
    }

    fn take_seat(&mut self, seat: Seat) {
        let number = self.seats.len();
        let data = epoll::EventData::new_u64(number as u64);
        if let Err(error) = epoll::add(&self.epoll, &seat.socket, data, epoll::EventFlags::IN) {
            eprintln!("a peer can't be played: {error}");
            return;
        }
        self.seats.push(seat);
        self.tend_at = Instant::now();
    }

    fn send_due(&mut self, now: Instant) {
        if self.due.peek().is_none_or(|next| next.0.0 > now) {
            return;
        }
        let mut measured = self.recorder.lock();
        while let Some(&Reverse((intended, seat, line))) = self.due.peek()
            && intended <= now
        {
            self.due.pop();
            let interval = self.seats[seat].lines[line].interval;
            self.due.push(Reverse((intended + interval, seat, line)));
            let now = Instant::now();
            let late = now.saturating_duration_since(intended);
            measured.late.record(late);
            if late > LATE_MAX {
                measured.totals.skipped += 1;
                continue;
            }
            let with = (self.play.epoch, self.payload.as_mut_slice());
            self.seats[seat].send_burst(line, (intended, now), with, &mut measured);
        }
    }

    fn tend(&mut self, now: Instant) {
        let mut measured = self.recorder.lock();
        let (mut connected, mut broken) = (0, 0);
        for (number, seat) in self.seats.iter_mut().enumerate() {
            if seat.peer.due <= now {
                seat.tend((now, self.play.epoch), &mut measured);
            }
            if !seat.peer.lives() {
                broken += 1;
            } else if seat.peer.connected {
                connected += 1;
            }
            if seat.peer.connected
                && let Some(joined) = seat.joined.take()
            {
                // Whoever gave up waiting has counted that.
                joined.send(now).ok();
                if self.quiet {
                    continue;
                }
                for (line, of) in seat.lines.iter().enumerate() {
                    let first = now + of.interval.mul_f64(of.phase);
                    self.due.push(Reverse((first, number, line)));
                }
            }
        }
        measured.totals.connected = connected;
        measured.totals.broken = broken;
        measured.totals.cpu = cpu_of_this_thread();
        measured.totals.busiest = measured.totals.cpu;
    }

    fn read(&mut self, number: usize) {
        if let Some(seat) = self.seats.get_mut(number) {
            let mut measured = self.recorder.lock();
            seat.read(self.play.epoch, &mut self.buffer, &mut measured);
            if seat.joined.is_some() && seat.peer.connected {
                self.tend_at = Instant::now();
            }
        }
    }
}
