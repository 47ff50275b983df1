//! Takes what others announce: verified, fetched, opened, and ready to begin when all do.

use std::path::Path;
use std::sync::Arc;

use homeline_e2ee::announcement::{
    Announcement, AnnouncementError, Content, Heard, HeardError, OpenError, SealingStatement, open,
};
use homeline_e2ee::chain::Identity;
use homeline_e2ee::encoding::DecodeError;
use homeline_e2ee::signed::Signed;
use homeline_e2ee::time::UnixMs;
use homeline_protocol::id::{AnnouncementId, CallId, DeviceId};
use homeline_protocol::session::{
    AnnounceTo, Announced, AnnouncementHeard, DeviceKind, Reply, Request,
};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::clock::{ServerClock, SteadyClock};
use super::heard::HeardBook;
use super::making::{AnnounceError, Announcing, announce};
use super::quiet::is_quiet;
use crate::client::{ClientEvent, Shared};
use crate::session::RequestError;
use crate::store::{Identity as DeviceIdentity, StoreError};

/// Exchanges by which the server's clock is estimated, for each announcement.
const EXCHANGES: usize = 4;

/// What a client remembers of announcements, and by which clock it hears them.
pub(crate) struct Hearing {
    pub(crate) clock: SteadyClock,
    server: ServerClock,
    heard: Heard<AnnouncementId>,
    book: HeardBook,
    pub(super) live: Heard<CallId>,
}

/// An announcement for this device. It holds, and is opened.
#[derive(Clone)]
pub struct IncomingAnnouncement {
    shared: Arc<Shared>,
    pub id: AnnouncementId,
    /// The announcing device.
    pub device: DeviceId,
    /// What the family calls that device.
    pub from: String,
    pub content: Content,
    pub reply_to: Option<AnnouncementId>,
    /// False: do not disturb was on when it was announced. It is not played unless somebody wants it.
    pub play: bool,
    /// When all begin.
    pub begin: Instant,
    /// Then it is played no more.
    pub fresh_until: Instant,
    /// Until then it is remembered.
    counts_until: UnixMs,
}

/// Why an announcement was not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Statement(#[from] AnnouncementError),
    #[error(transparent)]
    Heard(#[from] HeardError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error("the server tells of another announcement than was signed")]
    OtherAnnouncement,
}

impl Hearing {
    /// `path`: where the identity is kept, and what was heard beside it.
    pub(crate) fn open(identity: &DeviceIdentity, path: Option<&Path>) -> Result<Self, StoreError> {
        let mut heard = Heard::default();
        let book = HeardBook::open(identity, path, &mut heard)?;
        Ok(Self {
            clock: SteadyClock::default(),
            server: ServerClock::default(),
            heard,
            book,
            live: Heard::default(),
        })
    }
}

impl IncomingAnnouncement {
    /// Tells the announcing device what became of it here. From now on it is not heard here again.
    ///
    /// # Errors
    /// When the server does not answer, or has deleted it.
    pub async fn heard(&self, heard: AnnouncementHeard) -> Result<(), RequestError> {
        {
            let mut hearing = self.shared.hearing();
            let now = hearing.clock.time_of_day();
            hearing.book.note(self.id, (self.counts_until, heard), now);
        }
        say_heard(&self.shared, self.id, heard).await
    }

    /// Answers with an announcement to the device that announced.
    ///
    /// # Errors
    /// When that is an app, which plays none, or as for any announcement.
    pub async fn reply(&self, content: Content) -> Result<Announcing, AnnounceError> {
        let device = self.device;
        let to = AnnounceTo::Device { device };
        announce(&self.shared, to, content, Some(self.id)).await
    }
}

/// At the beginning of a session, and when do not disturb ends: publishes the sealing key, and takes
/// what waits.
pub(crate) async fn settle(shared: Arc<Shared>, events: mpsc::Sender<ClientEvent>) {
    let statement = {
        let state = shared.state();
        let own = homeline_e2ee::ids::device_id(state.identity.device_key.public());
        let mut devices = state.household.devices().iter();
        let own = devices.find(|one| one.id == own);
        if own.is_none_or(|own| own.kind != DeviceKind::HomeDevice) {
            return;
        }
        SealingStatement::sign(state.identity.genesis, &state.identity.device_key)
    };
    let statement = statement.encode().into();
    let put = Request::PutSealingKey { statement };
    if let Err(error) = shared.session().done(put).await {
        tracing::info!(%error, "the sealing key was not taken");
        return;
    }
    if is_quiet(&shared) {
        return;
    }
    let listed = shared.session().request(Request::ListAnnouncements).await;
    if let Ok(Reply::Announcements { announcements }) = listed {
        for told in announcements {
            hear(shared.clone(), told, events.clone()).await;
        }
    }
}

/// Takes one, and tells the program. One that does not hold is told as well, and not played.
pub(crate) async fn hear(shared: Arc<Shared>, told: Announced, events: mpsc::Sender<ClientEvent>) {
    let id = told.announcement;
    let event = match take(&shared, told).await {
        Ok(incoming) => ClientEvent::Announcement(Box::new(incoming)),
        Err(because) => {
            let earlier = shared.hearing().book.earlier(id);
            if matches!(because, NotTaken::Heard(HeardError::Before)) && earlier.is_none() {
                // Told twice: as an event, and in the list of what waits.
                return;
            }
            tracing::warn!(%because, "an announcement was not taken");
            // A server that did not hear what became of it is told again.
            let heard = earlier.unwrap_or(AnnouncementHeard::PutAside);
            if let Err(error) = say_heard(&shared, id, heard).await {
                tracing::info!(%error, "that it was not taken was not told");
            }
            ClientEvent::AnnouncementRefused { id, because }
        }
    };
    // A program that does not listen hears none.
    events.send(event).await.ok();
}

async fn take(shared: &Arc<Shared>, told: Announced) -> Result<IncomingAnnouncement, NotTaken> {
    let (said, from) = verify(shared, &told)?;
    for _ in 0..EXCHANGES {
        exchange(shared).await?;
    }
    let announcement = said.id;
    let fetched = Request::GetAnnouncement { announcement };
    let fetched = shared.session().request(fetched).await?;
    let Reply::AnnouncementContent {
        content: ciphertext,
    } = fetched
    else {
        return Err(RequestError::WrongReply.into());
    };
    let content = {
        let state = shared.state();
        let key = &state.identity.device_key;
        open(&said, from.device_key, key, &ciphertext.0)?
    };
    let label = {
        let state = shared.state();
        let mut devices = state.household.devices().iter();
        let known = devices.find(|one| one.id == from.device);
        known.map_or(from.label, |known| known.label.clone())
    };
    let moment = |server_ms| {
        let hearing = shared.hearing();
        let found = hearing.server.when(server_ms, hearing.clock.micros());
        found.map_or_else(Instant::now, |micros| hearing.clock.moment(micros))
    };
    Ok(IncomingAnnouncement {
        shared: shared.clone(),
        id: said.id,
        device: from.device,
        from: label,
        content,
        reply_to: said.reply_to,
        play: told.play,
        begin: moment(told.begin_at_ms),
        fresh_until: moment(told.expires_at_ms),
        counts_until: said.counts_until(),
    })
}

fn verify(shared: &Shared, told: &Announced) -> Result<(Announcement, Identity), NotTaken> {
    let now = shared.hearing().clock.time_of_day();
    let signed = Signed::decode(&told.statement.0)?;
    let (said, from) = Announcement::open(&signed, shared.state().household.roster(), now)?;
    if said.id != told.announcement {
        return Err(NotTaken::OtherAnnouncement);
    }
    shared
        .hearing()
        .heard
        .take(said.id, said.counts_until(), now)?;
    Ok((said, from))
}

async fn exchange(shared: &Shared) -> Result<(), RequestError> {
    let sent = shared.hearing().clock.micros();
    let reply = shared.session().request(Request::GetTime).await?;
    let Reply::Time { server_time_ms } = reply else {
        return Err(RequestError::WrongReply);
    };
    let mut hearing = shared.hearing();
    let received = hearing.clock.micros();
    hearing.server.exchanged(sent, server_time_ms, received);
    Ok(())
}

async fn say_heard(
    shared: &Shared,
    announcement: AnnouncementId,
    heard: AnnouncementHeard,
) -> Result<(), RequestError> {
    let request = Request::HeardAnnouncement {
        announcement,
        heard,
    };
    shared.session().done(request).await
}
