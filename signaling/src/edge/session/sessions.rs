//! All sessions of this server: opening, taking up again, replacing, ending.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use homeline_protocol::id::{AccountId, DeviceId, SessionId};
use homeline_protocol::session::{ApiError, ErrorCode, Resume};
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};

use super::actor::{Actor, COMMANDS_MAX, Command, Socket};
use super::config::SessionConfig;
use super::dispatch::Services;
use super::figures::{Counters, SignalingFigures};
use super::words;
use crate::bus::Bus;
use crate::domain::limits::Origin;
use crate::model::{Clock, Speaker};

/// The sessions. Clones share them.
#[derive(Debug, Clone)]
pub struct Sessions(pub(super) Arc<Shared>);

/// What every session needs.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: SessionConfig,
    pub(super) services: Services,
    pub(super) bus: Bus,
    pub(super) clock: Clock,
    pub(super) counters: Counters,
    greeting: Arc<Semaphore>,
    table: Mutex<Table>,
    last_link: AtomicU64,
    closing: AtomicBool,
}

#[derive(Debug, Default)]
struct Table {
    by_id: HashMap<SessionId, Handle>,
    by_device: HashMap<DeviceId, SessionId>,
}

/// A running session.
#[derive(Debug, Clone)]
pub(super) struct Handle {
    commands: mpsc::Sender<Command>,
    done: watch::Receiver<()>,
    account: AccountId,
    device: Option<DeviceId>,
}

/// A connection's way to its session.
#[derive(Debug)]
pub(super) struct Attached {
    pub(super) link: u64,
    pub(super) commands: mpsc::Sender<Command>,
}

impl Sessions {
    /// No sessions yet.
    #[must_use]
    pub fn new(config: SessionConfig, services: Services, bus: Bus, clock: Clock) -> Self {
        Self(Arc::new(Shared {
            greeting: Arc::new(Semaphore::new(config.greeting_max as usize)),
            config,
            services,
            bus,
            clock,
            counters: Counters::default(),
            table: Mutex::default(),
            last_link: AtomicU64::new(0),
            closing: AtomicBool::new(false),
        }))
    }

    /// Counts for `/metrics`.
    #[must_use]
    pub fn figures(&self) -> SignalingFigures {
        let running = self.0.table().by_id.len();
        SignalingFigures {
            sessions: self.0.counters.snapshot(running),
            calls: self.0.services.calls.figures(),
        }
    }

    /// Ends all sessions with `shutting_down`, takes no new ones, and waits until all are told.
    /// The caller sets the deadline.
    pub async fn shut_down(&self) {
        self.0.closing.store(true, Ordering::SeqCst);
        let handles: Vec<_> = self.0.table().by_id.values().cloned().collect();
        for handle in &handles {
            handle.end(words::shutting_down()).await;
        }
        for handle in handles {
            handle.wait_until_done().await;
        }
    }

    /// Takes a session up again if it can be, else opens a new one in place of the device's last.
    pub(super) async fn attach(
        &self,
        speaker: Speaker,
        resume: Option<Resume>,
        (origin, frames): (Origin, mpsc::Sender<super::actor::ToSocket>),
    ) -> Result<Attached, ApiError> {
        let link = self.0.last_link.fetch_add(1, Ordering::SeqCst) + 1;
        let socket = Socket {
            link,
            origin,
            frames,
        };
        if let Some(resume) = resume
            && let Some(commands) = self.resume(&speaker, &resume, socket.clone()).await
        {
            return Ok(Attached { link, commands });
        }
        let commands = self.open(speaker, socket).await?;
        Ok(Attached { link, commands })
    }

    async fn resume(
        &self,
        speaker: &Speaker,
        resume: &Resume,
        socket: Socket,
    ) -> Option<mpsc::Sender<Command>> {
        let handle = self.0.table().by_id.get(&resume.session).cloned()?;
        if handle.account != speaker.account || handle.device != speaker.device {
            return None;
        }
        let (accepted, answer) = oneshot::channel();
        let attach = Command::Attach {
            socket,
            last_event: resume.last_event,
            accepted,
        };
        handle.commands.send(attach).await.ok()?;
        answer.await.ok()?.then_some(handle.commands)
    }

    async fn open(
        &self,
        speaker: Speaker,
        socket: Socket,
    ) -> Result<mpsc::Sender<Command>, ApiError> {
        let id = new_id()?;
        loop {
            let older = {
                let mut table = self.0.table();
                if self.0.is_closing() {
                    return Err(words::shutting_down());
                }
                match table.of_device(speaker.device) {
                    Some(older) => older,
                    None if table.by_id.len() >= self.0.config.sessions_max as usize => {
                        return Err(words::sessions_full());
                    }
                    None => {
                        let (actor, handle, done) = self.actor(id, speaker, socket);
                        let commands = handle.commands.clone();
                        table.insert(id, handle);
                        self.0.counters.opened();
                        tracing::info!(session = %id, "a session begins");
                        tokio::spawn(actor.run(done));
                        return Ok(commands);
                    }
                }
            };
            let (older_id, older) = older;
            older.end(words::ending(ErrorCode::SessionReplaced)).await;
            older.wait_until_done().await;
            // It forgets itself, unless it failed.
            self.0.forget(older_id, speaker.device);
        }
    }

    fn actor(
        &self,
        id: SessionId,
        speaker: Speaker,
        socket: Socket,
    ) -> (Actor, Handle, watch::Sender<()>) {
        let (commands, inbox) = mpsc::channel(COMMANDS_MAX);
        let (done, done_seen) = watch::channel(());
        let handle = Handle {
            commands,
            done: done_seen,
            account: speaker.account,
            device: speaker.device,
        };
        (
            Actor::new(id, speaker, Arc::clone(&self.0), inbox, socket),
            handle,
            done,
        )
    }
}

impl Shared {
    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }

    /// Leave to greet one more connection, if there are not too many.
    pub(super) fn greeting(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.greeting).try_acquire_owned().ok()
    }

    pub(super) fn forget(&self, id: SessionId, device: Option<DeviceId>) {
        let mut table = self.table();
        table.by_id.remove(&id);
        if let Some(device) = device
            && table.by_device.get(&device) == Some(&id)
        {
            table.by_device.remove(&device);
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn of_device(&self, device: Option<DeviceId>) -> Option<(SessionId, Handle)> {
        let id = *self.by_device.get(&device?)?;
        self.by_id.get(&id).map(|handle| (id, handle.clone()))
    }

    fn insert(&mut self, id: SessionId, handle: Handle) {
        if let Some(device) = handle.device {
            self.by_device.insert(device, id);
        }
        self.by_id.insert(id, handle);
    }
}

impl Handle {
    async fn end(&self, error: ApiError) {
        if self.commands.send(Command::End(error)).await.is_err() {
            tracing::trace!("the session had ended already");
        }
    }

    async fn wait_until_done(mut self) {
        // Closes when the actor is gone, even by a panic.
        while self.done.changed().await.is_ok() {}
    }
}

/// Not to be guessed, although the token is asked for as well.
fn new_id() -> Result<SessionId, ApiError> {
    let mut id = [0; 16];
    SystemRandom::new()
        .fill(&mut id)
        .map_err(|_| words::internal())?;
    Ok(SessionId(id))
}
