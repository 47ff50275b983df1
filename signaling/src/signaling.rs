//! Builds signaling from its parts, in the order of the ladder, and stops it edge-first.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use homeline_protocol::PROTOCOL_VERSION;
use homeline_protocol::http::About;
use homeline_protocol::id::RoomId;
use homeline_protocol::media_control::{MediaCommand, MediaError, MediaEvent};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use crate::bus::Bus;
use crate::config::SignalingConfig;
use crate::domain::accounts::Accounts;
use crate::domain::address_book::AddressBooks;
use crate::domain::announcements::Announcements;
use crate::domain::calls::{Calls, CallsConfig, CallsParts};
use crate::domain::contacts::Contacts;
use crate::domain::devices::Devices;
use crate::domain::drop_in::DropIn;
use crate::domain::dropping_in::{DroppingIn, DroppingInParts};
use crate::domain::guardians::{Guardians, GuardiansParts};
use crate::domain::guests::Guests;
use crate::domain::history::HistoryError;
use crate::domain::households::Households;
use crate::domain::invitations::Invitations;
use crate::domain::ledgers::Ledgers;
use crate::domain::limits::LimitsConfig;
use crate::domain::live::LiveAnnouncements;
use crate::domain::mail::Mailer;
use crate::domain::nearby::Nearby;
use crate::domain::numbers::{BadRegion, Numbers};
use crate::domain::outside::Outside;
use crate::domain::pairing::Pairings;
use crate::domain::presence::PresenceService;
use crate::domain::push::{Push, PushParts, PushStartError};
use crate::domain::reach::Reach;
use crate::domain::relays::{BadRelay, Relays};
use crate::domain::roster::RosterGate;
use crate::domain::secrets::{PasswordError, Passwords};
use crate::edge::http::{self, HttpState};
use crate::edge::session::{self, Rules, Services, Sessions, SignalingFigures};
use crate::gateway::push::PushConfig;
use crate::gateway::{Mail, MailConfig, MailConfigError, Media, Sms, SmsConfigError};
use crate::model::Clock;
use crate::store::{Db, StoreError};

/// How often what has expired is swept up. Nothing waits for it: expired things are refused anyway.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

/// A running signaling; clones are the same.
#[derive(Debug, Clone)]
pub struct Signaling(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    db: Db,
    media: Media,
    services: Services,
    sessions: Sessions,
    about: Arc<About>,
    mailer: Mailer,
    tasks: [AbortHandle; 2],
}

/// The way to the media node, and what it says by itself.
#[derive(Debug)]
pub struct MediaLink {
    /// Commands to it.
    pub media: Media,
    /// Events from it.
    pub events: mpsc::Receiver<MediaEvent>,
}

/// Why signaling can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database can't be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The figures for password hashing are not possible.
    #[error("the configured password hashing is not possible: {0}")]
    Passwords(#[from] PasswordError),
    /// The default region of numbers is none.
    #[error("numbers.default_region: {0}")]
    Region(#[from] BadRegion),
    /// The way to send text messages is not possible.
    #[error(transparent)]
    Sms(#[from] SmsConfigError),
    /// Mail can't be sent as configured.
    #[error(transparent)]
    Mail(#[from] MailConfigError),
    /// What the last stop left can't be read.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// A relay in the configuration is none.
    #[error(transparent)]
    Relays(#[from] BadRelay),
    /// Push can't be set up.
    #[error(transparent)]
    Push(#[from] PushStartError),
}

impl Signaling {
    /// Opens the database and starts.
    ///
    /// # Errors
    /// When the database can't be opened, or the configuration is not possible.
    pub async fn start(
        config: SignalingConfig,
        link: MediaLink,
        app_hash: &str,
    ) -> Result<Self, StartError> {
        let db = Db::open(&config.store).await?;
        Self::start_on(config, db, Clock::System, link, app_hash).await
    }

    /// Starts on a database and a clock.
    ///
    /// # Errors
    /// When the database can't be read, or the configuration is not possible.
    pub async fn start_on(
        config: SignalingConfig,
        db: Db,
        clock: Clock,
        link: MediaLink,
        app_hash: &str,
    ) -> Result<Self, StartError> {
        let SignalingConfig {
            store: _,
            passwords,
            accounts,
            limits,
            session,
            calls,
            push,
            numbers,
            sms,
            mail,
            relays,
            outside,
        } = config;
        let media = link.media.clone();
        let (bus, gate) = (Bus::default(), RosterGate::default());
        let parts = || (db.clone(), bus.clone(), clock.clone());
        let passwords = Passwords::new(&passwords)?;
        let (own, sms) = (passwords.clone(), Sms::new(&sms)?);
        let numbers = Arc::new(Numbers::new(parts(), own, sms, &numbers)?);
        let accounts = Accounts::new(parts(), gate.clone(), passwords, &limits, accounts);
        let accounts = Arc::new(accounts);
        let (presence, push, calls) = reaching(parts(), (push, calls), (link, &limits)).await?;
        let (mailer, guardians) = guarding(parts(), mail, &calls, &limits)?;
        let relays = Arc::new(Relays::new(clock.clone(), calls.clone(), relays)?);
        let (own, told) = (media.clone(), Arc::clone(&relays));
        let outside = Outside::new(clock.clone(), own, told, outside);
        let (nearby, dropping_in) = dropping_in(parts(), &presence, &calls);
        let pairings = Pairings::new(parts(), gate.clone(), accounts.clone(), &limits);
        let (announcements, live) = announcing(parts(), &calls);
        let (store, events, time) = parts();
        let services = Services {
            drop_in: Arc::new(DropIn::new(parts(), calls.reach().clone())),
            dropping_in,
            nearby,
            ledgers: Arc::new(Ledgers::new(db.clone(), bus.clone())),
            announcements,
            live,
            guardians,
            guests: calls.guests().clone(),
            relays,
            outside,
            accounts: Arc::clone(&accounts),
            households: Arc::new(Households::new(db.clone(), clock.clone())),
            devices: devices(parts(), &gate),
            contacts: Arc::new(Contacts::new(db.clone(), bus.clone())),
            pairings: Arc::new(pairings),
            address_books: Arc::new(AddressBooks::new(parts(), Arc::clone(&numbers))),
            numbers,
            rules: Rules::new(parts(), gate.clone(), accounts, calls.clone()),
            invitations: Arc::new(Invitations::new(store, events, time, gate)),
            presence,
            push,
            calls,
        };
        let tasks = [sweeper(services.clone()), mailer.start()];
        let sessions = Sessions::new(session, services.clone(), bus, clock);
        Ok(Self(Arc::new(Inner {
            db,
            media,
            services,
            sessions,
            about: Arc::new(about(app_hash)),
            mailer,
            tasks,
        })))
    }

    /// Everything under `/v1`.
    pub fn router(&self) -> Router {
        let state = HttpState {
            accounts: Arc::clone(&self.0.services.accounts),
            pairings: Arc::clone(&self.0.services.pairings),
            push: self.0.services.push.clone(),
            calls: self.0.services.calls.clone(),
            guardians: Arc::clone(&self.0.services.guardians),
            guests: self.0.services.guests.clone(),
            outside: self.0.services.outside.clone(),
            about: Arc::clone(&self.0.about),
        };
        http::router(state).merge(session::routes(self.0.sessions.clone()))
    }

    /// Tells all sessions to come back later, lets waiting devices go, and closes the database.
    pub async fn shutdown(&self) {
        for task in &self.0.tasks {
            task.abort();
        }
        self.0.services.pairings.close();
        self.0.sessions.shut_down().await;
        self.0.db.close().await;
    }

    /// Whether this home can be reached from outside.
    #[must_use]
    pub fn outside(&self) -> &Outside {
        &self.0.services.outside
    }

    /// Whether the database answers.
    pub async fn store_answers(&self) -> bool {
        self.0.db.ping().await.is_ok()
    }

    /// Whether the media node answers.
    pub async fn media_answers(&self) -> bool {
        // No call has this room; that the node says so is all that is asked.
        let command = MediaCommand::Statistics {
            room: RoomId([0; 16]),
        };
        !matches!(
            self.0.media.send(command).await.wait().await,
            Err(MediaError::Gone)
        )
    }

    /// What is counted, for `/metrics`.
    #[must_use]
    pub fn figures(&self) -> SignalingFigures {
        self.0.sessions.figures()
    }

    /// Ends what has expired now: invitations, pairings, tokens, tickets. Tries the mail that is due.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep(&self) -> Result<(), StoreError> {
        sweep(&self.0.services).await?;
        self.0.mailer.deliver_due().await
    }
}

fn about(app_hash: &str) -> About {
    About {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        protocol: PROTOCOL_VERSION,
        app_hash: app_hash.to_owned(),
    }
}

fn devices((db, bus, clock): (Db, Bus, Clock), gate: &RosterGate) -> Arc<Devices> {
    Arc::new(Devices::new(db, bus, clock, gate.clone()))
}

/// Calls, and what they stand on: who is there, who may be reached, who is woken, and who comes as a
/// guest.
async fn reaching(
    (db, bus, clock): (Db, Bus, Clock),
    (push, calls): (PushConfig, CallsConfig),
    (link, limits): (MediaLink, &LimitsConfig),
) -> Result<(PresenceService, Push, Calls), StartError> {
    let presence = PresenceService::new(bus.clone());
    let guests = Guests::new((db.clone(), bus.clone(), clock.clone()), limits);
    let push = Push::start(PushParts {
        config: push,
        db: db.clone(),
        clock: clock.clone(),
        presence: presence.clone(),
    })
    .await?;
    let calls = Calls::start(CallsParts {
        reach: Reach::new(presence.clone(), guests.clone(), calls.stranger_limits()),
        config: calls,
        db,
        bus,
        media: link.media,
        media_events: link.events,
        clock,
        push: push.clone(),
        guests,
    })
    .await?;
    Ok((presence, push, calls))
}

/// Drop-ins, and near which devices somebody was.
fn dropping_in(
    (db, bus, clock): (Db, Bus, Clock),
    presence: &PresenceService,
    calls: &Calls,
) -> (Nearby, DroppingIn) {
    let parts = (db.clone(), bus.clone(), clock.clone());
    let nearby = Nearby::start(parts, calls.reach().clone());
    let drop_ins = DroppingIn::start(DroppingInParts {
        db,
        bus,
        clock,
        presence: presence.clone(),
        nearby: nearby.clone(),
        calls: calls.clone(),
    });
    (nearby, drop_ins)
}

/// Announcements, and those that are heard while they are spoken.
fn announcing(
    (db, bus, clock): (Db, Bus, Clock),
    calls: &Calls,
) -> (Arc<Announcements>, Arc<LiveAnnouncements>) {
    let parts = (db.clone(), bus, clock.clone());
    let announcements = Arc::new(Announcements::new(parts, calls.reach().clone()));
    let live = LiveAnnouncements::new((db, clock), Arc::clone(&announcements), calls.clone());
    (announcements, Arc::new(live))
}

/// What adults do about children, and the mail that confirms it.
fn guarding(
    (db, bus, clock): (Db, Bus, Clock),
    config: MailConfig,
    calls: &Calls,
    limits: &LimitsConfig,
) -> Result<(Mailer, Arc<Guardians>), MailConfigError> {
    let mail = Mail::new(&config)?;
    let mailer = Mailer::new((db.clone(), bus.clone(), clock.clone()), mail);
    let parts = GuardiansParts {
        db,
        bus,
        clock,
        mailer: mailer.clone(),
        history: calls.history().clone(),
        link_base: config.link_base.unwrap_or_default(),
    };
    Ok((mailer, Arc::new(Guardians::new(parts, limits))))
}

fn sweeper(services: Services) -> AbortHandle {
    tokio::spawn(sweep_for_ever(services)).abort_handle()
}

async fn sweep_for_ever(services: Services) {
    let mut interval = tokio::time::interval(SWEEP_INTERVAL);
    loop {
        interval.tick().await;
        if let Err(error) = sweep(&services).await {
            tracing::error!(%error, "expired things could not be swept up");
        }
    }
}

async fn sweep(services: &Services) -> Result<(), StoreError> {
    services.accounts.sweep().await?;
    services.invitations.sweep().await?;
    services.push.sweep().await?;
    services.guests.sweep().await?;
    services.numbers.sweep().await?;
    services.address_books.sweep().await?;
    services.announcements.sweep().await?;
    services.pairings.sweep().await
}
