//! Announcements: taken as ciphertext, heard where they may be, and nowhere else.
//!
//! The devices in these stories seal and open by themselves, as clients do, from nothing but what the
//! server handed them.

mod live;
mod refused;
mod stories;

use homeline_e2ee::announcement::{
    Announcement, Content, Draft, Sealed, SealingPublic, SealingStatement, open,
};
use homeline_e2ee::certificate::Kind;
use homeline_e2ee::chain::Chain;
use homeline_e2ee::key::{PrivateKey, PublicKey};
use homeline_e2ee::roster::Roster;
use homeline_e2ee::signed::Signed;
use homeline_protocol::Secret;
use homeline_protocol::id::{AnnouncementId, DeviceId};
use homeline_protocol::session::{
    AnnounceTo, Announced, AnnouncementFate, AnnouncementHeard, Event, Reply, Request,
};

use crate::children::Family;
use crate::pairing::pair;
use crate::support::{Server, Session, device_id};

pub(super) const DINNER: &str = "Dinner's ready";

/// Anna's household, with her child Zeb, a kitchen, and a bath upstairs.
pub(super) struct Scene {
    pub(super) server: Server,
    pub(super) family: Family,
    pub(super) kitchen: HomeDevice,
    pub(super) bath: HomeDevice,
}

/// A home device with its key.
pub(super) struct HomeDevice {
    pub(super) key: PrivateKey,
    pub(super) token: Secret,
    pub(super) session: Session,
}

impl HomeDevice {
    pub(super) fn id(&self) -> DeviceId {
        device_id(&self.key)
    }

    async fn add(server: &Server, family: &mut Family) -> Self {
        let home = family.annas.home().await.household.unwrap();
        let decode = |entry: &homeline_protocol::Blob| Signed::decode(&entry.0).unwrap();
        family.anna.roster = home.roster.iter().map(decode).collect();
        let paired = pair(server, &family.anna, &mut family.annas, Kind::HomeDevice).await;
        let mut session = server.session(&paired.token).await;
        let statement = SealingStatement::sign(family.anna.genesis, &paired.key);
        let statement = statement.encode().into();
        session.done(Request::PutSealingKey { statement }).await;
        Self {
            key: paired.key,
            token: paired.token,
            session,
        }
    }

    /// Waits to be told of an announcement.
    pub(super) async fn told(&mut self) -> Announced {
        self.session.event(announced).await
    }

    pub(super) async fn waiting(&mut self) -> Vec<Announced> {
        match self.session.request(Request::ListAnnouncements).await {
            Ok(Reply::Announcements { announcements }) => announcements,
            other => panic!("{other:?}"),
        }
    }

    /// Fetches and opens what it was told of, as a device does.
    pub(super) async fn open(&mut self, server: &Server, told: &Announced) -> Content {
        let announcement = told.announcement;
        let fetched = self
            .session
            .request(Request::GetAnnouncement { announcement });
        let Ok(Reply::AnnouncementContent { content }) = fetched.await else {
            panic!("no content")
        };
        let roster = roster(&mut self.session).await;
        let signed = Signed::decode(&told.statement.0).unwrap();
        let (said, from) = Announcement::open(&signed, &roster, server.now()).unwrap();
        open(&said, from.device_key, &self.key, &content.0).unwrap()
    }

    pub(super) async fn heard(&mut self, announcement: AnnouncementId, heard: AnnouncementHeard) {
        let heard = Request::HeardAnnouncement {
            announcement,
            heard,
        };
        self.session.done(heard).await;
    }

    pub(super) async fn was_told(&mut self) -> bool {
        self.session
            .has_seen(|event| announced(event).is_some())
            .await
    }

    pub(super) async fn quiet(&mut self, on: bool) {
        let device = self.id();
        let switch = Request::SetDeviceDoNotDisturb { device, on };
        self.session.done(switch).await;
    }
}

impl Scene {
    pub(super) async fn new() -> Self {
        Self::at(Server::start().await).await
    }

    pub(super) async fn at(server: Server) -> Self {
        let mut family = Family::at(&server).await;
        let kitchen = HomeDevice::add(&server, &mut family).await;
        let bath = HomeDevice::add(&server, &mut family).await;
        let room = Request::SetDevice {
            device: bath.id(),
            label: None,
            room: Some("Upstairs".to_owned()),
        };
        family.annas.done(room).await;
        Self {
            server,
            family,
            kitchen,
            bath,
        }
    }

    pub(super) fn text(&self, number: u8) -> Draft {
        Draft {
            id: AnnouncementId([number; 16]),
            content: Content::Text(DINNER.to_owned()),
            reply_to: None,
            at: self.server.now(),
        }
    }

    /// Sealed by Anna's phone to every home device that published a key.
    pub(super) async fn by_anna(&mut self, draft: &Draft) -> Sealed {
        let key = self.family.anna.app.clone();
        seal(&mut self.family.annas, &key, draft).await
    }

    /// Anna's phone announces.
    pub(super) async fn announce(
        &mut self,
        draft: &Draft,
        to: AnnounceTo,
    ) -> Vec<(DeviceId, AnnouncementFate)> {
        let sealed = self.by_anna(draft).await;
        fates(&mut self.family.annas, request(draft.id, to, &sealed)).await
    }
}

/// What somebody seals from what their session shows them.
pub(super) async fn seal(session: &mut Session, key: &PrivateKey, draft: &Draft) -> Sealed {
    let home = session.home().await.household.unwrap();
    let own = home.devices.iter().find(|one| one.id == device_id(key));
    let chain = Chain::decode(&own.unwrap().chain.0).unwrap();
    let roster = Roster::from_entries(&home.roster).unwrap();
    let Ok(Reply::SealingKeys { keys }) = session.request(Request::GetSealingKeys).await else {
        panic!("no keys")
    };
    let to: Vec<(PublicKey, SealingPublic)> = keys
        .iter()
        .map(|shown| {
            let signed = Signed::decode(&shown.statement.0).unwrap();
            let opened = SealingStatement::open(&signed, &roster).unwrap();
            (opened.device, opened.key)
        })
        .collect();
    let who = (key, &chain, roster.genesis_key());
    draft.seal(who, &to, &[9; 16]).unwrap()
}

pub(super) fn request(announcement: AnnouncementId, to: AnnounceTo, sealed: &Sealed) -> Request {
    Request::Announce {
        announcement,
        to,
        statement: sealed.statement.encode().into(),
        content: sealed.ciphertext.clone().into(),
    }
}

pub(super) async fn fates(
    session: &mut Session,
    request: Request,
) -> Vec<(DeviceId, AnnouncementFate)> {
    match session.request(request).await {
        Ok(Reply::Announced { receivers }) => {
            let all = receivers.iter().map(|one| (one.device, one.fate));
            all.collect()
        }
        other => panic!("{other:?}"),
    }
}

pub(super) fn fate(
    of: &HomeDevice,
    fates: &[(DeviceId, AnnouncementFate)],
) -> Option<AnnouncementFate> {
    let found = fates.iter().find(|(device, _)| *device == of.id());
    found.map(|(_, fate)| *fate)
}

pub(super) fn announced(event: &Event) -> Option<Announced> {
    match event {
        Event::Announced(announced) => Some(announced.clone()),
        _ => None,
    }
}

pub(super) fn heard(event: &Event) -> Option<(AnnouncementId, DeviceId, AnnouncementHeard)> {
    match event {
        Event::AnnouncementHeard {
            announcement,
            device,
            heard,
        } => Some((*announcement, *device, *heard)),
        _ => None,
    }
}

async fn roster(session: &mut Session) -> Roster {
    let home = session.home().await.household.unwrap();
    Roster::from_entries(&home.roster).unwrap()
}
