//! Runs tests from outside and keeps what they find.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use homeline_protocol::Secret;
use homeline_protocol::id::{PeerId, RoomId, TrackId};
use homeline_protocol::media_control::{MediaCommand, MediaError, MediaReply, Publish};
use homeline_protocol::session::{
    OutsideAnswer, OutsideBegun, OutsideOffer, OutsideReport, OutsideResult, OutsideState,
    OutsideTried, RelayServers,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::config::OutsideConfig;
use super::facts::{Facts, Look};
use super::place::stands;
use super::rules::diagnose;
use super::tested::{BadReport, Tester, check};
use super::tickets::Tickets;
use super::words;
use crate::domain::relays::Relays;
use crate::domain::secrets::{hash_token, random_id};
use crate::gateway::Media;
use crate::model::{Clock, NoRight, Speaker, UnixMillis};
use crate::store::outside::{self as file, Kept};

/// How long a connection that a test opens is kept: a page gives up after eight seconds.
const PROBE_LASTS: Duration = Duration::from_secs(30);

/// Such connections at the same time; one more is refused.
const PROBES_MAX: usize = 8;

/// How long the name by which the server was reached may take to become an address.
const NAME_TIMEOUT: Duration = Duration::from_secs(2);

/// Where a tester's request came from, and by which name of the server.
#[derive(Clone)]
pub struct Asked {
    /// Its address as the server sees it.
    pub source: IpAddr,
    /// The `Host` header.
    pub host: Option<String>,
}

/// Addresses lead to people and stay out of logs.
impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Asked")
    }
}

/// Why a test can't go on.
#[derive(Debug, thiserror::Error)]
pub enum OutsideError {
    /// Only an adult's app may ask.
    #[error(transparent)]
    NoRight(#[from] NoRight),
    /// The ticket is none, or has ended.
    #[error("the ticket does not count")]
    NoTicket,
    /// Too many connections at the same time, or with this ticket.
    #[error("too many tests")]
    Busy,
    /// No entry, more than there are ways, or one twice.
    #[error(transparent)]
    BadReport(#[from] BadReport),
    /// The media node does not take the offer.
    #[error("the offer can't be used: {0}")]
    BadOffer(String),
    /// The media node is gone, or full.
    #[error(transparent)]
    Media(MediaError),
    /// The result can't be kept.
    #[error("the result can't be kept")]
    Store(#[source] std::io::Error),
}

/// The test from outside. Clones share it.
#[derive(Debug, Clone)]
pub struct Outside(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    clock: Clock,
    media: Media,
    relays: Arc<Relays>,
    config: OutsideConfig,
    probes: Arc<Semaphore>,
    /// Held by whoever writes the file.
    writing: Arc<tokio::sync::Mutex<()>>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    facts: Facts,
    tickets: Tickets,
}

impl Outside {
    /// With what was kept of earlier tests. A file that can't be read is as none: it is not worth a server that
    /// does not start.
    #[must_use]
    pub fn new(clock: Clock, media: Media, relays: Arc<Relays>, config: OutsideConfig) -> Self {
        let mut known = Known::default();
        if let Some(path) = &config.file {
            match file::read(path) {
                Ok(kept) => known.facts.verdict = kept.into(),
                Err(error) => tracing::warn!(%error, "the results of earlier tests can't be read"),
            }
        }
        Self(Arc::new(Shared {
            clock,
            media,
            relays,
            config,
            probes: Arc::new(Semaphore::new(PROBES_MAX)),
            writing: Arc::default(),
            known: Mutex::new(known),
        }))
    }

    /// What the server sees by itself, from now on.
    pub fn note_look(&self, look: Look) {
        self.known().facts.look = look;
    }

    /// What is known, for the log and for commands.
    #[must_use]
    pub fn facts(&self) -> Facts {
        self.known().facts.clone()
    }

    /// A ticket, until when it counts, and the home's public address, if it is known: for an adult's app.
    ///
    /// # Errors
    /// When the speaker is none.
    pub fn ticket(
        &self,
        speaker: &Speaker,
    ) -> Result<(Secret, UnixMillis, Option<IpAddr>), OutsideError> {
        speaker.adult_app()?;
        let mut known = self.known();
        let address = known.facts.public_address();
        let (secret, until) = known.tickets.make(self.0.clock.now());
        Ok((secret, until, address))
    }

    /// What is known, for an adult's app.
    ///
    /// # Errors
    /// When the speaker is none.
    pub fn state_for(&self, speaker: &Speaker) -> Result<OutsideState, OutsideError> {
        speaker.adult_app()?;
        Ok(state(&self.known().facts))
    }

    /// Begins a test.
    ///
    /// # Errors
    /// When the ticket does not count, or was used too often.
    pub async fn begin(
        &self,
        secret: &Secret,
        asked: &Asked,
    ) -> Result<OutsideBegun, OutsideError> {
        self.check(secret)?;
        let host = address_of(asked.host.as_deref()).await;
        let relays = self.relays(secret);
        let known = self.known();
        let (look, at) = (&known.facts.look, known.facts.verdict.reached_at);
        Ok(OutsideBegun {
            from: stands(look, host.or(at), asked.source),
            ways: look.ways().into_iter().map(|(way, _)| way).collect(),
            relays,
        })
    }

    /// A connection to the media node that carries nothing and ends by itself.
    ///
    /// # Errors
    /// When the ticket does not count, or the node does not take the offer.
    pub async fn offer(&self, offer: OutsideOffer) -> Result<OutsideAnswer, OutsideError> {
        let now = self.0.clock.now();
        let counted = self.known().tickets.offer(now, &offer.secret);
        if !counted.ok_or(OutsideError::NoTicket)? {
            return Err(OutsideError::Busy);
        }
        let places = Arc::clone(&self.0.probes);
        let place = places.try_acquire_owned().map_err(|_| OutsideError::Busy)?;
        // In a task of its own: a tester who goes away in the middle must leave no room behind.
        let own = self.clone();
        let probing = tokio::spawn(async move { own.probe(place, offer.sdp).await });
        let gone = |_| Err(OutsideError::Media(MediaError::Gone));
        probing.await.unwrap_or_else(gone)
    }

    async fn probe(
        &self,
        place: OwnedSemaphorePermit,
        offer: String,
    ) -> Result<OutsideAnswer, OutsideError> {
        let room = RoomId(random_id());
        let answer = self.negotiate(room, offer).await;
        let media = self.0.media.clone();
        let lasts = if answer.is_ok() {
            PROBE_LASTS
        } else {
            Duration::ZERO
        };
        tokio::spawn(async move {
            tokio::time::sleep(lasts).await;
            let closed = media.send(MediaCommand::CloseRoom { room }).await;
            if closed.wait().await.is_err() {
                tracing::debug!("a test's room was gone");
            }
            drop(place);
        });
        answer
    }

    /// Keeps what a tester found.
    ///
    /// # Errors
    /// When the ticket does not count, the report is none, or the file can't be written.
    pub async fn report(
        &self,
        report: OutsideReport,
        asked: &Asked,
    ) -> Result<OutsideState, OutsideError> {
        self.check(&report.secret)?;
        // Before a name is looked up for it.
        check(&report.tried)?;
        let tester = Tester {
            source: asked.source,
            reached_at: address_of(asked.host.as_deref()).await,
        };
        self.note_test(&report.tried, tester).await
    }

    /// Keeps what was found by a tester whom the caller trusts.
    ///
    /// # Errors
    /// When the report is none, or the file can't be written.
    pub async fn note_test(
        &self,
        tried: &[OutsideTried],
        tester: Tester,
    ) -> Result<OutsideState, OutsideError> {
        let now = self.0.clock.now();
        // One after the other, so that the newest is what the file says in the end.
        let writing = Arc::clone(&self.0.writing).lock_owned().await;
        let mut noted = self.facts();
        noted.note_test(tried, tester, now)?;
        let kept = Kept::from(&noted.verdict);
        let _writing = match self.0.config.file.clone() {
            // Who asked may go away: the file is written to its end before the next.
            Some(path) => {
                let write = move || file::write(&path, &kept).map(|()| writing);
                let written = tokio::task::spawn_blocking(write).await;
                let written = written.unwrap_or_else(|error| Err(std::io::Error::other(error)));
                written.map_err(OutsideError::Store)?
            }
            None => writing,
        };
        // Shown once it is kept. The home may have been looked at meanwhile.
        let mut known = self.known();
        known.facts.verdict = noted.verdict;
        Ok(state(&known.facts))
    }

    async fn negotiate(&self, room: RoomId, offer: String) -> Result<OutsideAnswer, OutsideError> {
        let media = &self.0.media;
        let made = media.send(MediaCommand::CreateRoom { room }).await;
        made.wait().await.map_err(OutsideError::Media)?;
        let command = MediaCommand::Negotiate {
            room,
            peer: PeerId(random_id()),
            offer,
            publish: vec![Publish {
                mid: "0".to_owned(),
                track: TrackId(random_id()),
            }],
            subscribe: Vec::new(),
        };
        match media.send(command).await.wait().await {
            Ok(MediaReply::Answer { sdp }) => Ok(OutsideAnswer { sdp }),
            Err(MediaError::BadOffer(why)) => Err(OutsideError::BadOffer(why)),
            Err(error) => Err(OutsideError::Media(error)),
            Ok(_) => Err(OutsideError::Media(MediaError::Gone)),
        }
    }

    /// One credential for each ticket, so that the relay's bound for one counts for all who hold the link.
    fn relays(&self, secret: &Secret) -> RelayServers {
        let hash = hash_token(secret);
        let id = std::array::from_fn(|at| hash[at]);
        self.0.relays.for_a_test(id)
    }

    fn check(&self, secret: &Secret) -> Result<(), OutsideError> {
        let counted = self.known().tickets.ask(self.0.clock.now(), secret);
        if counted.ok_or(OutsideError::NoTicket)? {
            Ok(())
        } else {
            Err(OutsideError::Busy)
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All that is known, for people.
#[must_use]
pub fn state(facts: &Facts) -> OutsideState {
    let ways = facts.look.ways();
    let last = |way| facts.verdict.last.get(&way).copied();
    let has_app = facts.look.ports.https.is_some();
    OutsideState {
        ways: ways
            .into_iter()
            .map(|(way, port)| OutsideResult {
                way,
                port,
                last: last(way),
            })
            .collect(),
        findings: diagnose(facts)
            .iter()
            .map(|finding| words::said(finding, has_app))
            .collect(),
        looked_at_ms: Some(facts.look.at.0).filter(|at| *at != 0),
    }
}

/// The address that a `Host` header names, or leads to.
async fn address_of(host: Option<&str>) -> Option<IpAddr> {
    let host = host?;
    if let Ok(address) = host.parse::<SocketAddr>() {
        return Some(address.ip());
    }
    if let Ok(address) = host.trim_matches(['[', ']']).parse() {
        return Some(address);
    }
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let found = tokio::time::timeout(NAME_TIMEOUT, tokio::net::lookup_host((name, 0))).await;
    let found = found.ok()?.ok()?.map(|found| found.ip());
    found.into_iter().find(IpAddr::is_ipv4)
}
