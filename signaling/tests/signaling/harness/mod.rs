//! A whole signaling server on a real listener, with people in it, and clients that speak JSON.

mod client;
mod node;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use homeline_protocol::Handle;
use homeline_protocol::http::About;
use homeline_protocol::id::{AccountId, ContactId, DeviceId, HouseholdId};
use homeline_protocol::session::{DeviceKind, Role};
use homeline_signaling::bus::Bus;
use homeline_signaling::domain::accounts::{Accounts, AccountsConfig};
use homeline_signaling::domain::address_book::AddressBooks;
use homeline_signaling::domain::announcements::Announcements;
use homeline_signaling::domain::calls::{Calls, CallsConfig, CallsParts};
use homeline_signaling::domain::contacts::Contacts;
use homeline_signaling::domain::devices::Devices;
use homeline_signaling::domain::drop_in::DropIn;
use homeline_signaling::domain::dropping_in::{DroppingIn, DroppingInParts};
use homeline_signaling::domain::guardians::{Guardians, GuardiansParts};
use homeline_signaling::domain::guests::Guests;
use homeline_signaling::domain::households::Households;
use homeline_signaling::domain::invitations::Invitations;
use homeline_signaling::domain::ledgers::Ledgers;
use homeline_signaling::domain::limits::LimitsConfig;
use homeline_signaling::domain::live::LiveAnnouncements;
use homeline_signaling::domain::mail::Mailer;
use homeline_signaling::domain::nearby::Nearby;
use homeline_signaling::domain::numbers::{Numbers, NumbersConfig};
use homeline_signaling::domain::outside::{Outside, OutsideConfig};
use homeline_signaling::domain::pairing::Pairings;
use homeline_signaling::domain::presence::PresenceService;
use homeline_signaling::domain::push::{Push, PushParts};
use homeline_signaling::domain::reach::Reach;
use homeline_signaling::domain::relays::{Relays, RelaysConfig};
use homeline_signaling::domain::roster::RosterGate;
use homeline_signaling::domain::secrets::{Passwords, PasswordsConfig};
use homeline_signaling::edge::http::{self, HttpState};
use homeline_signaling::edge::session::{
    Rules, Services, SessionConfig, Sessions, SignalingFigures, routes,
};
use homeline_signaling::gateway::push::PushConfig;
use homeline_signaling::gateway::{Mail, Sms};
use homeline_signaling::model::Clock;
use homeline_signaling::store::accounts::NewAccount;
use homeline_signaling::store::contacts::ContactRow;
use homeline_signaling::store::devices::{DeviceRow, KindColumn, SettingsColumns};
use homeline_signaling::store::households::HouseholdRow;
use homeline_signaling::store::{
    Db, Nullable, StoreConfig, accounts, contacts, devices, households,
};
use tokio::task::JoinHandle;
use tower::ServiceExt as _;

pub(crate) use client::{
    Client, SWITCHES, answer, blob, greet, hello, offer, offer_with_camera, ringing, start_call,
};
pub(crate) use node::{Node, usual_answer};

/// Times and limits of one test's server.
#[derive(Clone, Default)]
pub(crate) struct Configs {
    pub(crate) sessions: SessionConfig,
    pub(crate) calls: CallsConfig,
    pub(crate) relays: RelaysConfig,
}

/// A running server. Dropping it is like pulling the plug.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) sessions: Sessions,
    pub(crate) node: Node,
    pub(crate) bus: Bus,
    pub(crate) outside: Outside,
    accounts: Arc<Accounts>,
    db: Db,
    folder: tempfile::TempDir,
    listening: JoinHandle<()>,
    router: Router,
}

/// A person with a household.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) account: AccountId,
    pub(crate) household: HouseholdId,
    pub(crate) handle: Handle,
}

/// A device with its token.
#[derive(Clone)]
pub(crate) struct Seat {
    pub(crate) device: DeviceId,
    pub(crate) account: AccountId,
    pub(crate) token: homeline_protocol::Secret,
}

/// Guardians whose confirmations are not sent.
fn guardians((db, bus, clock): (Db, Bus, Clock), calls: &Calls) -> Arc<Guardians> {
    let mailer = Mailer::new((db.clone(), bus.clone(), clock.clone()), Mail::Off);
    let parts = GuardiansParts {
        db,
        bus,
        clock,
        mailer,
        history: calls.history().clone(),
        link_base: String::new(),
    };
    Arc::new(Guardians::new(parts, &LimitsConfig::default()))
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with(Configs::default()).await
    }

    pub(crate) async fn with(configs: Configs) -> Self {
        Self::on(tempfile::tempdir().unwrap(), configs).await
    }

    /// The process dies without a word and is started anew on the same database.
    pub(crate) async fn killed_and_restarted(self, configs: Configs) -> Self {
        self.listening.abort();
        Self::on(self.folder, configs).await
    }

    #[expect(
        clippy::too_many_lines,
        reason = "it builds every part of a server, one after the other"
    )]
    async fn on(folder: tempfile::TempDir, configs: Configs) -> Self {
        let path = folder.path().join("homeline.db");
        let db = Db::open(&StoreConfig { path }).await.unwrap();
        let (bus, clock, gate) = (Bus::default(), Clock::System, RosterGate::default());
        let limits = LimitsConfig::default();
        let cheap = PasswordsConfig {
            memory_kib: 8,
            passes: 1,
            ..PasswordsConfig::default()
        };
        let parts = (db.clone(), bus.clone(), clock.clone());
        let passwords = Passwords::new(&cheap).unwrap();
        let numbers = numbers(parts.clone(), passwords.clone());
        let accounts = Arc::new(Accounts::new(
            parts.clone(),
            gate.clone(),
            passwords,
            &limits,
            AccountsConfig::default(),
        ));
        let (node, media, media_events) = Node::start();
        let probes = media.clone();
        let presence = PresenceService::new(bus.clone());
        let push = push(&db, &clock, &presence).await;
        let guests = Guests::new(parts.clone(), &limits);
        let calls = Calls::start(CallsParts {
            reach: Reach::new(
                presence.clone(),
                guests.clone(),
                configs.calls.stranger_limits(),
            ),
            config: configs.calls,
            db: db.clone(),
            bus: bus.clone(),
            media,
            media_events,
            clock: clock.clone(),
            push: push.clone(),
            guests: guests.clone(),
        })
        .await
        .unwrap();
        let (store, events, time) = parts.clone();
        let relays = Relays::new(clock.clone(), calls.clone(), configs.relays);
        let relays = Arc::new(relays.unwrap());
        let file = Some(folder.path().join("outside.json"));
        let told = Arc::clone(&relays);
        let outside = Outside::new(clock.clone(), probes, told, OutsideConfig { file });
        let nearby = Nearby::start(parts.clone(), calls.reach().clone());
        let announcements = Arc::new(Announcements::new(parts.clone(), calls.reach().clone()));
        let services = Services {
            drop_in: Arc::new(DropIn::new(parts.clone(), calls.reach().clone())),
            dropping_in: DroppingIn::start(DroppingInParts {
                db: db.clone(),
                bus: bus.clone(),
                clock: clock.clone(),
                presence: presence.clone(),
                nearby: nearby.clone(),
                calls: calls.clone(),
            }),
            nearby,
            ledgers: Arc::new(Ledgers::new(store.clone(), events.clone())),
            live: Arc::new(LiveAnnouncements::new(
                (db.clone(), clock.clone()),
                Arc::clone(&announcements),
                calls.clone(),
            )),
            announcements,
            guardians: guardians(parts.clone(), &calls),
            guests,
            relays,
            outside: outside.clone(),
            accounts: Arc::clone(&accounts),
            households: Arc::new(Households::new(store.clone(), time.clone())),
            devices: Arc::new(Devices::new(
                store.clone(),
                events.clone(),
                time.clone(),
                gate.clone(),
            )),
            contacts: Arc::new(Contacts::new(store.clone(), events.clone())),
            address_books: Arc::new(AddressBooks::new(parts.clone(), Arc::clone(&numbers))),
            numbers,
            pairings: Arc::new(Pairings::new(
                parts.clone(),
                gate.clone(),
                Arc::clone(&accounts),
                &limits,
            )),
            invitations: Arc::new(Invitations::new(store, events, time, gate.clone())),
            rules: Rules::new(parts, gate, Arc::clone(&accounts), calls.clone()),
            presence,
            push,
            calls,
        };
        let router = http::router(HttpState {
            accounts: Arc::clone(&services.accounts),
            pairings: Arc::clone(&services.pairings),
            push: services.push.clone(),
            calls: services.calls.clone(),
            guardians: Arc::clone(&services.guardians),
            guests: services.guests.clone(),
            outside: outside.clone(),
            about: Arc::new(about()),
        });
        let sessions = Sessions::new(configs.sessions, services, bus.clone(), clock);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = routes(sessions.clone());
        let listening = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            address,
            sessions,
            node,
            bus,
            outside,
            accounts,
            db,
            folder,
            listening,
            router,
        }
    }

    /// Posts to the HTTP API: the status, and the body.
    pub(crate) async fn post(
        &self,
        path: &str,
        body: &impl serde::Serialize,
    ) -> (StatusCode, Vec<u8>) {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        let body = Body::from(serde_json::to_vec(body).unwrap());
        let request = request.body(body).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, body.to_vec())
    }

    /// Waits until what is counted is as it should be. Nothing tells when a session that nobody
    /// holds any more is forgotten, so this looks again and again.
    pub(crate) async fn until(&self, holds: impl Fn(&SignalingFigures) -> bool) {
        let looking = async {
            let mut interval = tokio::time::interval(Duration::from_millis(20));
            while !holds(&self.sessions.figures()) {
                interval.tick().await;
            }
        };
        let found = tokio::time::timeout(Duration::from_secs(10), looking).await;
        assert!(found.is_ok(), "{:?}", self.sessions.figures());
    }

    /// Somebody who is signed up, with a household of their own.
    pub(crate) async fn person(&self, handle: &str) -> Person {
        let household = HouseholdId(fresh());
        let row = HouseholdRow {
            id: household,
            genesis: vec![1; 32],
            recovery_certificate: vec![2; 64],
            recovery_hash: "none".to_owned(),
        };
        let mut tx = self.db.write().await.unwrap();
        households::insert(&mut tx, &row, Clock::System.now())
            .await
            .unwrap();
        tx.commit().await.unwrap();
        self.member(handle, household).await
    }

    /// A further member of a household.
    pub(crate) async fn member(&self, handle: &str, household: HouseholdId) -> Person {
        let (account, handle): (_, Handle) = (AccountId(fresh()), handle.parse().unwrap());
        let name = handle.as_str().to_uppercase();
        let new = NewAccount {
            id: account,
            handle: &handle,
            display_name: &name,
            password_hash: "none",
            household: Some(household),
            role: Role::Adult,
            at: Clock::System.now(),
        };
        let mut tx = self.db.write().await.unwrap();
        accounts::insert(&mut tx, new).await.unwrap();
        tx.commit().await.unwrap();
        Person {
            account,
            household,
            handle,
        }
    }

    /// A person's app or home device.
    pub(crate) async fn seat(&self, person: &Person, kind: DeviceKind) -> Seat {
        self.seat_with(person, kind, kind == DeviceKind::App).await
    }

    /// A connected app without the adult right, as a child has it.
    pub(crate) async fn childs_app(&self, person: &Person) -> Client {
        let seat = self.seat_with(person, DeviceKind::App, false).await;
        Client::connect(self, &seat).await
    }

    /// A contact in a household's address book.
    pub(crate) async fn contact(&self, of: &Person, whom: &Handle) -> ContactId {
        let row = ContactRow {
            id: ContactId(fresh()),
            name: whom.to_string(),
            handle: whom.clone(),
            card: vec![5; 64],
            revision: 1,
        };
        let mut tx = self.db.write().await.unwrap();
        contacts::put(&mut tx, of.household, &row).await.unwrap();
        tx.commit().await.unwrap();
        row.id
    }

    async fn seat_with(&self, person: &Person, kind: DeviceKind, adult: bool) -> Seat {
        let device = DeviceId(fresh());
        let row = DeviceRow {
            id: device,
            public_key: vec![3; 32],
            account: person.account,
            household: Nullable(Some(person.household)),
            kind: KindColumn(kind),
            label: "Kitchen".to_owned(),
            adult,
            chain: Some(vec![4; 64]),
            removed_at_ms: None,
            settings: SettingsColumns::default(),
        };
        let (account, now) = (person.account, Clock::System.now());
        let mut tx = self.db.write().await.unwrap();
        devices::insert(&mut tx, &row, now).await.unwrap();
        let token = self
            .accounts
            .issue_token(&mut tx, account, Some(device), now)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        Seat {
            device,
            account,
            token,
        }
    }

    /// An app that is connected.
    pub(crate) async fn app(&self, person: &Person) -> Client {
        Client::connect(self, &self.seat(person, DeviceKind::App).await).await
    }

    /// A home device that is connected.
    pub(crate) async fn home_device(&self, person: &Person) -> Client {
        Client::connect(self, &self.seat(person, DeviceKind::HomeDevice).await).await
    }
}

/// Sends to nobody on this machine, as by default.
async fn push(db: &Db, clock: &Clock, presence: &PresenceService) -> Push {
    let parts = PushParts {
        config: PushConfig::default(),
        db: db.clone(),
        clock: clock.clone(),
        presence: presence.clone(),
    };
    Push::start(parts).await.unwrap()
}

fn about() -> About {
    About {
        version: String::new(),
        protocol: homeline_protocol::PROTOCOL_VERSION,
        app_hash: String::new(),
    }
}

/// An id that no other test thing has.
pub(crate) fn fresh() -> [u8; 16] {
    use std::sync::atomic::{AtomicU64, Ordering};
    static LAST: AtomicU64 = AtomicU64::new(1);
    let mut id = [0xab; 16];
    id[..8].copy_from_slice(&LAST.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    id
}

/// Without a way to send messages.
fn numbers(parts: (Db, Bus, Clock), passwords: Passwords) -> Arc<Numbers> {
    let config = NumbersConfig::default();
    Arc::new(Numbers::new(parts, passwords, Sms::None, &config).unwrap())
}
