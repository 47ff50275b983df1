//! When which way is tried: direct UDP alone at first, then TCP, then the relays, until ICE has decided.
//!
//! ICE takes the first pair that answers and keeps it, so that what is nearer begins earlier. A device in a home
//! talks over UDP before anything else is tried, and costs the server no connection in reserve.

use std::sync::Arc;
use std::time::Duration;

use homeline_protocol::session::RelayServers;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, timeout_at};
use webrtc::peer_connection::PeerConnection;

use super::candidates::Candidates;
use super::carrier::Carrier;
use super::path::{Common, Ending, WayError, direct};
use super::relay::{Place, relayed};
use crate::media::PeerEvent;
use crate::media_ways::Way;
use crate::server::Server;

/// So long direct UDP is tried alone: five checks, and more than a second of round trip.
const UDP_ALONE: Duration = Duration::from_millis(1_500);

/// And each further way before the next begins beside it: time to connect, and for a check.
const STAGE: Duration = Duration::from_millis(700);

/// When no way has led anywhere for so long, the program is told: by then the last has had its time. ICE goes on
/// trying.
const PATIENCE: Duration = Duration::from_secs(10);

/// Relays of one kind that are tried. A server of ours names one of each.
const RELAYS_MAX: usize = 4;

/// Closing waits so long for the last words to relays.
const CLOSE_TIME_MAX: Duration = Duration::from_millis(200);

/// What an approach needs to know and to tell.
pub(crate) struct Surroundings {
    pub(crate) server: Server,
    pub(crate) carrier: Arc<Carrier>,
    pub(crate) connection: Arc<dyn PeerConnection>,
    pub(crate) relays: Option<RelayServers>,
    /// Whether ICE has decided.
    pub(crate) decided: watch::Receiver<bool>,
    pub(crate) events: mpsc::Sender<PeerEvent>,
}

/// All ways to where one answer said that the media node is. They end with it.
pub(crate) struct Approach {
    over: watch::Sender<bool>,
    task: JoinSet<()>,
}

impl Approach {
    pub(crate) fn begin(around: Surroundings, answer: &str) -> Self {
        let (over, told) = watch::channel(false);
        let run = Run {
            candidates: Candidates::of(answer),
            relays: around.relays,
            events: around.events,
            common: Common {
                server: around.server,
                carrier: around.carrier,
                connection: around.connection,
                decided: around.decided,
                over: told,
            },
            troubles: Vec::new(),
        };
        let mut task = JoinSet::new();
        task.spawn(run.run());
        Self { over, task }
    }

    /// Ends all connections, and tells relays so.
    pub(crate) async fn close(mut self) {
        self.over.send_replace(true);
        let ending = tokio::time::timeout(CLOSE_TIME_MAX, self.task.join_next());
        ending.await.ok();
    }
}

type Paths = JoinSet<Result<Ending, WayError>>;

struct Run {
    common: Common,
    candidates: Candidates,
    relays: Option<RelayServers>,
    events: mpsc::Sender<PeerEvent>,
    /// What did not work.
    troubles: Vec<String>,
}

impl Run {
    async fn run(mut self) {
        let mut paths = Paths::new();
        let over = self.common.clone();
        tokio::select! {
            () = self.approach(&mut paths) => {}
            () = over.is_over() => {}
        }
        while paths.join_next().await.is_some() {}
    }

    async fn approach(&mut self, paths: &mut Paths) {
        let begun = Instant::now();
        let ways = self.common.server.media_ways();
        if ways.allows(Way::Udp) && !self.candidates.udp.is_empty() {
            self.watch(paths, begun + UDP_ALONE, true).await;
        }
        for way in Way::ALL.into_iter().filter(|way| *way != Way::Udp) {
            if self.decided() {
                break;
            }
            if ways.allows(way) && self.try_way(way, paths) {
                self.watch(paths, Instant::now() + STAGE, false).await;
            }
        }
        self.watch(paths, begun + PATIENCE, ways.allows(Way::Udp))
            .await;
        if !self.decided() {
            let troubles = std::mem::take(&mut self.troubles);
            tracing::warn!(?troubles, "media finds no way to the server");
            self.events.try_send(PeerEvent::NoWay(troubles)).ok();
        }
        self.follow(paths).await;
    }

    /// Begins this way, to each place that it may lead to. `false`: there is none.
    fn try_way(&self, way: Way, paths: &mut Paths) -> bool {
        let priority = self.candidates.priority(way as u32);
        if way == Way::Tcp {
            for address in &self.candidates.tcp {
                paths.spawn(direct(self.common.clone(), *address, priority));
            }
            return !self.candidates.tcp.is_empty();
        }
        let Some(relays) = &self.relays else {
            return false;
        };
        let fits = relays
            .servers
            .iter()
            .filter(|server| Way::from(server.transport) == way);
        let mut any = false;
        for server in fits.take(RELAYS_MAX) {
            let place = Place {
                server: server.clone(),
                username: relays.username.clone(),
                credential: relays.credential.clone(),
            };
            let peers = self.candidates.udp.clone();
            paths.spawn(relayed(self.common.clone(), place, peers, priority));
            any = true;
        }
        any
    }

    fn decided(&self) -> bool {
        *self.common.decided.borrow()
    }

    /// Until ICE has decided, the time is over, or nothing is left of what was begun: `alone` says that something
    /// else may still succeed.
    async fn watch(&mut self, paths: &mut Paths, until: Instant, alone: bool) {
        let mut decided = self.common.decided.clone();
        let decided = timeout_at(until, decided.wait_for(|decided| *decided));
        tokio::pin!(decided);
        while alone || !paths.is_empty() {
            tokio::select! {
                _ = &mut decided => return,
                Some(ended) = paths.join_next() => self.ended(ended),
            }
        }
    }

    /// Keeps what ICE has decided for, and says so when that breaks.
    async fn follow(&mut self, paths: &mut Paths) {
        while let Some(ended) = paths.join_next().await {
            if matches!(ended, Ok(Ok(Ending::InUse))) {
                tracing::info!("the connection that media went over has ended");
                // A full queue: the call hears of it from ICE, later.
                self.events.try_send(PeerEvent::Failed).ok();
            }
            self.ended(ended);
        }
    }

    fn ended(&mut self, ended: Result<Result<Ending, WayError>, JoinError>) {
        match ended {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                match &error {
                    // Somebody has to mend it.
                    WayError::Refused { .. } => tracing::warn!("{error}"),
                    _ => tracing::info!("{error}"),
                }
                self.troubles.push(error.to_string());
            }
            Err(error) => tracing::error!(%error, "a connection for media failed"),
        }
    }
}
