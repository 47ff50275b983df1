//! Drop-in grants: given, pushed to the device that goes by them, narrowed, and taken back.
//!
//! The device in these stories judges by itself, as clients do, from nothing but what the server handed it.

mod asked;
mod connects;
mod ends;
mod near;
mod refused;
mod stories;

use homeline_e2ee::certificate::Kind;
use homeline_e2ee::chain::Chain;
use homeline_e2ee::contact::{Contact as Card, Pin};
use homeline_e2ee::drop_in::{
    Grant, Grantee, HeldGrants, LIFETIME_MS_MAX, Opening, Refusal, Request as Wanted, Standing,
    judge,
};
use homeline_e2ee::key::{PrivateKey, PublicKey};
use homeline_e2ee::roster::Roster;
use homeline_e2ee::signed::Signed;
use homeline_e2ee::time::UnixMs;
use homeline_protocol::Secret;
use homeline_protocol::id::{ContactId, GrantId};
use homeline_protocol::session::{Callee, DropInGrant, Event, Request};

use crate::pairing::pair;
use crate::support::{Person, Server, Session, device_id};

pub(super) const BEN: ContactId = ContactId([1; 16]);

/// Anna with her phone and a device in the kitchen; Ben, whom she knows.
pub(super) struct Scene {
    pub(super) server: Server,
    pub(super) anna: Person,
    pub(super) phone: Session,
    pub(super) kitchen: Kitchen,
    pub(super) ben: Person,
    pub(super) bens: Session,
}

/// A home device: what it was handed, and what it remembers.
pub(super) struct Kitchen {
    pub(super) key: PrivateKey,
    pub(super) token: Secret,
    pub(super) session: Session,
    held: HeldGrants,
}

impl Scene {
    pub(super) async fn new() -> Self {
        Self::on(Server::start().await).await
    }

    /// With a media node, where a target has a second to decide.
    pub(super) async fn with_calls() -> Self {
        let server = Server::start_with_calls(|config| config.calls.drop_in_timeout_secs = 1);
        Self::on(server.await).await
    }

    async fn on(server: Server) -> Self {
        let anna = Person::founder(&server, "anna").await;
        let mut phone = anna.session(&server).await;
        let paired = pair(&server, &anna, &mut phone, Kind::HomeDevice).await;
        let kitchen = Kitchen {
            key: paired.key,
            session: server.session(&paired.token).await,
            token: paired.token,
            held: HeldGrants::default(),
        };
        let ben = Person::founder(&server, "ben").await;
        let bens = ben.session(&server).await;
        phone
            .done(put_ben(&anna, 1, Pin::Verified(ben.genesis)))
            .await;
        Self {
            server,
            anna,
            phone,
            kitchen,
            ben,
            bens,
        }
    }

    /// To Ben's household, everywhere and always.
    pub(super) fn to_bens_household(&self, number: u8) -> Grant {
        grant(
            &self.server,
            &self.anna,
            number,
            Grantee::Household {
                contact: BEN,
                their_genesis: self.ben.genesis,
                people: vec![self.ben.account.to_string()],
            },
        )
    }

    pub(super) fn to_own_household(&self, number: u8) -> Grant {
        grant(&self.server, &self.anna, number, Grantee::OwnHousehold)
    }

    pub(super) async fn give(&mut self, grant: &Grant) {
        self.phone.done(put(grant, &self.anna.app)).await;
    }

    /// Whether the server would let Ben try.
    pub(super) async fn ben_may(&mut self) -> bool {
        may(&mut self.bens, "anna").await
    }

    /// What the kitchen says to somebody, from what it was handed when it connected.
    pub(super) async fn kitchen_says(&mut self, initiator: &Chain) -> Result<(), Refusal> {
        self.kitchen.judge(self.server.now(), initiator).await
    }
}

impl Kitchen {
    async fn judge(&mut self, now: UnixMs, initiator: &Chain) -> Result<(), Refusal> {
        let home = self.session.home().await;
        let household = home.household.unwrap();
        let roster = Roster::from_entries(&household.roster).unwrap();
        let pinned: Vec<(ContactId, PublicKey)> = home
            .contacts
            .iter()
            .filter_map(|shown| {
                let card = Card::open(&Signed::decode(&shown.card.0).unwrap(), &roster, 0).unwrap();
                card.pin.key().map(|key| (shown.id, key))
            })
            .collect();
        for shown in &home.drop_in_grants {
            let signed = Signed::decode(&shown.statement.0).unwrap();
            // One that it must not take is refused below.
            self.held.take(now, &signed, &roster).ok();
        }
        let own = household
            .devices
            .iter()
            .find(|one| one.id == device_id(&self.key));
        self.held.off = !own.unwrap().settings.drop_in;
        let standing = Standing {
            device: self.key.public(),
            roster: &roster,
            pinned: &pinned,
        };
        let wanted = Wanted {
            initiator,
            picture: false,
            shown: None,
        };
        judge(now, &self.held, standing, wanted).map(drop)
    }
}

pub(super) fn grant(server: &Server, by: &Person, number: u8, to: Grantee) -> Grant {
    Grant {
        genesis: by.genesis,
        id: GrantId([number; 16]),
        revision: 1,
        to,
        devices: vec![],
        hours: None,
        picture: false,
        opening: Opening::AtOnce,
        signed_at: server.now(),
        expires_at: server.now().plus(LIFETIME_MS_MAX),
        revoked: false,
    }
}

pub(super) fn put(grant: &Grant, key: &PrivateKey) -> Request {
    Request::PutDropInGrant {
        grant: grant.id,
        statement: grant.sign(key).encode().into(),
    }
}

pub(super) fn put_ben(by: &Person, revision: u64, pin: Pin) -> Request {
    Request::PutContact {
        contact: BEN,
        name: "Ben".to_owned(),
        handle: "ben".parse().unwrap(),
        card: by.card(1, revision, "Ben", "ben", pin),
    }
}

pub(super) fn on(handle: &str) -> Request {
    let handle = handle.parse().unwrap();
    Request::MayDropIn {
        to: Callee::Person { handle },
    }
}

pub(super) fn on_device(key: &PrivateKey) -> Request {
    Request::MayDropIn {
        to: Callee::Device {
            device: device_id(key),
        },
    }
}

pub(super) async fn may(session: &mut Session, handle: &str) -> bool {
    session.request(on(handle)).await.is_ok()
}

pub(super) fn put_event(event: &Event) -> Option<DropInGrant> {
    match event {
        Event::DropInGrantPut(grant) => Some(grant.clone()),
        _ => None,
    }
}

pub(super) fn ended_event(event: &Event) -> Option<GrantId> {
    match event {
        Event::DropInGrantEnded { grant } => Some(*grant),
        _ => None,
    }
}
