//! Brings each command to the workers that have its room, and spreads rooms over them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::time::Instant;

use homeline_media_engine::EngineId;
use homeline_protocol::id::RoomId;
use homeline_protocol::media_control::MediaCommand;
use tokio::sync::mpsc;

use crate::link::MediaExchange;
use crate::orders::{Gathering, Losses, Order, ReplyTo, room_of};
use crate::placement::{Bounds, Placement, Way};
use crate::pulse::{Load, Pulse};

/// A worker's door: its orders, and how it is woken.
#[derive(Clone)]
pub(crate) struct Door {
    /// Its length is bounded by what the placement gives: nothing more to a worker for which too much waits.
    pub(crate) orders: Sender<Order>,
    pub(crate) waker: Arc<mio::Waker>,
    pub(crate) stopping: Arc<AtomicBool>,
    pub(crate) pulse: Arc<Pulse>,
}

impl Door {
    /// Wakes the worker to end.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.wake();
    }

    pub(crate) fn wake(&self) {
        if let Err(error) = self.waker.wake() {
            tracing::warn!(%error, "a media thread can't be woken");
        }
    }

    /// Gives an order, and waits for nothing. A worker that is gone drops it, and the reply with it, which says so.
    pub(crate) fn give(&self, order: Order) {
        self.pulse.gave();
        if self.orders.send(order).is_ok() {
            self.wake();
        }
    }

    /// How its worker stands.
    pub(crate) fn load(&self) -> Load {
        self.pulse.load(Instant::now())
    }
}

/// See the module's description. It never waits for a worker, so that one that hangs holds up nobody but its own rooms.
pub(crate) struct Router {
    doors: Vec<Door>,
    placement: Placement,
    losses: Arc<Losses>,
}

impl Router {
    pub(crate) fn new(doors: Vec<Door>, bounds: Bounds, losses: Arc<Losses>) -> Self {
        Self {
            placement: Placement::new(doors.len(), bounds),
            doors,
            losses,
        }
    }

    /// Runs until signaling is gone, then ends the workers.
    pub(crate) fn run(mut self, mut commands: mpsc::Receiver<MediaExchange>) {
        while let Some((command, reply)) = commands.blocking_recv() {
            for loss in self.losses.take() {
                let (room, workers) = self.placement.lose(loss);
                workers.into_iter().for_each(|at| self.close(at, room));
            }
            let loads = self.doors.iter().map(Door::load);
            self.placement.note_loads(loads);
            let way = match self.placement.way(&command) {
                Ok(way) => way,
                Err(error) => {
                    ReplyTo::One(reply).send(Err(error));
                    continue;
                }
            };
            let room = room_of(&command);
            match way {
                Way::To(at) => self.doors[at].give(Order::Command(command, ReplyTo::One(reply))),
                Way::ToAll(workers) => {
                    let gathering = Gathering::new(workers.len(), reply);
                    for at in workers {
                        let reply = ReplyTo::Part(Arc::clone(&gathering));
                        self.doors[at].give(Order::Command(command.clone(), reply));
                    }
                }
                Way::ToNew(at, others) => {
                    self.extend(room, at, &others);
                    self.doors[at].give(Order::Command(command, ReplyTo::One(reply)));
                }
                Way::ToLast(at) => {
                    self.doors[at].give(Order::Command(command, ReplyTo::One(reply)));
                    self.close(at, room);
                }
            }
        }
        self.doors.iter().for_each(Door::stop);
    }

    /// Gives a worker a part of a room. It has what comes next wait until it knows the others.
    fn extend(&self, room: RoomId, at: usize, others: &[usize]) {
        let with = others.iter().map(|other| EngineId(*other as u16));
        let with = with.collect();
        self.doors[at].give(Order::Extend { room, with });
    }

    fn close(&self, at: usize, room: RoomId) {
        let close = MediaCommand::CloseRoom { room };
        self.doors[at].give(Order::Command(close, ReplyTo::Nobody));
    }
}
