//! Brings each command to the workers that have its room, and spreads rooms over them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use homeline_media_engine::EngineId;
use homeline_protocol::id::RoomId;
use homeline_protocol::media_control::MediaCommand;
use tokio::sync::mpsc;

use crate::link::MediaExchange;
use crate::orders::{Gathering, Losses, Order, ReplyTo};
use crate::placement::{Bounds, Placement, Way};

/// How long a command waits for the parts of its room to know of each other. Without them all works as well, but a
/// receiver that comes first does not learn which sound belongs to which picture.
const WHOLE_TIMEOUT: Duration = Duration::from_secs(1);

/// A worker's door: its orders, and how it is woken.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) orders: SyncSender<Order>,
    pub(crate) waker: Arc<mio::Waker>,
    pub(crate) stopping: Arc<AtomicBool>,
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

    /// Gives an order. A worker that is gone drops it, and the reply with it, which says so.
    pub(crate) fn give(&self, order: Order) {
        if self.orders.send(order).is_ok() {
            self.wake();
        }
    }
}

/// See the module's description.
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

    /// Gives a worker a part of a room, and waits until it knows the others.
    fn extend(&self, room: RoomId, at: usize, others: &[usize]) {
        let (whole, known) = sync_channel(1);
        let with = others.iter().map(|other| EngineId(*other as u16));
        self.doors[at].give(Order::Extend {
            room,
            with: with.collect(),
            whole,
        });
        if known.recv_timeout(WHOLE_TIMEOUT).is_err() {
            tracing::warn!(%room, "the parts of a room know each other late");
        }
    }

    fn close(&self, at: usize, room: RoomId) {
        let close = MediaCommand::CloseRoom { room };
        self.doors[at].give(Order::Command(close, ReplyTo::Nobody));
    }
}

const fn room_of(command: &MediaCommand) -> RoomId {
    match command {
        MediaCommand::CreateRoom { room }
        | MediaCommand::CloseRoom { room }
        | MediaCommand::Negotiate { room, .. }
        | MediaCommand::SetForwarding { room, .. }
        | MediaCommand::SetTrackForwarding { room, .. }
        | MediaCommand::RemovePeer { room, .. }
        | MediaCommand::RequestKeyFrames { room }
        | MediaCommand::SetView { room, .. }
        | MediaCommand::Statistics { room } => *room,
    }
}
